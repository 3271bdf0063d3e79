package anthropic

// A scanner tells when JSON that comes in pieces is complete.
type scanner struct {
	depth           int
	text, escape    bool
	begun, complete bool
}

// scan reads a piece. Text that is no object and no array is never complete.
func (c *scanner) scan(piece []byte) {
	for _, b := range piece {
		switch {
		case c.escape:
			c.escape = false
		case c.text:
			c.escape = b == '\\'
			c.text = b != '"'
		case b == '"':
			c.text = true
		case b == '{' || b == '[':
			c.depth++
			c.begun = true
		case b == '}' || b == ']':
			c.depth--
			c.complete = c.begun && c.depth <= 0
		}
	}
}
