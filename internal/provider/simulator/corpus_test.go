package simulator

import (
	"encoding/json/jsontext"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
)

// TestCorpus sends recorded requests, which a vendor has taken, and wants a
// lawful answer to each. PORTICO_CORPUS names the folder of the recordings;
// they are no part of the project.
func TestCorpus(t *testing.T) {
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	for folder, dialect := range map[string]string{
		"openai-chat": protocol.OpenAIChat, "openai-compatible-other": protocol.OpenAIChat, "openai-responses": protocol.OpenAIResponses,
		"anthropic": protocol.Anthropic, "gemini": protocol.Gemini,
	} {
		files, _ := filepath.Glob(filepath.Join(root, folder, "*", "request.json"))
		n := 0
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			meta, err := os.ReadFile(filepath.Join(filepath.Dir(file), "meta.json"))
			if err != nil {
				t.Fatal(err)
			}
			if string(jsonedit.Get(meta, "status")) != "200" || str(jsonedit.Get(meta, "operation")) != "generate" {
				continue
			}
			path := str(jsonedit.Get(meta, "url"))
			streamed := string(jsonedit.Get(body, "stream")) == "true"
			if path = corpusPath(dialect, path, &streamed); path == "" {
				continue
			}
			n++
			if v := jsonedit.Get(body, "previous_response_id"); v != nil {
				body, _, _ = jsonedit.Replace(body, "previous_response_id", jsontext.Value("null")) // it lies with the vendor
			}
			t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
				r := send(t, fixed(), dialect, path, string(body))
				if r.err != nil || r.StatusCode != 200 {
					t.Fatalf("%v %s", r.err, r.body)
				}
				switch dialect {
				case protocol.OpenAIChat:
					judgeChat(t, r.body, streamed, streamed && string(jsonedit.Path(body, "stream_options", "include_usage")) == "true")
				case protocol.OpenAIResponses:
					judgeResponses(t, r.body, streamed)
				case protocol.Anthropic:
					judgeAnthropic(t, r.body, streamed)
				case protocol.Gemini:
					judgeGemini(t, r.body, streamed)
				}
			})
		}
		t.Logf("%s: %d requests", folder, n)
	}
}

// corpusPath is where a recorded request goes, or "" if it is no conversation.
func corpusPath(dialect, path string, streamed *bool) string {
	path, _, _ = strings.Cut(path, "?")
	switch dialect {
	case protocol.OpenAIChat:
		return "/chat/completions"
	case protocol.OpenAIResponses:
		if strings.HasSuffix(path, "/responses") {
			return "/responses"
		}
	case protocol.Anthropic:
		if strings.HasSuffix(path, "/messages") {
			return "/v1/messages"
		}
	case protocol.Gemini:
		switch *streamed = strings.HasSuffix(path, ":streamGenerateContent"); {
		case *streamed:
			return "/models/m:streamGenerateContent?alt=sse"
		case strings.HasSuffix(path, ":generateContent"):
			return "/models/m:generateContent"
		}
	}
	return ""
}
