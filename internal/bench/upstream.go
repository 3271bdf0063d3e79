package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// listen opens a listener on loopback and tells the parent where it is.
func listen() (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err == nil {
		_, err = fmt.Println(l.Addr())
	}
	return l, err
}

// serveUpstream plays the vendors. It never ends by itself.
func serveUpstream() error {
	l, err := listen()
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			u := upstream{wire: newWire(c)}
			_ = u.serve() // its client went away, as all do at the end of a load
		}()
	}
}

type upstream struct {
	*wire
	out []byte
}

func (u *upstream) serve() error {
	for {
		h, err := u.head()
		if err != nil {
			return err
		}
		if h.length < 0 && !h.chunked {
			h.length = 0
		}
		if err := u.read(h, nil); err != nil {
			return err
		}
		if err := u.answer(h.first); err != nil || h.closes {
			return err
		}
	}
}

// answer answers a request by its path and by what its model's name orders.
func (u *upstream) answer(first string) error {
	_, path, _ := strings.Cut(first, " ")
	path, _, _ = strings.Cut(path, " ")
	path, _, _ = strings.Cut(path, "?")
	order := ordered(path, u.body)
	switch {
	case strings.HasSuffix(path, ":streamGenerateContent"):
		return u.stream(&asGemini, order)
	case strings.HasSuffix(path, ":generateContent"):
		return u.whole(asGemini.whole)
	case strings.HasSuffix(path, "/chat/completions"):
		return u.either(&asChat, order)
	case strings.HasSuffix(path, "/messages"):
		return u.either(&asAnthropic, order)
	}
	// The lists of models that the gateway asks for by itself.
	return u.whole(`{"data":[],"models":[]}`)
}

func (u *upstream) either(d *dialect, o order) error {
	if bytes.Contains(u.body, []byte(`"stream":true`)) {
		return u.stream(d, o)
	}
	return u.whole(d.whole)
}

func (u *upstream) whole(body string) error {
	u.out = fmt.Appendf(u.out[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: req_1\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	_, err := u.c.Write(u.out)
	return err
}

// stream sends a stream, each event in a write of its own, as vendors do.
func (u *upstream) stream(d *dialect, o order) error {
	u.out = append(u.out[:0], "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Request-Id: req_1\r\nTransfer-Encoding: chunked\r\n\r\n"...)
	if d.open != "" {
		u.out = appendChunk(u.out, d.open)
	}
	next := time.Now()
	for i := range o.chunks {
		if o.pause > 0 {
			next = next.Add(o.pause)
			time.Sleep(time.Until(next))
		}
		u.out = appendChunk(u.out, d.before+mark+strconv.Itoa(i)+mark+filler+d.after)
		if _, err := u.c.Write(u.out); err != nil {
			return err
		}
		u.out = u.out[:0]
	}
	u.out = append(appendChunk(u.out, d.end), "0\r\n\r\n"...)
	_, err := u.c.Write(u.out)
	return err
}

func appendChunk(b []byte, s string) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 16)
	return append(append(append(b, "\r\n"...), s...), "\r\n"...)
}

// An order is what a request wants of its stream.
type order struct {
	chunks int
	pause  time.Duration // before each
}

// model is the model's name that carries o to the upstream, through whatever
// lies between: gpt-200x10ms.
func (o order) model(prefix string) string { return fmt.Sprintf("%s-%dx%s", prefix, o.chunks, o.pause) }

// ordered reads the order from the model's name, which Gemini has in the path.
func ordered(path string, body []byte) (o order) {
	name := path
	if _, after, ok := bytes.Cut(body, []byte(`"model":"`)); ok {
		before, _, _ := bytes.Cut(after, []byte(`"`))
		name = string(before)
	}
	_, name, _ = strings.Cut(name, "-")
	name, _, _ = strings.Cut(name, ":")
	n, pause, _ := strings.Cut(name, "x")
	o.chunks, _ = strconv.Atoi(n) // the lists of models order nothing
	o.pause, _ = time.ParseDuration(pause)
	return o
}
