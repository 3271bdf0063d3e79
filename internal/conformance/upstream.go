package main

import (
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// An upstream plays the recording that is on: it keeps what it was sent, and
// answers in pieces of any size.
type upstream struct {
	url    string
	server *httptest.Server
	random *rand.Rand

	mu     sync.Mutex
	on     *recording
	bodies [][]byte
}

func newUpstream() *upstream {
	u := &upstream{random: rand.New(rand.NewPCG(1, 2))}
	u.server = httptest.NewServer(u)
	u.url = u.server.URL
	return u
}

func (u *upstream) close() { u.server.Close() }

func (u *upstream) play(r *recording) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.on, u.bodies = r, nil
}

func (u *upstream) got() [][]byte {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.bodies
}

// addresses are in the paths of each protocol.
var addresses = map[string]string{"openai-chat": "/chat/completions", "openai-responses": "/responses", "anthropic": "/messages", "gemini": "/models/"}

// ServeHTTP answers with the recording.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusNotFound) // lists of models
		return
	}
	u.mu.Lock()
	on := u.on
	if on != nil && !strings.Contains(r.URL.Path, addresses[on.protocol]) { // it knows one protocol at a time
		u.mu.Unlock()
		w.WriteHeader(http.StatusNotFound)
		return
	}
	u.bodies = append(u.bodies, body)
	var sizes []int
	for range 64 {
		sizes = append(sizes, 1+u.random.IntN(700))
	}
	u.mu.Unlock()
	if on == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	kind := "application/json"
	if on.sse {
		kind = "text/event-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(on.status)
	rest := on.response
	flush := http.NewResponseController(w)
	for i := 0; len(rest) > 0; i++ {
		n := len(rest)
		if i < len(sizes) {
			n = min(n, sizes[i])
		}
		if _, err := w.Write(rest[:n]); err != nil {
			return
		}
		rest = rest[n:]
		if on.sse && flush.Flush() != nil {
			return
		}
	}
}
