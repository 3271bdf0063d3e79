package app

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/config"
	"portico/internal/jsonedit"
	"portico/internal/responses"
)

// TestRemember: what clients of Responses may name is there after a restart: an
// answer, a conversation, and an answer that the upstream keeps.
func TestRemember(t *testing.T) {
	dir := folder(t, keys+`
accounts:
- {name: chat, provider: simulator, protocols: [openai-chat], models: [chat]}
- {name: native, provider: simulator, protocols: [openai-responses], models: [native]}
`)
	var a *App
	open := func() {
		if a != nil {
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		if a, err = Open(config.Options{DataDir: dir}, &logs{}); err != nil {
			t.Fatal(err)
		}
	}
	do := func(method, path, body string) (int, []byte) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Host, r.RemoteAddr = "127.0.0.1:8045", "127.0.0.1:50000"
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer sk-0123456789abcdefghijklmnopqrstuvwxyz")
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		return w.Code, w.Body.Bytes()
	}
	id := func(b []byte) string {
		t.Helper()
		s, ok := jsonedit.Unquote(jsonedit.Get(b, "id"))
		if !ok {
			t.Fatalf("no id in %s", b)
		}
		return s
	}
	open()
	_, b := do("POST", "/v1/responses", `{"model":"chat","input":"my colour is blue"}`)
	answer := id(b)
	_, b = do("POST", "/v1/conversations", `{"metadata":{"topic":"x"}}`)
	conversation := id(b)
	do("POST", "/v1/responses", `{"model":"chat","input":"my dog is Rex","conversation":"`+conversation+`"}`)
	_, b = do("POST", "/v1/responses", `{"model":"native","input":"x"}`)
	afar := id(b)
	open()
	if status, b := do("GET", "/v1/responses/"+answer, ""); status != http.StatusOK || id(b) != answer {
		t.Errorf("the answer: %d %s", status, b)
	}
	if status, b := do("GET", "/v1/responses/"+answer+"/input_items", ""); !strings.Contains(string(b), "my colour is blue") {
		t.Errorf("its input: %d %s", status, b)
	}
	if status, b := do("POST", "/v1/responses", `{"model":"chat","input":"next","previous_response_id":"`+answer+`"}`); status != http.StatusOK {
		t.Errorf("continued: %d %s", status, b)
	}
	if status, b := do("GET", "/v1/conversations/"+conversation+"/items", ""); status != http.StatusOK || !strings.Contains(string(b), "my dog is Rex") {
		t.Errorf("the conversation: %d %s", status, b)
	}
	// The simulator forgets what it kept when the process ends, but is asked.
	if status, b := do("GET", "/v1/responses/"+afar, ""); status != http.StatusNotFound || !strings.Contains(string(b), "simulator") {
		t.Errorf("what the upstream had: %d %s", status, b)
	}
	var files []string
	_ = filepath.WalkDir(filepath.Join(dir, "responses"), func(path string, _ os.DirEntry, _ error) error {
		if text, err := os.ReadFile(path); err == nil {
			files = append(files, filepath.Base(filepath.Dir(path)))
			if strings.Contains(string(text), "blue") || strings.Contains(string(text), "Rex") {
				t.Errorf("%s can be read", path)
			}
		}
		return nil
	})
	if got := strings.Join(files, " "); got != "answers homes" {
		t.Errorf("the files lie in %s", got)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// TestRememberNowhere: a gateway whose disk refuses serves, and remembers in
// memory.
func TestRememberNowhere(t *testing.T) {
	dir := folder(t, keys+"simulator: true\n")
	if err := os.WriteFile(filepath.Join(dir, "responses"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l := &logs{}
	a, err := Open(config.Options{DataDir: dir}, l)
	if err != nil {
		t.Fatal(err)
	}
	a.answers.Put("k", "r", responses.Response{Object: []byte("{}")})
	a.homes.Put("k", "r", "a")
	a.recall.Put("k", "c:1", "x")
	account, _ := a.homes.Get("k", "r")
	seals, _ := a.recall.Get("k", "c:1")
	if a.answers.Thread("k", "r") == nil || account != "a" || seals != "x" || strings.Count(l.String(), "in memory only") != 3 {
		t.Errorf("%s %s; the log has %s", account, seals, l)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}
