package ingress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"portico/internal/config"
)

// A loop is a listener whose connections lie in this process, so that time may
// jump.
type loop struct {
	conns chan net.Conn
	done  chan struct{}
}

var errDone = errors.New("the listener is closed")

// A loopConn says that it is one of this machine's.
type loopConn struct{ net.Conn }

func (loopConn) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port} }

func (loopConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 50_000} }

func (l *loop) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, errDone
	}
}

func (l *loop) Close() error   { return nil }
func (l *loop) Addr() net.Addr { return loopConn{}.LocalAddr() }

func (l *loop) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	l.conns <- loopConn{there}
	return here, nil
}

// timed runs a test with a socket on a clock that jumps. The client answers
// pings if answers is true; they are counted.
func timed(t *testing.T, answers bool, test func(t *testing.T, c *talker, pings *atomic.Int64)) {
	synctest.Test(t, func(t *testing.T) {
		h := unheard(t, settings(config.AuthOff))
		l := &loop{conns: make(chan net.Conn), done: make(chan struct{})}
		server := HTTPServer(h.Server)
		ended := make(chan error)
		go func() { ended <- server.Serve(l) }()
		out := &http.Transport{DialContext: l.dial}
		var pings atomic.Int64
		c, _, err := websocket.Dial(t.Context(), "ws://"+ownHost+"/v1/responses", &websocket.DialOptions{
			HTTPClient: &http.Client{Transport: out},
			OnPingReceived: func(context.Context, []byte) bool {
				pings.Add(1)
				return answers
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		test(t, &talker{t, c}, &pings)
		_ = c.CloseNow()
		close(l.done)
		_ = server.Close()
		<-ended
		out.CloseIdleConnections()
		_ = h.Drain(t.Context())
	})
}

// rests reads until the socket is closed.
func (c *talker) rests() (kinds string, err error) {
	for {
		_, b, err := c.Read(c.t.Context())
		if err != nil {
			return kinds, err
		}
		kinds += string(b)
	}
}

// TestSocketRests: a socket on which nothing is said is asked for a sign of life
// every half minute, and closed after an hour, which its client is told.
func TestSocketRests(t *testing.T) {
	timed(t, true, func(t *testing.T, c *talker, pings *atomic.Int64) {
		start := time.Now()
		told, err := c.rests()
		if took := time.Since(start); took != maxRest {
			t.Errorf("it was closed after %s, want %s", took, maxRest)
		}
		if !strings.Contains(told, `"code":"websocket_connection_limit_reached"`) || websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("the client was told %s, then %v", told, err)
		}
		if n, want := pings.Load(), int64(maxRest/pingEvery); n < want-1 || n > want {
			t.Errorf("%d pings, want %d", n, want)
		}
	})
}

// TestSocketStays: every turn begins the hour anew.
func TestSocketStays(t *testing.T) {
	timed(t, true, func(t *testing.T, c *talker, _ *atomic.Int64) {
		start := time.Now()
		said := make(chan error)
		go func() {
			time.Sleep(maxRest - time.Minute)
			said <- c.Write(t.Context(), websocket.MessageText, []byte(`{"type":"response.create","model":"m"}`))
		}()
		told, _ := c.rests()
		if err := <-said; err != nil {
			t.Error(err)
		}
		if took, want := time.Since(start), 2*maxRest-time.Minute; took != want || !strings.Contains(told, "response.completed") {
			t.Errorf("it was closed after %s, want %s: %s", took, want, told)
		}
	})
}

// TestSocketDead: a client that gives no sign of life is given up.
func TestSocketDead(t *testing.T) {
	timed(t, false, func(t *testing.T, c *talker, pings *atomic.Int64) {
		start := time.Now()
		_, err := c.rests()
		if took, want := time.Since(start), pingEvery+pongWithin; took != want || err == nil || pings.Load() != 1 {
			t.Errorf("it was closed after %s, want %s; %d pings, %v", took, want, pings.Load(), err)
		}
	})
}
