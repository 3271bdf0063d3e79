package anthropic

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"portico/internal/protocol"
	codec "portico/internal/protocol/anthropic"
	"portico/internal/provider"
	"portico/internal/provider/providertest"
)

func TestRules(t *testing.T) {
	providertest.Judge(t, rules, len(rules), "testdata/errors.txt", codec.New().DecodeError)
}

func TestPrepare(t *testing.T) {
	for _, tt := range []struct {
		name, base, key string
		set             func(*provider.Account)
		want            string // the base URL, or a part of the error
	}{
		{name: "a key is enough", key: "sk-ant-api03-1", want: "https://api.anthropic.com"},
		{name: "a proxy that has the key", base: "https://proxy.example/anthropic/", want: "https://proxy.example/anthropic"},
		{name: "no key", want: "api_key: it is missing"},
		{name: "a version too many", base: "https://api.anthropic.com/v1", key: "k", want: "base_url: leave out /v1"},
		{name: "a subscription", key: "sk-ant-oat01-secret", want: "api_key: it is the token of a Claude subscription"},
		{name: "bearer", key: "k", set: func(a *provider.Account) { a.Options = map[string]string{"auth": "bearer"} }, want: "https://api.anthropic.com"},
		{name: "a form that is none", key: "k", set: func(a *provider.Account) { a.Options = map[string]string{"auth": "basic"} }, want: "options: auth"},
		{name: "an unknown option", key: "k", set: func(a *provider.Account) { a.Options = map[string]string{"beta": "x"} }, want: `options: there is no "beta"`},
		{name: "another's protocol", key: "k", set: func(a *provider.Account) { a.Protocols = []string{protocol.OpenAIChat} }, want: "protocols:"},
		{name: "a header beside the key", key: "k", set: func(a *provider.Account) { a.Header = http.Header{"x-api-key": {"x"}} }, want: "headers:"},
		{name: "a preset", key: "k", set: func(a *provider.Account) { a.Preset = "zai" }, want: "preset:"},
	} {
		a := providertest.Account(t, tt.base, tt.key)
		if tt.set != nil {
			tt.set(a)
		}
		got := ""
		if err := New().Prepare(a); err != nil {
			got = err.Error()
		} else {
			got = a.BaseURL.String()
		}
		if !strings.HasPrefix(got, tt.want) || strings.Contains(got, "secret") {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestSpeaks(t *testing.T) {
	a := providertest.Account(t, "", "k")
	if err := New().Prepare(a); err != nil {
		t.Fatal(err)
	}
	own := []string{protocol.Anthropic}
	for op, want := range map[protocol.Op][]string{
		protocol.Chat: own, protocol.Count: own, protocol.Other: own, protocol.Complete: nil, protocol.Embed: nil,
	} {
		if got := New().Speaks(a, op, "claude-x"); !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", op, got, want)
		}
	}
}

func TestAddress(t *testing.T) {
	client := http.Header{"Authorization": {"Bearer client"}, "X-Api-Key": {"client"}}
	newer := http.Header{"Anthropic-Version": {"2026-10-21"}, "Anthropic-Beta": {"a,b"}}
	for _, tt := range []struct {
		name    string
		options map[string]string
		header  http.Header
		want    map[string]string
	}{
		{"x-api-key", nil, client, map[string]string{"X-Api-Key": "own", "Authorization": "", "Anthropic-Version": "2023-06-01"}},
		{"bearer", map[string]string{"auth": "bearer"}, client, map[string]string{"X-Api-Key": "", "Authorization": "Bearer own"}},
		{"the client's version", nil, newer, map[string]string{"Anthropic-Version": "2026-10-21", "Anthropic-Beta": "a,b"}},
	} {
		a := providertest.Account(t, "", "own")
		a.Options = tt.options
		if err := New().Prepare(a); err != nil {
			t.Fatal(err)
		}
		out := providertest.Addressed(t, New(), a, provider.Target{Protocol: protocol.Anthropic, Path: "/v1/messages", Query: "beta=true"}, tt.header)
		if got := out.URL.String(); got != "https://api.anthropic.com/v1/messages?beta=true" {
			t.Errorf("%s: URL %s", tt.name, got)
		}
		for name, want := range tt.want {
			if got := out.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", tt.name, name, got, want)
			}
		}
	}
}
