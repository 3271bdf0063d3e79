package gemini

import "portico/internal/jsonedit"

// An ArrayCutter finds the elements of a JSON array that arrives in pieces. It
// does for streams without alt=sse what sse.Cutter does for the others. The
// zero ArrayCutter is ready to use. It remembers how far it has looked, so that
// a large element that arrives in many pieces is scanned once.
type ArrayCutter struct {
	looked  int  // bytes of the buffer that were scanned
	depth   int  // brackets of the element that are open
	begun   bool // the element has begun
	quoted  bool // in a string
	escaped bool // after a backslash in a string
	scalar  bool // the element is a number or a literal
}

// Cut looks for the end of the first element in buf, of which all calls since
// the last element see the same beginning. It returns the length of the element
// with what stands before it (the opening bracket or a comma, white space), or
// 0 if buf does not hold it whole yet; the closing bracket counts as one more,
// empty, element. After an element the caller removes that many bytes from the
// front.
//
// Bytes that are no array are cut as well as may be, and looked at by whoever
// reads the element: an object that is in no array is an element, and a comma
// too many is nothing.
func (c *ArrayCutter) Cut(buf []byte) int {
	for i := c.looked; i < len(buf); i++ {
		b := buf[i]
		switch {
		case c.quoted:
			switch {
			case c.escaped:
				c.escaped = false
			case b == '\\':
				c.escaped = true
			case b == '"':
				if c.quoted = false; c.depth == 0 {
					return c.end(i + 1)
				}
			}
		case c.scalar && (isSpace(b) || b == ',' || b == ']'):
			return c.end(i)
		case isSpace(b) || c.scalar:
		case !c.begun:
			switch b {
			case '[', ',':
				// An array that is an element of the array is none of this
				// protocol's; it is cut as if its elements were ours.
			case ']':
				return c.end(i + 1)
			case '"':
				c.begun, c.quoted = true, true
			case '{':
				c.begun, c.depth = true, 1
			default:
				c.begun, c.scalar = true, true
			}
		case b == '"':
			c.quoted = true
		case b == '{' || b == '[':
			c.depth++
		case b == '}' || b == ']':
			if c.depth--; c.depth == 0 {
				return c.end(i + 1)
			}
		}
	}
	c.looked = len(buf)
	return 0
}

func (c *ArrayCutter) end(n int) int {
	*c = ArrayCutter{}
	return n
}

// Element is the element in raw, which Cut delimited or which is left at the
// end of a stream, without what stands around it. It is nil if there is none.
func Element(raw []byte) []byte {
	i, j := 0, len(raw)
	for i < j && (isSpace(raw[i]) || raw[i] == '[' || raw[i] == ',' || raw[i] == ']') {
		i++
	}
	for i < j && isSpace(raw[j-1]) {
		j--
	}
	if i == j {
		return nil
	}
	if end, err := jsonedit.Skip(raw[:j], i); err == nil {
		j = end // a bracket may follow what is left at the end
	}
	return raw[i:j]
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }
