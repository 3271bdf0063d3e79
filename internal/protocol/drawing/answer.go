package drawing

import (
	"strings"

	"portico/internal/fault"
	"portico/internal/llm"
	"portico/internal/protocol/jsonw"
)

// An Answer is the client's answer while it grows.
type Answer struct {
	url   bool
	data  []byte
	form  string // of the last picture
	usage llm.Usage
}

// NewAnswer returns the answer to r without any pictures.
func (r *Request) NewAnswer() *Answer { return &Answer{url: r.url, form: "png"} }

// Add takes the pictures of one answer of the model's. If it drew none the error
// says what it said instead, as a *fault.Fault, and a stays as it was.
func (a *Answer) Add(r *llm.Response) error {
	dst := a.data
	var said strings.Builder
	stop := llm.StopUnset
	for i := range r.Answers {
		stop = r.Answers[i].Stop
		for _, p := range r.Answers[i].Parts {
			switch p := p.(type) {
			case *llm.Prose:
				said.Write(p.Text.Append(nil))
			case *llm.Refusal:
				said.Write(p.Text.Append(nil))
			case *llm.Blob:
				if p.Kind == llm.Image && !p.Data.Empty() {
					dst = a.picture(dst, p)
				}
			}
		}
	}
	if len(dst) == len(a.data) {
		if stop == llm.StopRefusal || stop == llm.StopFilter {
			return fault.New(fault.ContentFiltered, "the model refused to draw this. %s", head(said.String()))
		}
		return fault.New(fault.Broken, "it has no picture. It says: %s", head(said.String()))
	}
	a.data = dst
	a.usage.Input += r.Usage.Input
	a.usage.CacheRead += r.Usage.CacheRead
	a.usage.Output += r.Usage.Output
	return nil
}

// head is the beginning of what a model said, for an error.
func head(s string) string {
	if r := []rune(s); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}

func (a *Answer) picture(dst []byte, p *llm.Blob) []byte {
	if form, ok := strings.CutPrefix(p.Type, "image/"); ok && strings.Trim(form, "abcdefghijklmnopqrstuvwxyz+") == "" {
		a.form = form
	}
	dst = append(jsonw.Comma(dst), '{')
	if a.url { // there is no place to put it but the address itself
		dst = append(append(jsonw.Name(dst, "url"), `"data:image/`...), a.form...)
		return append(p.Data.AppendInner(append(dst, `;base64,`...)), `"}`...)
	}
	return append(jsonw.Text(dst, "b64_json", p.Data), '}')
}

// Body is the whole answer, created at Unix seconds.
func (a *Answer) Body(created int64) []byte {
	dst := jsonw.Int(append(make([]byte, 0, len(a.data)+256), '{'), "created", created)
	dst = append(append(append(jsonw.Name(dst, "data"), '['), a.data...), ']')
	dst = jsonw.String(dst, "output_format", a.form)
	in, out := a.usage.Input+a.usage.CacheRead, a.usage.Output
	dst = jsonw.Int(append(jsonw.Name(dst, "usage"), '{'), "input_tokens", in)
	dst = append(jsonw.Int(append(jsonw.Name(dst, "input_tokens_details"), '{'), "text_tokens", in), `,"image_tokens":0}`...)
	dst = jsonw.Int(jsonw.Int(dst, "output_tokens", out), "total_tokens", in+out)
	return append(dst, `}}`...)
}
