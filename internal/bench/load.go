package main

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A job is what one run of the load has to do. It goes to the process that does
// it through standard input.
type job struct {
	Load   load
	Addr   string
	Key    string
	PID    int // whose CPU time and memory are measured
	Conns  int
	Chunks int           // of a stream
	Pause  time.Duration // before each chunk
	Ramp   time.Duration // in which the connections begin one by one
	Warm   time.Duration // before what counts
	Window time.Duration // what counts
}

// A result is what came of a job.
type result struct {
	Requests, Chunks int64   // in the window
	CPU              float64 // seconds in the window, of PID
	RSS              float64 // MiB at its most in the window, of PID
	Error            string  // the first one
}

// runLoad reads a job, does it, and writes its result.
func runLoad(in io.Reader, out io.Writer) error {
	var g generator
	if err := gob.NewDecoder(in).Decode(&g.job); err != nil {
		return err
	}
	if err := g.prepare(); err != nil {
		return err
	}
	r, err := g.run()
	if err != nil {
		return err
	}
	return gob.NewEncoder(out).Encode(r)
}

// A generator sends one request over and over on some connections, and looks
// whether every answer is whole.
type generator struct {
	job
	request          []byte
	requests, chunks atomic.Int64
	over             atomic.Bool
	once             sync.Once
	err              error // the first; read when all have ended
}

func (g *generator) prepare() error {
	body, err := g.Load.body(order{g.Chunks, g.Pause}.model(g.Load.Model))
	if err != nil {
		return err
	}
	path := "/v1/chat/completions"
	if g.Load.Client == "anthropic" {
		path = "/v1/messages"
	}
	g.request = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n"+
		"Anthropic-Version: 2023-06-01\r\nX-Stainless-Lang: js\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", path, g.Addr, g.Key, len(body), body)
	if g.Load.Client != "anthropic" { // by that header the gateway knows whose client it is
		g.request = bytes.Replace(g.request, []byte("Anthropic-Version: 2023-06-01\r\n"), nil, 1)
	}
	return nil
}

// run loads for the time of the job.
func (g *generator) run() (result, error) {
	var all sync.WaitGroup
	for i := range g.Conns {
		all.Go(func() {
			time.Sleep(g.Ramp * time.Duration(i) / time.Duration(g.Conns))
			for !g.over.Load() {
				if err := g.connection(); err != nil && !g.over.Load() {
					g.once.Do(func() { g.err = err })
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	time.Sleep(g.Warm)
	before, err := measure(g.PID)
	if err != nil {
		return result{}, err
	}
	n, c := g.requests.Load(), g.chunks.Load()
	r := result{RSS: before.rss}
	after := before
	for end := time.Now().Add(g.Window); time.Now().Before(end); {
		time.Sleep(min(time.Until(end), 100*time.Millisecond))
		if after, err = measure(g.PID); err != nil {
			return result{}, err
		}
		r.RSS = max(r.RSS, after.rss)
	}
	r.Requests, r.Chunks, r.CPU = g.requests.Load()-n, g.chunks.Load()-c, after.cpu-before.cpu
	g.over.Store(true)
	all.Wait()
	if g.err != nil {
		r.Error = g.err.Error()
	}
	return r, nil
}

// patience is how long one answer may take.
const patience = 20 * time.Second

// connection sends requests on one connection until the time is over.
func (g *generator) connection() error {
	c, err := (&net.Dialer{Timeout: patience}).DialContext(context.Background(), "tcp", g.Addr)
	if err != nil {
		return err
	}
	defer c.Close()
	w := newWire(c)
	for !g.over.Load() {
		if err := g.exchange(w); err != nil {
			return err
		}
		g.requests.Add(1)
	}
	return nil
}

// exchange sends one request and reads its answer.
func (g *generator) exchange(w *wire) error {
	_ = w.c.SetDeadline(time.Now().Add(patience))
	if _, err := w.c.Write(g.request); err != nil {
		return err
	}
	h, err := w.head()
	if err != nil {
		return err
	}
	follow := follower{g: g, w: w}
	if err := w.read(h, follow.took); err != nil {
		return err
	}
	return follow.check(h)
}

// try sends one request of l, and says what is wrong with the answer.
func try(l load, addr string) error {
	g := generator{Load: l, Addr: addr, Key: key, Chunks: 3}
	if err := g.prepare(); err != nil {
		return err
	}
	c, err := (&net.Dialer{Timeout: patience}).DialContext(context.Background(), "tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	return g.exchange(newWire(c))
}

// A follower follows the numbers of the chunks as they come in.
type follower struct {
	g    *generator
	w    *wire
	at   int // of the body, up to which was looked
	next int // the number that comes next
	bad  error
}

// took looks at what is new. When the time is over it ends a stream early.
func (f *follower) took() {
	if f.g.over.Load() {
		_ = f.w.c.SetDeadline(time.Now())
	}
	for f.g.Load.Stream {
		rest := f.w.body[f.at:]
		i := bytes.Index(rest, []byte(mark))
		if i < 0 {
			f.at = len(f.w.body)
			return
		}
		n := bytes.Index(rest[i+1:], []byte(mark))
		if n < 0 {
			f.at += i
			return
		}
		number := string(rest[i+1 : i+1+n])
		if number != strconv.Itoa(f.next) && f.bad == nil {
			f.bad = fmt.Errorf("chunk %d came as %q", f.next, number)
		}
		f.next++
		f.at += i + n + 2
		f.g.chunks.Add(1)
	}
}

// check looks whether the answer was whole.
func (f *follower) check(h head) error {
	body := f.w.body
	switch {
	case !strings.Contains(h.first, " 200 "):
		return fmt.Errorf("%s: %.300s", h.first, body)
	case f.bad != nil:
		return f.bad
	case f.g.Load.Stream && f.next != f.g.Chunks:
		return fmt.Errorf("a stream had %d chunks instead of %d", f.next, f.g.Chunks)
	case f.g.Load.Stream && !bytes.Contains(body[max(0, len(body)-500):], []byte(closing[f.g.Load.Client])):
		return errors.New("a stream has no end")
	case !f.g.Load.Stream && !bytes.Contains(body, []byte(sentinel)):
		return errors.New("an answer is not whole")
	}
	return nil
}
