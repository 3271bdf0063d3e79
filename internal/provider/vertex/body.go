package vertex

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/provider"
)

// version stands in the body of a request to Claude; spec: upstreams §3.5.
const version = `"vertex-2023-10-16"`

// counter is what counts the tokens of a request to Claude in place of a model.
const counter = "count-tokens"

// Wrap implements provider.Wrapper: bodies are those of Google's and
// Anthropic's own APIs but for some members.
func (vertex) Wrap(_ *provider.Account, next http.RoundTripper) http.RoundTripper { return way{next} }

type way struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (w way) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.ContentLength == 0 {
		return w.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = r.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	if edited, ok := fit(r.URL.Path, body); ok {
		body = edited
	}
	out := *r
	out.ContentLength = int64(len(body))
	out.Body = io.NopCloser(bytes.NewReader(body))
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return w.next.RoundTrip(&out)
}

// fit is body as Vertex AI takes it at path; false if it stays as it is. One
// that is no object stays, too, and is refused there.
func fit(path string, body []byte) ([]byte, bool) {
	switch {
	case strings.Contains(path, ofAnthropic+"/models/"):
		return fitClaude(body, strings.HasSuffix(path, "/"+counter+rawPredict))
	case strings.HasSuffix(path, ":countTokens"):
		// Its request is not wrapped into another one.
		inner := jsonedit.Get(body, "generateContentRequest")
		if inner == nil {
			return body, false
		}
		return drop(inner, "model", "serviceTier", "store")
	}
	return drop(body, "model", "serviceTier", "store")
}

// fitClaude moves the model into the path, where it is, and the version into
// the body. The counter wants the model in the body.
func fitClaude(body []byte, counts bool) ([]byte, bool) {
	out := body
	if !counts {
		out, _ = drop(body, "model")
	}
	out, err := jsonedit.Set(out, "anthropic_version", []byte(version))
	if err != nil {
		return body, false
	}
	return out, true
}

// drop is body without members that the Gemini API has and Vertex AI refuses;
// spec: upstreams §2.14.
func drop(body []byte, names ...string) (out []byte, _ bool) {
	out = body
	for _, name := range names {
		if jsonedit.Get(out, name) == nil {
			continue
		}
		less, err := jsonedit.Drop(out, name)
		if err != nil {
			return body, false
		}
		out = less
	}
	return out, true
}
