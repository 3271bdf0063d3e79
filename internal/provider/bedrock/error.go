package bedrock

import (
	"cmp"
	"net/http"
	"strings"

	"portico/internal/eventstream"
	"portico/internal/jsonedit"
)

// awsError reads an error of AWS'. Its type stands in a header, sometimes with
// an address behind a colon, or in the body, sometimes with a name space before
// a hash.
func awsError(header string, body []byte) (kind, text string, ok bool) {
	member := func(names ...string) string {
		for _, n := range names {
			if s, ok := jsonedit.Unquote(jsonedit.Get(body, n)); ok && s != "" {
				return s
			}
		}
		return ""
	}
	text = member("message", "Message", "errorMessage")
	kind, _, _ = strings.Cut(cmp.Or(header, member("__type", "code")), ":")
	kind = kind[strings.LastIndexByte(kind, '#')+1:]
	return kind, text, kind != "" || text != ""
}

// exception reads what ends a stream: an exception that the model's operation
// knows, or an error of the framing.
func exception(m *eventstream.Message) (kind, text string, ok bool) {
	switch m.Kind {
	case "exception":
		_, text, _ = awsError(m.Name, m.Payload)
		return m.Name, text, true
	case "error":
		return m.Name, m.Text, true
	}
	return "", "", false
}

// claudeError is an error of AWS' as Anthropic writes one. What is none stays
// as it is.
func claudeError(status int, header string, body []byte) []byte {
	kind, text, ok := awsError(header, body)
	if !ok {
		return body
	}
	return claudeFault(status, kind, text)
}

// claudeFault writes an error in the form of Anthropic's, with AWS' own type in
// the details: clients read the type, and the rules the details.
func claudeFault(status int, kind, text string) []byte {
	b := []byte(`{"type":"error","error":{"type":"` + claudeType(status, kind) + `","message":`)
	b = jsonedit.Quote(b, cmp.Or(text, kind))
	if kind != "" {
		b = append(b, `,"details":{"error_code":`...)
		b = append(jsonedit.Quote(b, kind), '}')
	}
	return append(b, "}}"...)
}

// claudeType is the type of Anthropic's that says most nearly what a status of
// AWS' does, or in a stream, where it is 200, the type of AWS'.
func claudeType(status int, kind string) string {
	if status == http.StatusOK {
		switch strings.ToLower(kind) {
		case "throttlingexception":
			status = http.StatusTooManyRequests
		case "validationexception":
			status = http.StatusBadRequest
		case "serviceunavailableexception":
			status = http.StatusServiceUnavailable
		}
	}
	switch status {
	case http.StatusBadRequest:
		return "invalid_request_error"
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusRequestTimeout:
		return "timeout_error"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case http.StatusServiceUnavailable:
		return "overloaded_error"
	}
	return "api_error"
}
