package azure

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"portico/internal/protocol"
	codec "portico/internal/protocol/openaichat"
	"portico/internal/provider"
	"portico/internal/provider/providertest"
)

func TestRules(t *testing.T) {
	providertest.Judge(t, rules, len(own), "testdata/errors.txt", codec.New().DecodeError)
}

// tokens are tokens of Entra ID.
type tokens struct{ provider.Tokens }

func signedIn(a *provider.Account) { a.Tokens = tokens{} }

func options(pairs ...string) func(*provider.Account) {
	return func(a *provider.Account) {
		a.Options = map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			a.Options[pairs[i]] = pairs[i+1]
		}
	}
}

const home = "https://res.openai.azure.com"

func TestPrepare(t *testing.T) {
	providertest.Prepare(t, providertest.Only(New()), []providertest.Case{
		{Name: "the origin", Base: home, Key: "azk-01", Want: home + "/openai/v1 openai-responses openai-chat"},
		{Name: "as OpenAI's SDK takes it", Base: home + "/openai/v1/", Key: "azk-01", Want: home + "/openai/v1"},
		{Name: "by its name", Key: "azk-01", Set: options("resource", "res"), Want: home + "/openai/v1"},
		{Name: "the older surface", Base: home, Key: "azk-01", Set: options("api_version", "2024-10-21"), Want: home + "/openai openai-chat"},
		{Name: "a preview of the newer one", Base: home, Key: "azk-01", Set: options("api_version", "preview"), Want: home + "/openai/v1 openai-responses openai-chat"},
		{Name: "a gateway in front of it", Base: "https://apim.example/team/openai", Want: "https://apim.example/team/openai/v1"},
		{Name: "a token", Base: home, Key: "eyJ.a.b", Set: options("auth", "bearer"), Want: home + "/openai/v1"},
		{Name: "deployments", Base: home, Key: "azk-01", Set: options("deployments", "gpt-4o=prod, gpt-5=five"), Want: home + "/openai/v1"},
		{Name: "a program's tokens", Base: home, Set: signedIn, Want: home + "/openai/v1"},
		{Name: "a program's tokens on this machine", Base: "http://127.0.0.1:8080", Set: signedIn, Want: "http://127.0.0.1:8080/openai/v1"},
		{Name: "a program's tokens elsewhere", Base: "https://azure.com.evil.example", Set: signedIn, Want: "base_url: a token of Entra ID"},
		{Name: "nowhere", Key: "azk-01", Want: "base_url: it is missing"},
		{Name: "twice", Base: home, Key: "azk-01", Set: options("resource", "res"), Want: "options: resource stands beside base_url"},
		{Name: "another's host", Key: "azk-01", Set: options("resource", "evil.example/"), Want: "options: resource is the name"},
		{Name: "no key", Base: home, Want: "api_key: it is missing"},
		{Name: "http", Base: "http://res.openai.azure.com", Key: "azk-01", Want: "base_url: http would carry the key"},
		{Name: "a whole endpoint", Base: home + "/openai/deployments", Key: "azk-01", Want: "base_url: leave out /deployments"},
		{Name: "half a deployment", Base: home, Key: "azk-01", Set: options("deployments", "gpt-4o"), Want: "options: deployments is a list"},
		{Name: "two deployments of one model", Base: home, Key: "azk-01", Set: options("deployments", "a=b,a=c"), Want: "options: deployments names a twice"},
		{Name: "a form that is none", Base: home, Key: "azk-01", Set: options("auth", "basic"), Want: "options: auth"},
		{Name: "a version with a space", Base: home, Key: "azk-01", Set: options("api_version", "2024 10"), Want: "options: api_version"},
		{Name: "an unknown option", Base: home, Key: "azk-01", Set: options("zone", "x"), Want: `options: there is no "zone"`},
		{Name: "Responses on the older surface", Base: home, Key: "azk-01", Set: func(a *provider.Account) {
			options("api_version", "2024-10-21")(a)
			a.Protocols = []string{protocol.OpenAIResponses}
		}, Want: "protocols:"},
		{Name: "a header beside the key", Base: home, Key: "azk-01", Set: func(a *provider.Account) { a.Header = http.Header{"api-key": {"x"}} }, Want: "headers:"},
		{Name: "a preset", Base: home, Key: "azk-01", Set: func(a *provider.Account) { a.Preset = "zai" }, Want: "preset:"},
	})
}

