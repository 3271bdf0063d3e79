package schema

import (
	"slices"
	"strconv"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
)

// Gemini is schema as Google's Schema message has it, which is a part of
// OpenAPI 3.0: for parameters and responseSchema (spec: upstreams §2.8,
// translation-traps C17 to C22). References are inlined, types are written as
// Google does (STRING), null becomes nullable, const becomes enum, and limits
// without a keyword go into the description.
//
// The values of an enum can only be strings there. Those of a number or a
// boolean are named in the description instead, so that the type of the
// argument stays what the tool expects.
//
// out is nil for an object without properties, which Google refuses at the
// root: a function without parameters then says nothing of them. path is where
// the schema stands in the client's request; losses are told below it.
func Gemini(schema []byte, path string) (out []byte, losses []llm.Loss) {
	raw := trim(schema)
	w := openapi{newPass(raw, path)}
	n, ok := w.parse(raw)
	if !ok {
		return nil, nil
	}
	out = w.node(nil, n)
	if text(jsonedit.Get(out, "type")) == "OBJECT" && jsonedit.Get(out, "properties") == nil {
		return nil, w.told()
	}
	return out, w.told()
}

// anything is the loosest schema: without a type there is none.
const anything = `{"anyOf":[{"type":"STRING"},{"type":"NUMBER"},{"type":"BOOLEAN"}]}`

// openapi writes OpenAPI.
type openapi struct{ *pass }

func (w openapi) schema(dst, raw []byte) []byte {
	if w.deep() {
		w.lose("", "approximated: it is nested too deep")
		return append(dst, anything...)
	}
	n, ok := w.parse(raw)
	if !ok {
		n = nil // true allows everything; what is no schema does not say
	}
	return w.node(dst, n)
}

func (w openapi) node(dst []byte, n node) []byte {
	refs := len(w.refs)
	defer func() { w.refs = w.refs[:refs] }()
	n, why := w.resolve(n)
	var hints []string
	if why != "" {
		w.lose("$ref", "approximated: "+why)
		hints = append(hints, hint(keyword{"$ref", n.get("$ref")}))
		if n = n.without("$ref"); !n.has("type", "properties") {
			n = n.with("type", []byte(`"object"`))
		}
	}
	n = w.merge(n)
	list, null := w.alternatives(n)
	if len(list) == 1 && !w.deep() { // such as a type or null
		return w.only(dst, n, list[0], null)
	}
	if n.has("anyOf", "oneOf") && len(list) == 0 {
		n = n.without("anyOf", "oneOf")
	}
	types, nullable := n.types()
	nullable = nullable || null
	if len(list) > 0 {
		if !n.has("properties", "items", "enum") {
			return w.anyOf(dst, n, types, list, nullable, hints)
		}
		// Google wants anyOf alone.
		n, hints = w.narrow(n, list, hints)
		types, _ = n.types()
	}
	for _, e := range elements(n.get("enum")) {
		nullable = nullable || string(e) == "null"
	}
	switch {
	case len(types) == 0 && n.implied() != "":
		types = []string{n.implied()}
	case len(types) == 0 && nullable:
		types = []string{"string"} // null and nothing else
	case len(types) == 0:
		w.lose("type", "approximated: any value as a text, a number or a boolean")
		types = []string{"string", "number", "boolean"}
	}
	if len(types) == 1 {
		return w.typed(dst, n, types[0], nullable, hints)
	}
	dst = append(member(append(dst, '{'), "anyOf"), '[')
	for _, t := range types {
		dst = w.typed(comma(dst), n.without("title", "description", "default", "examples"), t, false, nil)
	}
	dst = append(dst, ']')
	return append(describe(w.nullable(dst, nullable), n, hints), '}')
}

// only writes n with its only alternative in it.
func (w openapi) only(dst []byte, n node, alternative []byte, null bool) []byte {
	b, _ := w.parse(alternative)
	b, _ = w.resolve(b) // if it cannot be, that is told when it is written
	own := n.without("anyOf", "oneOf")
	if null {
		own = own.with("nullable", []byte("true"))
		if types, _ := own.types(); len(types) == 0 {
			own = own.without("type")
		}
	}
	var out []byte
	w.in("anyOf[0]", func() { out = w.node(dst, w.both(own, w.merge(b))) })
	return out
}

