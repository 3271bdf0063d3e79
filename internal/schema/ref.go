package schema

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// resolve follows the reference of n, and those that it leads to, until none
// is left (spec: translation-traps C18). What stands beside a reference is set
// over what it points to. A reference that cannot be inlined stays in n, and
// why says so: it leads out of the document, to nothing, into itself, or there
// were too many.
//
// The references that were followed stay on p.refs until the caller cuts it
// back to what it was, so that one that leads into itself is seen.
func (p *pass) resolve(n node) (_ node, why string) {
	for {
		v := n.get("$ref")
		if v == nil {
			return n, ""
		}
		ref := text(v)
		target, why := p.target(ref)
		if why != "" {
			return n, why
		}
		base, ok := p.parse(target)
		if !ok {
			return n.without("$ref"), ""
		}
		p.refs = append(p.refs, ref)
		n = n.without("$ref").over(base.without("$defs", "definitions"))
	}
}

// target is what ref points to, or why it cannot be had.
func (p *pass) target(ref string) (raw []byte, why string) {
	switch {
	case ref != "#" && !strings.HasPrefix(ref, "#/"):
		return nil, "a reference out of the document"
	case slices.Contains(p.refs, ref):
		return nil, "a reference into itself"
	case p.work <= 0:
		return nil, "too many references"
	}
	raw, ok := p.found[ref]
	if !ok {
		raw = p.find(ref)
		if p.found == nil {
			p.found = map[string][]byte{}
		}
		p.found[ref] = raw
	}
	if raw == nil {
		return nil, "a reference to nothing"
	}
	return raw, ""
}

// find looks a JSON pointer in a URI fragment up.
func (p *pass) find(ref string) []byte {
	v := p.root
	for token := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(ref, "#"), "/"), "/") {
		if ref == "#" {
			return v
		}
		if s, err := url.PathUnescape(token); err == nil {
			token = s
		}
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		p.work -= len(v)
		if es := elements(v); es != nil {
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(es) {
				return nil
			}
			v = es[i]
			continue
		}
		n, _ := p.parse(v)
		v = nil
		for _, k := range n {
			if k.name == token || text([]byte(`"`+k.name+`"`)) == token {
				v = k.value
			}
		}
		if v == nil {
			return nil
		}
	}
	return v
}
