package relay

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strings"

	"portico/internal/jsonedit"
)

// formBoundary is the boundary of a multipart form, if the body is one.
func formBoundary(h http.Header) (string, bool) {
	v := h.Get("Content-Type")
	if !strings.HasPrefix(v, "multipart/") {
		return "", false
	}
	_, params, err := mime.ParseMediaType(v)
	return params["boundary"], err == nil && params["boundary"] != ""
}

// setFormField returns a multipart form with the value of every plain field of
// that name replaced, all other bytes unchanged.
func setFormField(body []byte, boundary, name, to string) ([]byte, error) {
	mark := []byte("\r\n--" + boundary)
	out := make([]byte, 0, len(body)+len(to))
	rest, found := body, false
	for {
		head, value, ok := bytes.Cut(rest, []byte("\r\n\r\n"))
		if !ok {
			break
		}
		value, after, ok := bytes.Cut(value, mark)
		if !ok {
			break
		}
		out = append(append(out, head...), "\r\n\r\n"...)
		if namesField(head, name) {
			out, found = append(out, to...), true
		} else {
			out = append(out, value...)
		}
		out = append(out, mark...)
		rest = after
	}
	if !found {
		return nil, errors.New("the form has no field named " + name)
	}
	return append(out, rest...), nil
}

// namesField reports whether the head of a part is that of a plain field of
// that name.
func namesField(head []byte, field string) bool {
	for line := range strings.SplitSeq(string(head), "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if !strings.EqualFold(name, "Content-Disposition") {
			continue
		}
		_, params, err := mime.ParseMediaType(value)
		_, file := params["filename"]
		return err == nil && params["name"] == field && !file
	}
	return false
}

// onePicture is the body of a call that asks for several pictures as one that
// asks for one.
func onePicture(c *Call) ([]byte, error) {
	if boundary, ok := formBoundary(c.Header); ok {
		return setFormField(c.Body, boundary, "n", "1")
	}
	return jsonedit.Set(c.Body, "n", []byte("1"))
}
