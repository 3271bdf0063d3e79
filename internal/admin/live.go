package admin

import (
	"context"
	"encoding/json/v2"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	beatEvery  = 15 * time.Second // a sign of life for proxies between
	guardEvery = time.Second      // how soon a renewed token ends a feed
	maxIdle    = 16 << 10         // bytes that a feed holds on to while nothing happens
	writeWait  = 10 * time.Second // a watcher that takes nothing for so long is gone
)

func (a *api) live() {
	op := huma.Operation{
		OperationID: "live", Method: http.MethodGet, Path: "/api/live", Tags: []string{"requests"},
		Summary: "Requests as they end (server-sent events)",
		Description: "The first event is hello. Each request is an event request whose data is as in /api/requests. An event gap says in missed how many are not told, " +
			"or that it is not known (missed: -1). Last-Event-ID resumes over the last " + strconv.Itoa(ringSize) + " requests.",
		Errors: []int{http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable},
		Responses: map[string]*huma.Response{"200": {Description: "Events, without end", Content: map[string]*huma.MediaType{
			"text/event-stream": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Request](), true, "")},
		}}},
	}
	huma.Register(a.huma, op, func(context.Context, *struct {
		LastEventID string `header:"Last-Event-ID" maxLength:"64" doc:"The id of the last event that was seen."`
	},
	) (*huma.StreamResponse, error) {
		select {
		case a.feeds <- struct{}{}:
		default:
			return nil, problem(http.StatusServiceUnavailable, CodeUnavailable, "%d feeds are open already; close one", maxFeeds)
		}
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			defer func() { <-a.feeds }()
			r, w := humago.Unwrap(ctx)
			a.stream(w, r)
		}}, nil
	})
}

// stream sends the feed to w until the client leaves, takes nothing, or is no
// operator any more.
func (a *api) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	f, out := a.o.Feed, http.NewResponseController(w)
	var buf []byte
	event := func(name string, id uint64, data any) {
		buf = append(append(append(append(append(buf, "event: "...), name...), "\nid: "...), f.id(id)...), "\ndata: "...)
		b, err := json.Marshal(data, inJSON)
		if err != nil { // nothing in it cannot be written
			b = []byte("null")
		}
		buf = append(append(buf, b...), "\n\n"...)
	}
	type missed struct {
		Missed int64 `json:"missed"`
	}
	buf = append(buf, "retry: 2000\n\n"...)
	seen, ok := f.resume(r.Header.Get("Last-Event-ID"))
	if !ok {
		seen = f.now()
		event("hello", seen, struct {
			Version string `json:"version"`
		}{a.o.Version})
		if r.Header.Get("Last-Event-ID") != "" {
			event("gap", seen, missed{-1})
		}
	}
	guard := time.NewTicker(guardEvery)
	defer guard.Stop()
	beat := time.Now()
	for {
		xs, last, gone, more := f.after(seen)
		if gone > 0 {
			event("gap", last-uint64(len(xs)), missed{int64(gone)})
		}
		for i, x := range xs {
			event("request", last-uint64(len(xs)-1-i), request(x, a.cost(x)))
		}
		seen = last
		if len(buf) == 0 && time.Since(beat) >= beatEvery {
			buf = append(buf, ": beat\n\n"...)
		}
		if len(buf) > 0 {
			// Not every writer has deadlines; then the server's end is what ends it.
			_ = out.SetWriteDeadline(time.Now().Add(writeWait))
			if _, err := w.Write(buf); err != nil {
				return
			}
			if err := out.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
				return
			}
			buf, beat = buf[:0], time.Now()
			if cap(buf) > maxIdle {
				buf = nil
			}
		}
		select {
		case <-r.Context().Done():
			return
		case <-more:
		case <-guard.C:
			if _, f := a.o.Authorise(r); f != nil {
				return
			}
		}
	}
}
