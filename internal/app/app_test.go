package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/config"
	"portico/internal/lock"
)

// A rig is a gateway that runs for a test.
type rig struct {
	t    *testing.T
	dir  string
	base string
	logs *logs
	stop context.CancelFunc
	done chan error
	app  *App
}

// logs gathers log lines.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func folder(t *testing.T, file string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir, file)
	return dir
}

func write(t *testing.T, dir, file string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "portico.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
}

const keys = "api_key: sk-0123456789abcdefghijklmnopqrstuvwxyz\nadmin_token: pt-0123456789abcdefghijklmnopqrstuvwxyz\n"

func serve(t *testing.T, more string) *rig {
	t.Helper()
	r := &rig{t: t, logs: &logs{}, done: make(chan error, 1)}
	r.dir = folder(t, fmt.Sprintf("port: %d\n%s%s", freePort(t), keys, more))
	a, err := Open(config.Options{DataDir: r.dir}, r.logs)
	if err != nil {
		t.Fatal(err)
	}
	r.app = a
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	up := make(chan string, 1)
	go func() {
		err := a.Serve(ctx, func(address string) { up <- address })
		r.done <- errors.Join(err, a.Close())
	}()
	select {
	case r.base = <-up:
	case err := <-r.done:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		select {
		case err := <-r.done:
			if err != nil {
				t.Error("it did not stop cleanly:", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("it did not stop")
		}
	})
	return r
}

func (r *rig) do(method, path, body string, header ...string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.base+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
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

var operator = []string{"Authorization", "Bearer pt-0123456789abcdefghijklmnopqrstuvwxyz"}

func TestServe(t *testing.T) {
	r := serve(t, "simulator: true\n")
	for path, body := range map[string]string{
		"/v1/chat/completions":                           `{"model":"any","messages":[{"role":"user","content":"[[say:pong]]"}]}`,
		"/v1/responses":                                  `{"model":"any","input":"[[say:pong]]"}`,
		"/v1/messages":                                   `{"model":"any","max_tokens":50,"messages":[{"role":"user","content":"[[say:pong]]"}]}`,
		"/v1beta/models/any:generateContent":             `{"contents":[{"parts":[{"text":"[[say:pong]]"}]}]}`,
		"/v1/models/any:generateContent":                 `{"contents":[{"parts":[{"text":"[[say:pong]]"}]}]}`,
		"/v1/completions":                                `{"model":"any","prompt":"[[say:pong]]"}`,
		"/v1/messages?beta=true":                         `{"model":"any","stream":true,"max_tokens":50,"messages":[{"role":"user","content":"[[say:pong]]"}]}`,
		"/v1beta/models/x:streamGenerateContent?alt=sse": `{"contents":[{"parts":[{"text":"[[say:pong]]"}]}]}`,
	} {
		status, got := r.do(http.MethodPost, path, body)
		if status != http.StatusOK || !strings.Contains(got, "pong") {
			t.Errorf("%s: HTTP %d %s", path, status, got)
		}
	}
	if status, got := r.do(http.MethodGet, "/healthz", ""); status != 200 || got != `{"status":"ok"}` {
		t.Errorf("healthz: %d %s", status, got)
	}
	if status, _ := r.do(http.MethodGet, "/readyz", ""); status != 200 {
		t.Errorf("readyz: %d", status)
	}
	if status, _ := r.do(http.MethodGet, "/api/requests", ""); status != 401 {
		t.Errorf("the admin API without a token: %d", status)
	}
	status, got := r.do(http.MethodGet, "/api/usage", "", operator...)
	if status != 200 || !strings.Contains(got, `"requests":8`) {
		t.Errorf("usage: %d %s", status, got)
	}
	status, got = r.do(http.MethodGet, "/metrics", "", operator...)
	if status != 200 || !strings.Contains(got, "portico_") {
		t.Errorf("metrics: %d %s", status, got)
	}
}

// TestForesee: what would happen is told without asking anybody.
func TestForesee(t *testing.T) {
	r := serve(t, `simulator: true
routes:
  - {match: auto, needs: [vision], over: 1000, to: simulator-eyes}
  - {match: "alias", to: ["simulator"]}
  - {match: "liked", prefer: [other, simulator]}
  - {match: "loved", prefer: [other]}
aliases: {"au*": simulator-rest, auto: simulator}
routing: {background: simulator-cheap}
`)
	for body, want := range map[string]string{
		`{"model":"auto"}`: `"rule":"auto","targets":[{"model":"simulator",`,
		`{"model":"aux"}`:  `"rule":"au*","targets":[{"model":"simulator-rest"`,
		`{"model":"auto","tokens":1001,"needs":["vision","tools"]}`: `"rule":"auto (over 1000 tokens, with vision)","targets":[{"model":"simulator-eyes"`,
		`{"model":"auto","background":"title"}`:                     `"rule":"* (background title)","targets":[{"model":"simulator-cheap"`,
		`{"model":"alias","protocol":"anthropic"}`:                  `"taken":"simulator"`,
		`{"model":"liked"}`:                                         `"rule":"liked","targets":[{"model":"liked",`,
		`{"model":"loved"}`:                                         `"rule":"loved","targets":[{"model":"loved",`,
		`{"model":"any","op":"embed"}`:                              `"verdict":"taken"`,
	} {
		status, got := r.do(http.MethodPost, "/api/explain", body, append([]string{"Content-Type", "application/json"}, operator...)...)
		if status != 200 || !strings.Contains(got, want) || !strings.Contains(got, "would serve") {
			t.Errorf("%s: %d %s", body, status, got)
		}
	}
	if status, got := r.do(http.MethodPost, "/api/explain", `{"model":"m","needs":["speed"]}`, append([]string{"Content-Type", "application/json"}, operator...)...); status != 422 {
		t.Errorf("an ability that is none: %d %s", status, got)
	}
	if status, got := r.do(http.MethodPost, "/api/explain", `{"model":""}`, append([]string{"Content-Type", "application/json"}, operator...)...); status != 422 {
		t.Errorf("no model: %d %s", status, got)
	}
	if status, got := r.do(http.MethodGet, "/api/usage", "", operator...); status != 200 || strings.Contains(got, `"requests":1`) {
		t.Errorf("it was recorded as a request: %s", got)
	}
}

func TestOneFolderOneServer(t *testing.T) {
	r := serve(t, "")
	_, err := Open(config.Options{DataDir: r.dir}, io.Discard)
	var held *lock.HeldError
	if !errors.As(err, &held) || held.By.Address != r.base {
		t.Errorf("a second server on the folder: %v", err)
	}
}

// until asks f again and again, since a changed file is looked at four times a
// second.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		if f() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(what, "did not happen")
		}
	}
}

