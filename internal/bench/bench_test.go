package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	f := figure{name: "small", goal: 1.5}
	for _, c := range []struct {
		turns []sample
		ratio string
		ok    bool
	}{
		{[]sample{{3, 2}}, "1.50×", true},
		{[]sample{{3.1, 2}}, "1.55×", false},
		{[]sample{{9, 2}, {2, 2}, {2, 2}}, "1.00×", true}, // the middle, not the mean
		{[]sample{{2, 2}, {3, 2}}, "1.25×", true},
	} {
		line, ok := f.judge(c.turns)
		if ok != c.ok || !strings.Contains(line, c.ratio) || !strings.Contains(line, verdict(c.ok)) {
			t.Errorf("%v: got %v %q, want %v %s", c.turns, ok, line, c.ok, c.ratio)
		}
	}
	for _, c := range []struct {
		value float64
		ok    bool
	}{{40, true}, {40.1, false}} {
		if line, ok := (bound{"binary", "MiB", c.value, 40}).judge(); ok != c.ok || !strings.HasSuffix(line, verdict(c.ok)) {
			t.Errorf("%v: got %v %q", c.value, ok, line)
		}
	}
}

func TestOrder(t *testing.T) {
	for _, want := range []order{{}, {200, 0}, {100, 10 * time.Millisecond}, {20, 500 * time.Millisecond}} {
		name := want.model("gpt")
		body := fmt.Appendf(nil, `{"messages":[{"content":"x"}],"model":"%s","stream":true}`, name)
		if got := ordered("/v1/chat/completions", body); got != want {
			t.Errorf("%s in a body: got %v", name, got)
		}
		if got := ordered("/v1beta/models/"+name+":streamGenerateContent", []byte(`{"contents":[]}`)); got != want {
			t.Errorf("%s in a path: got %v", name, got)
		}
	}
}

// pipe gives the load a connection whose other end serve handles.
func pipe(t *testing.T, serve func(net.Conn)) *wire {
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close() })
	go func() {
		defer there.Close()
		serve(there)
	}()
	return newWire(here)
}

// TestWhole: the load takes the upstream's own answers for whole.
func TestWhole(t *testing.T) {
	for _, l := range []load{small, chunks, mega, small.as("anthropic", "claude"), chunks.as("anthropic", "claude"), mega.as("anthropic", "claude")} {
		g := generator{Load: l, Chunks: 7}
		if err := g.prepare(); err != nil {
			t.Fatal(err)
		}
		if large := len(g.request) > 900_000; large != l.Large {
			t.Errorf("%+v: a request of %d bytes", l, len(g.request))
		}
		w := pipe(t, func(c net.Conn) { _ = (&upstream{wire: newWire(c)}).serve() })
		if err := g.exchange(w); err != nil {
			t.Errorf("%+v: %v", l, err)
		}
		if got := g.chunks.Load(); l.Stream && got != 7 {
			t.Errorf("%+v: %d chunks", l, got)
		}
	}
}

// TestTorn: the load takes nothing for whole that is not.
func TestTorn(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	whole := func(parts ...string) string {
		var b []byte
		for _, p := range parts {
			b = appendChunk(b, p)
		}
		return ok + string(b) + "0\r\n\r\n"
	}
	for _, c := range []struct {
		name, answer string
		good         bool
	}{
		{"whole", whole("@0@", "@1@", asChat.end), true},
		{"torn within a number", whole("@0", "@@1", "@"+asChat.end), true},
		{"a chunk is missing", whole("@0@", asChat.end), false},
		{"a chunk came twice", whole("@0@", "@0@", asChat.end), false},
		{"no end", whole("@0@", "@1@"), false},
		{"cut", ok + string(appendChunk(nil, "@0@@1@"+asChat.end)), false},
		{"refused", strings.Replace(whole("@0@", "@1@", asChat.end), "200 OK", "429 Too Many Requests", 1), false},
		{"unframed", "HTTP/1.1 200 OK\r\n\r\n@0@@1@", false},
	} {
		g := generator{Load: chunks, Chunks: 2}
		if err := g.prepare(); err != nil {
			t.Fatal(err)
		}
		w := pipe(t, func(conn net.Conn) {
			request := make([]byte, len(g.request))
			for n := 0; n < len(request) && !bytes.HasSuffix(request[:n], []byte("}")); {
				m, err := conn.Read(request[n:])
				if err != nil {
					return
				}
				n += m
			}
			_, _ = conn.Write([]byte(c.answer))
		})
		if err := g.exchange(w); (err == nil) != c.good {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestMeasure(t *testing.T) {
	m, err := measure(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if m.rss <= 0 || m.cpu < 0 {
		t.Errorf("got %+v", m)
	}
}