// narrow takes the alternatives of a schema that has a shape of its own away:
// into its properties if they have such, else into words.
func (w openapi) narrow(n node, list [][]byte, hints []string) (node, []string) {
	name := "anyOf"
	if !n.has(name) {
		name = "oneOf"
	}
	for _, e := range list {
		b, _ := w.parse(e)
		refs := len(w.refs)
		b, _ = w.resolve(b)
		w.refs = w.refs[:refs]
		if b.has("properties") {
			w.lose(name, "approximated: its alternatives as one object")
			return w.united(n, list), hints
		}
	}
	hints = w.move(hints, keyword{name, n.get(name)})
	return n.without("anyOf", "oneOf"), hints
}

// anyOf writes alternatives; a type that stands beside them goes into each.
func (w openapi) anyOf(dst []byte, n node, types []string, list [][]byte, nullable bool, hints []string) []byte {
	dst = append(member(append(dst, '{'), "anyOf"), '[')
	for i, e := range list {
		w.in("anyOf["+strconv.Itoa(i)+"]", func() {
			if b, ok := w.parse(e); ok && len(types) > 0 && !b.has("type", "$ref", "anyOf", "oneOf", "allOf") {
				dst = w.node(comma(dst), b.with("type", n.get("type")))
				return
			}
			dst = w.schema(comma(dst), e)
		})
	}
	dst = append(dst, ']')
	dst = w.nullable(dst, nullable)
	for _, k := range n.without("anyOf", "oneOf", "type", "required") {
		hints = w.move(hints, k)
	}
	return append(describe(dst, n, hints), '}')
}

func (w openapi) nullable(dst []byte, nullable bool) []byte {
	if nullable {
		dst = append(member(dst, "nullable"), "true"...)
	}
	return dst
}

// typed writes n as a schema for values of type t. Keywords for values of other
// types mean nothing then.
func (w openapi) typed(dst []byte, n node, t string, nullable bool, hints []string) []byte {
	dst = append(member(append(dst, '{'), "type"), '"')
	dst = append(append(dst, strings.ToUpper(t)...), '"')
	dst = w.nullable(dst, nullable)
	var props []string
	for _, k := range n {
		switch k.name {
		case "title":
			if isString(k.value) {
				dst = append(member(dst, k.name), k.value...)
			}
		case "enum", "const":
			dst, hints = w.values(dst, n, k, t, hints)
		case "format":
			dst, hints = w.format(dst, k, t, hints)
		case "minLength", "maxLength":
			dst, hints = w.limit(dst, k, t == "string", hints)
		case "minimum", "maximum":
			dst, hints = w.limit(dst, k, t == "number" || t == "integer", hints)
		case "exclusiveMinimum", "exclusiveMaximum":
			dst, hints = w.exclusive(dst, n, k, t, hints)
		case "minItems", "maxItems":
			dst, hints = w.limit(dst, k, t == "array", hints)
		case "minProperties", "maxProperties":
			dst, hints = w.limit(dst, k, t == "object", hints)
		case "pattern":
			if t == "string" && isString(k.value) {
				dst = append(member(dst, k.name), k.value...)
			}
		case "properties":
			if t == "object" {
				dst, props = w.properties(dst, k.value)
			}
		case "items", "prefixItems":
		default:
			hints = w.move(hints, k)
		}
	}
	switch t {
	case "object":
		dst = required(dst, "required", n.get("required"), props)
		dst = required(dst, "propertyOrdering", n.get("propertyOrdering"), props)
	case "array":
		dst = w.items(dst, n)
	}
	return append(describe(dst, n, hints), '}')
}

