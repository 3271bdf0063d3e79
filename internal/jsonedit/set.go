package jsonedit

import "bytes"

// Set returns a copy of the object doc in which the member name is value,
// which is JSON: where it stands, or as the first member if there is none.
func Set(doc []byte, name string, value []byte) ([]byte, error) {
	out, n, err := Replace(doc, name, value)
	if err != nil || n > 0 {
		return out, err
	}
	i := bytes.IndexByte(doc, '{') + 1 // Replace has found it sound
	out = append(make([]byte, 0, len(doc)+len(name)+len(value)+4), doc[:i]...)
	out = append(Quote(out, name), ':')
	out = append(out, value...)
	if rest := bytes.TrimLeft(doc[i:], " \t\r\n"); len(rest) > 0 && rest[0] != '}' {
		out = append(out, ',')
	}
	return append(out, doc[i:]...), nil
}

// Drop returns a copy of the object doc without the members name. What stands
// between members is written anew.
func Drop(doc []byte, name string) ([]byte, error) {
	out := append(make([]byte, 0, len(doc)), '{')
	for m, err := range Members(doc) {
		switch {
		case err != nil:
			return nil, err
		case m.Is(name):
			continue
		case len(out) > 1:
			out = append(out, ',')
		}
		out = append(append(append(out, '"'), m.Name...), '"', ':')
		out = append(out, m.Value...)
	}
	return append(out, '}'), nil
}
