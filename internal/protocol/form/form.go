// Package form reads multipart forms (RFC 7578), in which OpenAI's clients send
// pictures and sounds. It copies nothing: a form may be as large as a body.
package form

import (
	"bytes"
	"errors"
	"mime"
	"path"
	"strings"
	"unicode/utf8"
)

const (
	// MaxFields is how many fields a form may have.
	MaxFields   = 1000
	maxBoundary = 70      // bytes, by RFC 2046
	maxHead     = 4 << 10 // bytes before a field's value
)

// The errors; their texts are fit for clients.
var (
	errNoForm = errors.New("the body is no multipart form with a sound boundary")
	errBroken = errors.New("the multipart form is broken or cut")
	errFields = errors.New("the multipart form has more than 1000 fields")
)

// A Field is one field of a form.
type Field struct {
	Name  string // as it stands, "image[]" for one
	File  string // the file's name without its folder, "" for a field that is none
	Type  string // its media type, as whoever sent it says, or ""
	Value []byte // within the body
}

// Text is the field's value as a text.
func (f *Field) Text() string { return string(f.Value) }

// Plain reports whether f is no file, and a sound text.
func (f *Field) Plain() bool { return f.File == "" && utf8.Valid(f.Value) }

// Read reads the fields of body, a form by contentType, in their order.
func Read(contentType string, body []byte) ([]Field, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	b := params["boundary"]
	if err != nil || kind != "multipart/form-data" || b == "" || len(b) > maxBoundary {
		return nil, errNoForm
	}
	mark := []byte("\r\n--" + b)
	rest, ok := bytes.CutPrefix(body, mark[2:])
	if !ok {
		if _, rest, ok = bytes.Cut(body, mark); !ok { // words before the form
			return nil, errBroken
		}
	}
	var fields []Field
	for {
		rest = bytes.TrimLeft(rest, " \t")
		if bytes.HasPrefix(rest, []byte("--")) {
			return fields, nil
		}
		if rest, ok = bytes.CutPrefix(rest, []byte("\r\n")); !ok {
			return nil, errBroken
		}
		if len(fields) == MaxFields {
			return nil, errFields
		}
		var f Field
		if rest, ok = f.head(rest); !ok {
			return nil, errBroken
		}
		n, next := end(rest, mark)
		if n < 0 {
			return nil, errBroken
		}
		f.Value, rest = rest[:n:n], rest[next:]
		fields = append(fields, f)
	}
}

// end is where the value that v begins with ends: at the next mark that nothing
// follows on its line. What comes next begins behind the mark. Less than 0:
// nowhere.
func end(v, mark []byte) (n, next int) {
	if line := mark[2:]; bytes.HasPrefix(v, line) && ends(v[len(line):]) { // no value, and no line for it
		return 0, len(line)
	}
	for {
		i := bytes.Index(v[next:], mark)
		if i < 0 {
			return -1, 0
		}
		n, next = next+i, next+i+len(mark)
		if ends(v[next:]) {
			return n, next
		}
	}
}

// ends reports whether what stands before v is a whole mark.
func ends(v []byte) bool {
	v = bytes.TrimLeft(v, " \t")
	return bytes.HasPrefix(v, []byte("--")) || bytes.HasPrefix(v, []byte("\r\n"))
}

// head reads the lines before a field's value.
func (f *Field) head(v []byte) (rest []byte, ok bool) {
	if rest, ok := bytes.CutPrefix(v, []byte("\r\n")); ok {
		return rest, true // none
	}
	head, _, ok := bytes.Cut(v[:min(len(v), maxHead)], []byte("\r\n\r\n"))
	if !ok {
		return nil, false
	}
	rest = v[len(head)+4:]
	said := false // the first counts
	for line := range strings.SplitSeq(string(head), "\r\n") {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.ContainsAny(line, "\r\n") || strings.ContainsAny(line[:1], " \t") { // others read such lines in several ways
			return nil, false
		}
		switch {
		case strings.EqualFold(name, "Content-Disposition") && !said:
			said = true
			kind, params, err := mime.ParseMediaType(value)
			if err != nil {
				continue
			}
			if kind == "form-data" {
				f.Name = params["name"]
			}
			if file := params["filename"]; file != "" {
				f.File = path.Base(strings.ReplaceAll(file, `\`, "/"))
			}
		case strings.EqualFold(name, "Content-Type"):
			if kind, _, err := mime.ParseMediaType(value); err == nil {
				f.Type = kind
			}
		}
	}
	return rest, true
}
