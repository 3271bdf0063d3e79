package translate

import (
	"encoding/json/jsontext"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
)

// An aspect is one thing that a request says, in words that two requests of
// one protocol can be compared by, and the losses by which the ledger names
// that it did not cross as it was.
type aspect struct {
	name  string
	names *regexp.Regexp // of a loss: its path, a blank and its reason
}

// content is what a loss of a part of some kind is told by.
const inContent = `^(messages|system|input)`

var aspects = []aspect{
	{"instructions", regexp.MustCompile(`^messages.*(moved|approximated)|^(output|response_format|tool_choice) emulated: (by an|an) instr`)},
	{"user", regexp.MustCompile(inContent + `.*(moved|emulated|text|dropped)`)},
	{"model", regexp.MustCompile(inContent + `.*(moved|emulated|approximated)`)},
	{"thinking", regexp.MustCompile(`^messages.*(dropped|seal)|^reasoning`)},
	{"calls", regexp.MustCompile(`^messages.*(dropped|approximated)|^tools`)},
	{"results", regexp.MustCompile(`^messages.*(moved|emulated|text|dropped)`)},
	{"failures", regexp.MustCompile(`is_error`)},
	{"pictures", regexp.MustCompile(`^messages.*(picture|image|shows|told the address|only its provider holds)`)},
	{"looks", regexp.MustCompile(`\.detail | picture`)},
	{"documents", regexp.MustCompile(`^messages.*(document|shows|only its provider holds)`)},
	{"documents of text", regexp.MustCompile(`^messages.* approximated: a document that is text`)},
	{"orphans", nil},
	{"names of files", regexp.MustCompile(`^messages.*(\.name |document|text|shows)`)},
	{"sounds", regexp.MustCompile(`^messages.*(sound|shows)`)},
	{"tools", regexp.MustCompile(`^(tools|tool_choice)`)},
	{"schemas", regexp.MustCompile(`^(tools|tool_choice)`)},
	{"strict", regexp.MustCompile(`^tools\[\d+\]\.strict|^tool_choice`)},
	{"choice", regexp.MustCompile(`^(tool_choice|tools emulated|response_format emulated)`)},
	{"parallel", regexp.MustCompile(`^parallel_tool_calls`)},
	{"max_tokens", regexp.MustCompile(`^max_tokens`)},
	{"temperature", regexp.MustCompile(`^temperature`)},
	{"top_p", regexp.MustCompile(`^top_p`)},
	{"top_k", regexp.MustCompile(`^top_k`)},
	{"frequency_penalty", regexp.MustCompile(`^frequency_penalty`)},
	{"presence_penalty", regexp.MustCompile(`^presence_penalty`)},
	{"seed", regexp.MustCompile(`^seed`)},
	{"n", regexp.MustCompile(`^n `)},
	{"logprobs", regexp.MustCompile(`^(top_)?logprobs`)},
	{"logit_bias", regexp.MustCompile(`^logit_bias`)},
	{"stop", regexp.MustCompile(`^stop`)},
	{"reasoning", regexp.MustCompile(`^reasoning`)},
	{"display", regexp.MustCompile(`^reasoning`)},
	{"output", regexp.MustCompile(`^(output|response_format)`)},
	{"output schema", regexp.MustCompile(`^(output|response_format)`)},
	{"verbosity", regexp.MustCompile(`^verbosity`)},
	{"breakpoints", regexp.MustCompile(`cache_control|does not read pictures`)},
	{"user id", regexp.MustCompile(`^user`)},
	{"tier", regexp.MustCompile(`^service_tier`)},
	{"cache key", regexp.MustCompile(`^prompt_cache_key`)},
	{"cache retention", regexp.MustCompile(`^prompt_cache_retention`)},
	{"metadata", regexp.MustCompile(`^metadata`)},
	{"stream", nil},
}

func normal(v jsontext.Value) string {
	v = slices.Clone(v)
	if err := v.Format(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false), jsontext.ReorderRawObjects(true)); err != nil {
		return string(v)
	}
	return constant.ReplaceAllString(string(v), `"enum":[$1]`)
}

// constant: one value is a list of one.
var constant = regexp.MustCompile(`"const":("[^"]*")`)

// said is a request's gist: lines by aspect.
type said map[string][]string

func (s said) add(aspect, format string, args ...any) {
	s[aspect] = append(s[aspect], fmt.Sprintf(format, args...))
}

