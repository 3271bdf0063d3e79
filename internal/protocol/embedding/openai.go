package embedding

import (
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// FromOpenAI reads a request of OpenAI's. The error is a *fault.Fault.
func FromOpenAI(body []byte) (*Request, error) {
	r := &Request{}
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return nil, malformed("", "%s", err)
		}
		if wire.Null(m.Value) {
			continue
		}
		switch name := string(m.Name); name {
		case "model", "user", "safety_identifier": // who asks changes no vector
		case "input":
			if err := r.input(m.Value); err != nil {
				return nil, err
			}
		case "dimensions":
			if err := r.size(name, m.Value); err != nil {
				return nil, err
			}
		case "encoding_format":
			switch wire.Text(m.Value) {
			case "float":
				r.form = numbers
			case "base64":
				r.form = coded
			default:
				return nil, malformed(name, `encoding_format must be "float" or "base64"`)
			}
		default:
			r.lose(name, "dropped: Google's embeddings have no such setting")
		}
	}
	if len(r.Texts) == 0 {
		return nil, malformed("input", "the request has no input")
	}
	return r, nil
}

// input takes one text or several.
func (r *Request) input(v []byte) error {
	r.Texts = nil
	if v[0] == '"' {
		r.Texts = append(r.Texts, llm.Wire(v))
		return nil
	}
	if v[0] != '[' {
		return malformed("input", "input must be a string or an array of strings")
	}
	for e, err := range jsonedit.Elements(v) {
		switch {
		case err != nil:
			return malformed("input", "%s", err)
		case len(r.Texts) == MaxTexts:
			return malformed("input", "a request may have at most %d inputs", MaxTexts)
		case e[0] == '"':
			r.Texts = append(r.Texts, llm.Wire(e))
		case e[0] == '[' || e[0] >= '0' && e[0] <= '9':
			return unsupported("input", "token numbers mean nothing to models of Google's: send the input as text")
		default:
			return malformed("input", "input must be a string or an array of strings")
		}
	}
	return nil
}

// OpenAI writes the request for OpenAI's model.
func (r *Request) OpenAI(model string) []byte {
	dst := jsonw.String(append(make([]byte, 0, 256), '{'), "model", model)
	dst = append(jsonw.Name(dst, "input"), '[')
	for _, t := range r.Texts {
		dst = t.AppendJSON(jsonw.Comma(dst))
	}
	dst = append(dst, ']')
	if r.Dimensions > 0 {
		dst = jsonw.Int(dst, "dimensions", r.Dimensions)
	}
	return append(jsonw.String(dst, "encoding_format", "float"), '}')
}
