package ingress

import (
	"net/http"
	"strings"
	"testing"

	"portico/internal/config"
	"portico/internal/protocol"
)

const (
	jsonBody = `{"model":"m","stream":true,"session":"s"}`
	oChat    = protocol.OpenAIChat
	oResp    = protocol.OpenAIResponses
	anth     = protocol.Anthropic
	gem      = protocol.Gemini
)

var (
	googH = []string{"X-Goog-Api-Key", "k"}
	anthH = []string{"Anthropic-Version", "2023-06-01"}
)

// TestCarried is every path that goes to the relay: in whose dialect, as which
// operation, under which path.
func TestCarried(t *testing.T) {
	tests := []struct {
		request string // method and target
		header  []string
		dialect string
		op      protocol.Op
		path    string
		query   string
		model   string
		stream  bool
	}{
		{"POST /v1/chat/completions", nil, oChat, protocol.Chat, "/chat/completions", "", "m", true},
		{"POST /chat/completions", nil, oChat, protocol.Chat, "/chat/completions", "", "m", true},
		{"POST /v1/v1/chat/completions", nil, oChat, protocol.Chat, "/chat/completions", "", "m", true},
		{"POST //v1/chat/completions/", nil, oChat, protocol.Chat, "/chat/completions", "", "m", true},
		{"POST /v1beta/openai/chat/completions", nil, oChat, protocol.Chat, "/chat/completions", "", "m", true},
		{"POST /v1beta/chat/completions", nil, oChat, protocol.Chat, "/chat/completions", "", "m", true},
		{"GET /v1/chat/completions?limit=3", nil, oChat, protocol.Other, "/chat/completions", "limit=3", "", false},
		{"GET /v1/chat/completions/c1/messages", nil, oChat, protocol.Other, "/chat/completions/c1/messages", "", "", false},
		{"DELETE /v1/chat/completions/c1", nil, oChat, protocol.Other, "/chat/completions/c1", "", "", false},
		{"POST /v1/completions", nil, oChat, protocol.Complete, "/completions", "", "m", true},
		{"POST /completions", nil, oChat, protocol.Complete, "/completions", "", "m", true},
		{"POST /v1/embeddings", nil, oChat, protocol.Embed, "/embeddings", "", "m", true},
		{"POST /v1/moderations", nil, oChat, protocol.Other, "/moderations", "", "m", true},
		{"POST /v1/images/generations", nil, oChat, protocol.Other, "/images/generations", "", "m", true},
		{"POST /v1/audio/speech", nil, oChat, protocol.Other, "/audio/speech", "", "m", true},
		{"GET /v1/videos/v1/content", nil, oChat, protocol.Other, "/videos/v1/content", "", "", false},
		{"POST /v1/uploads/u1/complete", nil, oChat, protocol.Other, "/uploads/u1/complete", "", "m", true},
		{"POST /v1/vector_stores", nil, oChat, protocol.Other, "/vector_stores", "", "m", true},
		{"GET /v1/vector_stores/v/files", nil, oChat, protocol.Other, "/vector_stores/v/files", "", "", false},
		{"POST /v1/fine_tuning/jobs", nil, oChat, protocol.Other, "/fine_tuning/jobs", "", "m", true},
		{"POST /v1/threads/t/runs", nil, oChat, protocol.Other, "/threads/t/runs", "", "m", true},
		{"POST /v1/realtime/client_secrets", nil, oChat, protocol.Other, "/realtime/client_secrets", "", "m", true},
		{"DELETE /v1/models/ft:gpt:me", nil, oChat, protocol.Other, "/models/ft:gpt:me", "", "", false},

		{"POST /v1/responses", nil, oResp, protocol.Chat, "/responses", "", "m", true},
		{"POST /responses", nil, oResp, protocol.Chat, "/responses", "", "m", true},
		{"POST /v1/responses/input_tokens", nil, oResp, protocol.Count, "/responses/input_tokens", "", "m", true},
		{"POST /v1/responses/compact", nil, oResp, protocol.Other, "/responses/compact", "", "m", true},
		{"GET /v1/responses/r1?stream=true&starting_after=4", nil, oResp, protocol.Other, "/responses/r1", "stream=true&starting_after=4", "", false},
		{"DELETE /v1/responses/r1", nil, oResp, protocol.Other, "/responses/r1", "", "", false},
		{"GET /responses/r1/input_items", nil, oResp, protocol.Other, "/responses/r1/input_items", "", "", false},
		{"POST /v1/responses/r1/cancel", nil, oResp, protocol.Other, "/responses/r1/cancel", "", "m", true},
		{"POST /v1/conversations/c/items", nil, oResp, protocol.Other, "/conversations/c/items", "", "m", true},

		{"POST /v1/messages?beta=true", nil, anth, protocol.Chat, "/v1/messages", "beta=true", "m", true},
		{"POST /messages", nil, anth, protocol.Chat, "/v1/messages", "", "m", true},
		{"POST /v1/v1/messages", nil, anth, protocol.Chat, "/v1/messages", "", "m", true},
		{"POST /v1beta/messages", nil, anth, protocol.Chat, "/v1/messages", "", "m", true},
		{"POST /v1/messages/count_tokens?beta=true", nil, anth, protocol.Count, "/v1/messages/count_tokens", "beta=true", "m", true},
		{"POST /messages/count_tokens", nil, anth, protocol.Count, "/v1/messages/count_tokens", "", "m", true},
		{"POST /v1/messages/cache_touch", nil, anth, protocol.Other, "/v1/messages/cache_touch", "", "m", true},
		{"POST /v1/messages/batches", nil, anth, protocol.Other, "/v1/messages/batches", "", "m", true},
		{"GET /v1/messages/batches/b/results", nil, anth, protocol.Other, "/v1/messages/batches/b/results", "", "", false},
		{"DELETE /v1/messages/batches/b", nil, anth, protocol.Other, "/v1/messages/batches/b", "", "", false},
		{"POST /v1/complete", nil, anth, protocol.Other, "/v1/complete", "", "m", true},

		{"POST /v1beta/models/g:generateContent", nil, gem, protocol.Chat, "/models/g:generateContent", "", "g", true},
		{"POST /v1/models/g:generateContent", nil, gem, protocol.Chat, "/models/g:generateContent", "", "g", true},
		{"POST /v1/v1beta/models/g:generateContent", nil, gem, protocol.Chat, "/models/g:generateContent", "", "g", true},
		{"POST /v1alpha/models/g:generateContent", nil, gem, protocol.Chat, "/models/g:generateContent", "", "g", true},
		{"POST /models/g:generateContent", nil, gem, protocol.Chat, "/models/g:generateContent", "", "g", true},
		{"POST /v1beta/models/g:streamGenerateContent?alt=sse&key=K", nil, gem, protocol.Chat, "/models/g:streamGenerateContent", "alt=sse", "g", true},
		{"POST /v1beta/models/g:countTokens", nil, gem, protocol.Count, "/models/g:countTokens", "", "g", true},
		{"POST /v1beta/models/g:embedContent", nil, gem, protocol.Embed, "/models/g:embedContent", "", "g", true},
		{"POST /v1/models/g:batchEmbedContents", nil, gem, protocol.Embed, "/models/g:batchEmbedContents", "", "g", true},
		{"POST /v1beta/models/g:predict", nil, gem, protocol.Other, "/models/g:predict", "", "g", true},
		{"POST /v1beta/models/acme/g:generateContent", nil, gem, protocol.Chat, "/models/acme/g:generateContent", "", "acme/g", true},
		{"POST /v1beta/models/acme%2Fg:generateContent", nil, gem, protocol.Chat, "/models/acme%2Fg:generateContent", "", "acme/g", true},
		{"POST /v1beta/models/llama:8b:generateContent", nil, gem, protocol.Chat, "/models/llama:8b:generateContent", "", "llama:8b", true},
		{"POST /v1beta/tunedModels/t:generateContent", nil, gem, protocol.Chat, "/tunedModels/t:generateContent", "", "tunedModels/t", true},
		{"POST /v1beta/dynamic/t:generateContent", nil, gem, protocol.Chat, "/dynamic/t:generateContent", "", "dynamic/t", true},
		{"POST /v1beta/models/g%3AcountTokens", nil, gem, protocol.Count, "/models/g%3AcountTokens", "", "g", true},
		{"GET /v1beta/models/veo/operations/o1", nil, gem, protocol.Other, "/models/veo/operations/o1", "", "veo", false},
		{"GET /v1/models/veo/operations/o1", nil, gem, protocol.Other, "/models/veo/operations/o1", "", "veo", false},
		{"POST /v1beta/models/veo:predictLongRunning", nil, gem, protocol.Other, "/models/veo:predictLongRunning", "", "veo", true},
		{"GET /v1beta/tunedModels/t", nil, gem, protocol.Other, "/tunedModels/t", "", "", false},
		{"POST /v1beta/cachedContents", nil, gem, protocol.Other, "/cachedContents", "", "m", true},
		{"PATCH /v1beta/cachedContents/c?updateMask=ttl", nil, gem, protocol.Other, "/cachedContents/c", "updateMask=ttl", "m", true},
		{"GET /v1beta/operations/o", nil, gem, protocol.Other, "/operations/o", "", "", false},
		{"GET /v1beta/files", nil, gem, protocol.Other, "/files", "", "", false},
		{"DELETE /v1beta/files/f", nil, gem, protocol.Other, "/files/f", "", "", false},
		{"POST /upload/v1beta/files", nil, gem, protocol.Other, "/upload/v1beta/files", "", "m", true},

		{"GET /v1/files", nil, oChat, protocol.Other, "/files", "", "", false},
		{"GET /v1/files", anthH, anth, protocol.Other, "/v1/files", "", "", false},
		{"GET /v1/files/f/content", anthH, anth, protocol.Other, "/v1/files/f/content", "", "", false},
		{"GET /v1/files", googH, gem, protocol.Other, "/files", "", "", false},
		{"GET /v1/files?key=k", nil, gem, protocol.Other, "/files", "", "", false},
		{"GET /v1/files?monkey=k", nil, oChat, protocol.Other, "/files", "monkey=k", "", false},
		{"POST /v1/batches/b/cancel", nil, oChat, protocol.Other, "/batches/b/cancel", "", "m", true},
		{"GET /v1/skills", anthH, anth, protocol.Other, "/v1/skills", "", "", false},
		// A path that one vendor has is that vendor's, whatever the headers.
		{"POST /v1/chat/completions", anthH, oChat, protocol.Chat, "/chat/completions", "", "m", true},
		{"POST /v1/messages", googH, anth, protocol.Chat, "/v1/messages", "", "m", true},
	}
	for _, tt := range tests {
		h := newHouse(settings(config.AuthOff))
		method, target, _ := strings.Cut(tt.request, " ")
		body := jsonBody
		if method == "GET" || method == "DELETE" {
			body = ""
		}
		w := h.ask(method, target, body, append([]string{"Content-Type", "application/json"}, tt.header...)...)
		if w.Code != 200 || w.Body.String() != "served" {
			t.Errorf("%s: got %d %s, want it to be carried", tt.request, w.Code, w.Body)
			continue
		}
		c := h.last(t)
		if c.Codec.Name() != tt.dialect || c.Op != tt.op || c.Path != tt.path || c.Query != tt.query || c.Model != tt.model || c.Stream != tt.stream || c.Method != method || string(c.Body) != body {
			t.Errorf("%s: got %s %s %s path %q query %q model %q stream %t body %q", tt.request, c.Codec.Name(), c.Op, c.Method, c.Path, c.Query, c.Model, c.Stream, c.Body)
		}
	}
}

