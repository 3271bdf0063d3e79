package simulator

import (
	"encoding/base64"
	"encoding/json/jsontext"
	"strconv"

	"portico/internal/llm"
)

// A responsesWriter writes answers of the Responses protocol (spec: upstreams
// §1B.4, §1B.5, clients §4).
type responsesWriter struct {
	script *script
	id     string
	head   []byte                      // the members of the response that do not change
	items  []string                    // the ids of the output's items, in order
	calls  []string                    // the ids of the calls
	number int64                       // of the next event
	output int64                       // the index of the item that is being sent
	done   func(answer jsontext.Value) // is told the finished response
}

func newResponsesWriter(s *Simulator, r *responsesRequest, plan *script) *responsesWriter {
	w := &responsesWriter{script: plan, id: s.id("resp_")}
	if plan.thinks {
		w.items = append(w.items, s.id("rs_"))
	}
	if plan.speaks() {
		w.items = append(w.items, s.id("msg_"))
	}
	if plan.image != nil {
		w.items = append(w.items, s.id("ig_"))
	}
	for _, c := range plan.calls {
		prefix := "fc_"
		if c.custom {
			prefix = "ctc_"
		}
		w.items = append(w.items, s.id(prefix))
		w.calls = append(w.calls, s.id("call_"))
	}
	echo := func(v, otherwise jsontext.Value) jsontext.Value {
		if len(v) == 0 {
			return otherwise
		}
		return oneLine(v)
	}
	w.head = object("id", w.id, "object", "response", "created_at", s.now().Unix(), "model", r.Model,
		"background", false, "instructions", echo(r.Instructions, nil), "max_output_tokens", echo(r.Limit, nil), "max_tool_calls", nil,
		"metadata", echo(r.Metadata, jsontext.Value("{}")), "parallel_tool_calls", r.Parallel == nil || *r.Parallel,
		"previous_response_id", orNull(r.Previous), "prompt_cache_key", echo(r.CacheKey, nil),
		"reasoning", echo(r.Reasoning, jsontext.Value(`{"effort":null,"summary":null}`)), "service_tier", "default", "store", r.kept(),
		"temperature", echo(r.Temperature, jsontext.Value("1")), "text", echo(r.Text, jsontext.Value(`{"format":{"type":"text"}}`)),
		"tool_choice", echo(r.ToolChoice, jsontext.Value(`"auto"`)), "tools", echo(r.RawTools, jsontext.Value("[]")),
		"top_logprobs", 0, "top_p", echo(r.TopP, jsontext.Value("1")), "truncation", "disabled", "user", nil)
	w.head = w.head[:len(w.head)-1]
	return w
}

// response writes the whole response in the state status.
func (w *responsesWriter) response(status string, x *failure, output []jsontext.Value, usage any) jsontext.Value {
	var problem, why any
	if x != nil {
		_, code := openAIError(x)
		problem = object("code", code, "message", x.message)
	}
	if status == "incomplete" {
		why = object("reason", "max_output_tokens")
	}
	rest := object("status", status, "error", problem, "incomplete_details", why, "output", output, "usage", usage)
	dst := make([]byte, 0, len(w.head)+len(rest))
	dst = append(append(dst, w.head...), ',')
	return append(dst, rest[1:]...)
}

// finished is the response at the end of the answer.
func (w *responsesWriter) finished() jsontext.Value {
	v := w.response(w.status(), nil, w.outputs(), responsesUsage(w.script.usage))
	if w.done != nil {
		w.done(v)
	}
	return v
}

func (w *responsesWriter) status() string {
	if w.script.stop == stopLength {
		return "incomplete"
	}
	return "completed"
}

// responsesUsage writes u; cached tokens are part of the input and reasoning
// is part of the output.
func responsesUsage(u llm.Usage) jsontext.Value {
	return object("input_tokens", u.Input+u.CacheRead+u.CacheWrite,
		"input_tokens_details", object("cached_tokens", u.CacheRead, "cache_write_tokens", u.CacheWrite),
		"output_tokens", u.Output+u.Reasoning, "output_tokens_details", object("reasoning_tokens", u.Reasoning), "total_tokens", u.Total())
}

// outputs are the items of the whole answer.
func (w *responsesWriter) outputs() []jsontext.Value {
	s := w.script
	out := make([]jsontext.Value, 0, len(w.items))
	if s.thinks {
		out = append(out, w.reasoning(w.items[len(out)], true))
	}
	if s.speaks() {
		out = append(out, w.message(w.items[len(out)], true))
	}
	if s.image != nil {
		out = append(out, w.picture(w.items[len(out)], true))
	}
	for i := range s.calls {
		out = append(out, w.call(w.items[len(out)], i, true))
	}
	return out
}

// state is the status of an item that is whole, or is not yet.
func (w *responsesWriter) state(whole bool) string {
	if whole {
		return w.status()
	}
	return "in_progress"
}

func (w *responsesWriter) reasoning(id string, whole bool) jsontext.Value {
	summary := []jsontext.Value{}
	if whole && w.script.shown {
		summary = append(summary, object("type", "summary_text", "text", w.script.thought))
	}
	return object("id", id, "type", "reasoning", "summary", summary, "encrypted_content", given(whole, w.script.seal()))
}

func (w *responsesWriter) message(id string, whole bool) jsontext.Value {
	content := []jsontext.Value{}
	if whole {
		content = append(content, outputText(w.script.text))
	}
	return object("id", id, "type", "message", "status", w.state(whole), "role", "assistant", "content", content)
}

func outputText(text string) jsontext.Value {
	return object("type", "output_text", "annotations", []jsontext.Value{}, "logprobs", []jsontext.Value{}, "text", text)
}

