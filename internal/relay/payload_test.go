package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// counted counts the writes to a connection.
type counted struct {
	net.Conn
	writes *atomic.Int32
}

func (c counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// TestOneWrite: head and body of a small request go out together, and every
// body goes out whole, also if the transport asks for it a second time.
func TestOneWrite(t *testing.T) {
	for _, c := range []struct{ size, writes int }{{1, 1}, {1 << 10, 1}, {1800, 1}, {inOne + 1, 0}, {100 << 10, 0}} {
		body := []byte(strings.Repeat("x", c.size))
		var writes atomic.Int32
		var got []byte
		served := make(chan error, 1)
		transport := &http.Transport{WriteBufferSize: inOne, DialContext: func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() {
				defer there.Close()
				in := make([]byte, 1<<20)
				n := 0
				for n == 0 || !bytes.HasSuffix(in[:n], body) || bytes.Count(in[:n], []byte("x")) < c.size {
					m, err := there.Read(in[n:])
					if err != nil {
						served <- err
						return
					}
					n += m
				}
				got = in[:n]
				_, err := io.WriteString(there, "HTTP/1.1 204 No Content\r\n\r\n")
				served <- err
			}()
			return counted{here, &writes}, nil
		}}
		out, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://vendor.invalid/", nil)
		if err != nil {
			t.Fatal(err)
		}
		load(out, body, false)
		resp, err := transport.RoundTrip(out)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if err := <-served; err != nil {
			t.Fatal(err)
		}
		_, sent, _ := bytes.Cut(got, []byte("\r\n\r\n"))
		if !bytes.Equal(sent, body) {
			t.Errorf("%d bytes: %d came", c.size, len(sent))
		}
		if n := int(writes.Load()); c.writes > 0 && n != c.writes {
			t.Errorf("%d bytes: %d writes, want %d", c.size, n, c.writes)
		}
		again, err := out.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(again); err != nil || !bytes.Equal(b, body) {
			t.Errorf("%d bytes: the second time %d, %v", c.size, len(b), err)
		}
		transport.CloseIdleConnections()
	}
}

// TestTaken: when an attempt is over, nobody reads memory that may be in use
// for another request.
func TestTaken(t *testing.T) {
	for _, size := range []int{1, inOne, inOne + 1, 100 << 10} {
		body := bytes.Repeat([]byte("x"), size)
		var out http.Request
		p := load(&out, body, false)
		first := make([]byte, 1)
		if n, err := out.Body.Read(first); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if p != nil {
			p.take()
		}
		for i := range body {
			body[i] = 'y' // another request's
		}
		rest, err := io.ReadAll(out.Body)
		if bytes.Contains(rest, []byte("y")) {
			t.Errorf("%d bytes: another request's body was read", size)
		}
		if p != nil && !errors.Is(err, errTaken) {
			t.Errorf("%d bytes: got %v", size, err)
		}
	}
	if p := load(&http.Request{}, nil, false); p != nil {
		t.Error("there is something to take of nothing")
	}
	var out http.Request
	if p := load(&out, make([]byte, 100<<10), true); p != nil {
		t.Error("what lasts is taken away")
	}
}
