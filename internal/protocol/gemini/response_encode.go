package gemini

import (
	"bytes"
	"slices"
	"strconv"
	"unicode/utf8"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
)

// EncodeResponse appends a whole answer.
func (*Codec) EncodeResponse(dst []byte, r *llm.Response, echo *protocol.Echo) ([]byte, []llm.Loss, error) {
	e := answerEncoder{thoughts: shows(echo)}
	dst = append(dst, '{')
	if !(len(r.Answers) == 1 && r.Extra.Protocol == protocol.Gemini && silent(&r.Answers[0])) {
		dst = append(jsonw.Name(dst, "candidates"), '[')
		for i := range r.Answers {
			dst = e.candidate(dst, i, &r.Answers[i])
		}
		dst = append(dst, ']')
	}
	counts, other := inner(r.Extra, "usageMetadata")
	if r.HasUsage {
		dst = appendUsage(jsonw.Name(dst, "usageMetadata"), r.Usage, counts)
		if lost := lostUsage(&r.Usage); lost != "" {
			e.lose("usage", lost)
		}
	}
	dst = jsonw.String(dst, "modelVersion", echo.Model)
	dst = jsonw.String(dst, "responseId", answerID(r.ID, echo))
	return append(other.AppendTo(dst, protocol.Gemini), '}'), e.losses, nil
}

// silent reports whether an answer stands for a prompt that Google refused,
// which gives no candidate.
func silent(a *llm.Answer) bool {
	return len(a.Parts) == 0 && a.Stop == llm.StopFilter && a.Extra.Members == nil
}

// shows reports whether the client sees thoughts: it must have asked for them.
func shows(echo *protocol.Echo) bool {
	if echo.Request == nil {
		return true
	}
	show := echo.Request.Reason.Show
	return show == llm.ShowSummary || show == llm.ShowAll
}

func answerID(id string, echo *protocol.Echo) string {
	if id == "" {
		return echo.ID
	}
	return id
}

// lostUsage is what a usageMetadata cannot tell of u, or "".
func lostUsage(u *llm.Usage) string {
	switch {
	case u.CacheWrite > 0:
		return "approximated: what was written to the cache is told as prompt"
	case u.Searches+u.Fetches > 0:
		return openaiwire.NoTools
	}
	return ""
}

// appendUsage writes a usageMetadata (spec: upstreams §2.11). x is what Google
// itself told beside the counts; of the prompt it counts apart what its tools
// added.
func appendUsage(dst []byte, u llm.Usage, x llm.Extra) []byte {
	prompt := u.Input + u.CacheRead + u.CacheWrite
	if tools, ok := jsonedit.Int(jsonedit.Get(append(append([]byte{'{'}, x.Members...), '}'), "toolUsePromptTokenCount")); ok {
		prompt = max(prompt-tools, 0)
	}
	dst = jsonw.Int(append(dst, '{'), "promptTokenCount", prompt)
	if u.CacheRead > 0 {
		dst = jsonw.Int(dst, "cachedContentTokenCount", u.CacheRead)
	}
	dst = jsonw.Int(dst, "candidatesTokenCount", u.Output)
	if u.Reasoning > 0 {
		dst = jsonw.Int(dst, "thoughtsTokenCount", u.Reasoning)
	}
	dst = jsonw.Int(dst, "totalTokenCount", u.Total())
	if !bytes.Contains(x.Members, []byte(`TokensDetails"`)) { // else Google has told it
		dst = appendModalities(dst, "promptTokensDetails", prompt, u.AudioIn, u.ImageIn)
		dst = appendModalities(dst, "candidatesTokensDetails", u.Output, u.AudioOut, u.ImageOut)
	}
	return append(x.AppendTo(dst, protocol.Gemini), '}')
}

// appendModalities appends a list of counts by modality of all tokens, if some
// of them are sound or pictures.
func appendModalities(dst []byte, name string, all, audio, image int64) []byte {
	if audio+image == 0 {
		return dst
	}
	dst = append(jsonw.Name(dst, name), '[')
	for _, m := range [...]struct {
		modality string
		n        int64
	}{{"TEXT", all - audio - image}, {"AUDIO", audio}, {"IMAGE", image}} {
		if m.n > 0 {
			dst = jsonw.String(append(jsonw.Comma(dst), '{'), "modality", m.modality)
			dst = append(jsonw.Int(dst, "tokenCount", m.n), '}')
		}
	}
	return append(dst, ']')
}