func prepared(t *testing.T, pairs ...string) *provider.Account {
	t.Helper()
	a := providertest.Account(t, home, "own")
	options(pairs...)(a)
	if err := New().Prepare(a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestSpeaks(t *testing.T) {
	newer, older := prepared(t), prepared(t, "api_version", "2024-10-21")
	for _, tt := range []struct {
		a    *provider.Account
		op   protocol.Op
		want []string
	}{
		{newer, protocol.Chat, both},
		{newer, protocol.Other, both},
		{newer, protocol.Embed, chat},
		{newer, protocol.Complete, nil},
		{newer, protocol.Count, nil},
		{older, protocol.Chat, chat},
		{older, protocol.Embed, chat},
	} {
		if got := New().Speaks(tt.a, tt.op, "gpt-x"); !slices.Equal(got, tt.want) {
			t.Errorf("%v: %v, want %v", tt.op, got, tt.want)
		}
	}
}

func TestAddress(t *testing.T) {
	older := []string{"api_version", "2024-10-21", "deployments", "gpt-4o=prod 4o"}
	for _, tt := range []struct {
		options           []string
		model, path, want string
	}{
		{nil, "gpt-4o", "/chat/completions", "/openai/v1/chat/completions?q=1"},
		{nil, "gpt-4o", "/responses", "/openai/v1/responses?q=1"},
		{[]string{"api_version", "preview"}, "gpt-4o", "/responses", "/openai/v1/responses?q=1&api-version=preview"},
		{older, "gpt-4o", "/chat/completions", "/openai/deployments/prod%204o/chat/completions?q=1&api-version=2024-10-21"},
		{older, "a/b?c", "/embeddings", "/openai/deployments/a%2Fb%3Fc/embeddings?q=1&api-version=2024-10-21"},
		{older, "dall-e-3", "/images/generations", "/openai/deployments/dall-e-3/images/generations?q=1&api-version=2024-10-21"},
		{older, "whisper", "/audio/transcriptions", "/openai/deployments/whisper/audio/transcriptions?q=1&api-version=2024-10-21"},
		{older, "", "/models", "/openai/models?q=1&api-version=2024-10-21"},
		{older, "gpt-4o", "/files", "/openai/files?q=1&api-version=2024-10-21"},
	} {
		to := provider.Target{Protocol: protocol.OpenAIChat, Op: protocol.Chat, Model: tt.model, Path: tt.path, Query: "q=1"}
		out := providertest.Addressed(t, New(), prepared(t, tt.options...), to, http.Header{"Api-Key": {"client"}, "Authorization": {"Bearer client"}})
		if got := out.URL.String(); got != home+tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
		if out.Header.Get("Api-Key") != "own" || out.Header.Get("Authorization") != "" {
			t.Errorf("%v", out.Header)
		}
	}
	out := providertest.Addressed(t, New(), prepared(t, "auth", "bearer"), provider.Target{Path: "/models"}, nil)
	if out.Header.Get("Authorization") != "Bearer own" || out.Header.Get("Api-Key") != "" {
		t.Errorf("a token: %v", out.Header)
	}
	if err := New().Address(&http.Request{Header: http.Header{}}, prepared(t, older...), provider.Target{Model: "..", Path: "/chat/completions"}); err == nil {
		t.Error("a model that leads elsewhere was addressed")
	}
}

// An other end that tells what came.
type other func(req *http.Request, body string)

func (f other) RoundTrip(req *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(req.Body)
	f(req, string(b))
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, err
}

func TestDeployments(t *testing.T) {
	const js = "application/json; charset=utf-8"
	for _, tt := range []struct{ kind, body, want string }{
		{js, `{"model":"gpt-4o","x":1e400}`, `{"model":"prod \"4o\"","x":1e400}`},
		{js, `{"model":"gpt-5"}`, `{"model":"five"}`},
		{js, `{"model":"o3"}`, `{"model":"o3"}`},
		{js, `{"x":"gpt-4o"}`, `{"x":"gpt-4o"}`},
		{js, `[1]`, `[1]`},
		{"multipart/form-data; boundary=x", `{"model":"gpt-4o"}`, `{"model":"gpt-4o"}`},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, home, io.NopCloser(strings.NewReader(tt.body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", tt.kind)
		w := New().(provider.Wrapper).Wrap(prepared(t, "deployments", `gpt-4o=prod "4o",gpt-5=five`), other(func(req *http.Request, body string) {
			if body != tt.want {
				t.Errorf("%s: %s, want %s", tt.body, body, tt.want)
			}
			if req.GetBody == nil {
				return
			}
			again, err := req.GetBody()
			if err != nil {
				t.Fatal(err)
			}
			if b, _ := io.ReadAll(again); string(b) != body || req.ContentLength != int64(len(b)) {
				t.Errorf("%s: the second time %s of %d bytes", tt.body, b, req.ContentLength)
			}
		}))
		resp, err := w.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	next := other(nil)
	for name, a := range map[string]*provider.Account{"without deployments": prepared(t), "on the older surface": prepared(t, "deployments", "a=b", "api_version", "2024-10-21")} {
		if _, ok := New().(provider.Wrapper).Wrap(a, next).(other); !ok {
			t.Errorf("%s the way out is wrapped", name)
		}
	}
}
