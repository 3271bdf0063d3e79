package relay

import (
	"net/http"

	"portico/internal/fault"
	"portico/internal/llm"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/gemini"
	"portico/internal/protocol/transcription"
)

// addTranscriptions adds the form in which OpenAI's requests to write down what
// is said are put to models of Google's that hear.
func (a *answer) addTranscriptions() {
	codec, ok := a.r.codecs[protocol.Gemini].(protocol.Translator)
	c := a.c
	if !ok || c.Codec.Name() != protocol.OpenAIChat || c.Method != http.MethodPost || c.Model == "" ||
		c.Path != transcription.Transcriptions && c.Path != transcription.Translations {
		return
	}
	a.addForm(form{
		way: pool.Way{Op: protocol.Chat, Protocol: protocol.Gemini}, codec: codec, foreign: true,
		make: func(call *Call) (carrier, error) { return newTranscribed(call, codec) },
	})
}

// A transcribed call carries a recording to an upstream that hears, in a
// conversation of one turn.
type transcribed struct {
	c        *Call
	upstream protocol.Translator
	req      *transcription.Request
	ans      *transcription.Answer
	dec      protocol.Decoder // of a stream
	events   []llm.Event
	stream   []byte // of a whole answer, for a client that wants a stream
}

func newTranscribed(c *Call, upstream protocol.Translator) (carrier, error) {
	req, err := transcription.FromOpenAI(c.Path, c.Header.Get("Content-Type"), c.Body)
	if err != nil {
		return nil, err
	}
	return &transcribed{c: c, upstream: upstream, req: req, ans: req.NewAnswer(), dec: upstream.NewDecoder()}, nil
}

func (*transcribed) legs() int { return 1 }
func (*transcribed) begin(int) {}

func (t *transcribed) ask(_ int, _ *pool.Account, served string) (asked, error) {
	path, query := "/models/x:generateContent", ""
	if t.c.Stream {
		path, query = "/models/x:streamGenerateContent", "alt=sse"
	}
	path, ok := gemini.SetPathModel(path, served)
	if !ok {
		return asked{}, fault.New(fault.Unsupported, "no path can name the model %q", served)
	}
	return asked{path: path, query: query, body: t.req.Google()}, nil
}

func (t *transcribed) losses() (out []string) {
	for _, l := range t.req.Losses {
		out = append(out, lossText(l))
	}
	return out
}

func (t *transcribed) whole(body []byte) error {
	r, err := t.upstream.DecodeResponse(body)
	if err != nil {
		return err
	}
	t.ans.Count(body)
	if t.c.Stream {
		t.stream, err = t.ans.Unfold(nil, r)
		return err
	}
	return t.ans.Add(r)
}

func (t *transcribed) body() ([]byte, error) {
	if t.c.Stream {
		return t.stream, nil
	}
	return t.ans.Body(), nil
}

func (t *transcribed) kind(bool) []string {
	if t.c.Stream {
		return streamType
	}
	return []string{t.ans.Kind()}
}

func (t *transcribed) frame(dst, event, data []byte) (_ []byte, err error) {
	t.ans.Count(data)
	if t.events, err = t.dec.Feed(t.events[:0], event, data); err != nil {
		return dst, err
	}
	return t.tell(dst), nil
}

func (t *transcribed) tell(dst []byte) []byte {
	for i := range t.events {
		dst = t.ans.Event(dst, &t.events[i])
	}
	return dst
}

// close tells the whole text, once the stream is through.
func (t *transcribed) close(dst []byte) ([]byte, error) {
	t.events = t.dec.End(t.events[:0])
	return t.ans.End(t.tell(dst))
}

func (*transcribed) end(dst []byte) []byte { return dst }

func (t *transcribed) fail(dst []byte, f *fault.Fault, id string) []byte {
	return t.c.Codec.StreamError(dst, f, id)
}
