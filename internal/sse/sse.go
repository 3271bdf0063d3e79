// Package sse finds the events in a byte stream of server-sent events without
// losing or copying a byte, and writes events.
//
// It follows the WHATWG HTML standard (§9.2 server-sent events): lines end with
// LF, CRLF or CR, a blank line ends an event, a byte order mark may stand at
// the very beginning, and one space after the colon is not part of the value.
package sse

import (
	"bytes"
	"slices"
)

// A Frame is one event. Data is nil if the event has no data line: it is a
// comment or a keep-alive.
type Frame struct {
	Event []byte
	Data  []byte
}

// A Cutter finds where events end in a growing buffer. The zero Cutter is
// ready to use. It remembers how far it has looked, so that a large event that
// arrives in many pieces is scanned once.
type Cutter struct {
	looked  int  // bytes of the buffer that were scanned
	content bool // the line that is being scanned has a byte that is no line end
	cr      bool // the byte before looked was a CR that ended a line
	blank   bool // … and that line was blank
}

// Cut looks for the end of the first event in buf, of which all calls since
// the last event see the same beginning. It returns the length of the event
// with its blank line, or 0 if buf does not hold it whole yet. After an event
// the caller removes that many bytes from the front.
//
// An event that ends with CR might be followed by the LF of the same line end.
// Cut does not wait for it: such an LF opens the next event, where it is a
// blank line and means nothing.
func (c *Cutter) Cut(buf []byte) int {
	for i := c.looked; i < len(buf); {
		if b := buf[i]; b != '\n' && b != '\r' {
			c.content, c.cr = true, false
			j := lineEnd(buf[i:])
			if j < 0 {
				c.looked = len(buf)
				return 0
			}
			i += j
			continue
		}
		ch := buf[i]
		i++
		if ch == '\n' && c.cr {
			c.cr = false // the second half of a CRLF
			if c.blank {
				*c = Cutter{}
				return i
			}
			continue
		}
		blank := !c.content
		c.content = false
		c.cr = ch == '\r'
		c.blank = blank
		if blank {
			if c.cr && i < len(buf) && buf[i] == '\n' {
				i++
			}
			*c = Cutter{}
			return i
		}
	}
	c.looked = len(buf)
	return 0
}

// lineEnd returns the index of the first CR or LF in b, or -1.
func lineEnd(b []byte) int {
	n := bytes.IndexByte(b, '\n')
	if n >= 0 {
		b = b[:n]
	}
	if r := bytes.IndexByte(b, '\r'); r >= 0 {
		return r
	}
	return n
}

var bom = []byte("\xef\xbb\xbf")

// Parse reads one event as Cut delimits it, or what is left at the end of a
// stream. The slices of the result point into raw, except for Data of several
// lines, which is joined by LF in a new slice.
func Parse(raw []byte) Frame {
	var f Frame
	raw = bytes.TrimPrefix(raw, bom)
	for len(raw) > 0 {
		line := raw
		if i := lineEnd(raw); i >= 0 {
			line, raw = raw[:i], raw[i+1:]
		} else {
			raw = nil
		}
		name, value, _ := bytes.Cut(line, colon)
		if len(value) > 0 && value[0] == ' ' {
			value = value[1:]
		}
		switch string(name) {
		case "event":
			f.Event = value
		case "data":
			switch {
			case f.Data == nil:
				f.Data = slices.Clip(value)
				if f.Data == nil {
					f.Data = []byte{}
				}
			default:
				f.Data = append(append(f.Data, '\n'), value...)
			}
		}
	}
	return f
}

var colon = []byte(":")

// Append appends to dst the event that carries data under the name event,
// which may be empty. Line ends in data become several data lines.
func Append(dst []byte, event string, data []byte) []byte {
	if event != "" {
		dst = append(append(append(dst, "event: "...), event...), '\n')
	}
	for {
		i := lineEnd(data)
		line := data
		if i >= 0 {
			line = data[:i]
		}
		dst = append(append(append(dst, "data: "...), line...), '\n')
		if i < 0 {
			return append(dst, '\n')
		}
		if data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n' {
			i++
		}
		data = data[i+1:]
	}
}
