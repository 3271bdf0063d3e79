package all

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/provider/providertest"
)

func TestNames(t *testing.T) {
	var names []string
	for _, p := range New() {
		names = append(names, p.Name())
	}
	if got, want := strings.Join(names, " "), "openai anthropic gemini vertex bedrock azure openai-compatible anthropic-compatible ollama simulator"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestCredentialStaysHome sends requests of every provider that is reached over
// HTTP to an upstream that redirects, and that names another origin wherever it
// can. Nothing arrives there.
func TestCredentialStaysHome(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s arrived elsewhere with %v", r.Method, r.URL, r.Header)
	}))
	defer elsewhere.Close()
	evil := strings.TrimPrefix(elsewhere.URL, "http://")
	var arrived int
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived++
		if !strings.Contains(r.Header.Get("Authorization")+r.Header.Get("X-Api-Key")+r.Header.Get("X-Goog-Api-Key")+r.Header.Get("Api-Key"), "sk-own") {
			t.Errorf("%s arrived without the key", r.URL)
		}
		http.Redirect(w, r, elsewhere.URL+"/v1/models", http.StatusTemporaryRedirect)
	}))
	defer upstream.Close()

	for _, p := range New() {
		if _, inside := p.(provider.Transporter); inside {
			continue
		}
		a := providertest.Account(t, upstream.URL, "sk-own")
		if err := p.Prepare(a); err != nil {
			t.Fatalf("%s: %v", p.Name(), err)
		}
		for _, to := range []provider.Target{
			{Path: "/models"},
			{Path: "//" + evil + "/v1/models"},
			{Path: "/@" + evil + "/"},
			{Path: "/models", Query: "next=" + elsewhere.URL},
		} {
			to.Protocol = a.Protocols[0]
			out := (&http.Request{Method: http.MethodGet, Header: http.Header{"X-Forwarded-Host": {evil}}, Host: evil}).WithContext(t.Context())
			if err := p.Address(out, a, to); err != nil {
				t.Errorf("%s refuses %s: %v", p.Name(), to.Path, err)
				continue
			}
			// A transport does not follow redirects, as the relay does not.
			resp, err := http.DefaultTransport.RoundTrip(out)
			if err != nil {
				t.Errorf("%s, %s: %v", p.Name(), to.Path, err)
				continue
			}
			resp.Body.Close()
		}
	}
	if arrived == 0 {
		t.Error("nothing arrived at all")
	}
}

// TestSpeaksItsProtocols: whoever speaks a protocol speaks it for chats.
func TestSpeaksItsProtocols(t *testing.T) {
	for _, p := range New() {
		a := providertest.Account(t, "", "sk-own")
		switch {
		case strings.HasSuffix(p.Name(), "-compatible"):
			a.Preset = "openrouter"
		case p.Name() == "bedrock":
			a.Options = map[string]string{"region": "us-east-1"}
		case p.Name() == "azure":
			a.Options = map[string]string{"resource": "r"}
		}
		if err := p.Prepare(a); err != nil {
			t.Fatalf("%s: %v", p.Name(), err)
		}
		if a.BaseURL == nil || len(a.Protocols) == 0 {
			t.Errorf("%s leaves open where it lives (%v) or what it speaks (%v)", p.Name(), a.BaseURL, a.Protocols)
		}
		for _, proto := range p.Speaks(a, protocol.Chat, "claude-m") {
			if !a.Takes(proto) {
				t.Errorf("%s chats in %s, which the account does not take", p.Name(), proto)
			}
		}
	}
}

// TestAddressIsCheap: an address is made for every attempt of every request.
func TestAddressIsCheap(t *testing.T) {
	for _, p := range New() {
		if _, inside := p.(provider.Transporter); inside {
			continue
		}
		a := providertest.Account(t, "https://x.example/api", "sk-own")
		if err := p.Prepare(a); err != nil {
			t.Fatalf("%s: %v", p.Name(), err)
		}
		out := &http.Request{Header: make(http.Header, 12)}
		to := provider.Target{Protocol: a.Protocols[0], Path: "/chat/completions", Query: "beta=true"}
		n := testing.AllocsPerRun(100, func() {
			if err := p.Address(out, a, to); err != nil {
				t.Fatal(err)
			}
		})
		if n > 2 {
			t.Errorf("%s allocates %v times, want at most 2", p.Name(), n)
		}
	}
}
