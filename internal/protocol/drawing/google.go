package drawing

import (
	"strings"

	"portico/internal/protocol/jsonw"
)

// masked tells the model what the last picture is.
const masked = "The last picture is a mask of the first: change only where the mask is transparent, and leave all else as it is."

// Google writes the request for one picture to a model, and notes what the
// model cannot be told.
func (r *Request) Google(model string) []byte {
	n := 512 + r.prompt.Len()
	for _, p := range r.all() {
		n += len(p.raw)/3*4 + p.data.Len() + len(r.files[p.url].data.Head(1<<30)) + len(p.url) + 128
	}
	dst := append(make([]byte, 0, n), `{"contents":[{"role":"user","parts":[{"text":`...)
	dst = append(r.prompt.AppendJSON(dst), '}')
	for i := range r.given {
		dst = r.appendTo(dst, &r.given[i])
	}
	if r.mask != nil {
		dst = append(jsonw.String(append(dst, `,{`...), "text", masked), '}')
		dst = r.appendTo(dst, r.mask)
	}
	dst = append(dst, `]}],"generationConfig":{"responseModalities":["TEXT","IMAGE"]`...)
	ratio, size := r.form(model)
	if ratio != "" || size != "" {
		dst = append(jsonw.Name(dst, "imageConfig"), '{')
		if ratio != "" {
			dst = jsonw.String(dst, "aspectRatio", ratio)
		}
		if size != "" {
			dst = jsonw.String(dst, "imageSize", size)
		}
		dst = append(dst, '}')
	}
	if r.Stream && r.drafts > 0 && !strings.Contains(model, "gemini-2") { // which do not think
		dst = append(jsonw.Name(dst, "thinkingConfig"), `{"includeThoughts":true}`...)
	}
	return append(dst, `}}`...)
}
