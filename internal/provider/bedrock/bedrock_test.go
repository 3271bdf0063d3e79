package bedrock

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"portico/internal/fault"
	"portico/internal/protocol"
	codec "portico/internal/protocol/anthropic"
	conversation "portico/internal/protocol/converse"
	"portico/internal/provider"
	"portico/internal/provider/providertest"
	"portico/internal/secret"
)

// as decodes errors as a codec does that gets them from the way out.
func as(write func(status int, header string, body []byte) []byte, decode func(int, []byte) fault.Sign) func(int, []byte) fault.Sign {
	return func(status int, body []byte) fault.Sign { return decode(status, write(status, "", body)) }
}

func TestRules(t *testing.T) {
	providertest.Judge(t, rules, len(rules), "testdata/errors.txt", as(claudeError, codec.New().DecodeError))
	providertest.Judge(t, rules, len(rules), "testdata/errors.txt", as(converseError, conversation.New().DecodeError))
}

func options(pairs ...string) func(*provider.Account) {
	return func(a *provider.Account) {
		a.Options = map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			a.Options[pairs[i]] = pairs[i+1]
		}
	}
}

func TestPrepare(t *testing.T) {
	in := options(optionRegion, "us-east-1")
	providertest.Prepare(t, providertest.Only(New()), []providertest.Case{
		{Name: "a Bedrock API key", Key: "ABSKx", Set: in, Want: "https://bedrock-runtime.us-east-1.amazonaws.com"},
		{Name: "an access key", Key: "AKIAx:s/+=", Set: in, Want: "https://bedrock-runtime.us-east-1.amazonaws.com"},
		{Name: "a session", Key: "ASIAx:s:t/+=", Set: in, Want: "https://bedrock-runtime.us-east-1.amazonaws.com"},
		{Name: "China", Key: "ABSKx", Set: options(optionRegion, "cn-north-1"), Want: "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"},
		{Name: "an endpoint that names the region", Key: "AKIAx:s", Base: "https://bedrock-runtime.eu-west-1.amazonaws.com/", Want: "https://bedrock-runtime.eu-west-1.amazonaws.com"},
		{Name: "an endpoint of one's own", Key: "ABSKx", Base: "https://bedrock.example/x", Want: "https://bedrock.example/x"},
		{Name: "no region", Key: "ABSKx", Want: "options: region is missing"},
		{Name: "no region to sign for", Key: "AKIAx:s", Base: "https://bedrock.example", Want: "options: region is missing"},
		{Name: "a region that is none", Key: "ABSKx", Set: options(optionRegion, "evil.example/"), Want: "options: region is none"},
		{Name: "no key", Set: in, Want: "api_key: it is missing"},
		{Name: "half an access key", Key: "AKIAx:", Set: in, Want: "api_key: an access key has an id and a secret"},
		{Name: "half of a JSON", Key: `{"AccessKeyId":"AKIAx"}`, Set: in, Want: "api_key: an access key has an id and a secret"},
		{Name: "a secret with a space", Key: "AKIAx:a b", Set: in, Want: "api_key: its byte 2 is white space"},
		{Name: "a path too many", Key: "ABSKx", Base: "https://bedrock.example/model", Want: "base_url: leave out /model"},
		{Name: "an unknown option", Key: "ABSKx", Set: options("zone", "x"), Want: `options: there is no "zone"`},
		{Name: "a profile with a space", Key: "ABSKx", Set: options(optionRegion, "us-east-1", optionProfile, "u s"), Want: "options: profile"},
		{Name: "another's protocol", Key: "ABSKx", Set: func(a *provider.Account) { in(a); a.Protocols = []string{protocol.Gemini} }, Want: "protocols:"},
		{Name: "a header beside the key", Key: "ABSKx", Set: func(a *provider.Account) { in(a); a.Header = http.Header{"authorization": {"x"}} }, Want: "headers:"},
		{Name: "a preset", Key: "ABSKx", Set: func(a *provider.Account) { in(a); a.Preset = "zai" }, Want: "preset:"},
	})
}

func TestCredential(t *testing.T) {
	const all = "AKIAx s t"
	for _, tt := range []struct{ key, want string }{
		{"ABSKabc", "  "},
		{"sk-own:with:colons", "  "},
		{"AKIAx:s", "AKIAx s "},
		{"ASIAx:s:t", "ASIAx s t"},
		{`{"Version":1,"AccessKeyId":"AKIAx","SecretAccessKey":"s","SessionToken":"t"}`, all},
		{`{"Credentials":{"AccessKeyId":"AKIAx","SecretAccessKey":"s","SessionToken":"t"}}`, all},
		{"[default]\naws_access_key_id = AKIAx\naws_secret_access_key=s\naws_session_token = t\n\n[other]\naws_access_key_id = AKIAy\n", all},
		{"aws_access_key_id=AKIAx\r\naws_secret_access_key=s\r\n", "AKIAx s "},
	} {
		c, err := credentialOf(secret.Of(tt.key))
		if got := c.ID + " " + c.Secret + " " + c.Token; err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.key, got, err, tt.want)
		}
	}
}

