package azure

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/provider"
)

// pairs yields the models of the option deployments with what serves them.
func pairs(option string) func(yield func(model, deployment string) bool) {
	return func(yield func(model, deployment string) bool) {
		for pair := range strings.SplitSeq(option, ",") {
			if model, d, _ := strings.Cut(pair, "="); !yield(strings.TrimSpace(model), strings.TrimSpace(d)) {
				return
			}
		}
	}
}

// sound checks the option deployments.
func sound(option string) error {
	if option == "" {
		return nil
	}
	seen := map[string]bool{}
	for model, d := range pairs(option) {
		switch {
		case model == "" || d == "":
			return errors.New("options: deployments is a list such as gpt-4o=my-gpt-4o,gpt-5=prod")
		case seen[model]:
			return fmt.Errorf("options: deployments names %s twice", model)
		}
		seen[model] = true
	}
	return nil
}

// deployment is what serves model at a: what the option says, or else what has
// the model's own name.
func deployment(a *provider.Account, model string) string {
	for m, d := range pairs(a.Options[optionDeployments]) {
		if m == model {
			return d
		}
	}
	return model
}

// Wrap implements provider.Wrapper. Bodies name the deployment that serves the
// model. The older surface does not look at them.
func (azure) Wrap(a *provider.Account, next http.RoundTripper) http.RoundTripper {
	if a.Options[optionDeployments] == "" || classic(a) {
		return next
	}
	w := renaming{next, map[string][]byte{}}
	for model, d := range pairs(a.Options[optionDeployments]) {
		w.names[model] = jsonedit.Quote(nil, d)
	}
	return w
}

// A renaming way out puts the names of deployments into JSON bodies.
type renaming struct {
	next  http.RoundTripper
	names map[string][]byte // by the model, as JSON
}

// RoundTrip implements http.RoundTripper.
func (w renaming) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body == nil || !strings.HasPrefix(req.Header.Get("Content-Type"), "application/json") {
		return w.next.RoundTrip(req)
	}
	defer func() { _ = req.Body.Close() }()
	b := bytes.NewBuffer(make([]byte, 0, max(req.ContentLength, 0)+bytes.MinRead))
	if _, err := b.ReadFrom(req.Body); err != nil {
		return nil, fmt.Errorf("read the request's body: %w", err)
	}
	body := b.Bytes()
	if model, ok := jsonedit.Unquote(jsonedit.Get(body, "model")); ok && w.names[model] != nil {
		var err error
		if body, _, err = jsonedit.Replace(body, "model", w.names[model]); err != nil {
			return nil, err
		}
	}
	out := req.WithContext(req.Context())
	out.ContentLength = int64(len(body))
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	out.Body, _ = out.GetBody()
	return w.next.RoundTrip(out)
}
