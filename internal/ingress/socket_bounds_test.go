package ingress

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/coder/websocket"

	"portico/internal/config"
	"portico/internal/fault"
	"portico/internal/relay"
	"portico/internal/responses"
)

// TestSocketBounds: frames, turns, sockets and requests in flight are bounded.
func TestSocketBounds(t *testing.T) {
	x := settings(config.AuthOff)
	x.Body, x.InFlight = 1000, 1
	h := newSockets(t, x)
	c, _, err := h.open()
	if err != nil {
		t.Fatal(err)
	}

	t.Run("turns", func(t *testing.T) {
		begun, end := make(chan bool, 2), make(chan bool)
		h.do = func(_ context.Context, w http.ResponseWriter, _ *relay.Call, n int) {
			begun <- true
			<-end
			tell(w, n)
		}
		c.say(`{"type":"response.create","model":"first"}`)
		<-begun
		c.say(`{"type":"response.create","model":"second"}`)
		c.say(`{"type":"response.create","model":"third"}`)
		if kind, frame, err := c.hear(); kind != "error" || !strings.Contains(frame, `"status":429`) {
			t.Errorf("%s %v", frame, err)
		}
		other, _, err := h.open()
		if err != nil {
			t.Fatal(err)
		}
		if _, last := other.turn(`{"type":"response.create","model":"fourth"}`); !strings.Contains(last, `"status":503`) {
			t.Errorf("beyond limits.in_flight: %s", last)
		}
		_ = other.CloseNow()
		close(end)
		for range 2 {
			for kind := ""; kind != "response.completed"; {
				var err error
				if kind, _, err = c.hear(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if a, b := h.call(0).Model, h.call(1).Model; a != "first" || b != "second" || len(h.calls) != 2 {
			t.Errorf("the relay had %d calls, %s and %s", len(h.calls), a, b)
		}
		h.do = nil
	})
	t.Run("sockets", func(t *testing.T) {
		n := 1
		for {
			s, resp, err := h.open()
			if err != nil {
				if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
					t.Errorf("refused with %v", resp)
				}
				break
			}
			defer s.CloseNow()
			if n++; n > maxSockets+1 {
				break
			}
		}
		if n > maxSockets {
			t.Errorf("%d sockets are open", n)
		}
	})
	t.Run("frames", func(t *testing.T) {
		c.say(`{"type":"response.create","model":"` + strings.Repeat("x", 1000) + `"}`)
		if _, _, err := c.hear(); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
			t.Errorf("too large a frame: %v", err)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		b, _, err := h.open()
		for try := 0; err != nil && try < 100; try++ { // until a place is given back
			b, _, err = h.open()
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = b.Write(context.Background(), websocket.MessageBinary, []byte("x"))
		if _, _, err := b.hear(); websocket.CloseStatus(err) != websocket.StatusUnsupportedData {
			t.Errorf("a frame of bytes: %v", err)
		}
	})
}

// TestSocketLeaves: a client that leaves ends its turn.
func TestSocketLeaves(t *testing.T) {
	h := newSockets(t, settings(config.AuthOff))
	c, _, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	begun, ended := make(chan bool), make(chan error)
	h.do = func(ctx context.Context, _ http.ResponseWriter, _ *relay.Call, _ int) {
		close(begun)
		<-ctx.Done()
		ended <- context.Cause(ctx)
	}
	c.say(`{"type":"response.create","model":"m"}`)
	<-begun
	_ = c.CloseNow()
	if err := <-ended; !errors.Is(err, errLeft) {
		t.Errorf("the turn ended with %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := h.Drain(ctx); err != nil {
		t.Errorf("the socket is not given back: %v", err)
	}
}

// TestSocketDrain: when the gateway stops, sockets that rest are closed, the
// others end their turn, and no more are opened.
func TestSocketDrain(t *testing.T) {
	h := newSockets(t, settings(config.AuthOff))
	rests, _, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	rests.turn(`{"type":"response.create","model":"m"}`)
	busy, _, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	begun, end := make(chan bool), make(chan bool)
	h.do = func(_ context.Context, w http.ResponseWriter, _ *relay.Call, n int) {
		close(begun)
		<-end
		tell(w, n)
	}
	busy.say(`{"type":"response.create","model":"m"}`)
	<-begun
	short, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := h.Drain(short); err == nil {
		t.Error("a turn was not waited for")
	}
	if _, _, err := rests.hear(); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the socket that rests: %v", err)
	}
	if _, resp, err := h.open(); err == nil || resp.StatusCode != 503 {
		t.Errorf("another was opened: %v", resp)
	}
	close(end)
	var last string
	for {
		kind, _, err := busy.hear()
		if err != nil {
			if websocket.CloseStatus(err) != websocket.StatusGoingAway {
				t.Errorf("the busy socket: %v", err)
			}
			break
		}
		last = kind
	}
	if last != "response.completed" {
		t.Errorf("the turn ended with %q", last)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := h.Drain(ctx); err != nil {
		t.Error(err)
	}
}

// TestSocketTold: a turn that the gateway ends is told why.
func TestSocketTold(t *testing.T) {
	why := fault.New(fault.Busy, "the gateway stops")
	parent, end := context.WithCancelCause(context.Background())
	h := newSockets(t, settings(config.AuthOff))
	h.do = func(ctx context.Context, w http.ResponseWriter, c *relay.Call, _ int) {
		end(why)
		<-ctx.Done()
		f, _ := errors.AsType[*fault.Fault](context.Cause(ctx))
		h.relay.Refuse(w, c, f)
	}
	l := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(parent, http.LocalAddrContextKey, r.Context().Value(http.LocalAddrContextKey))
		h.ServeHTTP(w, r.WithContext(ctx))
	}))
	h.addr = l
	c, _, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	if _, last := c.turn(`{"type":"response.create","model":"m"}`); !strings.Contains(last, "the gateway stops") {
		t.Errorf("got %s", last)
	}
}

// TestSocketMemory: what was said on sockets has one bound for all of them, the
// oldest is forgotten first, and with a socket goes what was said on it.
func TestSocketMemory(t *testing.T) {
	h := newSockets(t, settings(config.AuthOff))
	h.memory.SetLimits(responses.Limits{Entries: socketAnswers, Bytes: 100_000})
	a, _, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Repeat("x", 40_000)
	_, last := a.turn(`{"type":"response.create","model":"m","store":false,"input":"of a ` + said + `"}`)
	first := responseOf(last)
	for range 2 {
		b.turn(`{"type":"response.create","model":"m","store":false,"input":"of b ` + said + `"}`)
	}
	// The relay is asked to go on from what the socket knows no more.
	a.turn(`{"type":"response.create","model":"m","store":false,"input":"next","previous_response_id":"` + first + `"}`)
	h.mu.Lock()
	got := string(h.calls[len(h.calls)-1].Body)
	h.mu.Unlock()
	if !strings.Contains(got, `"previous_response_id":"`+first+`"`) || strings.Contains(got, "of a") {
		t.Errorf("the relay got %.200s", got)
	}
	_, last = b.turn(`{"type":"response.create","model":"m","store":false,"input":"kept"}`)
	mine := responseOf(last)
	if h.memory.Thread("req_2", mine) == nil {
		t.Fatal("b's answer is not remembered under the name of its socket")
	}
	_ = b.CloseNow()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = a.CloseNow()
	if err := h.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if h.memory.Thread("req_2", mine) != nil {
		t.Error("what was said on a socket is there without it")
	}
}

// TestSocketCompacts: who goes on from a conversation that was compacted goes on
// from what was written down alone.
func TestSocketCompacts(t *testing.T) {
	h := newSockets(t, settings(config.AuthOff))
	c, _, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	_, last := c.turn(`{"type":"response.create","model":"m","store":false,"input":"long"}`)
	_, last = c.turn(`{"type":"response.create","model":"m","store":false,"previous_response_id":"` + responseOf(last) + `","input":[{"type":"compaction_trigger"}]}`)
	if got := string(h.call(1).Body); !strings.Contains(got, "long") || !strings.Contains(got, "compaction_trigger") {
		t.Errorf("the relay got %s", got)
	}
	c.turn(`{"type":"response.create","model":"m","store":false,"previous_response_id":"` + responseOf(last) + `","input":[{"n":3}]}`)
	if got, want := string(h.call(2).Body), `{"stream":true,"input":[{"type":"message","role":"assistant","content":"said 2"},{"n":3}],"model":"m","store":false}`; got != want {
		t.Errorf("the relay got %s\nwant %s", got, want)
	}
}

// endless is a frame that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestFrames: the frames of all sockets have one bound, memory is taken as bytes
// come, and all of it is given back.
func TestFrames(t *testing.T) {
	var s frames
	small, err := s.take(strings.NewReader("hello"))
	if err != nil || string(small.text) != "hello" || s.held.Load() != firstFrame {
		t.Errorf("%q, %v: %d bytes are held", small.text, err, s.held.Load())
	}
	large, err := s.take(strings.NewReader(strings.Repeat("x", 1<<20)))
	if err != nil || len(large.text) != 1<<20 || int64(cap(large.text)) < 1<<20 || large.held > 4<<20 {
		t.Errorf("%d bytes, %v: %d are held", len(large.text), err, large.held)
	}
	if _, err := s.take(endless{}); !errors.Is(err, errFull) {
		t.Errorf("a frame without an end: %v", err)
	}
	if _, err := s.take(iotest.ErrReader(io.ErrUnexpectedEOF)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a frame that breaks off: %v", err)
	}
	s.give(small)
	s.give(large)
	if n := s.held.Load(); n != 0 {
		t.Errorf("%d bytes are held by nobody", n)
	}
}

// TestSocketFull: a socket whose frame finds no room is told so and closed.
func TestSocketFull(t *testing.T) {
	h := newSockets(t, settings(config.AuthOff))
	h.frames.held.Store(maxFrames)
	c, _, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	c.say(`{"type":"response.create","model":"m"}`)
	if kind, frame, err := c.hear(); kind != "error" || !strings.Contains(frame, `"status":503`) {
		t.Errorf("%s %v", frame, err)
	}
	if _, _, err := c.hear(); websocket.CloseStatus(err) != websocket.StatusTryAgainLater {
		t.Errorf("then: %v", err)
	}
	h.frames.held.Store(0)
	d, _, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	d.turn(`{"type":"response.create","model":"m"}`)
	_ = d.CloseNow()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := h.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if n := h.frames.held.Load(); n != 0 {
		t.Errorf("%d bytes are held when no socket is open", n)
	}
}