type answerEncoder struct {
	writer
	thoughts bool // the client sees them
}

func (e *answerEncoder) candidate(dst []byte, i int, a *llm.Answer) []byte {
	at := "candidates[" + strconv.Itoa(i) + "]"
	var s shownAnswer
	dst = append(jsonw.Comma(dst), `{"content":{"parts":[`...)
	var carried *llm.Seal // of a thought that another upstream sealed
	for j, p := range a.Parts {
		here := at + ".content[" + strconv.Itoa(j) + "]"
		dst = e.part(dst, here, p, &s, &carried)
	}
	if carried != nil {
		dst = appendText(dst, llm.Plain(""), false, carried, llm.Extra{})
	}
	dst = append(dst, `],"role":"model"}`...)
	told := a.Extra
	if told.Protocol != protocol.Gemini {
		told = llm.Extra{}
	}
	known := append(append([]byte{'{'}, told.Members...), '}')
	if jsonedit.Get(known, "finishReason") == nil && a.Stop != llm.StopUnset {
		dst = jsonw.String(dst, "finishReason", finish(s.stop(a.Stop)))
	}
	dst = jsonw.Int(dst, "index", int64(i))
	if jsonedit.Get(known, "groundingMetadata") == nil && jsonedit.Get(known, "citationMetadata") == nil && jsonedit.Get(known, "urlContextMetadata") == nil {
		dst = s.ground(dst)
	}
	if a.Logprobs != nil && jsonedit.Get(known, "logprobsResult") == nil {
		if out, ok := appendLogprobs(jsonw.Name(dst, "logprobsResult"), a.Logprobs); ok {
			dst = out
		}
	}
	return append(told.AppendTo(dst, protocol.Gemini), '}')
}

// part appends a part of an answer. carried is a seal that stood on a thought
// and is another upstream's: clients send back what stands on texts and calls,
// and some leave thoughts out, so it goes onto the next of those (spec:
// upstreams §2.14, G → A).
func (e *answerEncoder) part(dst []byte, at string, p llm.Part, s *shownAnswer, carried **llm.Seal) []byte {
	take := func(own *llm.Seal) *llm.Seal {
		if own == nil {
			own, *carried = *carried, nil
		}
		return own
	}
	switch p := p.(type) {
	case *llm.Prose:
		if p.Text.Empty() && p.Seal == nil {
			return dst
		}
		s.text(p.Text, p.Cites)
		return appendText(dst, p.Text, false, take(p.Seal), p.Extra)
	case *llm.Refusal:
		s.text(p.Text, nil)
		s.refused = true
		return appendText(dst, p.Text, false, take(nil), llm.Extra{})
	case *llm.Thought:
		seal := p.Seal
		if seal != nil && seal.Protocol != protocol.Gemini {
			*carried, seal = seal, nil
		}
		switch {
		case e.thoughts && (!p.Text.Empty() || seal != nil):
			s.parts++
			return appendText(dst, p.Text, true, seal, p.Extra)
		case seal != nil:
			s.parts++
			return appendText(dst, llm.Plain(""), true, seal, llm.Extra{})
		}
	case *llm.Call:
		s.parts++
		return e.call(dst, at, p, take(p.Seal))
	case *llm.Blob:
		s.parts++
		return e.blob(dst, at, p, false)
	case *llm.Opaque:
		return e.opaque(dst, at, p)
	case *llm.ServerCall:
		if s.asked(p) {
			return dst
		}
		return e.serverCall(dst, at, p)
	case *llm.ServerResult:
		if s.found(p) {
			return dst
		}
		return e.serverResult(dst, at, p)
	case *llm.Result, *llm.Reference:
		e.lose(at, "dropped: it has no seat in an answer")
	}
	return dst
}