func prepared(t *testing.T, base, key string, pairs ...string) *provider.Account {
	t.Helper()
	a := providertest.Account(t, base, key)
	options(append([]string{optionRegion, "us-east-1"}, pairs...)...)(a)
	if err := New().Prepare(a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestSpeaks(t *testing.T) {
	a := prepared(t, "", "ABSKx")
	own := []string{protocol.Anthropic}
	for _, tt := range []struct {
		op    protocol.Op
		model string
		want  []string
	}{
		{protocol.Chat, "claude-sonnet-4-5", own},
		{protocol.Chat, "anthropic/claude-sonnet-4.5", own},
		{protocol.Chat, "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", own},
		{protocol.Count, "claude-x", own},
		{protocol.Chat, "amazon.nova-pro-v1:0", converse},
		{protocol.Chat, "arn:aws:bedrock:us-east-1:1:application-inference-profile/x", converse},
		{protocol.Count, "amazon.nova-pro-v1:0", nil},
		{protocol.Embed, "claude-x", nil},
		{protocol.Complete, "claude-x", nil},
		{protocol.Other, "", nil},
	} {
		if got := New().Speaks(a, tt.op, tt.model); !slices.Equal(got, tt.want) {
			t.Errorf("%v of %s: %v, want %v", tt.op, tt.model, got, tt.want)
		}
	}
	a.Protocols = converse
	if got := New().Speaks(a, protocol.Chat, "claude-x"); !slices.Equal(got, converse) {
		t.Errorf("Claude at an account that has Converse only: %v", got)
	}
	a.Protocols = claude
	if got := New().Speaks(a, protocol.Chat, "amazon.nova-pro-v1:0"); got != nil {
		t.Errorf("Nova at an account that has Claude only: %v", got)
	}
}

func TestAddress(t *testing.T) {
	const base = "https://bedrock-runtime.us-east-1.amazonaws.com"
	for _, tt := range []struct {
		to   provider.Target
		want string
	}{
		{provider.Target{Op: protocol.Chat, Model: "claude-opus-5"}, base + "/model/us.anthropic.claude-opus-5/invoke"},
		{provider.Target{Op: protocol.Chat, Model: "claude-sonnet-4-5", Stream: true}, base + "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke-with-response-stream"},
		{provider.Target{Op: protocol.Chat, Model: "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-x"}, base + "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.anthropic.claude-x/invoke"},
		{provider.Target{Op: protocol.Chat, Model: "../../x?y#anthropic.claude"}, base + "/model/..%2F..%2Fx%3Fy%23anthropic.claude/invoke"},
		{provider.Target{Op: protocol.Count, Model: "claude-opus-4-6"}, base + "/model/us.anthropic.claude-opus-4-6-v1/count-tokens"},
		{provider.Target{Protocol: protocol.BedrockConverse, Op: protocol.Chat, Model: "amazon.nova-pro-v1:0", Path: "/converse"}, base + "/model/amazon.nova-pro-v1%3A0/converse"},
		{provider.Target{Protocol: protocol.BedrockConverse, Op: protocol.Chat, Model: "amazon.nova-pro-v1:0", Path: "/converse", Stream: true}, base + "/model/amazon.nova-pro-v1%3A0/converse-stream"},
		{provider.Target{Op: protocol.Other, Path: "/v1/models"}, base + "/foundation-models"},
	} {
		if tt.to.Query = "beta=true"; tt.to.Protocol == "" {
			tt.to.Protocol = protocol.Anthropic
		}
		if tt.to.Path == "" {
			tt.to.Path = "/v1/messages"
		}
		for key, want := range map[string]string{"ABSKx": "Bearer ABSKx", "AKIAx:hidden": ""} {
			if tt.to.Model == "../../x?y#anthropic.claude" {
				out := &http.Request{Header: http.Header{}}
				if err := New().Address(out, prepared(t, "", key), tt.to); err == nil {
					t.Errorf("a model that leads elsewhere was addressed at %s", out.URL)
				}
				continue
			}
			out := providertest.Addressed(t, New(), prepared(t, "", key), tt.to, http.Header{"X-Api-Key": {"client"}})
			if got := out.URL.String(); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if got := out.Header.Get("Authorization"); got != want || out.Header.Get("X-Api-Key") != "" {
				t.Errorf("%s: %v", key, out.Header)
			}
		}
	}
}

// FuzzAddress: whatever a model is called, it is asked at home.
func FuzzAddress(f *testing.F) {
	f.Add("claude-opus-5")
	f.Add("arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-x")
	f.Add("..%2f@evil.example/\x00")
	f.Fuzz(func(t *testing.T, model string) {
		a := &provider.Account{BaseURL: &url.URL{Scheme: "https", Host: "x.example"}, Key: secret.Of("ABSKx"), Options: map[string]string{optionProfile: none}}
		out := &http.Request{Header: http.Header{}}
		if err := New().Address(out, a, provider.Target{Protocol: protocol.Anthropic, Op: protocol.Chat, Model: model}); err != nil {
			return
		}
		u, err := url.Parse(out.URL.String())
		if err != nil || u.Host != "x.example" || formOf(out.URL.EscapedPath()) != &forms[0].form {
			t.Errorf("%q is asked at %s: %v", model, out.URL, err)
		}
	})
}
