//go:build unix

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json/v2"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/rig"
)

// post asks an agent and returns what it says.
func post(t *testing.T, a *agent, path, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// agentAsks are requests of each protocol: the first turn, and the second with a
// picture and what sealed it.
var agentAsks = map[string]struct{ path, tools, first, second string }{
	rig.Chat: {
		"/v1/chat/completions", `"tools":[{"type":"function","function":{"name":"read","parameters":{"type":"object","properties":{"filePath":{"type":"string"}}}}}]`,
		`"messages":[{"role":"user","content":"ASK"}]`,
		`"messages":[{"role":"user","content":"ASK"},{"role":"assistant","content":null,"reasoning_details":[{"type":"reasoning.encrypted","data":"SEAL"}],"tool_calls":[` +
			`{"id":"x1","type":"function","function":{"name":"read","arguments":"{\"filePath\":\"MARKER.txt\"}"}},{"id":"x2","type":"function","function":{"name":"read","arguments":"{\"filePath\":\"PICTURE.png\"}"}}]},` +
			`{"role":"tool","tool_call_id":"x1","content":"TEXT"},{"role":"tool","tool_call_id":"x2","content":"see below"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,DRAWN"}}]}]`,
	},
	rig.Responses: {
		"/v1/responses", `"include":["reasoning.encrypted_content"],"tools":[{"type":"function","name":"view_image","parameters":{"properties":{"path":{"type":"string"}}}},{"type":"function","name":"shell","parameters":{"properties":{"command":{"type":"array"}}}}]`,
		`"input":"ASK"`,
		`"input":[{"role":"user","content":"ASK"},{"type":"reasoning","summary":[],"encrypted_content":"SEAL"},{"type":"function_call","call_id":"x1","name":"shell","arguments":"{\"command\":[\"cat\",\"MARKER.txt\"]}"},` +
			`{"type":"function_call","call_id":"x2","name":"view_image","arguments":"{\"path\":\"PICTURE.png\"}"},{"type":"function_call_output","call_id":"x1","output":"TEXT"},` +
			`{"type":"function_call_output","call_id":"x2","output":[{"type":"input_image","image_url":"data:image/png;base64,DRAWN"}]}]`,
	},
	rig.Messages: {
		"/v1/messages", `"tools":[{"name":"Read","input_schema":{"properties":{"file_path":{"type":"string"}}}}]`,
		`"messages":[{"role":"user","content":"ASK"}]`,
		`"messages":[{"role":"user","content":"ASK"},{"role":"assistant","content":[{"type":"thinking","thinking":"a","signature":"SEAL"},{"type":"tool_use","id":"x1","name":"Read","input":{"file_path":"MARKER.txt"}},` +
			`{"type":"tool_use","id":"x2","name":"Read","input":{"file_path":"PICTURE.png"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"x1","content":"TEXT"},` +
			`{"type":"tool_result","tool_use_id":"x2","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"DRAWN"}}]}]}]`,
	},
	rig.Gemini: {
		"/v1beta/models/m:generateContent", `"tools":[{"functionDeclarations":[{"name":"read_file","parameters":{"properties":{"absolute_path":{"type":"STRING"},"why":{"type":"STRING"}},"required":["why"]}}]}]`,
		`"contents":[{"role":"user","parts":[{"text":"ASK"}]}]`,
		`"contents":[{"role":"user","parts":[{"text":"ASK"}]},{"role":"model","parts":[{"functionCall":{"name":"read_file","args":{"absolute_path":"MARKER.txt"}},"thoughtSignature":"SEAL"},` +
			`{"functionCall":{"name":"read_file","args":{"absolute_path":"PICTURE.png"}}}]},{"role":"user","parts":[{"functionResponse":{"name":"read_file","response":{"output":"TEXT"}}},` +
			`{"functionResponse":{"name":"read_file","response":{}}},{"inlineData":{"mimeType":"image/png","data":"DRAWN"}}]}]`,
	},
}

// TestAgent: the agent plays in each protocol, sees what is there and what lacks,
// and leaves everything else to the scripted upstream.
func TestAgent(t *testing.T) {
	mock := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, "mock got "+r.URL.Path+" "+string(body))
	}))
	defer mock.Close()
	root := t.TempDir()
	work := filepath.Join(root, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		t.Fatal(err)
	}
	a, err := newAgent(mock.URL, root)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ask := "Read " + filepath.Join(work, textFile) + " " + pictureMark
	for protocol, x := range agentAsks {
		t.Run(protocol, func(t *testing.T) {
			said := func(change ...string) string {
				turn := x.second
				if len(change) == 0 {
					turn = x.first
				}
				picture, _ := os.ReadFile(filepath.Join(work, pictureFile))
				body := strings.NewReplacer(append(change, "ASK", ask, "SEAL", seal, "TEXT", "portico-marker-1a", "DRAWN", base64.StdEncoding.EncodeToString(picture))...).
					Replace("{" + x.tools + "," + turn + "}")
				return post(t, a, x.path, body)
			}
			first := said()
			for _, want := range []string{seal, "The user wants both.", textFile, pictureFile} {
				if want != seal && !strings.Contains(first, want) || protocol != rig.Gemini && !strings.Contains(first, seal) {
					t.Errorf("there is no %s in %s", want, first)
				}
			}
			for _, c := range []struct{ what, with, want string }{
				{"-", "", "DONE portico-marker-1a and the picture, sealed"},
				{"SEAL", "b3RoZXI=", "DONE portico-marker-1a and the picture, unsealed"},
				{"TEXT", "nothing", "LACKS the text in the result of its call"},
				{"DRAWN", "aGVsbG8=", "LACKS the picture among 1"},
				{"PICTURE.png", "OTHER.png", "LACKS the result of the call for the picture"},
			} {
				change := []string{c.what, c.with}
				if c.what == "-" {
					change = []string{"ASK", ask}
				}
				if got := said(change...); !strings.Contains(got, c.want) {
					t.Errorf("with %s changed: %s, want %s", c.what, got, c.want)
				}
			}
			body := "{" + x.first + "}"
			if got, want := post(t, a, x.path, body), "mock got "+x.path+" "+body; got != want {
				t.Errorf("something else: %s, want %s", got, want)
			}
		})
	}
	outside := strings.ReplaceAll(agentAsks[rig.Messages].first, "ASK", "Read "+t.TempDir()+"/"+textFile+" "+pictureMark)
	if got := post(t, a, "/v1/messages", "{"+agentAsks[rig.Messages].tools+","+outside+"}"); !strings.Contains(got, "LACKS a place for the picture") {
		t.Errorf("a folder outside of its own: %s", got)
	}
}

