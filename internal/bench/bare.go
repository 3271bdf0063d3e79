package main

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
)

// serveBare is the measure of all figures: Go's own reverse proxy with kept
// connections, pooled buffers and a flush after every write, and nothing else.
func serveBare(to string) error {
	u, err := url.Parse(to)
	if err != nil {
		return err
	}
	l, err := listen()
	if err != nil {
		return err
	}
	p := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(u) },
		FlushInterval: -1,
		BufferPool:    &buffers{sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}},
		Transport:     &http.Transport{MaxIdleConns: 4096, MaxIdleConnsPerHost: 4096, DisableCompression: true},
	}
	return http.Serve(l, p)
}

type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte  { return *b.pool.Get().(*[]byte) }
func (b *buffers) Put(v []byte) { b.pool.Put(&v) }
