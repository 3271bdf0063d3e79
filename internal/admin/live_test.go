package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/fault"
	"portico/internal/journal"
)

// watcher is a client of the live feed that never leaves by itself. It has
// neither Flush nor deadlines, like a window in the same process.
type watcher struct {
	mu     sync.Mutex
	header http.Header
	status int
	text   strings.Builder
	stuck  chan struct{} // not nil: Write waits for it
}

func (w *watcher) Header() http.Header { return w.header }

func (w *watcher) WriteHeader(status int) { w.status = status }

func (w *watcher) Write(b []byte) (int, error) {
	if w.stuck != nil {
		<-w.stuck
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

// take returns the events that came since the last call, one line each.
func (w *watcher) take() (events []string) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	for e := range strings.SplitSeq(strings.TrimSuffix(w.text.String(), "\n\n"), "\n\n") {
		if e != "" {
			events = append(events, strings.ReplaceAll(e, "\n", " "))
		}
	}
	w.text.Reset()
	return events
}

// watch opens the feed; ended is closed when the server ends it.
func watch(t *testing.T, h http.Handler, last string) (w *watcher, leave func(), ended <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, "GET", "/api/live", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	w = &watcher{header: http.Header{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ServeHTTP(w, r)
	}()
	synctest.Wait()
	return w, func() { cancel(); <-done }, done
}

func heard(f *Feed, from, to int) {
	for i := from; i <= to; i++ {
		f.Heard(&journal.Exchange{ID: fmt.Sprintf("req_%d", i), Status: 200, Start: began})
	}
}

// ids are the requests that events tell of, and how many a gap says are not.
func ids(events []string) (out []string) {
	for _, e := range events {
		switch {
		case strings.HasPrefix(e, "event: request"):
			_, rest, _ := strings.Cut(e, `"id":"req_`)
			id, _, _ := strings.Cut(rest, `"`)
			out = append(out, id)
		case strings.HasPrefix(e, "event: gap"):
			_, rest, _ := strings.Cut(e, `"missed":`)
			out = append(out, "gap "+strings.TrimSuffix(rest, "}"))
		}
	}
	return out
}

func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newFake().options()
		o.Feed.epoch = "e"
		h := New(o)
		heard(o.Feed, 1, 2) // before anybody watched
		w, leave, _ := watch(t, h, "")
		want := []string{"retry: 2000", `event: hello id: e-2 data: {"version":"v1"}`}
		if diff := cmp.Diff(want, w.take()); diff != "" {
			t.Error(diff)
		}
		if w.header.Get("Content-Type") != "text/event-stream" || w.header.Get("Cache-Control") != "no-store" || w.status != 200 {
			t.Errorf("%d %v", w.status, w.header)
		}
		heard(o.Feed, 3, 3)
		events := w.take()
		if len(events) != 1 || !strings.HasPrefix(events[0], `event: request id: e-3 data: {"id":"req_3","start":"2026-11-23T12:40:00Z",`) {
			t.Errorf("got %q", events)
		}
		heard(o.Feed, 4, 6)
		if diff := cmp.Diff([]string{"4", "5", "6"}, ids(w.take())); diff != "" {
			t.Error(diff)
		}
		time.Sleep(beatEvery + guardEvery)
		if diff := cmp.Diff([]string{": beat"}, w.take()); diff != "" {
			t.Error(diff)
		}
		leave()
		if len(h.api().feeds) != 0 {
			t.Error("a feed that ended still counts")
		}
	})
}

func TestLiveResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newFake().options()
		o.Feed.epoch = "e"
		h := New(o)
		heard(o.Feed, 1, 1000)
		for _, tt := range []struct {
			last string
			want []string
		}{
			{"", nil},
			{"e-1000", nil},
			{"e-997", []string{"998", "999", "1000"}},
			{"e-743", []string{"gap 1"}}, // and 745 to 1000
			{"e-0", []string{"gap 744"}},
			{"other-997", []string{"gap -1"}},
			{"e-1001", []string{"gap -1"}},
			{"nonsense", []string{"gap -1"}},
			{"e-", []string{"gap -1"}},
		} {
			w, leave, _ := watch(t, h, tt.last)
			got := ids(w.take())
			if len(got) > 10 { // a gap and a ringful
				if len(got) != ringSize+1 || got[1] != "745" || got[ringSize] != "1000" {
					t.Errorf("%s: %d events, from %s to %s", tt.last, len(got), got[1], got[len(got)-1])
				}
				got = got[:1]
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%q: %s", tt.last, diff)
			}
			heard(o.Feed, 0, 0)
			if got := ids(w.take()); len(got) != 1 {
				t.Errorf("%q: then %v", tt.last, got)
			}
			leave()
			o.Feed.last = 1000
			o.Feed.ring[1000%ringSize].ID = "req_1000"
			heardAgain(o.Feed)
		}
	})
}

// heardAgain puts the ring back to the requests 745 to 1000.
func heardAgain(f *Feed) {
	f.last = 744
	heard(f, 745, 1000)
}

// A watcher that takes nothing costs no memory but its own place: it is told
// afterwards how many it missed.
func TestLiveSlowWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newFake().options()
		h := New(o)
		w, leave, _ := watch(t, h, "")
		w.take()
		w.stuck = make(chan struct{})
		heard(o.Feed, 1, 1)
		synctest.Wait() // it is stuck with the first
		heard(o.Feed, 2, 2+ringSize*3)
		close(w.stuck)
		got := ids(w.take())
		if len(got) != ringSize+2 || got[0] != "1" || got[1] != fmt.Sprintf("gap %d", ringSize*2+1) || got[len(got)-1] != fmt.Sprint(2+ringSize*3) {
			t.Errorf("got %d events: %v … %v", len(got), got[:3], got[len(got)-1])
		}
		leave()
	})
}

// A token that is renewed ends the feed within a second or two; spec: security
// SEC-28.
func TestLiveEndsWithTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newFake().options()
		var gone atomic.Bool
		o.Authorise = func(*http.Request) (Operator, *fault.Fault) {
			if gone.Load() {
				return Operator{}, wrongToken
			}
			return Operator{Who: byToken}, nil
		}
		_, _, ended := watch(t, New(o), "")
		gone.Store(true)
		start := time.Now()
		<-ended
		if d := time.Since(start); d > guardEvery {
			t.Errorf("it took %v", d)
		}
	})
}

func TestLiveIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(newFake().options())
		var leave []func()
		for range maxFeeds {
			_, l, _ := watch(t, h, "")
			leave = append(leave, l)
		}
		isProblem(t, call(t, h, "GET", "/api/live", ""), 503, CodeUnavailable)
		leave[0]()
		_, l, _ := watch(t, h, "")
		l()
		for _, l := range leave[1:] {
			l()
		}
	})
}

// An event is at the client as soon as it happened, and not when a buffer is
// full.
func TestLiveOverTheWire(t *testing.T) {
	o := newFake().options()
	s := httptest.NewServer(New(o))
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/api/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	buf, got := make([]byte, 4096), ""
	for !strings.Contains(got, "event: request") {
		n, err := res.Body.Read(buf)
		if err != nil {
			t.Fatal(err, got)
		}
		if got += string(buf[:n]); strings.Contains(got, "event: hello") {
			heard(o.Feed, 1, 1)
		}
	}
}

func TestFeedFind(t *testing.T) {
	f := NewFeed()
	if f.find("req_1") != nil {
		t.Error("found in nothing")
	}
	heard(f, 1, ringSize+1)
	for id, want := range map[string]bool{"req_1": false, "req_2": true, fmt.Sprintf("req_%d", ringSize+1): true, "": false} {
		if got := f.find(id) != nil; got != want {
			t.Errorf("%s: %t, want %t", id, got, want)
		}
	}
}

func BenchmarkFeedHeard(b *testing.B) {
	f, x := NewFeed(), &journal.Exchange{ID: "req_1"}
	b.ReportAllocs()
	for b.Loop() {
		f.Heard(x)
	}
}