// TestAgentStreams: a stream says what the whole answer says.
func TestAgentStreams(t *testing.T) {
	w := &word{thought: "I think.", text: "See.", calls: []called{{"a", "f", object{"x": "one"}}, {"b", "f", object{"x": "two"}}}}
	for _, protocol := range rig.Protocols {
		whole, stream := w.in(protocol, false), w.in(protocol, true)
		var v object
		if err := json.Unmarshal([]byte(whole), &v); err != nil {
			t.Errorf("%s: %v in %s", protocol, err, whole)
		}
		var said strings.Builder
		for line := range strings.Lines(stream) {
			data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: ")
			if !ok || data == "[DONE]" {
				continue
			}
			var e object
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				t.Fatalf("%s: %v in %s", protocol, err, data)
			}
			said.WriteString(data)
		}
		for _, want := range []string{seal, "I th", "ink.", "Se"} {
			if !strings.Contains(said.String(), want) {
				t.Errorf("%s: there is no %s in %s", protocol, want, stream)
			}
		}
		if !bytes.Contains([]byte(whole), []byte(seal)) {
			t.Errorf("%s: %s is not sealed", protocol, whole)
		}
	}
	w.unsealed = true
	if got := w.in(rig.Responses, true); strings.Contains(got, seal) {
		t.Errorf("nobody asked for the seal: %s", got)
	}
}

// TestExpects: a seal is demanded but of clients that keep none, where nothing is
// translated.
func TestExpects(t *testing.T) {
	forgets := trial{"opencode, chat" + pictured, "run-opencode", []string{seeing}, rig.Chat}
	keeps := trial{"Codex" + pictured, "run-codex", []string{seeing}, rig.Responses}
	for _, tt := range []struct {
		t        trial
		upstream string
		want     string
	}{
		{forgets, own, ", unsealed"},
		{forgets, rig.Chat, ", unsealed"},
		{forgets, rig.Gemini, ", sealed"},
		{keeps, own, ", sealed"},
		{keeps, rig.Responses, ", sealed"},
		{trial{"Codex", "run-codex", nil, rig.Responses}, own, ""},
	} {
		if got := strings.Join(expects(tt.t, tt.upstream), ""); !strings.HasSuffix(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%s at %s: %q, want %q", tt.t.name, tt.upstream, got, tt.want)
		}
	}
}
