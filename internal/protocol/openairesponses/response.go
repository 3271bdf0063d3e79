package openairesponses

import (
	"encoding/json/jsontext"
	"slices"
	"strconv"
	"strings"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// DecodeResponse reads a whole response object (spec: upstreams §1B.4).
func (*Codec) DecodeResponse(body []byte) (*llm.Response, error) {
	d := decoder{r: &llm.Request{}}
	r, a := d.response(body)
	if d.err != nil {
		d.err.Class = fault.Broken
		return nil, d.err
	}
	r.Answers = []llm.Answer{a}
	return r, nil
}

// response reads everything but which answer it is of.
func (d *decoder) response(body []byte) (*llm.Response, llm.Answer) {
	r := &llm.Response{}
	var a llm.Answer
	var status, detail string
	for m := range wire.Object(body) {
		switch string(m.Name) {
		case "id":
			r.ID = wire.Text(m.Value)
		case "model":
			r.Model = wire.Text(m.Value)
		case "created_at":
			r.Created, _ = jsonedit.Int(m.Value)
		case "service_tier":
			r.Tier = wire.Text(m.Value)
		case "usage":
			r.Usage, r.HasUsage = openaiwire.Usage(m.Value)
		case "status":
			status = wire.Text(m.Value)
		case "incomplete_details":
			detail = wire.Text(jsonedit.Get(m.Value, "reason"))
		case "output":
			if !wire.Null(m.Value) {
				d.each("output", m.Value, func(path string, e []byte) {
					if e[0] == '{' {
						_, parts, _ := d.item(path, e)
						a.Parts = append(a.Parts, parts...)
					}
				})
			}
		}
	}
	a.Stop, a.Logprobs = stopOf(status, detail, a.Parts), oddsOf(d.odds)
	return r, a
}

// stopOf is why an answer stopped; spec: upstreams §2.10.
func stopOf(status, detail string, parts []llm.Part) llm.Stop {
	if status == "incomplete" {
		switch detail {
		case "content_filter":
			return llm.StopFilter
		case "max_messages":
			return llm.StopPause
		}
		return llm.StopLength
	}
	refused := false
	for _, p := range parts {
		switch p.(type) {
		case *llm.Call:
			return llm.StopCall
		case *llm.Refusal:
			refused = true
		}
	}
	if refused {
		return llm.StopRefusal
	}
	if status == "" {
		return llm.StopUnset
	}
	return llm.StopEnd
}

// oddsOf is a list of log probabilities, without its brackets, as the neutral
// language has it, nil if there are none.
func oddsOf(list []byte) jsontext.Value {
	if len(list) == 0 {
		return nil
	}
	return append(append([]byte(`{"content":[`), list...), `],"refusal":null}`...)
}

// EncodeResponse appends a whole response object. Only the first of several
// answers has a seat.
func (*Codec) EncodeResponse(dst []byte, r *llm.Response, echo *protocol.Echo) ([]byte, []llm.Loss, error) {
	e := answerEncoder{echo: echo, id: responseID(r.ID, echo)}
	var a llm.Answer
	if len(r.Answers) > 0 {
		a = r.Answers[0]
	}
	if len(r.Answers) > 1 {
		e.lose("choices", "dropped: the protocol has one answer")
	}
	if said := onlyThought(&a); said != nil {
		e.lose("output", whySpoken)
		a.Parts = append(slices.Clip(a.Parts), said)
	}
	e.odds = jsonedit.Get(a.Logprobs, "content")
	items := e.items(nil, &a, 0)
	if e.odds != nil {
		e.lose("logprobs", "dropped: there is no text that they are about")
	}
	created := r.Created
	if created == 0 {
		created = echo.Created
	}
	if a.Stop == llm.StopRefusal && !slices.ContainsFunc(a.Parts, isRefusal) {
		a.Stop = llm.StopFilter
	}
	dst = e.head(append(dst, '{'), created, statusOf(a.Stop), a.Stop)
	dst = append(append(append(jsonw.Name(dst, "output"), '['), items...), ']')
	dst, lost := openaiwire.AppendResponsesUsage(jsonw.Name(dst, "usage"), r.Usage)
	if lost != "" {
		e.lose("usage", lost)
	}
	return append(dst, '}'), e.losses, nil
}

func responseID(id string, echo *protocol.Echo) string {
	if id == "" {
		id = echo.ID
	}
	if strings.HasPrefix(id, "resp_") {
		return id
	}
	return "resp_" + id
}

func isRefusal(p llm.Part) bool {
	_, ok := p.(*llm.Refusal)
	return ok
}

// statusOf is how an answer ended. A refusal is told by its words; one without
// any must be made a filter before, or nobody would see it (spec:
// translation-traps B30).
func statusOf(s llm.Stop) string {
	switch s {
	case llm.StopLength, llm.StopContext, llm.StopFilter, llm.StopPause:
		return "incomplete"
	}
	return "completed"
}

const whySpoken = "approximated: the model said nothing beside its reasoning, which stands as its message, too"

// onlyThought is the message of an answer that came to its end and holds
// nothing but reasoning, as some models give it: clients of this protocol look
// for a message (spec: translation-traps E8). Nil: the answer needs none.
func onlyThought(a *llm.Answer) *llm.Prose {
	if a.Stop != llm.StopEnd {
		return nil
	}
	var text []byte
	for _, p := range a.Parts {
		t, ok := p.(*llm.Thought)
		if !ok || t.Redacted {
			return nil
		}
		if len(text) > 0 && !t.Text.Empty() {
			text = append(text, "\n\n"...)
		}
		text = t.Text.Append(text)
	}
	if len(text) == 0 {
		return nil
	}
	return &llm.Prose{Text: llm.PlainBytes(text)}
}

// callStatus tells a call that broke off from one that can be made: its
// arguments are no JSON (spec: translation-traps B18).
func callStatus(c *llm.Call, args llm.Text) string {
	if c.Kind != llm.Custom && !jsontext.Value(args.Append(nil)).IsValid() {
		return "incomplete"
	}
	return "completed"
}

// An answerEncoder writes responses and their items.
type answerEncoder struct {
	echo   *protocol.Echo
	id     string // the response's
	odds   []byte // the log probabilities of the next text
	losses []llm.Loss
}

func (e *answerEncoder) lose(at, why string) {
	e.losses = append(e.losses, llm.Loss{Path: at, Why: why})
}

// head writes every member of a response but output and usage. SDKs demand
// that they are there (spec: upstreams §2.14 R→C).
func (e *answerEncoder) head(dst []byte, created int64, status string, stop llm.Stop) []byte {
	r := e.echo.Request
	if r == nil {
		r = &llm.Request{}
	}
	dst = jsonw.String(dst, "id", e.id)
	dst = jsonw.String(dst, "object", "response")
	dst = jsonw.Int(dst, "created_at", created)
	dst = jsonw.String(dst, "status", status)
	dst = append(dst, `,"background":false,"error":null,"incomplete_details":`...)
	switch {
	case status != "incomplete":
		dst = append(dst, "null"...)
	case stop == llm.StopFilter:
		dst = append(dst, `{"reason":"content_filter"}`...)
	case stop == llm.StopPause:
		dst = append(dst, `{"reason":"max_messages"}`...)
	default:
		dst = append(dst, `{"reason":"max_output_tokens"}`...)
	}
	dst = append(dst, `,"instructions":`...)
	if len(r.Messages) > 0 && r.Messages[0].Role == llm.System && len(r.Messages[0].Parts) == 1 && r.Messages[0].Extra.Protocol == protocol.OpenAIResponses {
		if p, ok := r.Messages[0].Parts[0].(*llm.Prose); ok {
			dst = p.Text.AppendJSON(dst)
		}
	} else {
		dst = append(dst, "null"...)
	}
	dst = optionalInt(dst, "max_output_tokens", r.Sampling.MaxTokens)
	dst = jsonw.String(dst, "model", e.echo.Model)
	parallel := r.Parallel == nil || *r.Parallel
	dst = jsonw.Bool(dst, "parallel_tool_calls", parallel)
	dst = append(dst, `,"previous_response_id":`...)
	if r.Previous != "" {
		dst = jsonedit.Quote(dst, r.Previous)
	} else {
		dst = append(dst, "null"...)
	}
	if e.echo.Conversation != "" {
		dst = append(jsonedit.Quote(append(dst, `,"conversation":{"id":`...), e.echo.Conversation), '}')
	}
	dst = append(dst, `,"reasoning":{"effort":`...)
	if r.Reason.Effort != "" {
		dst = jsonedit.Quote(dst, r.Reason.Effort)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"summary":null},"store":`...)
	dst = strconv.AppendBool(dst, r.Store != nil && *r.Store)
	dst = optionalNumber(dst, "temperature", r.Sampling.Temperature)
	asked := requestEncoder{r: r, fit: &protocol.Fit{}, home: true}
	before := len(dst)
	if dst = asked.text(dst); len(dst) == before {
		dst = append(dst, `,"text":{"format":{"type":"text"}}`...)
	}
	before = len(dst)
	if dst = asked.toolList(dst); len(dst) == before {
		dst = append(dst, `,"tools":[]`...)
	}
	before = len(dst)
	if dst = asked.choice(dst); len(dst) == before {
		dst = append(dst, `,"tool_choice":"auto"`...)
	}
	dst = optionalNumber(dst, "top_p", r.Sampling.TopP)
	dst = append(dst, `,"truncation":"disabled","metadata":`...)
	if len(r.Metadata) > 0 {
		dst = append(dst, r.Metadata...)
	} else {
		dst = append(dst, "{}"...)
	}
	return dst
}

func optionalInt(dst []byte, name string, n *int64) []byte {
	if n == nil {
		return append(jsonw.Name(dst, name), "null"...)
	}
	return jsonw.Int(dst, name, *n)
}

func optionalNumber(dst []byte, name string, n llm.Number) []byte {
	if n == "" {
		return append(jsonw.Name(dst, name), "null"...)
	}
	return jsonw.Number(dst, name, n)
}

// itemID is the id of item number n, made of the response's so that it is the
// same whenever the answer is written.
func (e *answerEncoder) itemID(prefix string, n int) string {
	return prefix + "_" + strings.TrimPrefix(e.id, "resp_") + "_" + strconv.Itoa(n)
}

// items writes the output, of which the first item has the number n.
func (e *answerEncoder) items(dst []byte, a *llm.Answer, n int) []byte {
	for i := 0; i < len(a.Parts); i++ {
		at := "output[" + strconv.Itoa(i) + "]"
		switch p := a.Parts[i].(type) {
		case *llm.Prose, *llm.Refusal:
			k := i + 1
			for k < len(a.Parts) && said(a.Parts[k]) {
				k++
			}
			dst = e.message(append(jsonw.Comma(dst), '{'), e.itemID("msg", n), "completed", a.Parts[i:k])
			dst = append(dst, '}')
			i = k - 1
		case *llm.Thought:
			dst = append(appendReasoning(append(jsonw.Comma(dst), '{'), p, e.itemID("rs", n)), '}')
		case *llm.Call:
			args := orEmpty(p, p.Args)
			dst = e.call(append(jsonw.Comma(dst), '{'), n, p, args, callStatus(p, args))
			dst = append(dst, '}')
		case *llm.Blob:
			if p.Kind != llm.Image {
				e.lose(at, "dropped: the protocol has no seat for it in an answer")
				continue
			}
			dst = append(e.image(append(jsonw.Comma(dst), '{'), n, p), '}')
		case *llm.ServerCall:
			if p.Name != "web_search" || p.Extra.Protocol == protocol.OpenAIResponses {
				if p.Extra.Protocol != protocol.OpenAIResponses {
					e.lose(at, "dropped: the protocol does not show "+p.Name)
				}
				continue
			}
			dst = append(e.search(append(jsonw.Comma(dst), '{'), n, p, resultOf(a, p.ID)), '}')
		case *llm.ServerResult:
			if p.Extra.Protocol == protocol.OpenAIResponses {
				dst = append(jsonw.Comma(dst), p.Raw...)
			} else {
				continue
			}
		case *llm.Opaque:
			switch {
			case p.Protocol == protocol.OpenAIResponses:
				dst = append(jsonw.Comma(dst), p.Raw...)
			default:
				e.lose(at, "dropped: a part of kind "+p.Kind)
				continue
			}
		case *llm.Result, *llm.Reference:
			e.lose(at, "dropped: it has no seat in an answer")
			continue
		}
		n++
	}
	return dst
}

func resultOf(a *llm.Answer, id string) *llm.ServerResult {
	for _, p := range a.Parts {
		if r, ok := p.(*llm.ServerResult); ok && r.CallID == id {
			return r
		}
	}
	return nil
}

func (e *answerEncoder) message(dst []byte, id, status string, parts []llm.Part) []byte {
	dst = jsonw.String(dst, "type", "message")
	dst = jsonw.String(dst, "id", id)
	dst = jsonw.String(dst, "status", status)
	dst = append(jsonw.Name(jsonw.String(dst, "role", "assistant"), "content"), '[')
	for _, p := range parts {
		dst = e.part(jsonw.Comma(dst), p)
	}
	return append(dst, ']')
}

func (e *answerEncoder) part(dst []byte, p llm.Part) []byte {
	switch p := p.(type) {
	case *llm.Refusal:
		dst = append(dst, `{"type":"refusal"`...)
		return append(jsonw.Text(dst, "refusal", p.Text), '}')
	case *llm.Prose:
		odds := e.odds
		e.odds = nil
		return appendOutputText(dst, p.Text, p.Cites, odds)
	}
	return dst
}

// appendOutputText appends a part of text with the members that clients demand,
// and its log probabilities, which may be nil (spec: translation-traps E25).
func appendOutputText(dst []byte, t llm.Text, cites []llm.Citation, odds []byte) []byte {
	dst = append(jsonw.Text(append(dst, `{"type":"output_text"`...), "text", t), `,"annotations":[`...)
	for i := range cites {
		c := cites[i]
		if c.Start == 0 && c.End == 0 { // it is about the whole text
			c.End = t.Runes()
		}
		dst = appendCitation(jsonw.Comma(dst), &c)
	}
	return append(appendOdds(append(dst, ']'), odds), '}')
}

// appendOdds appends the log probabilities of a text, which must be there, be
// it an empty list.
func appendOdds(dst, list []byte) []byte {
	if len(list) == 0 || list[0] != '[' {
		list = []byte("[]")
	}
	return jsonw.Raw(dst, "logprobs", list)
}

func (e *answerEncoder) call(dst []byte, n int, c *llm.Call, args llm.Text, status string) []byte {
	prefix := "fc"
	if c.Kind == llm.Custom {
		prefix = "ctc"
	}
	dst = jsonw.String(dst, "id", e.itemID(prefix, n))
	full := *c
	if full.ID == "" {
		full.ID = e.itemID("call", n)
	}
	return jsonw.String(appendCall(dst, &full, args), "status", status)
}

func (e *answerEncoder) image(dst []byte, n int, b *llm.Blob) []byte {
	dst = jsonw.String(dst, "type", "image_generation_call")
	dst = jsonw.String(dst, "id", e.itemID("ig", n))
	dst = jsonw.String(dst, "status", "completed")
	return jsonw.Text(dst, "result", b.Data)
}

func (e *answerEncoder) search(dst []byte, n int, c *llm.ServerCall, r *llm.ServerResult) []byte {
	dst = jsonw.String(dst, "type", "web_search_call")
	dst = jsonw.String(dst, "id", e.itemID("ws", n))
	dst = jsonw.String(dst, "status", "completed")
	dst = append(jsonw.Name(dst, "action"), `{"type":"search"`...)
	dst = jsonw.Text(dst, "query", c.Query)
	dst = append(jsonw.Name(dst, "sources"), '[')
	if r != nil {
		for _, s := range r.Sources {
			dst = append(jsonw.Comma(dst), `{"type":"url"`...)
			dst = append(jsonw.String(dst, "url", s.URL), '}')
		}
	}
	return append(dst, "]}"...)
}
