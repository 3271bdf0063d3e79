package drawing

import (
	"encoding/base64"
	"path"
	"slices"
	"strings"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/form"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
	"portico/internal/sniff"
)

// A picture is one that the client gives.
type picture struct {
	kind string   // media type
	raw  []byte   // its bytes, or
	data llm.Text // the same in base64, or
	url  string   // where it is
	path string   // where the request names it
}

// A file is what stands at a picture's address.
type file struct {
	kind string
	data llm.Text // in base64
}

// drawable are the types of pictures that OpenAI takes.
var drawable = map[string]bool{"image/png": true, "image/jpeg": true, "image/webp": true, "image/gif": true}

func fromFile(f *form.Field) (picture, error) {
	p := picture{kind: sniff.Type(f.Value), raw: f.Value, path: f.Name}
	if !drawable[p.kind] {
		return p, noPicture(f.Name)
	}
	return p, nil
}

func noPicture(at string) error {
	return refuse(fault.Malformed, at, "%s is no PNG, JPEG, WebP or GIF", at)
}

// fromURL reads a picture whose URL is the JSON string v.
func fromURL(at string, v []byte) (picture, error) {
	p := picture{path: at}
	if _, data, ok := openaiwire.DataURL(v); ok {
		p.data = data
		if p.kind = sniffed(data); !drawable[p.kind] {
			return p, noPicture(at)
		}
		return p, nil
	}
	p.url = wire.Text(v)
	if !strings.HasPrefix(p.url, "https://") && !strings.HasPrefix(p.url, "http://") {
		return p, refuse(fault.Malformed, at, "%s has no image_url: a data: URL in base64, or one of http or https", at)
	}
	return p, nil
}

// sniffed is the type of what data is, in base64. It is "" for what is none.
func sniffed(data llm.Text) string {
	var raw [sniff.Head]byte
	head := data.Head(sniff.Head / 3 * 4)
	n, err := base64.StdEncoding.Decode(raw[:], head[:len(head)/4*4])
	if err != nil {
		return ""
	}
	return sniff.Type(raw[:n])
}

// Addresses lists the pictures that are at an address and were not given, each
// once.
func (r *Request) Addresses() (out []Address) {
	seen := map[string]bool{}
	for _, p := range r.all() {
		if _, had := r.files[p.url]; p.url != "" && !had && !seen[p.url] {
			seen[p.url] = true
			out = append(out, Address{p.url, p.path})
		}
	}
	return out
}

// An Address is where a picture is, and where the request names it.
type Address struct{ URL, Path string }

// Give has a picture stand in the place of its address: its media type, and
// its base64 as a JSON string with quotes.
func (r *Request) Give(url, kind string, data []byte) {
	if r.files == nil {
		r.files = map[string]file{}
	}
	r.files[url] = file{kind, llm.Wire(data)}
}

// kindOf is the media type that an address tells, or the likeliest.
func kindOf(url string) string {
	url, _, _ = strings.Cut(url, "?")
	switch strings.ToLower(path.Ext(url)) {
	case ".png":
		return "image/png"
	case ".webp":
		return "image/webp"
	case ".gif":
		return "image/gif"
	}
	return "image/jpeg"
}

// all are the pictures that are given, the mask last.
func (r *Request) all() []picture {
	if r.mask == nil {
		return r.given
	}
	return append(slices.Clip(r.given), *r.mask)
}

// fileOf is what is known of a picture: its media type, and its address where
// its bytes are not there.
func (r *Request) fileOf(p *picture) (kind, url string) {
	if p.url == "" {
		return p.kind, ""
	}
	if f, ok := r.files[p.url]; ok {
		return f.kind, ""
	}
	return kindOf(p.url), p.url
}

// appendBytes appends a picture whose bytes are there in base64, as it stands in
// a JSON string.
func (r *Request) appendBytes(dst []byte, p *picture) []byte {
	switch {
	case p.url != "":
		return r.files[p.url].data.AppendInner(dst)
	case p.raw != nil:
		return base64.StdEncoding.AppendEncode(dst, p.raw)
	}
	return p.data.AppendInner(dst)
}

// appendURL appends where a picture is as a JSON string: its address, or its
// bytes in one.
func (r *Request) appendURL(dst []byte, p *picture) []byte {
	kind, url := r.fileOf(p)
	if url != "" {
		return jsonedit.Quote(dst, url)
	}
	dst = append(append(append(dst, `"data:`...), kind...), `;base64,`...)
	return append(r.appendBytes(dst, p), '"')
}

// room is about how long a request is that holds all that is given.
func (r *Request) room() int {
	n := 1024 + r.prompt.Len()
	for _, p := range r.all() {
		n += len(p.raw)/3*4 + p.data.Len() + len(r.files[p.url].data.Head(1<<30)) + len(p.url) + 128
	}
	return n
}
