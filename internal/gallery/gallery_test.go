package main

import (
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/journal"
)

// TestPast: the same seed makes the same past, in its order, with all that the
// pictures are to show.
func TestPast(t *testing.T) {
	now := time.Date(2026, 11, 25, 14, 0, 0, 0, time.UTC)
	made := func() []*journal.Exchange { return past(rand.New(rand.NewPCG(1, 2)), now, 2000, cast(6)) }
	xs := made()
	if diff := cmp.Diff(xs, made()); diff != "" {
		t.Error(diff)
	}
	if len(xs) != 2000 || !slices.IsSortedFunc(xs, func(a, b *journal.Exchange) int { return a.Start.Compare(b.Start) }) || xs[1999].Start.After(now) {
		t.Errorf("%d requests, the last at %s", len(xs), xs[len(xs)-1].Start)
	}
	seen := map[string]bool{}
	for _, x := range xs {
		seen[x.Fault], seen["two attempts"] = true, seen["two attempts"] || len(x.Attempts) > 1
		seen["partial"] = seen["partial"] || x.Partial
	}
	for _, want := range []string{"", "rate_limited", "overloaded", "two attempts", "partial"} {
		if !seen[want] {
			t.Errorf("none with %q", want)
		}
	}
}

func TestCast(t *testing.T) {
	names := map[string]bool{}
	for _, a := range cast(1000) {
		names[a.name] = true
	}
	if len(names) != 1000 || len(cast(0)) != 0 {
		t.Errorf("%d names", len(names))
	}
	text := string(configuration(8045, "at-token", "127.0.0.1:1", cast(2)))
	for _, want := range []string{"port: 8045", "admin_token: at-token", "name: claude-own", "base_url: http://127.0.0.1:1"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
}

func TestUpstream(t *testing.T) {
	h := upstream(func() time.Time { return time.Unix(1000, 0) })
	for key, want := range map[string]int{"sk-ant-gallery-team": 200, "sk-gallery-old": 401, "sk-ant-gallery-limited": 429} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/models", nil)
		r.Header.Set("X-Api-Key", key)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want || (want == 200) != (w.Header().Get("Anthropic-Ratelimit-Unified-5h-Reset") == "7420") {
			t.Errorf("%s: %d %v", key, w.Code, w.Header())
		}
	}
}
