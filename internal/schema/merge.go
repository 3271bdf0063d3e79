package schema

import (
	"bytes"
	"strconv"
)

// merge puts the schemas of allOf into n itself.
func (p *pass) merge(n node) node {
	all := n.get("allOf")
	if all == nil {
		return n
	}
	n = n.without("allOf")
	for i, raw := range elements(all) {
		p.in("allOf["+strconv.Itoa(i)+"]", func() {
			b, ok := p.parse(raw)
			if !ok || p.deep() {
				return
			}
			b, why := p.resolve(b)
			if why != "" {
				p.lose("$ref", "dropped: "+why)
				b = b.without("$ref")
			}
			n = p.both(n, p.merge(b))
		})
	}
	return n
}

// both is a schema that holds where a and b hold, as far as one can say so.
func (p *pass) both(a, b node) node {
	for _, k := range b {
		v := a.get(k.name)
		switch {
		case v == nil:
			a = a.with(k.name, k.value)
		case bytes.Equal(v, k.value):
		default:
			switch k.name {
			case "properties", "patternProperties", "$defs", "definitions":
				a = a.with(k.name, p.joined(v, k.value, "allOf"))
			case "required":
				a = a.with(k.name, array(union(elements(v), elements(k.value))))
			case "title", "description", "default", "examples", "example", "$comment", "$id":
				// What stands nearer says it better.
			default:
				p.lose(k.name, "approximated: it is there twice, and the first counts")
			}
		}
	}
	return a
}

// joined is the properties of a and b. One that both have, and differently, has
// to fit both or either, as how says: "allOf" or "anyOf".
func (p *pass) joined(a, b []byte, how string) []byte {
	x, _ := p.parse(a)
	y, _ := p.parse(b)
	for _, k := range y {
		if v := x.get(k.name); v != nil && !bytes.Equal(v, k.value) {
			all := [][]byte{v}
			if own, _ := p.parse(v); len(own) == 1 && own[0].name == how { // more of the same
				all = elements(own[0].value)
			}
			k.value = node{{how, array(union(all, [][]byte{k.value}))}}.raw()
		}
		x = x.with(k.name, k.value)
	}
	return x.raw()
}

// alternatives are the schemas of anyOf, and those of oneOf, which nobody but
// JSON Schema tells apart. null is true if one of them is for null alone; it is
// not among them, and nor is one that nothing fits.
func (p *pass) alternatives(n node) (list [][]byte, null bool) {
	for _, name := range []string{"anyOf", "oneOf"} {
		for _, e := range elements(n.get(name)) {
			b, ok := p.parse(e)
			types, nullable := b.types()
			switch {
			case string(e) == "false":
			case ok && nullable && len(types) == 0 && !b.has("$ref", "anyOf", "oneOf", "allOf"):
				null = true
			default:
				list = append(list, e)
			}
		}
	}
	return list, null
}

// united is n with its alternatives, which are objects, put into one object
// that has all their properties and requires what all of them require.
func (p *pass) united(n node, list [][]byte) node {
	n = n.without("anyOf", "oneOf")
	var required [][]byte
	taken := 0
	for i, raw := range list {
		b, ok := p.parse(raw)
		if !ok {
			continue
		}
		b, _ = p.resolve(b)
		b = p.merge(b)
		if more, _ := p.alternatives(b); len(more) > 0 && !p.deep() {
			p.in(strconv.Itoa(i), func() { b = p.united(b, more) })
		}
		if types, _ := b.types(); len(types) > 0 && !isIn(types, "object") {
			p.lose("anyOf", "dropped: an alternative that is no object")
			continue
		}
		if v := b.get("properties"); isObject(v) {
			own := n.get("properties")
			if !isObject(own) {
				own = []byte("{}")
			}
			n = n.with("properties", p.joined(own, v, "anyOf"))
		}
		mine := elements(b.get("required"))
		if taken++; taken == 1 {
			required = mine
			continue
		}
		var common [][]byte
		for _, e := range required {
			if contains(mine, e) {
				common = append(common, e)
			}
		}
		required = common
	}
	if all := union(elements(n.get("required")), required); len(all) > 0 {
		n = n.with("required", array(all))
	}
	return n.with("type", []byte(`"object"`))
}
