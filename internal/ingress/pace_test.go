package ingress

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/config"
	"portico/internal/relay"
)

// A pipes listener accepts connections that live in this process, so that a
// test owns the clock.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port} }

// A looped connection says that it was accepted on a loopback address.
type looped struct{ net.Conn }

func (looped) LocalAddr() net.Addr { return pipes(nil).Addr() }

// A slow client sends piece after piece, with gap before each. It returns the
// answer and when it came.
func slow(t *testing.T, mode config.AuthMode, head string, gap time.Duration, pieces ...string) (status int, body string, after time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(settings(mode))
		p := make(pipes)
		s := HTTPServer(h)
		go s.Serve(p)
		ours, theirs := net.Pipe()
		p <- looped{theirs}
		start := time.Now()
		go func() {
			_, err := io.WriteString(ours, head)
			for _, x := range pieces {
				if err != nil {
					return // the server has had enough
				}
				time.Sleep(gap)
				_, err = io.WriteString(ours, x)
			}
		}()
		resp, err := http.ReadResponse(bufio.NewReader(ours), nil)
		after = time.Since(start)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		status, body = resp.StatusCode, string(b)
		ours.Close()
		close(p)
		s.Close()
		time.Sleep(time.Minute) // until all have noticed
	})
	return status, body, after
}

func drops(text string) []string { return strings.Split(text, "") }

// SEC-41: a body must keep coming, and may then take as long as it needs.
func TestSEC41SlowBodies(t *testing.T) {
	head := func(path string, length int) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, ownHost, length)
	}
	kib := func(n int) (pieces []string) {
		for range n {
			pieces = append(pieces, strings.Repeat(" ", paceBytes))
		}
		return append(pieces, jsonBody)
	}
	drip := drops(jsonBody + strings.Repeat(" ", 60))
	for _, tt := range []struct {
		name   string
		mode   config.AuthMode
		head   string
		gap    time.Duration
		pieces []string
		status int
		most   time.Duration
		least  time.Duration
	}{
		{"a byte a second", config.AuthOff, head("/v1/messages", len(drip)), time.Second, drip, 400, paceEvery, paceEvery},
		{"nothing", config.AuthOff, head("/v1/messages", 100), 0, nil, 400, paceEvery, paceEvery},
		{"1 KiB in 9 s", config.AuthOff, head("/v1/messages", 8*paceBytes+len(jsonBody)), 9 * time.Second, kib(8), 200, 81 * time.Second, 81 * time.Second},
		{"1 KiB in 11 s", config.AuthOff, head("/v1/messages", 8*paceBytes+len(jsonBody)), 11 * time.Second, kib(8), 400, paceEvery, paceEvery},
		{"half of it, then nothing", config.AuthOff, head("/v1/messages", 8*paceBytes+len(jsonBody)), 2 * time.Second, kib(8)[:4], 400, 18 * time.Second, 11 * time.Second},
		{"no key and nothing", config.AuthStrict, head("/v1/messages", 100), 0, nil, 401, paceEvery, 0},
		{"no key and a byte a second", config.AuthStrict, head("/v1/messages", len(drip)), time.Second, drip, 401, paceEvery, 0},
		{"to the operator", config.AuthStrict, head("/api/accounts", 100), 0, nil, 200, paceEvery, paceEvery},
		{"to the operator, 1 KiB in 9 s", config.AuthStrict, head("/api/accounts", 8*paceBytes+len(jsonBody)), 9 * time.Second, kib(8), 200, 81 * time.Second, 81 * time.Second},
		{"chunked, a byte a second", config.AuthOff, "POST /v1/messages HTTP/1.1\r\nHost: " + ownHost + "\r\nTransfer-Encoding: chunked\r\n\r\n", time.Second, drops(strings.Repeat("1\r\n \r\n", 50)), 400, paceEvery, paceEvery},
	} {
		status, body, after := slow(t, tt.mode, tt.head, tt.gap, tt.pieces...)
		if status != tt.status || after > tt.most || after < tt.least {
			t.Errorf("%s: got %d %.80s after %v, want %d after %v to %v", tt.name, status, body, after, tt.status, tt.least, tt.most)
		}
		if status == 400 && !strings.Contains(body, "body_too_slow") {
			t.Errorf("%s: got %s", tt.name, body)
		}
	}
}

// The limit on reading a body must not end a request whose body was read: the
// server goes on reading to learn whether the client leaves.
func TestReadBodiesLeaveNoLimit(t *testing.T) {
	for _, text := range []string{
		fmt.Sprintf("POST /v1/messages HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", ownHost, len(jsonBody), jsonBody),
		fmt.Sprintf("POST /v1/messages HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", ownHost, len(jsonBody), jsonBody),
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(settings(config.AuthOff))
			h.relay.do = func(ctx context.Context, w http.ResponseWriter, _ *relay.Call) {
				select {
				case <-ctx.Done():
					t.Errorf("%.60q: %v", text, context.Cause(ctx))
				case <-time.After(time.Hour):
				}
			}
			p := make(pipes)
			s := HTTPServer(h)
			go s.Serve(p)
			ours, theirs := net.Pipe()
			p <- looped{theirs}
			if _, err := io.WriteString(ours, text); err != nil {
				t.Fatal(err)
			}
			if resp, err := http.ReadResponse(bufio.NewReader(ours), nil); err != nil || resp.StatusCode != 200 {
				t.Errorf("%.60q: %v %v", text, resp, err)
			}
			ours.Close()
			close(p)
			s.Close()
			time.Sleep(time.Minute)
		})
	}
}

// A half header is cut by net/http itself, without an answer.
func TestSEC41SlowHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := make(pipes)
		s := HTTPServer(newHouse(settings(config.AuthOff)))
		go s.Serve(p)
		ours, theirs := net.Pipe()
		p <- looped{theirs}
		start := time.Now()
		if _, err := io.WriteString(ours, "GET / HTTP/1.1\r\nHost:"); err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(ours)
		if d := time.Since(start); d != 10*time.Second {
			t.Errorf("half a header was waited for %v, want 10 s", d)
		}
		ours.Close()
		close(p)
		s.Close()
		time.Sleep(time.Minute) // until all have noticed
	})
}
