package ingress

import (
	"strings"
	"testing"
	"time"

	"portico/internal/clientkey"
	"portico/internal/config"
)

const ownKey = "sk-0wnk3y0123456789abcdefghjkmnpqrstvwxyz"

// withKey is a house with a client key.
func withKey(t *testing.T, s clientkey.Settings) *house {
	t.Helper()
	h := newHouse(settings(config.AuthStrict))
	k, err := clientkey.New(clientkey.Record{ID: "1", Name: "ci", Digest: clientkey.DigestOf(ownKey), Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	h.gate.Keys.Set([]*clientkey.Key{k}, time.Now())
	return h
}

func (h *house) post(path, body string) (status int, code string) {
	w := h.ask("POST", path, body, "Authorization", "Bearer "+ownKey, "Content-Type", "application/json")
	_, code, _ = strings.Cut(w.Body.String(), `"Code":"`)
	code, _, _ = strings.Cut(code, `"`)
	return w.Code, code
}

// TestClientKey: what a key may do goes with the call, and what it may not do
// is refused in the client's dialect before anybody is asked.
func TestClientKey(t *testing.T) {
	h := withKey(t, clientkey.Settings{RPM: 5, Strict: true, Prefer: []string{"eu-*"}})
	if status, _ := h.post("/v1/chat/completions", `{"model":"m"}`); status != 200 {
		t.Fatalf("status %d", status)
	}
	if c := h.last(t); c.Key != "ci" || !c.Strict || c.Meter == nil || c.Meter.Limits().RPM != 5 || !c.Prefer.Match("eu-1") {
		t.Errorf("the call is %+v", c)
	}
	for _, tt := range []struct {
		s          clientkey.Settings
		path, body string
		want       string
	}{
		{clientkey.Settings{}, "/v1/chat/completions", `{"model":"m"}`, ""},
		{clientkey.Settings{Models: []string{"m"}}, "/v1/chat/completions", `{"model":"m"}`, ""},
		{clientkey.Settings{Models: []string{"x"}}, "/v1/chat/completions", `{"model":"m"}`, "model_not_allowed"},
		{clientkey.Settings{Models: []string{"x"}}, "/v1beta/models/m:generateContent", `{}`, "model_not_allowed"},
		{clientkey.Settings{Models: []string{"m"}}, "/v1beta/models/m:generateContent", `{}`, ""},
		{clientkey.Settings{Models: []string{"m"}}, "/v1/files", `{}`, "model_not_allowed"},
		{clientkey.Settings{Routes: []string{"openai-chat/chat"}}, "/chat/completions", `{"model":"m"}`, ""},
		{clientkey.Settings{Routes: []string{"openai-chat/chat"}}, "/v1/v1/chat/completions", `{"model":"m"}`, ""},
		{clientkey.Settings{Routes: []string{"openai-chat/chat"}}, "/v1/messages", `{"model":"m"}`, "route_not_allowed"},
		{clientkey.Settings{Routes: []string{"openai-chat/chat"}}, "/v1/embeddings", `{"model":"m"}`, "route_not_allowed"},
		{clientkey.Settings{Routes: []string{"*/images"}}, "/v1/images/generations", `{"model":"m"}`, ""},
		{clientkey.Settings{Routes: []string{"anthropic/batches", "anthropic/messages"}}, "/v1/messages/batches", `{}`, ""},
		{clientkey.Settings{Routes: []string{"gemini/chat"}}, "/v1beta/models/m:streamGenerateContent", `{}`, ""},
	} {
		h := withKey(t, tt.s)
		status, code := h.post(tt.path, tt.body)
		if code != tt.want || (tt.want == "") != (status == 200) || tt.want != "" && status != 403 {
			t.Errorf("%+v, %s: got %d %q, want %q", tt.s, tt.path, status, code, tt.want)
		}
	}
}

// TestClientKeySeesItsModels: a client is shown what it may ask for.
func TestClientKeySeesItsModels(t *testing.T) {
	h := withKey(t, clientkey.Settings{Models: []string{"gpt-*"}, Routes: []string{"anthropic/chat"}})
	w := h.ask("GET", "/v1/models", "", "Authorization", "Bearer "+ownKey)
	if got := w.Body.String(); !strings.Contains(got, "gpt-x") || strings.Contains(got, "simulator") {
		t.Errorf("the list is %q", got)
	}
	for id, want := range map[string]int{"gpt-x": 200, "simulator": 404} {
		if w := h.ask("GET", "/v1/models/"+id, "", "Authorization", "Bearer "+ownKey); w.Code != want {
			t.Errorf("%s: %d, want %d", id, w.Code, want)
		}
	}
	if w := h.ask("GET", "/v1/models", "", "Authorization", "Bearer "+dataKey); !strings.Contains(w.Body.String(), "simulator") {
		t.Errorf("the api_key sees %q", w.Body)
	}
}
