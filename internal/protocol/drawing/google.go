package drawing

import (
	"strings"

	"portico/internal/protocol/jsonw"
)

// masked tells the model what the last picture is.
const masked = "The last picture is a mask of the first: change only where the mask is transparent, and leave all else as it is."

// Google writes the generateContent request for one picture to a model, and
// notes what the model cannot be told (spec: upstreams §1D.2).
func (r *Request) Google(model string) []byte {
	dst := append(make([]byte, 0, r.room()), `{"contents":[{"role":"user","parts":[{"text":`...)
	dst = append(r.prompt.AppendJSON(dst), '}')
	for i := range r.given {
		dst = r.appendGoogle(dst, &r.given[i])
	}
	if r.mask != nil {
		dst = append(jsonw.String(append(dst, `,{`...), "text", masked), '}')
		dst = r.appendGoogle(dst, r.mask)
	}
	dst = append(dst, `]}],"generationConfig":{"responseModalities":["TEXT","IMAGE"]`...)
	r.untold()
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

// appendGoogle writes a picture as a part of Google's.
func (r *Request) appendGoogle(dst []byte, p *picture) []byte {
	kind, url := r.fileOf(p)
	if url != "" {
		dst = jsonw.String(append(dst, `,{"fileData":{`...), "mimeType", kind)
		return append(jsonw.String(dst, "fileUri", url), `}}`...)
	}
	dst = append(jsonw.String(append(dst, `,{"inlineData":{`...), "mimeType", kind), `,"data":"`...)
	return append(r.appendBytes(dst, p), `"}}`...)
}

// untold notes what a model that draws as a part of its answer cannot be told.
func (r *Request) untold() {
	if r.mask != nil {
		r.lose("mask", "emulated: the mask goes as a picture with words, and the model may draw beyond it")
	}
	for _, s := range r.settings {
		switch {
		case s.name == "moderation", s.name == "output_format" && s.value == "png", s.name == "background" && s.value != "transparent",
			s.name == "input_fidelity" && s.value == "low", s.name == "output_compression" && s.value == "100":
			// That is what it does anyway, or it changes no picture.
		case s.name == "output_format":
			r.lose(s.name, "approximated: the picture comes in the form in which the model draws it")
		case s.name == "background":
			r.lose(s.name, "dropped: the model draws no transparent background")
		default:
			r.lose(s.name, "dropped: the model has no such setting")
		}
	}
	if r.drafts > 0 {
		r.lose("partial_images", "approximated: only those pictures are shown that the model makes while it thinks")
	}
}
