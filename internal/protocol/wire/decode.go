package wire

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"portico/internal/fault"
	"portico/internal/jsonedit"
)

// The longest message and details that are kept of an error, in bytes. A text
// that is no JSON is kept shorter: it was not written to be shown.
const (
	maxMessage = 2048
	maxText    = 512
)

// DecodeError reads an error body, or the data of an error event, in every
// envelope that vendors are known to use: OpenAI's and Anthropic's own, its
// error as a plain string, arrays of either, Azure's innererror, OpenRouter's
// metadata, Mistral's and FastAPI's flat objects, AWS's with its __type,
// MiniMax' base_resp, Google's status with details, an envelope within a
// message, plain text and HTML pages.
//
// If status is no error status, one that the body names takes its place.
func DecodeError(status int, body []byte) fault.Sign {
	s := fault.Sign{Status: status}
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if len(body) == 0 {
		return s
	}
	e := envelope{sign: &s}
	if end, err := jsonedit.Skip(body, 0); err != nil || end != len(body) || body[0] != '{' && body[0] != '[' && body[0] != '"' {
		readText(&s, body)
	} else {
		e.read(body, 0)
		if s.Message == "" {
			s.Message = e.fallback
		} else if s.Code == "" && s.Type == "" && !strings.Contains(e.fallback, " ") {
			s.Code = e.fallback // OAuth's {"error":"invalid_token","error_description":…}
		}
		if s.Message == "" && s.Code == "" && s.Type == "" {
			s.Message = clip(string(body[:min(len(body), 2*maxText)]), maxText)
		}
	}
	s.Details = clip(s.Details, maxMessage)
	if s.Status < 400 && e.status != 0 {
		s.Status = e.status
	}
	if s.After == 0 {
		if d, ok := fault.FindDelay(s.Message); ok {
			s.After = d
		} else if d, ok := fault.FindDelay(s.Details); ok {
			s.After = d
		}
	}
	return s
}

// An envelope gathers one error from nested objects. What is found first
// stays; inner objects are read before what stands around them.
type envelope struct {
	sign     *fault.Sign
	fallback string // a text that is the message if no member is named so
	status   int    // an HTTP status that the body names, or 0
}

// read takes what v, a sound JSON value, tells. depth bounds the recursion.
func (e *envelope) read(v []byte, depth int) {
	if depth > 4 || len(v) == 0 {
		return
	}
	switch v[0] {
	case '"':
		set(&e.fallback, Text(v))
	case '[':
		for x, err := range jsonedit.Elements(v) {
			if err == nil {
				e.read(x, depth+1)
			}
			return
		}
	case '{':
		for _, inner := range []string{"error", "errors", "base_resp", "detail"} {
			x := jsonedit.Get(v, inner)
			if inner == "detail" && len(x) > 0 && x[0] == '[' {
				set(&e.fallback, invalid(x))
				continue
			}
			e.read(x, depth+1)
		}
		e.members(v, depth)
	}
}

// members takes the plain members of the object v.
func (e *envelope) members(v []byte, depth int) {
	s := e.sign
	for m, err := range jsonedit.Members(v) {
		if err != nil {
			return
		}
		text := Text(m.Value)
		switch string(m.Name) {
		case "message", "Message", "msg", "status_msg", "error_description": // the second: AWS
			if text == "" {
				e.read(m.Value, depth+1) // Mistral wraps FastAPI's detail in message
				continue
			}
			if wrapped(text) {
				e.read([]byte(text), depth+1)
			}
			if s.Message == "" {
				s.Message = clip(text, maxMessage)
			}
		case "code":
			set(&s.Code, scalar(m.Value))
			e.setStatus(m.Value)
		case "status_code":
			e.setStatus(m.Value)
			if depth > 0 { // MiniMax' own number; elsewhere it is the HTTP status
				set(&s.Code, scalar(m.Value))
			}
		case "type":
			if text != "error" && text != "response.failed" { // the name of the event, not of the error
				set(&s.Type, text)
			}
		case "__type": // AWS, with a namespace before it
			set(&s.Type, text[strings.LastIndexByte(text, '#')+1:])
		case "status":
			set(&s.Type, text)
			e.setStatus(m.Value)
		case "param":
			set(&s.Param, text)
		case "title":
			set(&e.fallback, text)
		case "innererror": // Azure
			e.note(Text(jsonedit.Get(m.Value, "code")))
		case "metadata": // OpenRouter
			for _, name := range []string{"error_type", "provider_code", "provider_name", "raw"} {
				e.note(scalar(jsonedit.Get(m.Value, name)))
			}
		case "details":
			if Empty(m.Value) {
				continue
			}
			e.note(clip(string(m.Value[:min(len(m.Value), 2*maxText)]), maxText))
			e.retryInfo(m.Value)
			for d := range Object(m.Value) { // Anthropic
				switch string(d.Name) {
				case "error_code":
					set(&s.Code, Text(d.Value))
				case "appeal_url":
					set(&s.Link, Text(d.Value))
				}
			}
		case "availability":
			e.setAfter(jsonedit.Get(m.Value, "retry_after"))
		case "retry_after", "resets_in_seconds":
			e.setAfter(m.Value)
		}
	}
}

// wrapped reports whether a message is itself an error envelope, as gateways
// put it there that pass on what another one said.
func wrapped(text string) bool {
	if text[0] != '{' {
		return false
	}
	end, err := jsonedit.Skip([]byte(text), 0)
	return err == nil && end == len(text)
}

// note adds text to the details.
func (e *envelope) note(text string) {
	if text == "" || len(e.sign.Details) > maxMessage {
		return
	}
	if e.sign.Details != "" {
		e.sign.Details += "; "
	}
	e.sign.Details += text
}

func (e *envelope) setStatus(v []byte) {
	if n, ok := jsonedit.Int(v); ok && n >= 400 && n < 600 && e.status == 0 {
		e.status = int(n)
	}
}

// setAfter takes a number of seconds.
func (e *envelope) setAfter(v []byte) {
	if f, err := strconv.ParseFloat(string(v), 64); err == nil && f > 0 && e.sign.After == 0 {
		e.sign.After = time.Duration(min(f, fault.MaxWait.Seconds()) * float64(time.Second))
	}
}

// retryInfo takes the delay of a google.rpc.RetryInfo among v.
func (e *envelope) retryInfo(v []byte) {
	for x, err := range jsonedit.Elements(v) {
		if err != nil {
			return
		}
		if d, err := time.ParseDuration(Text(jsonedit.Get(x, "retryDelay"))); err == nil && d > 0 && e.sign.After == 0 {
			e.sign.After = min(d, fault.MaxWait)
		}
	}
}

// invalid puts FastAPI's list of what is wrong with a request in words: at
// most the first three entries.
func invalid(list []byte) string {
	var says []string
	for x, err := range jsonedit.Elements(list) {
		if err != nil || len(says) == 3 {
			break
		}
		var where []string
		for p, err := range jsonedit.Elements(jsonedit.Get(x, "loc")) {
			if err != nil {
				break
			}
			where = append(where, scalar(p))
		}
		say := Text(jsonedit.Get(x, "msg"))
		if len(where) > 0 {
			say = strings.Join(where, ".") + ": " + say
		}
		says = append(says, say)
	}
	return strings.Join(says, "; ")
}

// scalar is the text of a string or a number.
func scalar(v []byte) string {
	if len(v) > 0 && (v[0] == '-' || v[0] >= '0' && v[0] <= '9') {
		return string(v)
	}
	return Text(v)
}

func set(dst *string, s string) {
	if *dst == "" {
		*dst = clip(s, maxMessage)
	}
}
