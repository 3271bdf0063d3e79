package ingress

import (
	"strings"
	"testing"

	"portico/internal/config"
	"portico/internal/protocol"
	"portico/internal/protocol/anthropic"
	"portico/internal/protocol/gemini"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/openairesponses"
)

var realCodecs = map[string]Codec{
	protocol.OpenAIChat: openaichat.New(), protocol.OpenAIResponses: openairesponses.New(),
	protocol.Anthropic: anthropic.New(), protocol.Gemini: gemini.New(),
}

// TestRefusalsInRealDialects is every refusal of the way in with the status
// and the shape that the clients of each vendor know.
func TestRefusalsInRealDialects(t *testing.T) {
	shapes := map[string]string{oChat: `{"error":{"message":`, oResp: `{"error":{"message":`, anth: `{"type":"error","error":{"type":`, gem: `{"error":{"code":`}
	paths := map[string]string{oChat: "/v1/chat/completions", oResp: "/v1/responses", anth: "/v1/messages", gem: "/v1beta/models/g:generateContent"}
	small := settings(config.AuthStrict)
	small.Body, small.InFlight = 10, 1
	wide := settings(config.AuthStrict)
	for name, path := range paths {
		for _, tt := range []struct {
			status       int
			set          *Settings
			method, path string
			body         string
			header       []string
		}{
			{400, wide, "POST", path, "[", nil},
			{400, wide, "POST", path, "", nil},
			{400, wide, "POST", path + "?key=another", jsonBody, nil},
			{401, wide, "POST", path, jsonBody, []string{"X-Api-Key", ""}},
			{404, wide, "POST", map[string]string{gem: "/v1beta/nothing", anth: "/v1/messages/nothing/x"}[name], jsonBody, nil},
			{405, wide, "PATCH", path, jsonBody, nil},
			{413, small, "POST", path, jsonBody, nil},
			{415, wide, "POST", path, jsonBody, []string{"Content-Encoding", "br"}},
			{426, wide, "GET", path, "", []string{"Upgrade", "websocket"}},
			{503, small, "POST", path, jsonBody, nil},
		} {
			h := newHouse(tt.set)
			for d := range h.codecs {
				h.codecs[d] = realCodecs[dialectNames[d]]
			}
			if tt.status == 503 {
				h.inFlight.Add(1)
			}
			if tt.path == "" { // one of OpenAI's two
				tt.path = "/v1/nothing"
			}
			hs := tt.header
			if len(hs) == 0 || hs[0] != "X-Api-Key" {
				hs = append(hs, "X-Api-Key", dataKey)
			}
			w := h.ask(tt.method, tt.path, tt.body, hs...)
			if tt.status == 503 && name == anth {
				tt.status = 529 // Anthropic's own
			}
			if w.Code != tt.status || !strings.HasPrefix(w.Body.String(), shapes[name]) {
				t.Errorf("%s: %s %s: got %d %s, want %d %s…", name, tt.method, tt.path, w.Code, w.Body, tt.status, shapes[name])
			}
		}
	}
}

func TestListsInRealDialects(t *testing.T) {
	h := newHouse(settings(config.AuthOff))
	for d := range h.codecs {
		h.codecs[d] = realCodecs[dialectNames[d]]
	}
	for _, tt := range []struct {
		target string
		header []string
		has    []string
	}{
		{"/v1/models", nil, []string{`"object":"list"`, `"id":"gpt-x"`}},
		{"/v1/models?limit=1", anthH, []string{`"has_more":true`, `"id":"a/b"`}},
		{"/v1beta/models?pageSize=1", nil, []string{`"nextPageToken":`, `"name":"models/a/b"`}},
		{"/v1/models/gpt-x", nil, []string{`"object":"model"`}},
		{"/v1/models/gpt-x", anthH, []string{`"type":"model"`}},
		{"/v1/models/gpt-x", googH, []string{`"name":"models/gpt-x"`}},
	} {
		w := h.ask("GET", tt.target, "", tt.header...)
		for _, s := range tt.has {
			if w.Code != 200 || !strings.Contains(w.Body.String(), s) {
				t.Errorf("%s %v: got %d %s, want %s", tt.target, tt.header, w.Code, w.Body, s)
			}
		}
	}
}
