package bedrock

import (
	"cmp"
	"net/http"

	"portico/internal/eventstream"
	"portico/internal/jsonedit"
	codec "portico/internal/protocol/converse"
)

// readConverse reads a whole answer of Converse, which is as it is. Its errors
// get the type that AWS tells in a header.
func readConverse(resp *http.Response) (*http.Response, error) {
	named(resp)
	if resp.StatusCode < 400 {
		return resp, nil
	}
	header := resp.Header.Get("X-Amzn-Errortype")
	return rewrite(resp, func(body []byte) []byte { return converseError(resp.StatusCode, header, body) })
}

// readConverseStream reads a stream of Converse, in which each message is an
// event.
func readConverseStream(resp *http.Response) (*http.Response, error) {
	if resp.StatusCode != http.StatusOK || !streams(resp) {
		return readConverse(resp)
	}
	named(resp)
	reframe(resp, converseEvent)
	return resp, nil
}

// converseEvent appends the event in m.
func converseEvent(dst []byte, m *eventstream.Message) ([]byte, error) {
	if kind, text, failed := exception(m); failed {
		return appendEvent(dst, codec.Exception, converseFault(kind, text)), nil
	}
	if m.Name == "" {
		return dst, nil
	}
	return appendEvent(dst, m.Name, m.Payload), nil
}

// converseError is an error of AWS' with its type in it. What is none stays as
// it is.
func converseError(_ int, header string, body []byte) []byte {
	kind, text, ok := awsError(header, body)
	if !ok {
		return body
	}
	return converseFault(kind, text)
}

func converseFault(kind, text string) []byte {
	b := jsonedit.Quote([]byte(`{"__type":`), kind)
	b = jsonedit.Quote(append(b, `,"message":`...), cmp.Or(text, kind))
	return append(b, '}')
}
