package anthropic

import (
	"net/http"
	"slices"
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
	providertest.Prepare(t, providertest.Only(New()), []providertest.Case{
		{Name: "a key is enough", Key: "sk-ant-api03-1", Want: "https://api.anthropic.com"},
		{Name: "a proxy that has the key", Base: "https://proxy.example/anthropic/", Want: "https://proxy.example/anthropic"},
		{Name: "no key", Want: "api_key: it is missing"},
		{Name: "a version too many", Base: "https://api.anthropic.com/v1", Key: "sk-own", Want: "base_url: leave out /v1"},
		{Name: "a subscription", Key: "sk-ant-oat01-secret", Want: "api_key: it is the token of a Claude subscription"},
		{Name: "bearer", Key: "sk-own", Set: func(a *provider.Account) { a.Options = map[string]string{"auth": "bearer"} }, Want: "https://api.anthropic.com"},
		{Name: "a form that is none", Key: "sk-own", Set: func(a *provider.Account) { a.Options = map[string]string{"auth": "basic"} }, Want: "options: auth"},
		{Name: "an unknown option", Key: "sk-own", Set: func(a *provider.Account) { a.Options = map[string]string{"beta": "x"} }, Want: `options: there is no "beta"`},
		{Name: "another's protocol", Key: "sk-own", Set: func(a *provider.Account) { a.Protocols = []string{protocol.OpenAIChat} }, Want: "protocols:"},
		{Name: "a header beside the key", Key: "sk-own", Set: func(a *provider.Account) { a.Header = http.Header{"x-api-key": {"x"}} }, Want: "headers:"},
		{Name: "a preset", Key: "sk-own", Set: func(a *provider.Account) { a.Preset = "zai" }, Want: "preset:"},
	})
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
