package embedding

import (
	"strconv"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// FromGoogle reads a request of Google's: of batchEmbedContents if many is set,
// else of embedContent. The error is a *fault.Fault.
func FromGoogle(body []byte, many bool) (*Request, error) {
	r := &Request{form: single}
	if !many {
		if err := r.one("", body); err != nil {
			return nil, err
		}
		return r, nil
	}
	r.form = batch
	for m, err := range jsonedit.Members(body) {
		switch {
		case err != nil:
			return nil, malformed("", "%s", err)
		case m.Is("model") || wire.Null(m.Value):
		case !m.Is("requests"):
			r.lose(string(m.Name), whyUnknown)
		case m.Value[0] != '[':
			return nil, malformed("requests", "requests must be an array")
		default:
			for e, err := range jsonedit.Elements(m.Value) {
				if err != nil {
					return nil, malformed("requests", "%s", err)
				}
				if len(r.Texts) == MaxTexts {
					return nil, malformed("requests", "a batch may have at most %d requests", MaxTexts)
				}
				if err := r.one("requests["+strconv.Itoa(len(r.Texts))+"].", e); err != nil {
					return nil, err
				}
			}
		}
	}
	if len(r.Texts) == 0 {
		return nil, malformed("requests", "the batch has no requests")
	}
	return r, nil
}

const whyUnknown = "dropped: OpenAI's embeddings have no such setting"

// one reads the request for one text, which stands at a path.
func (r *Request) one(at string, v []byte) error {
	before := r.Dimensions
	r.Dimensions = 0
	var text llm.Text
	for m, err := range jsonedit.Members(v) {
		if err != nil {
			return malformed(strings.TrimSuffix(at, "."), "%s", err)
		}
		var bad error
		switch string(m.Name) {
		case "content":
			text, bad = contentText(at+"content", m.Value)
		default:
			bad = r.setting(at, m)
		}
		if bad != nil {
			return bad
		}
	}
	if !text.IsSet() {
		return malformed(at+"content", "there is no text to embed")
	}
	if len(r.Texts) > 0 && r.Dimensions != before {
		return unsupported(at+"outputDimensionality", "vectors of different sizes cannot be asked of OpenAI in one request: ask for them one by one")
	}
	r.Texts = append(r.Texts, text)
	return nil
}

// setting reads a member that says how to embed. Newer clients put them into
// an object of their own.
func (r *Request) setting(at string, m jsonedit.Member) error {
	if wire.Null(m.Value) {
		return nil
	}
	switch name := string(m.Name); name {
	case "model":
	case "outputDimensionality", "output_dimensionality":
		return r.size(at+"outputDimensionality", m.Value)
	case "embedContentConfig", "embed_content_config":
		for in, err := range jsonedit.Members(m.Value) {
			if err != nil {
				return malformed(at+"embedContentConfig", "%s", err)
			}
			if err := r.setting(at+"embedContentConfig.", in); err != nil {
				return err
			}
		}
	case "taskType", "task_type":
		if wire.Text(m.Value) != "TASK_TYPE_UNSPECIFIED" {
			r.lose("taskType", "dropped: OpenAI's vectors are the same for every task")
		}
	default:
		r.lose(name, whyUnknown)
	}
	return nil
}

// contentText is the text of a content: its parts are one text.
func contentText(at string, v []byte) (text llm.Text, err error) {
	var texts []llm.Text
	parts := jsonedit.Get(v, "parts")
	if len(parts) == 0 || parts[0] != '[' {
		return text, malformed(at+".parts", "parts must be an array")
	}
	for e, err := range jsonedit.Elements(parts) {
		if err != nil {
			return text, malformed(at+".parts", "%s", err)
		}
		t := jsonedit.Get(e, "text")
		if len(t) == 0 || t[0] != '"' {
			return text, unsupported(at+".parts["+strconv.Itoa(len(texts))+"]", "OpenAI's models embed nothing but text")
		}
		texts = append(texts, llm.Wire(t))
	}
	switch len(texts) {
	case 0:
		return text, malformed(at+".parts", "there is no text to embed")
	case 1:
		return texts[0], nil
	}
	return llm.Join(texts, "\n"), nil
}

// Batches is how many batches of Google's make the request.
func (r *Request) Batches() int { return (len(r.Texts) + PerBatch - 1) / PerBatch }

// texts are those of batch i.
func (r *Request) texts(i int) []llm.Text {
	return r.Texts[i*PerBatch : min((i+1)*PerBatch, len(r.Texts))]
}

// Google writes batch i of the request for Google's model, which is named with
// its collection: "models/x".
func (r *Request) Google(i int, model string) []byte {
	dst := append(make([]byte, 0, 256), `{"requests":[`...)
	for _, t := range r.texts(i) {
		dst = jsonw.String(append(jsonw.Comma(dst), '{'), "model", model)
		dst = append(jsonw.Name(dst, "content"), `{"parts":[{"text":`...)
		dst = append(t.AppendJSON(dst), `}]}`...)
		if r.Dimensions > 0 {
			dst = jsonw.Int(dst, "outputDimensionality", r.Dimensions)
		}
		dst = append(dst, '}')
	}
	return append(dst, `]}`...)
}
