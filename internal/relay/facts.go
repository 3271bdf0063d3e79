package relay

import (
	"bytes"
	"slices"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/route"
)

// planned is the plan of the call. What the call is like is looked at only if a
// route wants to know.
func (a *answer) planned() route.Plan {
	p := a.c.Settings.Routes.Plan(a.c.Model, func() route.Facts { return facts(a.c, a.request()) })
	if plain := a.undressed(); plain != "" && p.Rule == "" {
		with := a.c.Settings.Routes.Plan(plain, func() route.Facts { return facts(a.c, nil) })
		with.Models = append(p.Models, with.Models...)
		return with
	}
	return p
}

// request is what the client asks for, read once for routes and settings. Nil:
// it is no conversation, or cannot be read, which whoever is asked tells better.
func (a *answer) request() *llm.Request {
	if !a.parsed {
		a.parsed, a.said = true, requestOf(a.c)
	}
	return a.said
}

func requestOf(c *Call) *llm.Request {
	codec, ok := c.Codec.(protocol.Translator)
	if !ok || c.Op != protocol.Chat || len(c.Body) == 0 {
		return nil
	}
	r, err := codec.DecodeRequest(c.Body)
	if err != nil {
		return nil
	}
	return r
}

// facts are what a route may want to know of c, which asks for r. Without r
// only the size is known.
func facts(c *Call, r *llm.Request) route.Facts {
	f := route.Facts{Tokens: int64(len(c.Body)) / bytesPerToken}
	if r == nil {
		return f
	}
	f.Background = background(r)
	if r.Sampling.MaxTokens != nil {
		f.Output = *r.Sampling.MaxTokens
	}
	if len(r.Tools) > 0 {
		f.Needs |= route.Tools
	}
	if r.Output.Kind == llm.OutputSchema {
		f.Needs |= route.Schema
	}
	if thinks(&r.Reason) {
		f.Needs |= route.Thinking
	}
	// A medium's bytes say little about how many tokens it takes.
	media, bytes := mediaOf(r.Messages, &f.Needs)
	f.Tokens = (int64(len(c.Body))-bytes)/bytesPerToken + media*tokensPerMedium
	return f
}

// thinks reports whether a client asks for thinking.
func thinks(r *llm.Reason) bool {
	return r.Mode != llm.ReasonUnset && r.Mode != llm.ReasonOff
}

// mediaOf notes what a model needs to read the media of a conversation, and
// returns how many there are and how many bytes of the body they take.
func mediaOf(messages []llm.Message, needs *route.Need) (n, bytes int64) {
	var walk func(parts []llm.Part)
	walk = func(parts []llm.Part) {
		for _, p := range parts {
			switch p := p.(type) {
			case *llm.Result:
				walk(p.Parts)
			case *llm.Blob:
				switch p.Kind {
				case llm.Image, llm.Video:
					*needs |= route.Vision
				case llm.Audio:
					*needs |= route.Audio
				case llm.Document:
					if p.Prose.IsSet() {
						continue // plain text
					}
					*needs |= route.Documents
				}
				n++
				bytes += int64(p.Data.Len())
			}
		}
	}
	for i := range messages {
		walk(messages[i].Parts)
	}
	return n, bytes
}

// background is the kind of background work that r is, "" if it is a turn of a
// conversation. The form of a request tells it first: no tools, and an answer
// that is a title and nothing else. After it, only what its instructions say
// counts, and never the words of its user (spec: clients §1, parity §4.5).
func background(r *llm.Request) string {
	if len(r.Tools) > 0 || len(r.Messages) == 0 {
		return ""
	}
	if r.Output.Kind == llm.OutputSchema {
		switch soleProperty(r.Output.Schema) {
		case "title":
			return route.Title
		case "isNewTopic":
			return route.Topic
		}
	}
	if m := r.Sampling.MaxTokens; m != nil && *m == 1 && len(r.Messages)-r.Head() == 1 {
		return route.Probe
	}
	var text []byte
	for i := range r.Messages[:r.Head()] {
		for _, p := range r.Messages[i].Parts {
			if p, ok := p.(*llm.Prose); ok {
				text = append(text, p.Text.Head(maxInstructions)...)
				text = append(text, '\n')
			}
		}
	}
	text = bytes.ToLower(text[:min(len(text), maxInstructions)])
	for _, k := range kinds {
		if slices.ContainsFunc(k.says, func(s string) bool { return bytes.Contains(text, []byte(s)) }) {
			return k.kind
		}
	}
	return ""
}

// maxInstructions is how many bytes of instructions are looked at. Those of
// background work are short; a coding agent's own are long and speak of titles
// and summaries, too, but they come with tools.
const maxInstructions = 4 << 10

// kinds are the kinds of background work by words in lower case of which one
// stands in their instructions.
var kinds = []struct {
	kind string
	says []string
}{
	{route.Topic, []string{"indicates a new conversation topic", "isnewtopic"}},
	{route.Title, []string{
		"you are a title generator", "generate a title", "generate a concise title", "generate a short title", "generate a brief title",
		"concise, sentence-case title", "title for this conversation", "title for the conversation", "title for this session", "naming a coding session",
	}},
	{route.Summary, []string{"tasked with summarizing conversations", "summarize this coding conversation", "summarizing conversations"}},
}

// soleProperty is the name of the one property of an object's schema, "" if there is
// none or there are more.
func soleProperty(schema []byte) (name string) {
	for m, err := range jsonedit.Members(jsonedit.Get(schema, "properties")) {
		if err != nil || name != "" && !m.Is(name) {
			return ""
		}
		name = string(m.Name)
	}
	return name
}
