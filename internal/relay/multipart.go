package relay

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strings"
)

var errNoModelField = errors.New("the form has no field named model")

// formBoundary is the boundary of a multipart form, if the body is one.
func formBoundary(h http.Header) (string, bool) {
	v := h.Get("Content-Type")
	if !strings.HasPrefix(v, "multipart/") {
		return "", false
	}
	_, params, err := mime.ParseMediaType(v)
	return params["boundary"], err == nil && params["boundary"] != ""
}

// setFormModel returns a multipart form with the value of every field named
// model replaced, all other bytes unchanged.
func setFormModel(body []byte, boundary, model string) ([]byte, error) {
	mark := []byte("\r\n--" + boundary)
	out := make([]byte, 0, len(body)+len(model))
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
		if namesModel(head) {
			out, found = append(out, model...), true
		} else {
			out = append(out, value...)
		}
		out = append(out, mark...)
		rest = after
	}
	if !found {
		return nil, errNoModelField
	}
	return append(out, rest...), nil
}

// namesModel reports whether the head of a part is that of a plain field named
// model.
func namesModel(head []byte) bool {
	for line := range strings.SplitSeq(string(head), "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if !strings.EqualFold(name, "Content-Disposition") {
			continue
		}
		_, params, err := mime.ParseMediaType(value)
		_, file := params["filename"]
		return err == nil && params["name"] == "model" && !file
	}
	return false
}