// values writes the values of an enum. For strings only Google has one, and no
// empty one in it.
func (w openapi) values(dst []byte, n node, k keyword, t string, hints []string) ([]byte, []string) {
	list := elements(k.value)
	if k.name == "const" {
		if n.has("enum") {
			return dst, hints // it says less
		}
		list = [][]byte{k.value}
	}
	var named [][]byte
	for _, e := range list {
		if typeOf(e) == t || t == "number" && isNumber(e) {
			named = append(named, e)
		}
	}
	if t != "string" {
		if len(named) > 0 {
			hints = w.move(hints, keyword{k.name, array(named)})
		}
		return dst, hints
	}
	if full := slices.DeleteFunc(named, func(e []byte) bool { return len(e) == 2 }); len(full) < len(named) {
		w.lose(k.name, "approximated: an empty text is not among the values")
		named = full
	}
	if len(named) > 0 {
		dst = append(member(dst, "enum"), array(named)...)
	}
	return dst, hints
}

// formats are those that Google knows, by type.
var formats = map[string][]string{"string": {"enum", "date-time"}, "integer": {"int32", "int64"}, "number": {"float", "double"}}

func (w openapi) format(dst []byte, k keyword, t string, hints []string) ([]byte, []string) {
	if !isIn(formats[t], text(k.value)) {
		return dst, w.move(hints, k)
	}
	return append(member(dst, k.name), k.value...), hints
}

// limit writes a limit if it is one for this type of value.
func (w openapi) limit(dst []byte, k keyword, mine bool, hints []string) ([]byte, []string) {
	if mine && (isNumber(k.value) || isString(k.value)) {
		dst = append(member(dst, k.name), k.value...)
	}
	return dst, hints
}

// exclusive writes a limit that is not itself allowed: of whole numbers the
// next one is, of others the description tells.
func (w openapi) exclusive(dst []byte, n node, k keyword, t string, hints []string) ([]byte, []string) {
	name, step := "minimum", int64(1)
	if k.name == "exclusiveMaximum" {
		name, step = "maximum", -1
	}
	if limit, ok := jsonedit.Int(k.value); ok && t == "integer" && !n.has(name) {
		return strconv.AppendInt(member(dst, name), limit+step, 10), hints
	}
	if (t == "number" || t == "integer") && string(k.value) != "false" {
		hints = w.move(hints, k)
	}
	return dst, hints
}

// properties writes the properties of an object and returns their names. One
// that nothing fits is none.
func (w openapi) properties(dst, raw []byte) ([]byte, []string) {
	props, _ := w.parse(raw)
	var names []string
	w.in("properties", func() {
		for _, k := range props {
			if string(k.value) == "false" {
				continue
			}
			if len(names) == 0 {
				dst = append(member(dst, "properties"), '{')
			}
			names = append(names, k.name)
			w.in(k.name, func() { dst = w.schema(member(dst, k.name), k.value) })
		}
	})
	if len(names) > 0 {
		dst = append(dst, '}')
	}
	return dst, names
}

// required writes a list of names, those that are no properties left out, as
// Google refuses them.
func required(dst []byte, name string, raw []byte, props []string) []byte {
	var out [][]byte
	for _, e := range elements(raw) {
		if isString(e) && isIn(props, string(e[1:len(e)-1])) && !contains(out, e) {
			out = append(out, e)
		}
	}
	if len(out) == 0 {
		return dst
	}
	return append(member(dst, name), array(out)...)
}

// items writes what an array holds, which Google demands. Of a tuple each of
// its schemas may stand anywhere.
func (w openapi) items(dst []byte, n node) []byte {
	v := n.get("items")
	list := elements(n.get("prefixItems"))
	if isArray(v) {
		list = append(list, elements(v)...)
	} else if isObject(v) {
		list = append(list, v)
	}
	dst = member(dst, "items")
	switch len(list) {
	case 0:
		w.lose("items", "approximated: any value as a text, a number or a boolean")
		return append(dst, anything...)
	case 1:
		w.in("items", func() { dst = w.schema(dst, list[0]) })
		return dst
	}
	w.lose("prefixItems", "approximated: the places of the items are free")
	w.in("items", func() { dst = w.node(dst, node{{"anyOf", array(union(nil, list))}}) })
	return dst
}
