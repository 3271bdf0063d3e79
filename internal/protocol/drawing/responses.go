package drawing

import (
	"cmp"
	"strconv"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/protocol/jsonw"
)

// Responses writes the request for one picture to a model of OpenAI's that
// draws with the tool image_generation, and notes what the tool cannot be told
// (spec: upstreams §1B.3; OpenAI's ImageGenTool).
func (r *Request) Responses(model string) []byte {
	dst := jsonw.String(append(make([]byte, 0, r.room()), '{'), "model", Base(model))
	dst = append(dst, `,"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":`...)
	dst = append(r.prompt.AppendJSON(dst), '}')
	for i := range r.given {
		dst = append(dst, `,{"type":"input_image","detail":"auto","image_url":`...)
		dst = append(r.appendURL(dst, &r.given[i]), '}')
	}
	dst = append(dst, `]}],"tools":[{"type":"image_generation"`...)
	dst = r.tool(dst, model)
	dst = append(dst, `}],"tool_choice":{"type":"image_generation"},"store":false`...)
	if r.Stream {
		dst = append(dst, `,"stream":true`...)
	}
	return append(dst, '}')
}

// tool writes the settings of the tool.
func (r *Request) tool(dst []byte, model string) []byte {
	if size := r.pixels(model); size != "" {
		dst = jsonw.String(dst, "size", size)
	}
	switch q := r.shape.quality; q {
	case "", "auto":
	case "low", "medium", "high":
		dst = jsonw.String(dst, "quality", q)
	case "hd":
		dst = jsonw.String(dst, "quality", "high")
	case "standard":
		dst = jsonw.String(dst, "quality", "medium")
	default: // 2k and its kin
		r.lose("quality", "dropped: the model draws in sizes of its own")
	}
	for _, s := range r.settings {
		switch s.name {
		case "output_format", "background", "input_fidelity", "moderation":
			dst = jsonw.String(dst, s.name, s.value)
		case "output_compression":
			if n, err := strconv.Atoi(s.value); err == nil {
				dst = jsonw.Int(dst, s.name, int64(n))
				continue
			}
			r.lose(s.name, "dropped: it is no number")
		default:
			r.lose(s.name, "dropped: the model has no such setting")
		}
	}
	if r.mask != nil {
		dst = append(jsonw.Name(dst, "input_image_mask"), `{"image_url":`...)
		dst = append(r.appendURL(dst, r.mask), '}')
	}
	if r.Stream && r.drafts > 0 {
		dst = jsonw.Int(dst, "partial_images", int64(r.drafts))
	}
	return dst
}

// canvases are the sizes that all models behind the tool draw in, by the ratio
// of their sides.
var canvases = []struct{ ratio, size string }{{"1:1", "1024x1024"}, {"3:2", "1536x1024"}, {"2:3", "1024x1536"}}

// pixels is the size for the tool: as the client says, or the one that comes
// next to the ratio that the request or the model's name says.
func (r *Request) pixels(model string) string {
	s := &r.shape
	if s.exact != "" {
		r.lose("image_size", "dropped: the model draws in sizes of its own")
	}
	if w, _ := sides(s.size); s.ratio == "" && (w != 0 || s.size == "auto") {
		return s.size
	}
	base, named := suffixes(model)
	if base == model {
		_, named = suffixes(r.model)
	}
	if named.exact != "" {
		r.lose("model", "approximated: the model draws in sizes of its own, whatever its name says")
	}
	want, by := s.ratio, "aspect_ratio"
	if want == "" {
		want, by = s.size, "size"
	}
	if want == "" || want == "auto" {
		want, by = named.ratio, "model"
	}
	q := quotient(want)
	if q == 0 {
		return ""
	}
	best := canvases[0]
	for _, c := range canvases[1:] {
		if far(c.ratio, q) < far(best.ratio, q) {
			best = c
		}
	}
	if far(best.ratio, q) > near {
		r.lose(by, "approximated: the picture is drawn in the size "+best.size)
	}
	return best.size
}

// Partial takes an event of a stream of Responses. If it is a draft, dst gets
// it as the client wants to see it.
func (a *Answer) Partial(dst, data []byte) []byte {
	if strings.Trim(string(jsonedit.Get(data, "type")), `"`) != "response.image_generation_call.partial_image" {
		return dst
	}
	v := jsonedit.Get(data, "partial_image_b64")
	if len(v) < 3 || v[0] != '"' {
		return dst
	}
	form, _ := jsonedit.Unquote(jsonedit.Get(data, "output_format"))
	return a.draft(dst, v[1:len(v)-1], formOf("image/"+cmp.Or(form, "png")))
}
