package models

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"portico/internal/glob"
	"portico/internal/pool"
	"portico/internal/protocol"
	claude "portico/internal/protocol/anthropic"
	google "portico/internal/protocol/gemini"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/openairesponses"
	"portico/internal/provider"
	"portico/internal/provider/all"
	"portico/internal/secret"
)

var codecs = []protocol.Codec{openaichat.New(), openairesponses.New(), claude.New(), google.New()}

// way is a way out that ends in this process.
type way func(*http.Request) (*http.Response, error)

func (w way) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

// answer is a response with a JSON body.
func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
}

// account is a prepared account. base may be "", out nil for the real network.
func account(t *testing.T, name, providerName, base string, out http.RoundTripper, globs ...string) pool.Account {
	t.Helper()
	a := &provider.Account{Name: name, Provider: providerName, Key: secret.Of("sk-own-0123456789")}
	if base != "" {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		a.BaseURL = u
	}
	if out == nil {
		out = http.DefaultTransport
	}
	p := pool.Account{Account: a, Way: out, Weight: 1}
	for _, x := range all.New() {
		if x.Name() == providerName {
			p.By = x
		}
	}
	if err := p.By.Prepare(a); err != nil {
		t.Fatal(err)
	}
	for _, s := range globs {
		g, err := glob.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		p.Models = append(p.Models, g)
	}
	return p
}

func ids(ms []protocol.Model) string {
	out := make([]string, len(ms))
	for i, m := range ms {
		out[i] = m.ID
	}
	return strings.Join(out, " ")
}

// list is a list in OpenAI's form.
func list(ids ...string) string {
	return `{"object":"list","data":[{"id":"` + strings.Join(ids, `"},{"id":"`) + `"}]}`
}