func TestStreamOfGeminiIsInThePath(t *testing.T) {
	h := newHouse(settings(config.AuthOff))
	for verb, want := range map[string]bool{"generateContent": false, "streamGenerateContent": true} {
		h.ask("POST", "/v1beta/models/g:"+verb, `{"contents":[]}`)
		if got := h.last(t).Stream; got != want {
			t.Errorf("%s: stream %t, want %t", verb, got, want)
		}
	}
}

// TestMethods is every entry with the methods that it does not take.
func TestMethods(t *testing.T) {
	h := newHouse(settings(config.AuthOff))
	check := func(path string, take methods, in dialect) {
		for name, bit := range methodBits {
			if take == 0 || take&bit != 0 {
				continue
			}
			w := h.ask(name, path, "")
			if w.Code != 405 || w.Header().Get("Allow") != take.String() {
				t.Errorf("%s %s: got %d, Allow %q, want 405, %q", name, path, w.Code, w.Header().Get("Allow"), take)
			}
			if x := toldBy(t, w); in != byHeader && x.Dialect != dialectNames[in] {
				t.Errorf("%s %s is refused in %s, want %s", name, path, x.Dialect, dialectNames[in])
			}
		}
	}
	for _, e := range entries {
		check("/v1"+e.path, e.take, e.in)
		if e.more != 0 {
			check("/v1"+e.path+"/x", e.more, e.in)
		}
	}
	check("/v1beta/models/g:generateContent", post, asGemini)
	check("/v1beta/models/g/operations/o", get|post|del, asGemini)
	check("/healthz", get|head, asChat)
	check("/api/hello", get|head, asChat)
	check("/v1/models/gpt-x", get|head|del, asChat)
	check("/v1beta/models/gpt-x", get|head, asGemini)
	if w := h.ask("OPTIONS", "/v1/messages", ""); w.Code != 204 || w.Header().Get("Allow") != "OPTIONS, POST" {
		t.Errorf("OPTIONS: got %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
	for _, m := range []string{"TRACE", "CONNECT", "BREW"} {
		if w := h.ask(m, "/v1/messages", ""); w.Code != 405 {
			t.Errorf("%s: got %d, want 405", m, w.Code)
		}
	}
	if len(h.relay.calls) > 0 || h.admin > 0 {
		t.Error("a refused request came through")
	}
}

func TestUnknownPaths(t *testing.T) {
	tests := []struct{ target, dialect, hint string }{
		{"/v1/chat/completion", oChat, "/v1/chat/completions?"},
		{"/v1/Chat/Completions", oChat, "/v1/chat/completions?"},
		{"/v1/chat", oChat, "/v1/chat/completions?"},
		{"/chat", oChat, "/v1/chat/completions?"},
		{"/v1/response", oChat, "/v1/responses?"},
		{"/v1/mesages", oChat, "/v1/messages?"},
		{"/v1/messages/count_token", anth, "/v1/messages/count_tokens?"},
		{"/v1/messages/x/y/z", anth, "/v1/messages"},
		{"/v1/images", oChat, "/v1/images/…?"},
		{"/v1beta/cachedContent", gem, "/v1beta/cachedContents?"},
		{"/v1beta/file", gem, "/v1beta/files?"},
		{"/v1beta/zzzzzzzzzzzz", gem, "/v1beta/models/MODEL:generateContent"},
		{"/v1/zzzzzzzzzzzz", oChat, "/v1/chat/completions, /v1/responses"},
		{"/v1/" + strings.Repeat("chat/completions", 9), oChat, "/v1/chat/completions, /v1/responses"},
		{"/v1", oChat, "/v1/chat/completions, /v1/responses"},
		{"/v1/messages;x", oChat, "/v1/messages?"},
		{"/v1/messages.", oChat, "/v1/messages?"},
		{"/v1/messages%20", oChat, "/v1/messages?"},
	}
	for _, tt := range tests {
		h := newHouse(settings(config.AuthOff))
		w := h.ask("POST", tt.target, jsonBody)
		if w.Code != 404 {
			t.Errorf("%s: got %d, want 404", tt.target, w.Code)
			continue
		}
		if x := toldBy(t, w); x.Dialect != tt.dialect || !strings.Contains(x.Msg, tt.hint) {
			t.Errorf("%s: got %s %q, want %s and %q", tt.target, x.Dialect, x.Msg, tt.dialect, tt.hint)
		}
	}
}

func TestOperatorsPaths(t *testing.T) {
	for _, target := range []string{"/", "/api/accounts", "/api/openapi.json", "/metrics", "/debug/pprof/", "/assets/x.js", "/V1/messages", "/v2/messages", "/v1x", "/chats", "/openai/v1/chat/completions"} {
		h := newHouse(settings(config.AuthStrict))
		if w := h.ask("GET", target, ""); w.Body.String() != "admin" || h.admin != 1 {
			t.Errorf("%s: got %d %s, want the operator's handler", target, w.Code, w.Body)
		}
	}
	h := newHouse(settings(config.AuthStrict))
	if h.ask("GET", "/models", "", "Accept", "text/html,*/*"); h.admin != 1 {
		t.Error("a page named /models did not go to the operator's handler")
	}
	if w := h.ask("GET", "/models", "", "Accept", "*/*"); w.Code != 401 {
		t.Errorf("/models of a client: got %d, want the data plane's 401", w.Code)
	}
}

func TestFixedPaths(t *testing.T) {
	h := newHouse(settings(config.AuthAllExceptHealth))
	for target, want := range map[string]string{"/healthz": `{"status":"ok"}`, "/readyz": `{"status":"ok"}`, "/api/hello": `{"message":"hello"}`} {
		for _, m := range []string{"GET", "HEAD"} {
			if w := h.ask(m, target, ""); w.Code != 200 || w.Body.String() != want {
				t.Errorf("%s %s: got %d %q, want 200 %q", m, target, w.Code, w.Body, want)
			}
		}
	}
	h.ready = false
	if w := h.ask("GET", "/readyz", ""); w.Code != 503 || w.Body.String() != `{"status":"not ready"}` {
		t.Errorf("/readyz while not ready: got %d %q", w.Code, w.Body)
	}
	h.Set(settings(config.AuthStrict))
	for target, want := range map[string]int{"/healthz": 401, "/readyz": 401, "/api/hello": 200} {
		if w := h.ask("GET", target, ""); w.Code != want {
			t.Errorf("strict, %s: got %d, want %d", target, w.Code, want)
		}
	}
	if w := h.ask("GET", "/healthz", "", "X-Api-Key", dataKey); w.Code != 200 {
		t.Errorf("strict, /healthz with the key: got %d, want 200", w.Code)
	}
}

func TestModels(t *testing.T) {
	tests := []struct {
		target string
		header []string
		status int
		want   string
	}{
		{"/v1/models", nil, 200, oChat + " {Limit:0 After: Before: Token:} a/b gpt-x simulator"},
		{"/v1/models/", nil, 200, oChat + " {Limit:0 After: Before: Token:} a/b gpt-x simulator"},
		{"/models", nil, 200, oChat + " {Limit:0 After: Before: Token:} a/b gpt-x simulator"},
		{"/v1/v1/models", nil, 200, oChat + " {Limit:0 After: Before: Token:} a/b gpt-x simulator"},
		{"/v1/models?limit=1000", anthH, 200, anth + " {Limit:1000 After: Before: Token:} a/b gpt-x simulator"},
		{"/v1/models?limit=2&after_id=a&before_id=b", anthH, 200, anth + " {Limit:2 After:a Before:b Token:} a/b gpt-x simulator"},
		{"/v1/models?limit=99999999", anthH, 200, anth + " {Limit:10000 After: Before: Token:} a/b gpt-x simulator"},
		{"/v1/models?after=a", nil, 200, oChat + " {Limit:0 After:a Before: Token:} a/b gpt-x simulator"},
		{"/v1/models?pageSize=3&pageToken=t", googH, 200, gem + " {Limit:3 After: Before: Token:t} a/b gpt-x simulator"},
		{"/v1/models", []string{"X-Goog-Api-Client", "google-genai-sdk/3.1.0"}, 200, gem + " {Limit:0 After: Before: Token:} a/b gpt-x simulator"},
		{"/v1/models?key=k", nil, 200, gem + " {Limit:0 After: Before: Token:} a/b gpt-x simulator"},
		{"/v1beta/models", nil, 200, gem + " {Limit:0 After: Before: Token:} a/b gpt-x simulator"},
		{"/v1beta/openai/models", nil, 200, oChat + " {Limit:0 After: Before: Token:} a/b gpt-x simulator"},
		{"/v1/models/gpt-x", nil, 200, oChat + " model gpt-x"},
		{"/v1/models/gpt-x", anthH, 200, anth + " model gpt-x"},
		{"/v1/models/gpt-x", googH, 200, gem + " model gpt-x"},
		{"/v1beta/models/gpt-x", nil, 200, gem + " model gpt-x"},
		{"/v1beta/models/models/gpt-x", nil, 200, gem + " model gpt-x"},
		{"/v1/models/a/b", nil, 200, oChat + " model a/b"},
		{"/v1/models/a%2Fb", nil, 200, oChat + " model a/b"},
		{"/v1/models/nobody", nil, 404, ""},
		{"/v1/models/ft:gpt:me", nil, 404, ""},
		{"/v1/models?limit=x", nil, 400, ""},
		{"/v1/models?limit=-1", anthH, 400, ""},
		{"/v1/models?a=%zz", nil, 400, ""},
	}
	for _, tt := range tests {
		h := newHouse(settings(config.AuthOff))
		for _, m := range []string{"GET", "HEAD"} {
			w := h.ask(m, tt.target, "", tt.header...)
			if w.Code != tt.status || tt.status == 200 && w.Body.String() != tt.want {
				t.Errorf("%s %s %v: got %d %s, want %d %s", m, tt.target, tt.header, w.Code, w.Body, tt.status, tt.want)
			}
			if tt.status != 200 {
				toldBy(t, w)
			}
		}
		if len(h.relay.calls) > 0 {
			t.Errorf("%s went to the relay", tt.target)
		}
	}
}

// Codex tries a WebSocket first and falls back on 426 (spec: clients §2.8).
func TestUpgradeIsRefused(t *testing.T) {
	h := newHouse(settings(config.AuthOff))
	up := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "x"}
	for target, dialect := range map[string]string{"/v1/responses": oResp, "/responses": oResp, "/v1/realtime": oChat} {
		w := h.ask("GET", target, "", up...)
		if w.Code != http.StatusUpgradeRequired || w.Header().Get("Upgrade") == "" || toldBy(t, w).Dialect != dialect {
			t.Errorf("%s: got %d %s, want 426 in %s", target, w.Code, w.Body, dialect)
		}
	}
	// Java's client offers HTTP/2 with its first request.
	if w := h.ask("POST", "/v1/responses", jsonBody, "Connection", "Upgrade, HTTP2-Settings", "Upgrade", "h2c"); w.Code != 200 {
		t.Errorf("an offer of HTTP/2: got %d, want 200", w.Code)
	}
}

func TestEveryAnswerHasAnID(t *testing.T) {
	h := newHouse(settings(config.AuthStrict))
	seen := map[string]bool{}
	for _, target := range []string{"/", "/healthz", "/api/hello", "/v1/models", "/v1/x", "/v1/messages", "/a%00b", "/v1/%2e%2e/api"} {
		for _, hs := range [][]string{nil, {"Host", "evil.test"}, {"Origin", "http://evil.test"}, {"X-Api-Key", dataKey}, {"X-Api-Key", "no"}} {
			w := h.ask("POST", target, jsonBody, hs...)
			id := w.Header().Get("X-Portico-Request-Id")
			if id == "" || seen[id] {
				t.Errorf("%s %v: id %q", target, hs, id)
			}
			seen[id] = true
			if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Cross-Origin-Resource-Policy") != "same-origin" {
				t.Errorf("%s %v: the security headers are missing", target, hs)
			}
		}
	}
}

