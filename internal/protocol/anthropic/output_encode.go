package anthropic

import (
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/schema"
)

// output writes output_config: the effort and the form of the answer (spec:
// upstreams §1C.2, §2.2).
func (e *requestEncoder) output(dst []byte) []byte {
	o := &e.r.Output
	e.losses = append(e.losses, e.plan.losses...)
	if o.Verbosity != "" {
		e.lose("verbosity", "dropped: the upstream has no such setting")
	}
	for _, m := range o.Modalities {
		if m != "text" {
			e.lose("modalities", "dropped: the upstream answers in text")
			break
		}
	}
	if o.Image != nil {
		e.lose("image", "dropped: the upstream makes no pictures")
	}
	if o.Audio != nil {
		e.lose("audio", "dropped: the upstream does not speak")
	}
	n := len(dst)
	dst = append(jsonw.Name(dst, "output_config"), '{')
	if e.plan.effort != "" {
		dst = jsonw.String(dst, "effort", e.plan.effort)
	}
	form := e.form()
	beta := form != nil && o.Extra.Protocol == protocol.Anthropic && e.native
	if form != nil && !beta {
		dst = jsonw.Raw(dst, "format", form)
	}
	if e.fit.Native {
		dst = nested(dst, e.r.Extra, inConfig, inFormat)
	}
	if dst[len(dst)-1] == '{' {
		dst = dst[:n]
	} else {
		dst = append(dst, '}')
	}
	if beta {
		dst = jsonw.Raw(dst, "output_format", form)
	}
	return dst
}

// form is the format of the answer, nil if there is none to ask for.
func (e *requestEncoder) form() []byte {
	o := &e.r.Output
	if o.Kind == llm.OutputJSON {
		e.lose("output", "dropped: the upstream has no setting for any JSON")
	}
	if o.Kind != llm.OutputSchema {
		return nil
	}
	if !e.can.format && !e.native {
		e.lose("output.schema", "dropped: the model takes no schema for its answer")
		return nil
	}
	dst := []byte(`{"type":"json_schema"`)
	if o.Schema != nil {
		fitted := []byte(o.Schema)
		if !e.native {
			var losses []llm.Loss
			fitted, losses = schema.AnthropicOutput(o.Schema, "output.schema")
			e.losses = append(e.losses, losses...)
		}
		if fitted != nil {
			dst = jsonw.Raw(dst, "schema", fitted)
		}
	}
	if o.Description.IsSet() {
		e.lose("output.description", "dropped: the upstream has no seat for it")
	}
	return append(nested(dst, e.r.Extra, inFormat, ""), '}')
}
