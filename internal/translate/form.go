package translate

import (
	"bytes"
	"encoding/json/jsontext"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// A schemer is a codec that knows which models take a schema for their answer.
// Without it they are believed to.
type schemer interface {
	TakesSchema(fit *protocol.Fit) bool
}

// answerTool is the function by whose call a model without schemas for its
// answer gives one (spec: upstreams §2.2, translation-traps A37).
const answerTool = "json_answer"

// form asks for the form of the answer in another way where the upstream has no
// setting for it.
func (d *draft) form() {
	o := &d.Output
	switch {
	case d.b.upstream.Name() != protocol.Anthropic && d.b.upstream.Name() != protocol.BedrockConverse:
	case o.Kind == llm.OutputJSON && asksForJSON(d.Messages):
		d.lose("response_format", "approximated: the conversation itself asks for JSON")
		o.Kind = llm.OutputUnset
	case o.Kind == llm.OutputJSON:
		d.Messages = instruct(d.Messages, "Answer with one JSON object and nothing else: no words before or after it, and no code fence.")
		d.lose("response_format", "emulated: an instruction asks for JSON")
		o.Kind = llm.OutputUnset
	case o.Kind == llm.OutputSchema:
		if s, ok := d.b.upstream.(schemer); ok && !s.TakesSchema(d.to.Fit) {
			d.answerByCall()
		}
	}
}

// answerByCall makes the schema of the answer that of a function which the
// model has to call.
func (d *draft) answerByCall() {
	o := &d.Output
	name := answerTool
	for i := 0; d.plan.tools[name] != nil; i++ {
		name = d.takes.name.mark(answerTool, answerTool+string(rune('a'+i)))
	}
	said := []byte("Gives the final answer. Call it once, with the whole answer, when all other calls are done.")
	if o.Description.IsSet() {
		said = o.Description.Append(append(said, ' '))
	}
	d.plan.tools[name] = &tool{as: asAnswer, name: name}
	schema := o.Schema
	if schema == nil {
		schema = jsontext.Value(`{"type":"object","properties":{}}`)
	}
	d.Tools = append(d.Tools, llm.Tool{Name: name, Description: llm.PlainBytes(said), Schema: schema})
	switch {
	case len(d.Tools) == 1:
		d.Choice = llm.Choice{Mode: llm.ChoiceNamed, Tools: []llm.ToolRef{{Name: name}}}
	case d.Choice.Mode == llm.ChoiceUnset || d.Choice.Mode == llm.ChoiceAuto:
		d.Choice = llm.Choice{Mode: llm.ChoiceRequired}
	case d.Choice.Mode == llm.ChoiceNone: // the client's own tools are not to be called
		d.Choice = llm.Choice{Mode: llm.ChoiceNamed, Tools: []llm.ToolRef{{Name: name}}}
	}
	*o = llm.Output{Verbosity: o.Verbosity, Modalities: o.Modalities}
	d.lose("response_format", "emulated: the model gives its answer by calling a function")
}

// asksForJSON reports whether the client's words speak of JSON, without which
// OpenAI refuses its JSON mode.
func asksForJSON(ms []llm.Message) bool {
	for i := range ms {
		for _, p := range ms[i].Parts {
			if t, ok := p.(*llm.Prose); ok && ms[i].Role != llm.Assistant && bytes.Contains(bytes.ToLower(t.Text.Head(t.Text.Len())), []byte("json")) {
				return true
			}
		}
	}
	return false
}

// instruct adds an instruction behind those at the head.
func instruct(ms []llm.Message, text string) []llm.Message {
	n := 0
	for n < len(ms) && ms[n].Role.IsInstruction() {
		n++
	}
	out := make([]llm.Message, 0, len(ms)+1)
	out = append(out, ms[:n]...)
	out = append(out, llm.Message{Role: llm.System, Parts: []llm.Part{&llm.Prose{Text: llm.Plain(text)}}})
	return append(out, ms[n:]...)
}
