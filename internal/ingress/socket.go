package ingress

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"portico/internal/fault"
)

const (
	// socketMemory bounds what all sockets together keep of their
	// conversations, in bytes, and socketAnswers of how many answers they
	// know. What is forgotten, the oldest first, clients send anew.
	socketMemory  = 128 << 20
	socketAnswers = 8192
	// maxOutput bounds what of one answer is gathered to be kept, in bytes.
	maxOutput = 16 << 20
	// maxFrames bounds the frames that all sockets together read, or hold
	// until it is their turn, in bytes.
	maxFrames = 256 << 20
	// A socket that rests is asked for a sign of life every pingEvery, which
	// also keeps proxies from closing it, and closed after a rest of maxRest.
	pingEvery  = 30 * time.Second
	pongWithin = 15 * time.Second
	maxRest    = time.Hour // OpenAI's limit of a connection
	// writeWithin bounds how long a client may take nothing where the relay
	// sets no limit.
	writeWithin = time.Minute
)

// A socket is one client's WebSocket. It carries one turn after the other: a
// frame of the client's is a request, and its answer's events are frames.
type socket struct {
	s      *Server
	v      *visit
	conn   *websocket.Conn
	name   string      // under which what was said here, and is kept nowhere else, is remembered
	header http.Header // of the upgrade, without what is the upgrade's own
	query  string      // without the client's key
	wait   chan frame  // the next one; one may wait
}

// serveSocket upgrades the connection and serves it until one side leaves.
func (s *Server) serveSocket(v *visit) {
	if !s.sockets.enter() {
		v.tell(&fault.Fault{
			Class: fault.Busy, Code: "too_many_websockets", After: time.Minute,
			Msg: "as many WebSockets are open as this server holds, or it is stopping; send the request by POST",
		}, 0)
		return
	}
	defer s.sockets.leave()
	k := &socket{s: s, v: v, name: v.call.ID, header: v.r.Header.Clone(), query: v.call.Query, wait: make(chan frame, 1)}
	defer s.memory.Forget(k.name)
	strip(k.header)
	// The guard has judged the origin. Compression is declined: it costs
	// memory for every socket, and most clients are on this machine.
	conn, err := websocket.Accept(v.w, v.r, &websocket.AcceptOptions{InsecureSkipVerify: true, Subprotocols: offered(v.r.Header)})
	if err != nil {
		return // the client was told
	}
	k.conn = conn
	conn.SetReadLimit(v.st.Body)
	k.run(v.r.Context())
}

// handshake reports whether h is a whole handshake. Of one that a proxy has
// taken headers from, the client is told to send the request by POST.
func handshake(h http.Header) bool {
	key, err := base64.StdEncoding.DecodeString(h.Get("Sec-Websocket-Key"))
	return err == nil && len(key) == 16 && h.Get("Sec-Websocket-Version") == "13" &&
		strings.Contains(strings.ToLower(strings.Join(h["Connection"], ",")), "upgrade")
}

// offered are the subprotocols that the client names, but for the one that
// carries its key. A browser wants one of them to be chosen.
func offered(h http.Header) (names []string) {
	for _, v := range h["Sec-Websocket-Protocol"] {
		for p := range strings.SplitSeq(v, ",") {
			if p = strings.TrimSpace(p); p != "" && !strings.HasPrefix(p, "openai-insecure-api-key.") {
				names = append(names, p)
			}
		}
	}
	return names
}

// betaPrefix begins the names of the betas that only concern the socket.
const betaPrefix = "responses_websockets="

// strip leaves of an upgrade's headers what a request by POST would have.
func strip(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "Sec-Websocket-") {
			delete(h, name)
		}
	}
	delete(h, "Upgrade")
	delete(h, "Connection")
	var betas []string
	for _, v := range h["Openai-Beta"] {
		for b := range strings.SplitSeq(v, ",") {
			if b = strings.TrimSpace(b); !strings.HasPrefix(b, betaPrefix) {
				betas = append(betas, b)
			}
		}
	}
	delete(h, "Openai-Beta")
	if len(betas) > 0 {
		h["Openai-Beta"] = []string{strings.Join(betas, ",")}
	}
	h["Content-Type"], h["Accept"] = jsonType, []string{"text/event-stream"}
}

var errLeft = errors.New("the client closed the WebSocket")

// run serves the socket to its end.
func (k *socket) run(parent context.Context) {
	ctx, leave := context.WithCancelCause(parent)
	// Reading does not end with ctx, so that a client can be told why.
	reading, stop := context.WithCancel(context.WithoutCancel(parent))
	var tasks sync.WaitGroup
	tasks.Go(func() { leave(k.read(reading)) })
	tasks.Go(func() { k.ping(reading) })
	defer k.drop()
	defer tasks.Wait()
	defer func() { _ = k.conn.CloseNow() }()
	defer stop()
	defer leave(nil)
	rest := time.NewTimer(maxRest)
	defer rest.Stop()
	for {
		select {
		case f := <-k.wait:
			on := k.turn(ctx, f.text)
			k.s.frames.give(f)
			if !on {
				return
			}
			rest.Reset(maxRest)
		case <-rest.C:
			k.fail(http.StatusBadRequest, "websocket_connection_limit_reached", "the WebSocket has rested for an hour; open another")
			_ = k.conn.Close(websocket.StatusGoingAway, "it has rested for an hour")
			return
		case <-k.s.sockets.closing:
			_ = k.conn.Close(websocket.StatusGoingAway, "the gateway stops")
			return
		case <-ctx.Done():
			_ = k.conn.Close(websocket.StatusGoingAway, "")
			return
		}
	}
}

// read takes the client's frames until it leaves. It never waits for a turn,
// since pongs are only seen while it reads.
func (k *socket) read(ctx context.Context) error {
	for {
		kind, in, err := k.conn.Reader(ctx)
		switch {
		case err != nil:
			return errors.Join(errLeft, err)
		case kind != websocket.MessageText:
			_ = k.conn.Close(websocket.StatusUnsupportedData, "frames must be text")
			return errLeft
		}
		f, err := k.s.frames.take(in)
		switch {
		case errors.Is(err, errFull):
			k.fail(http.StatusServiceUnavailable, "overloaded", errFull.Error())
			_ = k.conn.Close(websocket.StatusTryAgainLater, errFull.Error())
			return errLeft
		case err != nil:
			return errors.Join(errLeft, err)
		}
		select {
		case k.wait <- f:
		default:
			k.s.frames.give(f)
			k.fail(http.StatusTooManyRequests, "too_many_requests", "a response is under way on this WebSocket, and another one waits; open a second one")
		}
	}
}

// ping closes the connection if the client gives no sign of life.
func (k *socket) ping(ctx context.Context) {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			within, cancel := context.WithTimeout(ctx, pongWithin)
			err := k.conn.Ping(within)
			cancel()
			if err != nil {
				_ = k.conn.CloseNow()
				return
			}
		}
	}
}