func TestReload(t *testing.T) {
	r := serve(t, "simulator: true\n")
	head := fmt.Sprintf("port: %d\n%s", r.app.Config().Port, keys)
	chat := `{"model":"simulator","messages":[{"role":"user","content":"x"}]}`
	if status, _ := r.do(http.MethodPost, "/v1/chat/completions", chat); status != 200 {
		t.Fatal("it does not serve:", status)
	}
	write(t, r.dir, head+"simulator: true\nauth_mode: strict\n")
	until(t, "a changed auth_mode", func() bool {
		status, _ := r.do(http.MethodPost, "/v1/chat/completions", chat)
		return status == http.StatusUnauthorized
	})
	write(t, r.dir, head+"simulator: true\nauth_mode: perhaps\n")
	until(t, "a word about the bad file", func() bool { return strings.Contains(r.logs.String(), "perhaps") })
	if status, _ := r.do(http.MethodPost, "/v1/chat/completions", chat); status != http.StatusUnauthorized {
		t.Error("a bad file took effect:", status)
	}
	if status, got := r.do(http.MethodPost, "/api/reload", "", operator...); status < 400 || !strings.Contains(got, "auth_mode") {
		t.Errorf("reloading a bad file: %d %s", status, got)
	}
	write(t, r.dir, head+"simulator: true\n")
	if status, got := r.do(http.MethodPost, "/api/reload", "", operator...); status != http.StatusOK {
		t.Errorf("reloading a good file: %d %s", status, got)
	}
	if status, _ := r.do(http.MethodPost, "/v1/chat/completions", chat); status != 200 {
		t.Error("it does not serve again:", status)
	}
}

// A stream that is open when the configuration changes, and when the server is
// told to stop, goes on to its end.
func TestStreamOutlives(t *testing.T) {
	r := serve(t, "simulator: true\n")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.base+"/v1/chat/completions",
		strings.NewReader(`{"model":"simulator","stream":true,"messages":[{"role":"user","content":"[[long:30]] [[fault:pace:20ms]]"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if status, _ := r.do(http.MethodPost, "/api/reload", "", operator...); status != 200 {
		t.Error("the reload failed")
	}
	r.stop()
	b, err := io.ReadAll(resp.Body)
	if err != nil || !strings.HasSuffix(string(b), "data: [DONE]\n\n") {
		t.Errorf("the stream ended with %v: …%s", err, b[max(0, len(b)-200):])
	}
}

// An account that is added while the server runs serves at once, and is there
// again after a restart.
func TestAddedAccount(t *testing.T) {
	r := serve(t, "")
	chat := `{"model":"simulator","messages":[{"role":"user","content":"[[say:pong]]"}]}`
	status, got := r.do(http.MethodPost, "/v1/chat/completions", chat)
	if status != http.StatusServiceUnavailable && status != http.StatusNotFound || !strings.Contains(got, "account") {
		t.Errorf("without an account: %d %s", status, got)
	}
	if status, got := r.do(http.MethodPost, "/api/accounts", `{"name":"s","provider":"simulator"}`, append([]string{"Content-Type", "application/json"}, operator...)...); status >= 300 {
		t.Fatalf("adding: %d %s", status, got)
	}
	if status, got := r.do(http.MethodPost, "/v1/chat/completions", chat); status != 200 {
		t.Errorf("with an account: %d %s", status, got)
	}
	r.stop()
	if err := <-r.done; err != nil {
		t.Fatal(err)
	}
	r.done <- nil
	a, err := Open(config.Options{DataDir: r.dir}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, ok := a.pool.Find("s"); !ok {
		t.Error("the account is gone after a restart")
	}
}

func TestExposureIsRefused(t *testing.T) {
	dir := folder(t, keys+"allow_lan_access: true\nauth_mode: off\n")
	_, err := Open(config.Options{DataDir: dir}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "auth_mode") {
		t.Errorf("an open server on the network: %v", err)
	}
	if holder, ok, err := lock.Find(dir); ok || err != nil {
		t.Errorf("the folder is still held: %v %v", holder, err)
	}
}
