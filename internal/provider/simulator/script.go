package simulator

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"portico/internal/llm"
)

// The models that behave in a way of their own.
const (
	modelFast     = "simulator-fast"
	modelThinking = "simulator-thinking"
	modelTools    = "simulator-tools"
	modelImage    = "simulator-image"
)

// A script is what to answer, without any dialect.
type script struct {
	thinks  bool
	shown   bool   // the thought may be seen, not only its seal
	thought string // "" if the budget left no room
	text    string
	image   []byte // a PNG, or nil
	calls   []call
	stop    stop
	stopAt  string // the sequence, for stopSequence
	fast    bool   // the text is one event
	copies  int    // how many times the answer is given, at least 1
	usage   llm.Usage
	mishaps []mishap
}

// A call is a tool that the model wants to be run.
type call struct {
	tool
	input string // JSON, or any text for a custom tool
}

// A stop says why the answer ends.
type stop uint8

const (
	stopEnd stop = iota
	stopSequence
	stopLength
	stopCalls
)

// greeting stands at the head of every answer that is not dictated.
const greeting = "This is Portico's simulator, no model was asked."

// maxQuote is how many bytes of a text an answer quotes.
const maxQuote = 400

// plan decides what to answer. It is pure; the error is one that the user
// made in a fault directive.
func plan(a *ask) (*script, error) {
	d := parseDirectives(a.turn...)
	if d.err != nil {
		return nil, d.err
	}
	s := &script{shown: d.think || !a.hide, fast: a.model == modelFast, copies: max(1, a.copies), mishaps: d.mishaps}
	s.thinks = d.think || a.think || a.model == modelThinking
	if s.thinks {
		n := 0
		for _, text := range a.turn {
			n += len(text)
		}
		s.thought = fmt.Sprintf("This thought is simulated, no model thinks. The user's turn has %d bytes, %d tools are on offer.", n, len(a.tools))
	}
	var missing []string
	s.calls, missing = plannedCalls(a, &d)
	if wanted := d.image || a.image || a.model == modelImage; wanted && a.seat {
		s.image = picture(d.rest)
	} else if wanted {
		missing = append(missing, "an image, for which this protocol's answers have no seat")
	}
	switch {
	case d.say != nil:
		s.text = *d.say
	case d.long > 0:
		s.text = filler(d.long)
	case len(s.calls) == 0 && a.format != formatText:
		s.text = formatted(a, describe(a, &d, s, missing))
	default:
		s.text = describe(a, &d, s, missing)
	}
	s.stop = stopEnd
	if len(s.calls) > 0 {
		s.stop = stopCalls
	}
	s.stopBefore(a.stops)
	s.fit(a.limit)
	s.usage = a.usage(d.cached, s)
	return s, nil
}

// plannedCalls are the calls to make, and what was wished for in vain.
func plannedCalls(a *ask, d *directives) (calls []call, missing []string) {
	if a.choice.none {
		return nil, nil
	}
	for _, w := range d.tools {
		i := slices.IndexFunc(a.tools, func(t tool) bool { return t.name == w.name })
		if i < 0 {
			missing = append(missing, fmt.Sprintf("a call of %q, which the request does not offer", w.name))
			continue
		}
		calls = append(calls, a.tools[i].call(w.input))
	}
	if len(calls) == 0 && len(a.results) == 0 && (a.choice.forced || a.model == modelTools) {
		for _, t := range a.tools {
			if (a.choice.name == "" || t.name == a.choice.name) && (a.choice.among == nil || slices.Contains(a.choice.among, t.name)) {
				calls = append(calls, t.call(""))
				break
			}
		}
	}
	if a.single && len(calls) > 1 {
		calls = calls[:1]
	}
	return calls, missing
}

// call makes the input up if there is none that the tool can take.
func (t tool) call(input string) call {
	switch {
	case t.custom && input == "":
		input = "simulated input"
	case !t.custom && !strings.HasPrefix(input, "{"):
		input = string(invent(t.schema, true))
	}
	return call{tool: t, input: input}
}

// describe says what the request held.
func describe(a *ask, d *directives, s *script, missing []string) string {
	var b strings.Builder
	b.WriteString(greeting)
	for _, r := range a.results {
		name := r.name
		if name == "" {
			name = "The tool"
		}
		fmt.Fprintf(&b, " %s returned: %s", name, quote(r.text))
	}
	for _, m := range a.media {
		fmt.Fprintf(&b, " You sent %s.", m)
	}
	if d.rest != "" {
		fmt.Fprintf(&b, " You said: %s", quote(d.rest))
	}
	for _, m := range missing {
		fmt.Fprintf(&b, " You asked for %s.", m)
	}
	for _, c := range s.calls {
		fmt.Fprintf(&b, " It calls %s.", c.name)
	}
	if s.image != nil {
		b.WriteString(" The image is made up, too.")
	}
	return b.String()
}

