package app

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/config"
	"portico/internal/pool"
	"portico/internal/provider/oauth/oauthtest"
)

// upstream plays Google's APIs: it serves who shows a token of s, and notes
// which paths were asked.
func upstream(t *testing.T, s *oauthtest.Server) (base string, asked func() []string) {
	var mu sync.Mutex
	var paths []string
	u := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		if !s.Valid(r.Header.Get("Authorization")) {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":{"code":401,"message":"bad token %s","status":"UNAUTHENTICATED"}}`, r.Header.Get("Authorization"))
			return
		}
		mu.Lock()
		paths = append(paths, r.URL.Path+" "+string(b))
		mu.Unlock()
		if strings.Contains(r.URL.Path, "/anthropic/") {
			_, _ = io.WriteString(w, `{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`)
			return
		}
		_, _ = io.WriteString(w, `{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}`)
	}))
	t.Cleanup(u.Close)
	return u.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return paths
	}
}

// ask asks the gateway and returns status and body.
func (r *rig) ask(method, path, body string, header ...string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.base+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer sk-0123456789abcdefghijklmnopqrstuvwxyz")
	if r.app != nil {
		req.Host = address(r.app.Config()) // as the operator's own listener has it
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// operate asks the admin API.
func (r *rig) operate(method, path, body string) (int, string) {
	r.t.Helper()
	return r.ask(method, path, body, "Authorization", "Bearer pt-0123456789abcdefghijklmnopqrstuvwxyz")
}

const (
	askGemini = `{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}`
	askClaude = `{"model":"claude-x","max_tokens":9,"messages":[{"role":"user","content":"hello"}]}`
)

// leaks fails the test if a secret was logged or lies in the data folder.
func (r *rig) leaks() {
	r.t.Helper()
	if strings.Contains(r.logs.String(), "canary") {
		r.t.Errorf("the log tells a secret: %s", r.logs)
	}
	err := filepath.WalkDir(r.dir, func(path string, d os.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a copy that is made meanwhile gets another name
		}
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if strings.Contains(string(b), "canary") || strings.Contains(string(b), "PRIVATE KEY") {
			r.t.Errorf("%s tells a secret", path)
		}
		return err
	})
	if err != nil {
		r.t.Error(err)
	}
}

// A service account at Vertex AI serves Gemini and Claude to both kinds of
// clients. A token that ends before its time is renewed once for all who run
// into it; a service account that is dismissed needs its owner, and nothing
// of it is ever told.
func TestServiceAccount(t *testing.T) {
	s := oauthtest.New(t)
	base, asked := upstream(t, s)
	r := serve(t, "")
	doc, err := json.Marshal(s.ServiceAccount(t, "robot@test.example"))
	if err != nil {
		t.Fatal(err)
	}
	if status, body := r.operate("POST", "/api/accounts", `{"name":"v","provider":"vertex","base_url":"`+base+`","api_key":`+string(doc)+`}`); status != 201 || !strings.Contains(body, `"state":"ready"`) {
		t.Fatalf("added: %d %s", status, body)
	}
	if status, body := r.ask("POST", "/v1beta/models/gemini-x:generateContent", askGemini); status != 200 || !strings.Contains(body, "hi") {
		t.Errorf("Gemini: %d %s", status, body)
	}
	if status, body := r.ask("POST", "/v1/messages", askClaude); status != 200 || !strings.Contains(body, "msg_1") {
		t.Errorf("Claude: %d %s", status, body)
	}
	const at = "/v1/projects/test-project/locations/global/publishers/"
	got := asked()
	if len(got) != 2 || got[0] != at+"google/models/gemini-x:generateContent "+askGemini ||
		got[1] != at+`anthropic/models/claude-x:rawPredict {"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[{"role":"user","content":"hello"}]}` {
		t.Errorf("the upstream was asked %q", got)
	}
	const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	if n := s.Granted(grant); n != 1 {
		t.Errorf("%d tokens for two requests", n)
	}

	s.Expire()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if status, body := r.ask("POST", "/v1beta/models/gemini-x:generateContent", askGemini); status != 200 {
				t.Errorf("with a token that has ended: %d %s", status, body)
			}
		})
	}
	all.Wait()
	if n := s.Granted(grant); n != 2 {
		t.Errorf("%d tokens once the first had ended", n)
	}

	s.Dismiss("robot@test.example")
	s.Expire()
	status, body := r.ask("POST", "/v1beta/models/gemini-x:generateContent", askGemini)
	if status != 503 || strings.Contains(body, "canary") || !strings.Contains(body, "service account") {
		t.Errorf("a dismissed account: %d %s", status, body)
	}
	if status, body := r.operate("GET", "/api/accounts/v", ""); !strings.Contains(body, `"state":"needs_login"`) || !strings.Contains(body, `"login":"robot@test.example"`) || strings.Contains(body, "PRIVATE") {
		t.Errorf("it is shown as %d %s", status, body)
	}
	if status, body := r.operate("DELETE", "/api/accounts/v", ""); status != 204 {
		t.Errorf("removed: %d %s", status, body)
	}
	if left, err := filepath.Glob(filepath.Join(r.dir, "tokens", "*")); err != nil || len(left) != 0 {
		t.Errorf("of a removed account there is left %v, %v", left, err)
	}
	r.leaks()
}

// A login of a user serves the Gemini API over a restart, each refresh token
// being used once.
func TestUserLogin(t *testing.T) {
	s := oauthtest.New(t)
	s.Rotate(true, time.Hour)
	base, _ := upstream(t, s)
	doc := filepath.Join(t.TempDir(), "login.json")
	text := fmt.Sprintf(`{"type":"authorized_user","client_id":%q,"client_secret":%q,"refresh_token":%q,"token_uri":%q,"account":%q}`,
		oauthtest.ClientID, oauthtest.ClientSecret, s.Login("api"), s.URL+"/token", oauthtest.Email)
	if err := os.WriteFile(doc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file := fmt.Sprintf("port: %d\n%saccounts:\n  - {name: g, provider: gemini, key_file: %q, base_url: %q}\n", freePort(t), keys, doc, base+"/v1beta")
	dir := folder(t, file)
	for start := range 3 {
		r := &rig{t: t, dir: dir, logs: &logs{}}
		a, err := Open(config.Options{DataDir: dir}, r.logs)
		if err != nil {
			t.Fatal(err)
		}
		h := httptest.NewServer(a.Handler())
		r.base, r.app = h.URL, a
		if status, body := r.ask("POST", "/v1beta/models/gemini-x:generateContent", askGemini); status != 200 {
			t.Errorf("start %d: %d %s", start, status, body)
		}
		x, ok := a.pool.Find("g")
		if !ok {
			t.Fatal("the account is gone")
		}
		if v := a.pool.Views()[0]; v.Health.State != pool.Ready || v.Who != oauthtest.Email {
			t.Errorf("start %d: it is %+v of %s", start, v.Health, v.Who)
		}
		token, err := x.Tokens.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Tokens.Renew(t.Context(), token); err != nil { // the refresh token becomes another
			t.Fatal(err)
		}
		h.Close()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		r.leaks()
	}
	if n, no := s.Granted("refresh_token"), s.Refused("refresh_token"); n != 4 || no != 0 {
		t.Errorf("%d renewals, %d refused", n, no)
	}
}
