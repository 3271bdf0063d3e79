package endpoint

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/provider"
	"portico/internal/secret"
)

func TestBase(t *testing.T) {
	for _, tt := range []struct {
		url     string
		home    bool
		options map[string]string
		want    string // the base, or a part of the error
	}{
		{url: "https://api.example.com/v1/", want: "https://api.example.com/v1"},
		{url: "https://api.example.com", want: "https://api.example.com"},
		{url: "http://127.0.0.1:8080/v1", want: "http://127.0.0.1:8080/v1"},
		{url: "http://[::1]:8080", want: "http://[::1]:8080"},
		{url: "http://localhost:1234", want: "http://localhost:1234"},
		{url: "http://192.168.1.9:11434", want: "in the clear"},
		{url: "http://192.168.1.9:11434", home: true, want: "http://192.168.1.9:11434"},
		{url: "http://nas:11434", home: true, want: "http://nas:11434"},
		{url: "http://8.8.8.8", home: true, want: "in the clear"},
		{url: "http://api.example.com", want: "in the clear"},
		{url: "http://api.example.com", options: map[string]string{Insecure: "true"}, want: "http://api.example.com"},
		{url: "ftp://api.example.com", want: "neither https nor http"},
		{url: "https:opaque", want: "no host"},
		{url: "https://:443/v1", want: "no host"},
		{url: "https://me:secret@api.example.com", want: "user or password"},
		{url: "https://api.example.com?key=1", want: "query"},
		{url: "https://api.example.com/a/../b", want: "segment"},
		{url: "https://api.example.com/a/%2e%2e/b", want: "segment"},
	} {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if b, err := Base(u, tt.home, tt.options); err != nil {
			got = err.Error()
		} else {
			got = b.String()
		}
		if got != tt.want && (strings.HasPrefix(tt.want, "http") || !strings.Contains(got, tt.want)) {
			t.Errorf("Base(%q): %q, want %q", tt.url, got, tt.want)
		}
		if strings.Contains(got, "secret") {
			t.Errorf("Base(%q) tells the password: %s", tt.url, got)
		}
	}
}

func TestStem(t *testing.T) {
	for _, tt := range []struct {
		url  string
		fine bool
	}{
		{"https://api.example.com", true},
		{"https://api.example.com/v1/messages", false},
		{"https://api.example.com/v1", true},
	} {
		u, _ := url.Parse(tt.url)
		if err := Stem(u, "/v1/messages"); (err == nil) != tt.fine {
			t.Errorf("Stem(%q): %v, want fine: %v", tt.url, err, tt.fine)
		}
	}
}

func TestKey(t *testing.T) {
	for _, tt := range []struct {
		key      string
		required bool
		fine     bool
	}{
		{"sk-123", true, true},
		{"", true, false},
		{"", false, true},
		{"sk-123\n", true, false},
		{"sk 123", true, false},
		{"sk-ü", true, false},
		{strings.Repeat("k", maxKey), true, true},
		{strings.Repeat("k", maxKey+1), true, false},
	} {
		err := Key(secret.Of(tt.key), tt.required)
		if (err == nil) != tt.fine {
			t.Errorf("Key(%.10q, %v): %v, want fine: %v", tt.key, tt.required, err, tt.fine)
		}
		if err != nil && tt.key != "" && strings.Contains(err.Error(), tt.key) {
			t.Errorf("Key(%.10q) tells the key", tt.key)
		}
	}
}

// account is one with everything that could go astray.
func account(t *testing.T, base string) *provider.Account {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	return &provider.Account{Name: "a", BaseURL: u, Key: secret.Of("sk-own"), Header: http.Header{"X-Title": {"Portico"}}}
}

func TestAddress(t *testing.T) {
	for _, tt := range []struct {
		name, base, more, path, query string
		form                          Form
		want                          string
		header, value                 string
	}{
		{"bearer", "https://h/v1", "", "/models", "", Bearer, "https://h/v1/models", "Authorization", "Bearer sk-own"},
		{"x-api-key", "https://h", "", "/v1/messages", "beta=true", APIKey, "https://h/v1/messages?beta=true", "X-Api-Key", "sk-own"},
		{"x-goog-api-key", "https://h/v1beta", "", "/models/m:generateContent", "alt=sse", GoogKey, "https://h/v1beta/models/m:generateContent?alt=sse", "X-Goog-Api-Key", "sk-own"},
		{"more between", "https://h/api", "/anthropic", "/v1/messages", "", Bearer, "https://h/api/anthropic/v1/messages", "Authorization", "Bearer sk-own"},
		{"escapes stay as they are", "https://h/v1", "", "/models/a%2Fb", "", Bearer, "https://h/v1/models/a%2Fb", "Authorization", "Bearer sk-own"},
		{"a colon at the front", "https://h", "", "/:x", "", Bearer, "https://h/:x", "Authorization", "Bearer sk-own"},
	} {
		a := account(t, tt.base)
		out := &http.Request{Header: http.Header{}}
		if err := Address(out, a, a.BaseURL, a.BaseURL.EscapedPath(), tt.more, provider.Target{Path: tt.path, Query: tt.query}, tt.form); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := out.URL.String(); got != tt.want || out.Host != a.BaseURL.Host {
			t.Errorf("%s: %s at %s, want %s", tt.name, got, out.Host, tt.want)
		}
		if got := out.Header.Get(tt.header); got != tt.value {
			t.Errorf("%s: %s is %q, want %q", tt.name, tt.header, got, tt.value)
		}
		if out.Header.Get("X-Title") != "Portico" {
			t.Errorf("%s: the account's header is missing", tt.name)
		}
	}
}

