package ingress

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"portico/internal/config"
	"portico/internal/protocol"
	"portico/internal/relay"
)

// A sink is a ResponseWriter that costs nothing.
type sink struct{ h http.Header }

func (s sink) Header() http.Header         { return s.h }
func (s sink) Write(b []byte) (int, error) { return len(b), nil }
func (s sink) WriteHeader(int)             {}

// The way in of a small request, without net/http and without the relay.
func BenchmarkIngress(b *testing.B) {
	for name, size := range map[string]int{"1KB": 1 << 10, "100KB": 100 << 10, "1MB": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			h := newHouse(settings(config.AuthStrict))
			h.relay.do = func(context.Context, http.ResponseWriter, *relay.Call) {}
			h.Set(func() *Settings { s := settings(config.AuthStrict); s.Body = 2 << 20; return s }())
			for d := range h.codecs {
				h.codecs[d] = freeCodec{fakeCodec{name: dialectNames[d]}}
			}
			body := `{"model":"m","x":"` + strings.Repeat("x", size) + `"}`
			r := request("POST", "/v1/chat/completions", body, "Authorization", "Bearer "+dataKey, "Content-Type", "application/json", "User-Agent", "bench/1.0")
			src := strings.NewReader(body)
			r.Body = io.NopCloser(src)
			w := sink{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				src.Reset(body)
				clear(w.h)
				h.ServeHTTP(w, r)
			}
		})
	}
}

// A freeCodec peeks at no cost, so that the benchmark shows the rest.
type freeCodec struct{ fakeCodec }

func (freeCodec) Peek([]byte) (protocol.Peek, error) { return protocol.Peek{Model: "m"}, nil }

func BenchmarkUnknownPath(b *testing.B) {
	h := newHouse(settings(config.AuthOff))
	r := request("POST", "/v1/chat/completoins/aaaaaaaaaaaaaaaaaaaaaaaa", "")
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
