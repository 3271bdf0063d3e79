package candidates

import (
	"bytes"
	"slices"
	"strconv"

	"portico/internal/jsonedit"
)

// maxDepth is how deep usages are nested; those of all vendors are shallower.
const maxDepth = 8

// sum adds up usages, objects of counts: each was billed, so all of it counts,
// the prompt once for each. Members that are no numbers stay as the first usage
// has them. Nil among them is nothing.
func sum(usages ...[]byte) (out []byte) {
	for _, u := range usages {
		if len(u) > 0 && u[0] == '{' {
			out = add(out, u, 0)
		}
	}
	return out
}

func add(a, b []byte, depth int) []byte {
	switch {
	case len(a) == 0 || string(a) == "null":
		return b
	case len(b) == 0 || a[0] != b[0] && !(isNumber(a) && isNumber(b)) || depth > maxDepth:
		return a
	case a[0] == '{':
		return addObjects(a, b, depth)
	case a[0] == '[':
		return addArrays(a, b, depth)
	case isNumber(a):
		return addNumbers(a, b)
	}
	return a
}

func isNumber(v []byte) bool { return v[0] == '-' || v[0] >= '0' && v[0] <= '9' }

func addObjects(a, b []byte, depth int) []byte {
	out := []byte{'{'}
	write := func(name, v []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(append(out, '"'), name...), `":`...), v...)
	}
	for m, err := range jsonedit.Members(a) {
		if err != nil {
			return a
		}
		write(m.Name, add(m.Value, jsonedit.Get(b, string(m.Name)), depth+1))
	}
	for m, err := range jsonedit.Members(b) {
		if err != nil {
			return a
		}
		if jsonedit.Get(a, string(m.Name)) == nil {
			write(m.Name, m.Value)
		}
	}
	return append(out, '}')
}

// addArrays adds Google's lists of counts by modality.
func addArrays(a, b []byte, depth int) []byte {
	var items [][]byte
	for _, list := range [][]byte{a, b} {
		for e, err := range jsonedit.Elements(list) {
			if err != nil || e[0] != '{' {
				return a
			}
			kind := jsonedit.Get(e, "modality")
			i := slices.IndexFunc(items, func(v []byte) bool { return bytes.Equal(jsonedit.Get(v, "modality"), kind) })
			if i < 0 {
				items = append(items, e)
			} else {
				items[i] = add(items[i], e, depth+1)
			}
		}
	}
	return append(append([]byte{'['}, bytes.Join(items, []byte{','})...), ']')
}

func addNumbers(a, b []byte) []byte {
	x, whole := jsonedit.Int(a)
	y, too := jsonedit.Int(b)
	if s := x + y; whole && too && (s >= x) == (y >= 0) {
		return strconv.AppendInt(nil, s, 10)
	}
	f, err := strconv.ParseFloat(string(a), 64)
	g, bad := strconv.ParseFloat(string(b), 64)
	if s := f + g; err == nil && bad == nil && s-s == 0 {
		return strconv.AppendFloat(nil, s, 'g', -1, 64)
	}
	return a
}
