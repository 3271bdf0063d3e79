package ingress

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"portico/internal/config"
	"portico/internal/fault"
	"portico/internal/relay"
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