// TestAddressKeepsOrigin: nothing in a request moves the credential to another
// origin or out of the path that the account is for.
func TestAddressKeepsOrigin(t *testing.T) {
	for _, to := range []provider.Target{
		{Path: "//evil.example/v1"},
		{Path: "/@evil.example"},
		{Path: "/v1", Query: "u=https://evil.example"},
		{Path: "/\\evil.example"},
		{Path: "/models", Query: "@evil.example/"},
	} {
		a := account(t, "https://api.example.com/v1")
		out := &http.Request{Header: http.Header{}, Host: "evil.example"}
		if err := Address(out, a, a.BaseURL, a.BaseURL.EscapedPath(), "", to, Bearer); err != nil {
			continue
		}
		if out.URL.Scheme != "https" || out.URL.Host != "api.example.com" || out.Host != "api.example.com" || out.URL.User != nil {
			t.Errorf("%+v goes to %s (Host %s)", to, out.URL, out.Host)
		}
		if again, err := url.Parse(out.URL.String()); err != nil || again.Host != "api.example.com" || !strings.HasPrefix(again.Path, "/v1/") {
			t.Errorf("%+v goes to %s when it is read again", to, out.URL)
		}
	}
}

func TestAddressRefuses(t *testing.T) {
	for _, to := range []provider.Target{
		{Path: ""},
		{Path: "models"},
		{Path: "https://evil.example/"},
		{Path: "/../admin"},
		{Path: "/a/./b"},
		{Path: "/%2e%2e/admin"},
		{Path: "/a/..%5cadmin"},
		{Path: "/a b"},
		{Path: "/a?b"},
		{Path: "/a#b"},
		{Path: "/a%zz"},
		{Path: "/a\r\nHost: evil.example"},
		{Path: "/a", Query: "b c"},
		{Path: "/a", Query: "b\r\n"},
		{Path: "/a", Query: "b#c"},
	} {
		a := account(t, "https://api.example.com/v1")
		out := &http.Request{Header: http.Header{}}
		err := Address(out, a, a.BaseURL, "/v1", "", to, Bearer)
		var f *fault.Fault
		if !errors.As(err, &f) || f.Class != fault.Malformed {
			t.Errorf("%+v: %v, want a fault of class malformed", to, err)
		}
		if out.Header.Get("Authorization") != "" {
			t.Errorf("%+v: a refused request carries the key", to)
		}
	}
}

func TestAddressDropsClientCredentials(t *testing.T) {
	a := account(t, "https://api.example.com")
	a.Key = secret.Text{}
	out := &http.Request{Header: http.Header{}}
	for _, name := range credentials {
		out.Header.Set(name, "the client's")
	}
	if err := Address(out, a, a.BaseURL, "", "", provider.Target{Path: "/x"}, Bearer); err != nil {
		t.Fatal(err)
	}
	for _, name := range credentials {
		if v := out.Header.Get(name); v != "" {
			t.Errorf("%s went out: %s", name, v)
		}
	}
}

func TestHeader(t *testing.T) {
	a := account(t, "https://api.example.com")
	a.Header = http.Header{"Authorization": {"Bearer other"}}
	if err := Header(a, Bearer); err == nil {
		t.Error("a header beside the key that goes in it is taken")
	}
	if err := Header(a, APIKey); err != nil {
		t.Error(err)
	}
	a.Key = secret.Text{}
	if err := Header(a, Bearer); err != nil {
		t.Error(err)
	}
}

// FuzzAddress: whatever the path and query, a request that is addressed goes to
// the account's own origin and stays below its path.
func FuzzAddress(f *testing.F) {
	f.Add("/v1/messages", "beta=true")
	f.Add("//evil.example", "")
	f.Add("/a%2F..%2f", "@")
	f.Fuzz(func(t *testing.T, path, query string) {
		a := account(t, "https://api.example.com/base")
		out := &http.Request{Header: http.Header{}}
		if Address(out, a, a.BaseURL, "/base", "", provider.Target{Path: path, Query: query}, Bearer) != nil {
			return
		}
		u, err := url.Parse(out.URL.String())
		if err != nil {
			t.Fatalf("%q %q: %v", path, query, err)
		}
		if u.Scheme != "https" || u.Host != "api.example.com" || u.User != nil || u.Fragment != "" || !strings.HasPrefix(u.EscapedPath(), "/base/") {
			t.Fatalf("%q %q goes to %s", path, query, u)
		}
	})
}
