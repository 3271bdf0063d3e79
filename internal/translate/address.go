package translate

import (
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// A File is what stands at an address that a request names.
type File struct {
	Type string // media type
	Data []byte // in base64, as a JSON string with its quotes
}

// An Address is where a file is that an upstream takes by its bytes only.
type Address struct {
	URL  string
	Kind llm.BlobKind // Image, Audio or Document
	Path string       // of the part that names it first
}

// An inliner is a codec that knows which files models take by their bytes only.
// Without it they are believed to take addresses.
type inliner interface {
	// Inline reports whether b, which is at an address, has to be sent by its
	// bytes, or cannot be sent at all.
	Inline(fit *protocol.Fit, b *llm.Blob) bool
}

// Addresses lists the files that have to be fetched for the request to go to to
// whole, each once, in the order of the request. Give takes them. Without it
// they are told as losses.
func (b *Bridge) Addresses(to *Upstream) (out []Address) {
	seen := map[string]bool{}
	for i := range b.req.Messages {
		eachBlob(b.req.Messages[i].Parts, func(j int, x *llm.Blob) {
			if x.URL == "" || x.Kind == llm.Video || seen[x.URL] || !b.inline(to, x) {
				return
			}
			if _, ok := b.files[x.URL]; ok {
				return
			}
			seen[x.URL] = true
			out = append(out, Address{x.URL, x.Kind, at(i, j)})
		})
	}
	return out
}

// Give has f stand in the place of url, in all requests that are made from now
// on to upstreams that do not take the address.
func (b *Bridge) Give(url string, f File) {
	if b.files == nil {
		b.files = map[string]File{}
	}
	b.files[url] = f
}

// eachBlob visits the blobs of parts, those in results included; j is the
// outermost part's place.
func eachBlob(parts []llm.Part, visit func(j int, b *llm.Blob)) {
	for j, p := range parts {
		switch p := p.(type) {
		case *llm.Blob:
			visit(j, p)
		case *llm.Result:
			eachBlob(p.Parts, func(_ int, b *llm.Blob) { visit(j, b) })
		}
	}
}

// inline reports whether to takes x, which is at an address, by its bytes only.
func (b *Bridge) inline(to *Upstream, x *llm.Blob) bool {
	if to.Quirks.InlineImages && (x.Kind == llm.Image || x.Kind == llm.Document) {
		return true
	}
	codec, ok := b.upstream.(inliner)
	return ok && b.client.Name() != b.upstream.Name() && codec.Inline(to.Fit, x)
}

// addresses puts files in the place of their addresses. Where a picture was not
// fetched and the upstream takes data only, its address is told.
func (d *draft) addresses() {
	for i := range d.Messages {
		for j, p := range d.Messages[i].Parts {
			d.Messages[i].Parts[j] = d.address(p, at(i, j))
		}
	}
}

func (d *draft) address(p llm.Part, at string) llm.Part {
	switch p := p.(type) {
	case *llm.Blob:
		if p.URL == "" {
			return p
		}
		if f, ok := d.b.files[p.URL]; ok && d.b.inline(d.to, p) {
			own := *p
			own.URL, own.Type, own.Data = "", f.Type, llm.Wire(f.Data)
			return &own
		}
		if d.to.Quirks.InlineImages && p.Kind == llm.Image && !d.home {
			d.lose(at, wire.AddressTold)
			return &llm.Prose{Text: llm.Plain("[Picture at " + p.URL + "]")}
		}
	case *llm.Result:
		var own *llm.Result
		for i, x := range p.Parts {
			y := d.address(x, at)
			if y == x {
				continue
			}
			if own == nil {
				c := *p
				c.Parts = append([]llm.Part(nil), p.Parts...)
				own = &c
			}
			own.Parts[i] = y
		}
		if own != nil {
			return own
		}
	}
	return p
}
