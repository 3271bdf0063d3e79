package drawing

import "portico/internal/protocol/jsonw"

// Chat writes the chat request for one picture to a model that draws as a part
// of its answer, and notes what it cannot be told. OpenRouter's documentation
// has the members modalities and image_config (docs: multimodal, image
// generation); its models draw in Google's ratios and sizes.
func (r *Request) Chat(model string) []byte {
	dst := jsonw.String(append(make([]byte, 0, r.room()), '{'), "model", Base(model))
	dst = append(dst, `,"messages":[{"role":"user","content":[{"type":"text","text":`...)
	dst = append(r.prompt.AppendJSON(dst), '}')
	for i := range r.given {
		dst = r.appendChat(dst, &r.given[i])
	}
	if r.mask != nil {
		dst = append(jsonw.String(append(dst, `,{"type":"text"`...), "text", masked), '}')
		dst = r.appendChat(dst, r.mask)
	}
	dst = append(dst, `]}],"modalities":["image","text"]`...)
	r.untold()
	ratio, size := r.form(model)
	if ratio != "" || size != "" {
		dst = append(jsonw.Name(dst, "image_config"), '{')
		if ratio != "" {
			dst = jsonw.String(dst, "aspect_ratio", ratio)
		}
		if size != "" {
			dst = jsonw.String(dst, "image_size", size)
		}
		dst = append(dst, '}')
	}
	if r.Stream {
		dst = append(dst, `,"stream":true,"stream_options":{"include_usage":true}`...)
	}
	return append(dst, '}')
}

func (r *Request) appendChat(dst []byte, p *picture) []byte {
	dst = append(dst, `,{"type":"image_url","image_url":{"url":`...)
	return append(r.appendURL(dst, p), `}}`...)
}