func (w *responsesWriter) picture(id string, whole bool) jsontext.Value {
	var result any
	if whole {
		result = base64.StdEncoding.EncodeToString(w.script.image)
	}
	return object("id", id, "type", "image_generation_call", "status", w.state(whole),
		"background", "opaque", "output_format", "png", "quality", "low", "size", "auto", "result", result)
}

func (w *responsesWriter) call(id string, i int, whole bool) jsontext.Value {
	c, input := &w.script.calls[i], ""
	if whole {
		input = w.script.calls[i].input
	}
	kind, member := "function_call", "arguments"
	if c.custom {
		kind, member = "custom_tool_call", "input"
	}
	return object("id", id, "type", kind, "status", w.state(whole), "call_id", w.calls[i], "name", c.name,
		"namespace", given(c.namespace != "", c.namespace), member, input)
}

// open begins an event up to the members of its own.
func (w *responsesWriter) open(f *frames, name string) {
	f.buf = append(append(append(f.buf, "event: "...), name...), "\ndata: {\"type\":\""...)
	f.buf = append(append(f.buf, name...), `","sequence_number":`...)
	f.buf = strconv.AppendInt(f.buf, w.number, 10)
	w.number++
}

func (w *responsesWriter) shut(f *frames) {
	f.buf = append(f.buf, "}\n\n"...)
	f.end()
}

// event adds an event with the members that pairs give.
func (w *responsesWriter) event(f *frames, name string, pairs ...any) {
	w.open(f, name)
	f.buf = append(f.buf, ',')
	own := object(pairs...)
	f.buf = append(f.buf, own[1:len(own)-1]...)
	w.shut(f)
}

// of adds an event about the item that is being sent. inner says where in the
// item, such as "content_index", or is "".
func (w *responsesWriter) of(f *frames, name, inner string, pairs ...any) {
	place := []any{"item_id", w.items[w.output], "output_index", w.output}
	if inner != "" {
		place = append(place, inner, 0)
	}
	w.event(f, name, append(place, pairs...)...)
}

// delta adds a piece of the item that is being sent.
func (w *responsesWriter) delta(f *frames, name, inner, text, after string) {
	w.open(f, name)
	f.buf = append(append(append(f.buf, `,"item_id":"`...), w.items[w.output]...), `","output_index":`...)
	f.buf = strconv.AppendInt(f.buf, w.output, 10)
	f.buf = append(append(f.buf, inner...), `,"delta":`...)
	f.buf = append(appendString(f.buf, text), after...)
	w.shut(f)
}

func (w *responsesWriter) added(f *frames, item jsontext.Value) {
	w.event(f, "response.output_item.added", "output_index", w.output, "item", item)
}

func (w *responsesWriter) over(f *frames, item jsontext.Value) {
	w.event(f, "response.output_item.done", "output_index", w.output, "item", item)
	w.output++
}

func (w *responsesWriter) write(f *frames, b beat) {
	s := w.script
	switch b.stage {
	case atOpen:
		begun := w.response("in_progress", nil, []jsontext.Value{}, nil)
		w.event(f, "response.created", "response", begun)
		w.event(f, "response.in_progress", "response", begun)
	case atThink:
		w.added(f, w.reasoning(w.items[w.output], false))
		if s.shown {
			w.of(f, "response.reasoning_summary_part.added", "summary_index", "part", object("type", "summary_text", "text", ""))
		}
	case atThought:
		if s.shown {
			w.delta(f, "response.reasoning_summary_text.delta", `,"summary_index":0`, b.text, "")
		}
	case atThoughtEnd:
		if s.shown {
			w.of(f, "response.reasoning_summary_text.done", "summary_index", "text", s.thought)
			w.of(f, "response.reasoning_summary_part.done", "summary_index", "part", object("type", "summary_text", "text", s.thought))
		}
		w.over(f, w.reasoning(w.items[w.output], true))
	case atSpeak:
		w.added(f, w.message(w.items[w.output], false))
		w.of(f, "response.content_part.added", "content_index", "part", outputText(""))
	case atText:
		w.delta(f, "response.output_text.delta", `,"content_index":0`, b.text, `,"logprobs":[]`)
	case atTextEnd:
		w.of(f, "response.output_text.done", "content_index", "text", s.text, "logprobs", []jsontext.Value{})
		w.of(f, "response.content_part.done", "content_index", "part", outputText(s.text))
		w.over(f, w.message(w.items[w.output], true))
	case atImage:
		w.added(f, w.picture(w.items[w.output], false))
		w.of(f, "response.image_generation_call.in_progress", "")
		w.of(f, "response.image_generation_call.generating", "")
		w.of(f, "response.image_generation_call.completed", "")
		w.over(f, w.picture(w.items[w.output], true))
	case atCall:
		w.added(f, w.call(w.items[w.output], b.call, false))
	case atInput:
		name := "response.function_call_arguments.delta"
		if s.calls[b.call].custom {
			name = "response.custom_tool_call_input.delta"
		}
		w.delta(f, name, "", b.text, "")
	case atCallEnd:
		if c := &s.calls[b.call]; c.custom {
			w.of(f, "response.custom_tool_call_input.done", "", "input", c.input)
		} else {
			w.of(f, "response.function_call_arguments.done", "", "name", c.name, "arguments", c.input)
		}
		w.over(f, w.call(w.items[w.output], b.call, true))
	case atClose:
		w.event(f, "response."+w.status(), "response", w.finished())
	}
}

// failed is the response that tells of x.
func (w *responsesWriter) failed(x *failure) []byte {
	return w.response("failed", x, []jsontext.Value{}, nil)
}

// fail takes the number of the first event that was made and not sent.
func (w *responsesWriter) fail(f *frames, x *failure) {
	w.number = f.all
	w.event(f, "response.failed", "response", jsontext.Value(w.failed(x)))
}