// String says what the medium is, in words.
func (m medium) String() string {
	kind := m.kind
	if m.mime != "" {
		kind += " (" + m.mime + ")"
	}
	article := "a "
	if strings.ContainsRune("aeiou", rune(m.kind[0])) {
		article = "an "
	}
	if m.at != "" {
		return article + kind + " at " + quote(m.at)
	}
	return fmt.Sprintf("%s%s of %d bytes", article, kind, m.size)
}

func quote(s string) string {
	if len(s) <= maxQuote {
		return s
	}
	return clip(s, maxQuote) + "…"
}

// clip returns at most n bytes of s, without breaking a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

// filler is n words.
func filler(n int) string {
	words := strings.Fields("This is Portico's simulator and no model was asked, these words only fill the length that you wanted to see.")
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(words[i%len(words)])
	}
	return b.String()
}

// formatted is the answer in the form that the request wants.
func formatted(a *ask, text string) string {
	switch a.format {
	case formatSchema:
		return string(invent(a.schema, false))
	case formatEnum:
		var word string
		if err := decode(invent(a.schema, false), &word); err == nil {
			return word
		}
	}
	return string(object("simulator", true, "answer", text))
}

// stopBefore ends the text before the earliest of the sequences; what would
// come after it never comes.
func (s *script) stopBefore(sequences []string) {
	at := -1
	for _, q := range sequences {
		if i := strings.Index(s.text, q); q != "" && i >= 0 && (at < 0 || i < at) {
			at, s.stopAt = i, q
		}
	}
	if at >= 0 {
		s.text, s.calls, s.image, s.stop = s.text[:at], nil, nil, stopSequence
	}
}

// maxTokens is the largest number of tokens that is computed with.
const maxTokens = 1 << 40

// fit cuts the answer to limit tokens: thought, text and calls in this order.
// A call that does not fit whole is not made.
func (s *script) fit(limit *int64) {
	if limit == nil {
		return
	}
	left := min(max(0, *limit), maxTokens) * 4 // bytes
	cut := func(text string) string {
		if int64(len(text)) <= left {
			left -= (int64(len(text)) + 3) / 4 * 4
			return text
		}
		text = clip(text, int(left))
		left = -1
		return text
	}
	s.thought = cut(s.thought)
	if left >= 0 {
		s.text = cut(s.text)
	} else {
		s.text = ""
	}
	for i, c := range s.calls {
		if size := int64(len(c.name) + len(c.input)); left < size {
			s.calls, left = s.calls[:i], -1
			break
		} else {
			left -= (size + 3) / 4 * 4
		}
	}
	if left < 0 {
		s.stop, s.stopAt, s.image = stopLength, "", nil
	}
}

// cacheStep and cacheLeast are how OpenAI caches prompts: from 1024 tokens on,
// in steps of 128.
const cacheStep, cacheLeast = 128, 1024

// usage counts the tokens of a and its answer. What came before the turn is
// taken for cached if the model has answered in this conversation before; a
// first request with cache marks is taken to write it.
func (a *ask) usage(cached *int64, s *script) llm.Usage {
	in := a.input()
	var u llm.Usage
	switch before := (a.prefix + 3) / 4; {
	case cached != nil:
		u.CacheRead = *cached
	case a.marked && a.marks && a.history:
		u.CacheRead = before
	case a.marked && a.marks:
		u.CacheWrite = before
	case !a.marked && a.history && before >= cacheLeast:
		u.CacheRead = before / cacheStep * cacheStep
	}
	u.Input = max(1, in-u.CacheRead-u.CacheWrite)
	n := (int64(len(s.text)) + 3) / 4
	for _, c := range s.calls {
		n += (int64(len(c.name)+len(c.input)) + 3) / 4
	}
	if s.image != nil {
		n += blobTokens
	}
	u.Output = max(1, n) * int64(s.copies)
	u.Reasoning = (int64(len(s.thought)) + 3) / 4 * int64(s.copies)
	return u
}

// seal is what stands where a model's signature would. It says what it is and
// depends on the thought, so that a mix-up is seen.
func (s *script) seal() string {
	h := fnv.New32a()
	h.Write([]byte(s.thought + s.text))
	return fmt.Sprintf("simulated-by-portico-%08x", h.Sum32())
}

// piece is how many bytes of text, which is not empty, a stream sends at a
// time: a word with the space behind it, at most maxPiece bytes.
func (s *script) piece(text string) int {
	if s.fast {
		return len(text)
	}
	if n := strings.IndexByte(text[:min(len(text), maxPiece)], ' ') + 1; n > 0 {
		return n
	}
	if n := len(clip(text, maxPiece)); n > 0 {
		return n
	}
	return min(len(text), maxPiece) // no character is as long; it is not UTF-8
}

const maxPiece = 64
