package app

import (
	"context"
	"net/http"

	"portico/internal/fault"
	"portico/internal/relay"
)

// Do implements ingress.Relay.
func (f *flying) Do(ctx context.Context, w http.ResponseWriter, c *relay.Call) {
	f.requests.Add(1)
	defer f.requests.Add(-1)
	if c.Stream {
		f.streams.Add(1)
		defer f.streams.Add(-1)
	}
	f.next.Do(ctx, w, c)
}

// Refuse implements ingress.Relay.
func (f *flying) Refuse(w http.ResponseWriter, c *relay.Call, x *fault.Fault) { f.next.Refuse(w, c, x) }

func (f *flying) counts() (requests, streams int) {
	return int(f.requests.Load()), int(f.streams.Load())
}