func saidBy(r *llm.Request) said {
	s := said{}
	head := r.Head()
	numbers := map[string]int{} // of calls, by their ids
	for i := range r.Messages {
		m := &r.Messages[i]
		role := "user"
		switch {
		case m.Role == llm.Assistant:
			role = "model"
		case i < head:
			role = "instructions"
		case m.Role.IsInstruction():
			role = "user" // it may have to be said by the user
		}
		s.parts(role, m.Parts, numbers)
	}
	slices.Sort(s["pictures"]) // results stand in the order of their calls
	slices.Sort(s["breakpoints"])
	slices.Sort(s["documents"])
	slices.Sort(s["sounds"])
	slices.Sort(s["looks"])
	slices.Sort(s["names of files"])
	slices.SortStableFunc(s["results"], func(a, b string) int { return strings.Compare(a[:3], b[:3]) })
	slices.Sort(s["failures"])
	for i := range r.Tools {
		s.tool(&r.Tools[i])
	}
	s.settings(r)
	return s
}

func (s said) parts(role string, parts []llm.Part, numbers map[string]int) {
	for _, p := range parts {
		switch p := p.(type) {
		case *llm.Prose:
			s.mark(p.Cache)
			s.text(role, p.Text.String())
		case *llm.Refusal:
			s.add(role, "%s", p.Text.String())
		case *llm.Thought:
			s.add("thinking", "%s", p.Text.String())
		case *llm.Call:
			s.mark(p.Cache)
			numbers[p.ID] = len(numbers)
			s.add("calls", "%s %s", spaced(p.Namespace, p.Name), callArgs(p))
		case *llm.Result:
			s.mark(p.Cache)
			s.result(p, numbers)
		case *llm.Blob:
			s.mark(p.Cache)
			if p.Prose.IsSet() {
				s.text(role, p.Prose.String())
			}
			s.blob(p)
		default:
			s.add(role, "%T", p)
		}
	}
}

// spaced is the name of a tool in a namespace, as it is called where there are
// none.
func spaced(space, name string) string {
	if space == "" {
		return name
	}
	return space + "__" + name
}

// own are the gateway's own words, by which it says what has no seat.
var own = regexp.MustCompile(`^(The tool was interrupted, and there is no result\.|[Tt]he result of this call is missing\.?|(Error: )?the tool failed|` +
	`(\[(image|document|sound|film) \d+ follows below\])+|\[image at https://pictures\.example/\d+\.png\]|\(continued\)|\.|Continue your last message exactly where it stops\. Repeat nothing of it\.|` +
	`\[A tool answered, but its call is not part of this conversation\]|\[What a tool answered to a call that is not part of this conversation\]|` +
	`\[Result of call_of_nobody\]|\[notes\.txt\]|Answer with one JSON object and nothing else.*|Call (a|the) tool.*)$`)

func (s said) text(role, t string) {
	switch t = strings.TrimSpace(t); {
	case t == "" || own.MatchString(t):
	case strings.HasPrefix(t, orphan):
		s.add("orphans", "%s", t)
	default:
		s.add(role, "%s", t)
	}
}

func callArgs(c *llm.Call) string {
	if c.Kind == llm.Custom {
		return normal(wrapInput(c.Args).Append(nil))
	}
	return normal(c.Args.Append(nil))
}

func (s said) mark(b *llm.Breakpoint) {
	if b != nil {
		s.add("breakpoints", "%s", strings.Replace(b.TTL, "5m", "", 1))
	}
}

func (s said) result(r *llm.Result, numbers map[string]int) {
	n, known := numbers[r.CallID]
	if !known {
		for _, p := range r.Parts {
			s.text("user", p.(*llm.Prose).Text.String())
		}
		return
	}
	var texts []string
	for _, p := range r.Parts {
		switch p := p.(type) {
		case *llm.Prose:
			s.mark(p.Cache)
			texts = append(texts, p.Text.String())
		case *llm.Blob:
			s.mark(p.Cache)
			texts = append(texts, p.Prose.String())
			s.blob(p)
		default:
			texts = append(texts, fmt.Sprintf("%T", p))
		}
	}
	text := normalText(strings.Join(texts, ""))
	if in := jsonedit.Get([]byte(text), "error"); r.Failed && len(in) > 0 && in[0] == '{' { // as Google has it
		text = normal(in)
	}
	switch {
	case text == "The tool was interrupted, and there is no result." || strings.EqualFold(strings.TrimSuffix(text, "."), "the result of this call is missing"):
		return
	case text != "" && text != "{}" && !own.MatchString(text): // the braces are nothing, as Google has it
		s.add("results", "%03d %s", n, text)
	}
	if r.Failed {
		s.add("failures", "%03d", n)
	}
}

