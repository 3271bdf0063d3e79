package relay

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portico/internal/pool"
)

// sockets puts a relay between a real client and a real upstream.
func sockets(t *testing.T, up http.HandlerFunc, call func(*rig) *Call) (r *rig, url string) {
	upstream := httptest.NewServer(up)
	t.Cleanup(upstream.Close)
	out := &http.Transport{DisableCompression: true}
	t.Cleanup(out.CloseIdleConnections)
	r = newRig(t, nil)
	a := r.accounts()[0]
	a.Way = roundTrip(func(req *http.Request) (*http.Response, error) {
		req.URL.Host = strings.TrimPrefix(upstream.URL, "http://")
		return out.RoundTrip(req)
	})
	r.pool.Set([]pool.Account{a})
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) { r.relay.Do(in.Context(), w, call(r)) }))
	t.Cleanup(gateway.Close)
	return r, gateway.URL
}

func get(ctx context.Context, t *testing.T, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// TestSocketStream: an event is with the client while the next is not there
// yet.
func TestSocketStream(t *testing.T) {
	d := dialects["openai-chat"]
	next := make(chan struct{})
	r, url := sockets(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", eventStream)
		for _, p := range d.parts() {
			_, _ = io.WriteString(w, p)
			w.(http.Flusher).Flush()
			if p != d.prelude[0] {
				<-next
			}
		}
	}, func(r *rig) *Call { return r.call(d, true) })
	resp := get(t.Context(), t, url)
	defer resp.Body.Close()
	in := bufio.NewReader(resp.Body)
	want := d.parts()
	want = append([]string{want[0] + want[1]}, want[2:]...)
	for _, event := range want {
		got := make([]byte, len(event))
		if _, err := io.ReadFull(in, got); err != nil || string(got) != event {
			t.Fatalf("%q, %v", got, err)
		}
		next <- struct{}{}
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
	if x := r.ledger.last(); x.Fault != "" || x.BytesOut != int64(len(strings.Join(want, ""))) {
		t.Errorf("%+v", x)
	}
}

// TestSocketLeave: clients that go away take their upstream requests with them
// within 50 ms. A machine that is busy with other tests may need longer for
// some.
func TestSocketLeave(t *testing.T) {
	const clients = 50
	d := dialects["anthropic"]
	left := make(chan time.Time, clients)
	_, url := sockets(t, func(w http.ResponseWriter, in *http.Request) {
		_, _ = io.Copy(io.Discard, in.Body)
		w.Header().Set("Content-Type", eventStream)
		_, _ = io.WriteString(w, strings.Join(append(slices.Clone(d.prelude), d.middle...), ""))
		w.(http.Flusher).Flush()
		<-in.Context().Done()
		left <- time.Now()
	}, func(r *rig) *Call { return r.call(d, true) })
	var took []time.Duration
	for range clients {
		ctx, cancel := context.WithCancel(t.Context())
		resp := get(ctx, t, url)
		if _, err := io.ReadFull(resp.Body, make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		cancel()
		took = append(took, (<-left).Sub(start))
		_ = resp.Body.Close()
	}
	slices.Sort(took)
	if half := took[len(took)/2]; half > 50*time.Millisecond {
		t.Errorf("upstreams were cancelled after %s", half)
	}
	t.Logf("half of the upstreams were cancelled within %s, 99 %% within %s", took[len(took)/2], took[len(took)*99/100])
}

// TestSocketBreak: a file that breaks off cannot be taken for whole, and an
// answer that ends well leaves the connection to be used again.
func TestSocketBreak(t *testing.T) {
	for _, length := range []string{"", "1000"} {
		r, url := sockets(t, func(w http.ResponseWriter, _ *http.Request) {
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, func(r *rig) *Call { return r.otherCall("GET", "/files/f1/content", "", "") })
		resp := get(t.Context(), t, url)
		if b, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("length %q: %q was taken for whole", length, b)
		}
		_ = resp.Body.Close()
		if x := r.ledger.last(); !x.Partial {
			t.Errorf("%+v", x)
		}
	}
}

// TestSocketMany: calls side by side do not mix, whatever memory they share.
func TestSocketMany(t *testing.T) {
	d := dialects["openai-chat"]
	up := func(w http.ResponseWriter, in *http.Request) {
		who, err := io.ReadAll(in.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", eventStream)
		for _, p := range d.parts() {
			_, _ = io.WriteString(w, strings.ReplaceAll(p, `"m"`, `"`+string(who)+`"`))
			w.(http.Flusher).Flush()
		}
	}
	var n atomic.Int32
	_, url := sockets(t, up, func(r *rig) *Call {
		c := r.call(d, true)
		c.Body = fmt.Appendf(nil, "%d", n.Add(1))
		return c
	})
	want := strings.Join(d.parts(), "")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25 {
				resp := get(t.Context(), t, url)
				b, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				_, who, _ := strings.Cut(string(b), `"model":`)
				who, _, _ = strings.Cut(who, ",")
				if err != nil || len(who) < 3 || string(b) != strings.ReplaceAll(want, `"m"`, who) {
					t.Errorf("%v, %s: %s", err, who, b)
				}
			}
		})
	}
	all.Wait()
}
