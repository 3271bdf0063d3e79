package simulator

import (
	"encoding/base64"
	"encoding/json/jsontext"
	"strconv"

	"portico/internal/llm"
)

// geminiStops are finishReason; a call ends an answer like a text does.
var geminiStops = [...]string{stopEnd: "STOP", stopSequence: "STOP", stopLength: "MAX_TOKENS", stopCalls: "STOP"}

// A geminiWriter writes answers of generateContent (spec: upstreams §1D.4,
// §1D.5). A stream is made of server-sent events or of the elements of one
// JSON array.
type geminiWriter struct {
	script *script
	id     func(prefix string) string
	tail   []byte // the members of a chunk behind its usage
	array  bool
	begun  bool  // the array has an element
	bytes  int64 // of text and calls sent, for the usage so far
	mused  int64 // bytes of thoughts sent
}

func newGeminiWriter(s *Simulator, model string, plan *script, array bool) *geminiWriter {
	tail := object("modelVersion", model, "responseId", s.id(""))
	tail[0] = ','
	return &geminiWriter{script: plan, id: s.id, tail: tail, array: array}
}

// geminiUsage writes u; cached tokens are part of the prompt, thoughts are no
// part of the candidates.
func geminiUsage(u llm.Usage) jsontext.Value {
	in := u.Input + u.CacheRead + u.CacheWrite
	return object("promptTokenCount", in, "candidatesTokenCount", u.Output, "totalTokenCount", u.Total(),
		"cachedContentTokenCount", given(u.CacheRead > 0, u.CacheRead), "thoughtsTokenCount", given(u.Reasoning > 0, u.Reasoning),
		"promptTokensDetails", list(object("modality", "TEXT", "tokenCount", in)))
}

// seal is a thought's signature, which is in base64 here.
func (w *geminiWriter) seal() string {
	return base64.StdEncoding.EncodeToString([]byte(w.script.seal()))
}

func (w *geminiWriter) image() jsontext.Value {
	return object("inlineData", object("mimeType", "image/png", "data", base64.StdEncoding.EncodeToString(w.script.image)))
}

// call writes a call; the first of an answer with a thought carries the seal.
func (w *geminiWriter) call(i int) jsontext.Value {
	c := &w.script.calls[i]
	return object("functionCall", object("id", w.id("call_"), "name", c.name, "args", oneLine(jsontext.Value(c.input))),
		"thoughtSignature", given(w.script.thinks && i == 0, w.seal()))
}

// whole writes the answer unstreamed.
func (w *geminiWriter) whole() []byte {
	s := w.script
	candidates := make([]jsontext.Value, s.copies)
	for i := range candidates {
		var parts []jsontext.Value
		if s.thinks && s.shown {
			parts = append(parts, object("text", s.thought, "thought", true))
		}
		if s.speaks() || len(s.calls) == 0 && s.thinks {
			parts = append(parts, object("text", s.text, "thoughtSignature", given(s.thinks && len(s.calls) == 0, w.seal())))
		}
		if s.image != nil {
			parts = append(parts, w.image())
		}
		for j := range s.calls {
			parts = append(parts, w.call(j))
		}
		candidates[i] = object("content", object("parts", parts, "role", "model"), "finishReason", geminiStops[s.stop], "index", i)
	}
	v := object("candidates", candidates, "usageMetadata", geminiUsage(s.usage))
	return append(v[:len(v)-1], w.tail...)
}

// open begins a chunk up to the parts of its candidate.
func (w *geminiWriter) open(f *frames) {
	switch {
	case !w.array:
		f.buf = append(f.buf, "data: "...)
	case w.begun:
		f.buf = append(f.buf, ",\r\n"...)
	default:
		f.buf = append(f.buf, '[')
	}
	w.begun = true
	f.buf = append(f.buf, `{"candidates":[{"content":{"parts":[`...)
}

// shut ends a chunk after its parts; finish is "" but for the last of its
// candidate, which tells the usage of the whole answer.
func (w *geminiWriter) shut(f *frames, index int, finish string) {
	f.buf = strconv.AppendInt(append(f.buf, `],"role":"model"},"index":`...), int64(index), 10)
	u := w.script.usage
	if finish != "" {
		f.buf = append(append(append(f.buf, `,"finishReason":"`...), finish...), '"')
	}
	f.buf = append(f.buf, `}],"usageMetadata":`...)
	if finish != "" && index == w.script.copies-1 {
		f.buf = append(f.buf, geminiUsage(u)...)
	} else {
		in := u.Input + u.CacheRead + u.CacheWrite
		out, thoughts := (w.bytes+3)/4, (w.mused+3)/4
		f.buf = strconv.AppendInt(append(f.buf, `{"promptTokenCount":`...), in, 10)
		f.buf = strconv.AppendInt(append(f.buf, `,"candidatesTokenCount":`...), out, 10)
		if thoughts > 0 {
			f.buf = strconv.AppendInt(append(f.buf, `,"thoughtsTokenCount":`...), thoughts, 10)
		}
		f.buf = strconv.AppendInt(append(f.buf, `,"totalTokenCount":`...), in+out+thoughts, 10)
		f.buf = append(f.buf, '}')
	}
	f.buf = append(f.buf, w.tail...)
	w.frame(f)
}

// frame ends an event.
func (w *geminiWriter) frame(f *frames) {
	if !w.array {
		f.buf = append(f.buf, "\n\n"...)
	}
	f.end()
}

// piece adds a chunk with a text.
func (w *geminiWriter) piece(f *frames, b beat, after string) {
	w.open(f)
	f.buf = append(appendString(append(f.buf, `{"text":`...), b.text), after...)
	w.shut(f, b.copy, "")
}

// part adds a chunk with one part.
func (w *geminiWriter) part(f *frames, b beat, part jsontext.Value, finish string) {
	w.open(f)
	f.buf = append(f.buf, part...)
	w.shut(f, b.copy, finish)
}

func (w *geminiWriter) write(f *frames, b beat) {
	s := w.script
	switch b.stage {
	case atThought:
		w.mused += int64(len(b.text))
		if s.shown {
			w.piece(f, b, `,"thought":true}`)
		}
	case atText:
		w.bytes += int64(len(b.text))
		w.piece(f, b, `}`)
	case atImage:
		w.bytes += 4 * blobTokens
		w.part(f, b, w.image(), "")
	case atCall:
		w.bytes += int64(len(s.calls[b.call].name) + len(s.calls[b.call].input))
		w.part(f, b, w.call(b.call), "")
	case atStop:
		w.part(f, b, object("text", "", "thoughtSignature", given(s.thinks && len(s.calls) == 0, w.seal())), geminiStops[s.stop])
	case atClose:
		if w.array {
			f.buf = append(f.buf, "]\n"...)
			f.end()
		}
	}
}

// fail sends an error object as an event, or as the last element.
func (w *geminiWriter) fail(f *frames, x *failure) {
	switch {
	case !w.array:
		f.event("", geminiFailure(x, ""))
		return
	case w.begun:
		f.buf = append(f.buf, ",\r\n"...)
	default:
		f.buf = append(f.buf, '[')
	}
	f.buf = append(append(f.buf, geminiFailure(x, "")...), "]\n"...)
	f.end()
}
