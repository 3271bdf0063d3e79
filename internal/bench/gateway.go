package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	key        = "sk-bench-0123456789abcdefghijklmnopqrstuv" // that the gateway asks clients for
	adminToken = "pt-bench-0123456789abcdefghijklmnopqrstuv"
)

// A gateway is a gateway under test, in a folder of its own.
type gateway struct {
	*child
	addr string
	took time.Duration // from its start to its first answer
}

// config is the gateway's configuration: one account for each vendor, all at
// the upstream, and a key that every request must show.
func config(port int, upstream string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "port: %d\nauth_mode: strict\napi_key: %s\nadmin_token: %s\naccounts:\n", port, key, adminToken)
	for _, a := range []struct{ provider, protocol, suffix, models string }{
		{"openai", "openai-chat", "/v1", "gpt-*"}, {"anthropic", "anthropic", "", "claude-*"}, {"gemini", "gemini", "/v1beta", "gemini-*"},
	} {
		fmt.Fprintf(&b, "  - {name: %s, provider: %s, protocols: [%s], base_url: \"http://%s%s\", api_key: sk-vendor-0123456789, models: [\"%s\"]}\n",
			a.provider, a.provider, a.protocol, upstream, a.suffix, a.models)
	}
	return b.String()
}

// startGateway starts the gateway in an empty folder and waits for its first
// healthy answer.
func (b *bench) startGateway(ctx context.Context) (*gateway, error) {
	dir, err := os.MkdirTemp(b.dir, "gateway-")
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	file := filepath.Join(dir, "portico.yaml")
	if err := os.WriteFile(file, []byte(config(port, b.upstream)), 0o600); err != nil {
		return nil, err
	}
	g := &gateway{addr: fmt.Sprintf("127.0.0.1:%d", port)}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	cmd := exec.CommandContext(ctx, b.binary, "serve", "--config", file, "--data-dir", dir)
	cmd.Stderr = log
	began := time.Now()
	if g.child, err = b.launch(b.measured, cmd); err != nil {
		return nil, err
	}
	for ; ; time.Sleep(time.Millisecond) {
		if err = g.healthy(ctx); err == nil {
			g.took = time.Since(began)
			return g, nil
		}
		if time.Since(began) > 10*time.Second || ctx.Err() != nil {
			g.stop()
			said, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("the gateway did not become healthy: %w\n%s", err, said)
		}
	}
}

// healthy asks for the gateway's health once.
func (g *gateway) healthy(ctx context.Context) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", g.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	if _, err := fmt.Fprintf(c, "GET /healthz HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n", g.addr, key); err != nil {
		return err
	}
	answer, err := io.ReadAll(io.LimitReader(c, 4096))
	if err == nil && !bytes.HasPrefix(answer, []byte("HTTP/1.1 200 ")) {
		err = errors.New(string(answer))
	}
	return err
}

// stop asks the gateway to end, and waits until it has.
func (g *gateway) stop() {
	_ = g.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(5*time.Second, func() { _ = g.Process.Kill() })
	defer kill.Stop()
	_ = g.Wait()
}
