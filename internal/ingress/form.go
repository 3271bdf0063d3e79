package ingress

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"

	"portico/internal/protocol"
)

const (
	maxParts    = 1000 // of a form (SEC-46)
	maxBoundary = 70   // bytes, by RFC 2046
	maxField    = 512  // bytes of a field that is read
)

var (
	errBoundary = errors.New("the multipart form has no sound boundary")
	errForm     = errors.New("the multipart form is broken or cut")
	errParts    = errors.New("the multipart form has more than 1000 parts")
	errField    = errors.New("a field of the multipart form is longer than any model's name")
)

// peekForm reads the fields of a form that routing needs: model and stream.
// Where a field is repeated the last one counts. Files are passed over without
// a copy of them being held.
func peekForm(contentType string, body []byte) (protocol.Peek, error) {
	var p protocol.Peek
	_, params, err := mime.ParseMediaType(contentType)
	if b := params["boundary"]; err != nil || b == "" || len(b) > maxBoundary {
		return p, errBoundary
	}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for n := 0; ; n++ {
		part, err := r.NextRawPart()
		switch {
		case errors.Is(err, io.EOF) && !bytes.Contains(body, []byte("--"+params["boundary"]+"--")):
			return p, errForm // it was cut in the head of a part
		case errors.Is(err, io.EOF):
			return p, nil
		case err != nil:
			return p, errForm
		case n == maxParts:
			return p, errParts
		}
		name := part.FormName()
		if name != "model" && name != "stream" || part.FileName() != "" {
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, maxField+1))
		switch {
		case err != nil:
			return p, errForm
		case len(value) > maxField:
			return p, errField
		case name == "model":
			p.Model = string(value)
		default:
			p.Stream = string(value) == "true"
		}
	}
}
