package ingress

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/config"
	"portico/internal/jsonedit"
	"portico/internal/protocol"
)

// A recording is one request that a real client sent.
type recording struct {
	Method, Path, Query string
	RawHeaders          [][2]string    `json:"rawHeaders"`
	Body                jsontext.Value // null if there was none
}

// TestRecordedClients replays what real clients sent and checks what the relay
// is told of it. PORTICO_CLIENTS names the folder of the recordings, with a
// folder for every client; they are no part of the project.
func TestRecordedClients(t *testing.T) {
	root := os.Getenv("PORTICO_CLIENTS")
	if root == "" {
		t.Skip("PORTICO_CLIENTS is not set")
	}
	count := map[string]int{}
	err := filepath.WalkDir(root, func(file string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".json" {
			return err
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var x recording
		if err := json.Unmarshal(raw, &x, json.MatchCaseInsensitiveNames(true)); err != nil {
			return err
		}
		if x.Method == "CONNECT" || x.Method == "WS" { // not to us; inside a WebSocket
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		client, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
		replay(t, client, rel, &x)
		count[client]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("replayed %v", count)
}

// spoken is the protocol of a recorded client; the OpenAI SDK has two.
var spoken = map[string]string{
	"claude-code": protocol.Anthropic, "sdk-anthropic": protocol.Anthropic, "codex": protocol.OpenAIResponses,
	"gemini-cli": protocol.Gemini, "sdk-genai": protocol.Gemini, "sdk-openai": protocol.OpenAIChat,
}

func replay(t *testing.T, client, name string, x *recording) {
	want, ok := spoken[client]
	if !ok {
		return
	}
	if client == "sdk-openai" && strings.HasPrefix(x.Path, "/v1/responses") {
		want = protocol.OpenAIResponses
	}
	body := ""
	if x.Body.Kind() == '{' {
		body = string(x.Body)
	}
	target := x.Path
	if x.Query != "" {
		target += "?" + x.Query
	}
	var hs []string
	session, upgrade := "", false
	for _, h := range x.RawHeaders {
		switch strings.ToLower(h[0]) {
		case "host", "content-length", "connection":
			continue
		case "x-claude-code-session-id", "session-id":
			session = h[1]
		case "upgrade":
			upgrade = true
		}
		value := strings.ReplaceAll(h[1], "sk-portico-dummy", dataKey)
		hs = append(hs, h[0], value)
	}
	h := newHouse(settings(config.AuthStrict))
	for d := range h.codecs {
		h.codecs[d] = realCodecs[dialectNames[d]]
	}
	w := h.ask(x.Method, target, body, hs...)
	switch {
	case x.Path == "/api/hello":
		if w.Code != 200 {
			t.Errorf("%s: got %d, want 200", name, w.Code)
		}
		return
	case upgrade:
		if w.Code != 426 {
			t.Errorf("%s: got %d %s, want 426", name, w.Code, w.Body)
		}
		return
	case x.Method == "GET": // lists and look-ups, of models that we may not have
		mark := map[string]string{protocol.Anthropic: `"type":`, protocol.Gemini: `"models":`, protocol.OpenAIChat: `"object":`}[want]
		if w.Code != 404 && (w.Code != 200 || !strings.Contains(w.Body.String(), mark)) {
			t.Errorf("%s: %s: got %d %s, want %s", name, target, w.Code, w.Body, want)
		}
		return
	case w.Code != 200:
		t.Errorf("%s: %s %s: got %d %s", name, x.Method, target, w.Code, w.Body)
		return
	}
	c := h.last(t)
	model, _ := jsonedit.Unquote(jsonedit.Get(x.Body, "model"))
	stream := string(jsonedit.Get(x.Body, "stream")) == "true"
	if want == protocol.Gemini {
		_, rest, _ := strings.Cut(x.Path, "/models/")
		var verb string
		model, verb, _ = strings.Cut(rest, ":")
		stream = verb == "streamGenerateContent"
	}
	if session != "" {
		session = "default/" + session
	}
	op := protocol.Chat
	switch {
	case strings.HasSuffix(x.Path, "/count_tokens") || strings.HasSuffix(x.Path, ":countTokens"):
		op = protocol.Count
	case strings.HasSuffix(x.Path, "/embeddings") || strings.HasSuffix(x.Path, ":batchEmbedContents"):
		op = protocol.Embed
	case x.Path == "/v1/completions":
		op = protocol.Complete
	case strings.HasPrefix(x.Path, "/v1/images/"):
		op = protocol.Other
	}
	if c.Codec.Name() != want || c.Op != op || c.Model != model || c.Stream != stream || session != "" && c.Session != session || c.Query != x.Query || string(c.Body) != body || c.Key != "default" {
		t.Errorf("%s: %s: got %s %s model %q stream %t session %q query %q", name, target, c.Codec.Name(), c.Op, c.Model, c.Stream, c.Session, c.Query)
	}
}
