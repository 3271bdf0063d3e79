package main

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A process is the gateway under test.
type process struct {
	cmd  *exec.Cmd
	dir  string
	base string
	log  *bytes.Buffer
}

const adminToken = "pt-conformance-0123456789abcdefghijklmnopqrstuvwxyz"

// An account is one that the gateway is given.
type account struct{ name, provider, protocol, suffix, models string }

// ownAccounts serve every model in the client's own protocol.
var ownAccounts = []account{
	{"chat", "openai", "openai-chat", "/v1", ""}, {"responses", "openai", "openai-responses", "/v1", ""}, {"anthropic", "anthropic", "anthropic", "", ""}, {"gemini", "gemini", "gemini", "/v1beta", ""},
}

// matrixAccounts serve the models of one protocol each.
var matrixAccounts = []account{
	{"chat", "openai", "openai-chat", "/v1", `, models: ["oc-*"]`}, {"responses", "openai", "openai-responses", "/v1", `, models: ["or-*"]`}, {"anthropic", "anthropic", "anthropic", "", `, models: ["an-*"]`}, {"gemini", "gemini", "gemini", "/v1beta", `, models: ["ge-*"]`},
}

// start runs the gateway with accounts at the upstream, and waits until it is
// healthy.
func start(ctx context.Context, binary, upstream string, accounts []account) (*process, error) {
	dir, err := os.MkdirTemp("", "portico-conformance-")
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	var b strings.Builder
	fmt.Fprintf(&b, "port: %d\nadmin_token: %s\nlog: {level: error}\naccounts:\n", port, adminToken)
	for _, a := range accounts {
		fmt.Fprintf(&b, "  - {name: %s, provider: %s, protocols: [%s], base_url: %q, api_key: sk-conformance-0123456789%s}\n", a.name, a.provider, a.protocol, upstream+a.suffix, a.models)
	}
	file := filepath.Join(dir, "portico.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return nil, err
	}
	p := &process{dir: dir, base: fmt.Sprintf("http://127.0.0.1:%d", port), log: &bytes.Buffer{}}
	p.cmd = exec.Command(binary, "serve", "--config", file, "--data-dir", filepath.Join(dir, "data"))
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(5 * time.Millisecond) {
		if _, _, err := p.do(ctx, http.MethodGet, "/healthz", nil, nil); err == nil {
			return p, nil
		}
	}
	p.stop()
	return nil, errors.New("the gateway did not become healthy: " + p.log.String())
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
	_ = os.RemoveAll(p.dir)
}

// do makes one request and returns the whole answer.
func (p *process) do(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, p.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	maps.Copy(r.Header, header)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return resp, got, err
}

// heal forgets what a recorded error made the gateway think of its account.
func (p *process) heal(ctx context.Context, account string) error {
	h := http.Header{"Authorization": {"Bearer " + adminToken}}
	resp, body, err := p.do(ctx, http.MethodPost, "/api/accounts/"+account+"/heal", h, nil)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("heal %s: HTTP %d %s", account, resp.StatusCode, body)
	}
	return err
}

// losses asks the ledger what could not be carried of a request.
func (p *process) losses(ctx context.Context, id string) []string {
	h := http.Header{"Authorization": {"Bearer " + adminToken}}
	_, body, err := p.do(ctx, http.MethodGet, "/api/requests/"+id, h, nil)
	if err != nil {
		return nil
	}
	var x struct {
		Losses []string `json:"losses"`
	}
	if json.Unmarshal(body, &x) != nil {
		return nil
	}
	return x.Losses
}