func TestNothingIsServedBeforeSet(t *testing.T) {
	h := newHouse(nil)
	for _, target := range []string{"/", "/healthz", "/v1/models"} {
		if w := h.ask("GET", target, ""); w.Code != 503 || h.admin > 0 {
			t.Errorf("%s: got %d, want 503", target, w.Code)
		}
	}
}

// TestPlace: of a path that is noted, only what the gateway knows is kept.
func TestPlace(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/chat/completions":                     "/v1/chat/completions",
		"/v1/files":                                "/v1/files",
		"/v1/files/sk-secret":                      "/v1/files",
		"/v1/files/sk-secret/content":              "/v1/files",
		"/v1/sk-secret":                            "/v1",
		"/v1/responses/sk-secret/input_items":      "/v1/responses",
		"/openai/sk-secret":                        "/",
		"/v1beta/models/sk-secret:generateContent": "/v1beta/models",
		"/messages":                                "/messages",
		"/messages/sk-secret":                      "/messages",
		"/api/accounts/sk-secret":                  "/api",
		"/sk-secret":                               "/",
		"/healthz":                                 "/healthz",
		"/upload/v1beta/files/sk-secret":           "/upload",
		"//v1//sk-secret/":                         "/v1",
		"/":                                        "/",
		"":                                         "/",
	} {
		if got := place(path); got != want {
			t.Errorf("place(%q) = %q, want %q", path, got, want)
		}
	}
}