// A shownAnswer is what of an answer the groundingMetadata need.
type shownAnswer struct {
	parts    int // parts that were written
	start    int // bytes of the texts before
	queries  []llm.Text
	sources  []llm.Citation
	supports []support
	refused  bool // it is a refusal in words
}

// A support says that a range of an answer's text, in bytes, comes from a
// source.
type support struct {
	start, end, source int
	text               []byte
}

// text takes a text and what it rests on. Ranges are characters here and bytes
// at Google.
func (s *shownAnswer) text(t llm.Text, cites []llm.Citation) {
	s.parts++
	if len(cites) == 0 {
		s.start += byteLen(t)
		return
	}
	text := t.Append(nil)
	for i := range cites {
		s.cite(text, &cites[i], s.start)
	}
	s.start += len(text)
}

func byteLen(t llm.Text) int {
	head := t.Head(t.Len())
	if slices.Contains(head, '\\') {
		return len(t.Append(nil))
	}
	return len(head)
}

// cite takes a citation of a text that begins at start.
func (s *shownAnswer) cite(text []byte, c *llm.Citation, start int) {
	from, to := 0, len(text)
	if c.Start != 0 || c.End != 0 {
		from = bytesOf(text, c.Start)
		to = max(bytesOf(text, c.End), from)
	}
	s.supports = append(s.supports, support{start + from, start + to, s.source(c), text[from:to]})
}

// bytesOf is where character n of text begins, in bytes.
func bytesOf(text []byte, n int) int {
	at := 0
	for ; n > 0 && at < len(text); n-- {
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at
}

// source is the number of a source; each has one.
func (s *shownAnswer) source(c *llm.Citation) int {
	for i := range s.sources {
		if s.sources[i].URL == c.URL && s.sources[i].Title == c.Title {
			return i
		}
	}
	s.sources = append(s.sources, *c)
	return len(s.sources) - 1
}

// asked takes a search of another upstream and reports whether it was one.
func (s *shownAnswer) asked(c *llm.ServerCall) bool {
	if c.Extra.Protocol == protocol.Gemini || c.Name != "web_search" && c.Name != "web_fetch" {
		return false
	}
	if c.Query.IsSet() && c.Name == "web_search" {
		s.queries = append(s.queries, c.Query.Own())
	}
	return true
}

// found takes what a search of another upstream found.
func (s *shownAnswer) found(r *llm.ServerResult) bool {
	if r.Extra.Protocol == protocol.Gemini || r.Name != "web_search" && r.Name != "web_fetch" {
		return false
	}
	for i := range r.Sources {
		s.source(&r.Sources[i])
	}
	return true
}

// ground appends the groundingMetadata, if there is anything in them.
func (s *shownAnswer) ground(dst []byte) []byte {
	if len(s.sources)+len(s.queries) == 0 {
		return dst
	}
	dst = append(jsonw.Name(dst, "groundingMetadata"), '{')
	if len(s.queries) > 0 {
		dst = append(jsonw.Name(dst, "webSearchQueries"), '[')
		for _, q := range s.queries {
			dst = q.AppendJSON(jsonw.Comma(dst))
		}
		dst = append(dst, ']')
	}
	if len(s.sources) > 0 {
		dst = append(jsonw.Name(dst, "groundingChunks"), '[')
		for i := range s.sources {
			dst = append(jsonw.Comma(dst), `{"web":{`...)
			dst = append(jsonw.String(jsonw.String(dst, "uri", s.sources[i].URL), "title", s.sources[i].Title), "}}"...)
		}
		dst = append(dst, ']')
	}
	if len(s.supports) > 0 {
		dst = append(jsonw.Name(dst, "groundingSupports"), '[')
		for _, x := range s.supports {
			dst = append(jsonw.Comma(dst), `{"segment":{`...)
			dst = jsonw.Int(jsonw.Int(dst, "startIndex", int64(x.start)), "endIndex", int64(x.end))
			dst = jsonw.Text(dst, "text", llm.PlainBytes(x.text))
			dst = strconv.AppendInt(append(dst, `},"groundingChunkIndices":[`...), int64(x.source), 10)
			dst = append(dst, "]}"...)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}
