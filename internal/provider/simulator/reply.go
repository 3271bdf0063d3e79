package simulator

import (
	"encoding/json/v2"
	"errors"
	"math"
	"net/http"
	"strconv"
)

// A reply is an answer on its way to become a response.
type reply struct {
	*answer
	dialect *dialect
	id      string // of the request
	status  int
	header  http.Header // more than the usual, or nil
}

// refused makes r the error answer that tells of err.
func (r *reply) refused(err error) {
	x, ok := errors.AsType[*failure](err)
	if !ok {
		x = unreadable(err)
	}
	r.status = x.status
	r.answer = whole(r.dialect.failure(x, r.id))
	if x.retry > 0 && r.dialect.waits {
		r.header = http.Header{"Retry-After": {strconv.FormatFloat(math.Ceil(x.retry.Seconds()), 'f', 0, 64)}}
		if ms := x.retry.Milliseconds(); ms%1000 != 0 {
			r.header["Retry-After-Ms"] = []string{strconv.FormatInt(ms, 10)}
		}
	}
}

// unreadable is the refusal of a request that cannot be decoded. The decoder's
// own words name types of this program.
func unreadable(err error) *failure {
	if wrong, ok := errors.AsType[*json.SemanticError](err); ok {
		at := clip(string(wrong.JSONPointer), maxQuote)
		if at == "" {
			at = "the top"
		}
		kind := wrong.JSONKind.String()
		switch kind {
		case "{":
			kind = "object"
		case "[":
			kind = "array"
		}
		return refuse("", "the request cannot be read: the %s at %s is of the wrong type", kind, at)
	}
	return refuse("", "the request cannot be read: %v", err)
}

// portal is what proxies and captive portals put in an answer's place.
const portal = "<!DOCTYPE html>\n<html><head><title>Portico's simulator</title></head>" +
	"<body><h1>Portico's simulator</h1><p>This page stands where an answer should.</p></body></html>\n"

// play makes the response; m is the fault to play, or nil.
func (r *reply) play(req *http.Request, m *mishap) (*http.Response, error) {
	b := newBody(req.Context())
	if m == nil {
		return r.response(req, b), nil
	}
	b.pace = m.pace
	if err := b.wait(m.delay); err != nil {
		return nil, err
	}
	at, x := m.strikes(), m.failure(r.dialect.overload)
	switch {
	case m.kind == kindNone:
	case m.kind == kindHang && at < 0:
		return nil, b.hang()
	case m.kind == kindStatus, m.kind == kindOverloaded && at < 0:
		r.refused(x)
	case m.kind == kindHTML:
		r.answer = &answer{mime: "text/html; charset=utf-8", whole: []byte(portal)}
	case r.stream == nil && (m.kind == kindError || m.kind == kindOverloaded):
		if r.broken != nil {
			r.whole = r.broken(x)
		} else {
			r.whole = r.dialect.failure(x, r.id)
		}
	default:
		b.arm(m, at, x)
	}
	return r.response(req, b), nil
}

// response puts r into a response with the body b.
func (r *reply) response(req *http.Request, b *body) *http.Response {
	size := int64(-1)
	if r.stream != nil {
		b.source = r.stream
	} else {
		b.source = b.halve(r.whole)
		if b.kind != kindEnd && b.kind != kindGarbage {
			size = int64(len(r.whole))
		}
	}
	h := r.header
	if h == nil {
		h = make(http.Header, 2)
	}
	h["Content-Type"] = []string{r.mime}
	if r.dialect.idHeader != "" {
		h[r.dialect.idHeader] = []string{r.id}
	}
	return &http.Response{
		Status: strconv.Itoa(r.status) + " " + http.StatusText(r.status), StatusCode: r.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: b, ContentLength: size, Request: req,
	}
}