func normalText(t string) string {
	if v := jsontext.Value(t); v.IsValid() {
		return normal(v)
	}
	return t
}

func (s said) blob(b *llm.Blob) {
	kind := map[llm.BlobKind]string{llm.Image: "pictures", llm.Document: "documents", llm.Audio: "sounds", llm.Video: "films"}[b.Kind]
	if b.Prose.IsSet() {
		kind = "documents of text"
	}
	s.add(kind, "%s%s%s%s", b.Data.String(), b.URL, b.File, b.Prose.String())
	if b.Detail != "" && b.Detail != "auto" {
		s.add("looks", "%s", b.Detail)
	}
	if b.Name != "" {
		s.add("names of files", "%s", b.Name)
	}
}

func (s said) tool(t *llm.Tool) {
	if t.Name == answerTool { // the form of the answer
		return
	}
	if t.Kind == llm.Server {
		s.add("tools", "server %s", t.Server)
		return
	}
	s.add("tools", "%s: %s", spaced(t.Namespace, t.Name), t.Description.String())
	schema := normal(t.Schema)
	switch {
	case t.Kind == llm.Custom:
		schema = normal(jsontext.Value(inputSchema))
	case t.Schema == nil:
		schema = `{"properties":{},"type":"object"}`
	}
	s.add("schemas", "%s", schema)
	if t.Strict != nil && *t.Strict {
		s.add("strict", "%s", spaced(t.Namespace, t.Name))
	}
	s.mark(t.Cache)
}

func (s said) settings(r *llm.Request) {
	k, q, o := &r.Sampling, &r.Reason, &r.Output
	number := func(name string, n llm.Number) {
		if n != "" {
			s.add(name, "%s", n)
		}
	}
	if r.Choice.Mode != llm.ChoiceUnset && r.Choice.Mode != llm.ChoiceAuto {
		var names []string
		for _, t := range r.Choice.Tools {
			names = append(names, spaced(t.Namespace, t.Name))
		}
		mode := r.Choice.Mode
		if mode == llm.ChoiceAllowed && r.Choice.Must && len(names) == 1 { // the same in other words
			mode = llm.ChoiceNamed
		}
		s.add("choice", "%d %v", mode, names)
	}
	if r.Parallel != nil && !*r.Parallel && r.Choice.Mode != llm.ChoiceNone {
		s.add("parallel", "no")
	}
	if k.MaxTokens != nil {
		s.add("max_tokens", "%d", *k.MaxTokens)
	}
	if k.Temperature != "1" { // the default everywhere
		number("temperature", k.Temperature)
	}
	if k.TopP != "1" {
		number("top_p", k.TopP)
	}
	number("top_k", k.TopK)
	if k.Frequency != "0" {
		number("frequency_penalty", k.Frequency)
	}
	number("presence_penalty", k.Presence)
	number("seed", k.Seed)
	if k.N > 1 {
		s.add("n", "%d", k.N)
	}
	if k.Logprobs || k.TopLogprobs > 0 {
		s.add("logprobs", "%d", k.TopLogprobs)
	}
	if k.LogitBias != nil {
		s.add("logit_bias", "%s", normal(k.LogitBias))
	}
	for _, t := range k.Stop {
		s.add("stop", "%s", t.String())
	}
	if q.Mode != llm.ReasonUnset || q.Effort != "" {
		s.add("reasoning", "%d %s %d", q.Mode, q.Effort, q.Budget)
	}
	if q.Show != llm.ShowUnset {
		s.add("display", "%d", q.Show)
	}
	if o.Kind != llm.OutputUnset && o.Kind != llm.OutputText {
		s.add("output", "%d", o.Kind)
	}
	if o.Schema != nil {
		s.add("output schema", "%s", normal(o.Schema))
	}
	if o.Verbosity != "" {
		s.add("verbosity", "%s", o.Verbosity)
	}
	if r.User.IsSet() {
		s.add("user id", "%s", r.User.String())
	}
	if !slices.Contains([]string{"", "auto", "default", "standard", "standard_only"}, r.Tier) { // the last four are what everybody gets
		s.add("tier", "%s", r.Tier)
	}
	if r.Cache.Key != "" {
		s.add("cache key", "%s", r.Cache.Key)
	}
	if r.Cache.Retention != "" {
		s.add("cache retention", "%s", r.Cache.Retention)
	}
	if len(r.Metadata) > 0 {
		s.add("metadata", "%s", normal(r.Metadata))
	}
	s.add("stream", "%v", r.Stream)
}
