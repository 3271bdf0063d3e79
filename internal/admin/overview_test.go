package admin

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/journal"
	"portico/internal/store"
)

// TestOverview: the totals are the sum of the buckets.
func TestOverview(t *testing.T) {
	f := newFake()
	h := New(f.options())
	sum := func(at string, requests, failed, input int64) store.Sum {
		return store.Sum{Group: map[string]string{"minute": at}, Requests: requests, Failed: failed, Input: input, USD: 0.5}
	}
	f.usage = []store.Sum{sum("2026-11-23T13:00:00+01:00", 3, 1, 10), sum("2026-11-23T13:01:00+01:00", 4, 0, 5)}
	got := decode[Overview](t, call(t, h, "GET", "/api/overview?since=2026-11-23T12:00:00Z&until=2026-11-23T14:00:00Z&zone=Europe/Berlin&account=a&model=m&key=k&client=c&protocol=gemini", ""))
	if got.StepS != 60 || len(got.Buckets) != 2 || !got.Buckets[1].Start.Equal(time.Date(2026, 11, 23, 12, 1, 0, 0, time.UTC)) {
		t.Errorf("got %+v", got)
	}
	if s := got.Totals; s.Requests != 7 || s.Failed != 1 || s.Input != 15 || s.Total != 15 || s.CostUSD != 1 {
		t.Errorf("totals %+v", s)
	}
	want := store.Filter{
		Since: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Until: time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC),
		Account: "a", Model: "m", Key: "k", Client: "c", Protocol: "gemini",
	}
	if diff := cmp.Diff(want, f.summed.Filter); diff != "" {
		t.Error(diff)
	}
	want.Limit = store.MaxPage
	if diff := cmp.Diff(want, f.asked); diff != "" {
		t.Error(diff)
	}
	for _, query := range []string{"since=2026-11-23T12:00:00Z&until=2026-11-23T12:00:00Z", "since=2020-01-01T00:00:00Z", "zone=Mars", "zone=Local", "wrong=1"} {
		isProblem(t, call(t, h, "GET", "/api/overview?"+query, ""), 422, CodeInvalid)
	}
	f.failed = errDisk
	isProblem(t, call(t, h, "GET", "/api/overview", ""), 500, CodeInternal)
}

func TestGrain(t *testing.T) {
	for window, want := range map[time.Duration]string{
		time.Hour: "minute", 2 * time.Hour: "minute", 3 * time.Hour: "quarter", 24 * time.Hour: "quarter", 7 * 24 * time.Hour: "hour", 30 * 24 * time.Hour: "day",
	} {
		if by, step := grain(window); by != want || window/step > 400 {
			t.Errorf("%s: %s of %s, want %s", window, by, step, want)
		}
	}
}

// TestWaits: of those that were served, by the rank of each.
func TestWaits(t *testing.T) {
	var page []store.Request
	for n := range 100 {
		page = append(page, store.Request{Exchange: &journal.Exchange{First: time.Duration(100-n) * time.Millisecond, Took: time.Duration(n+1) * time.Second}})
	}
	for _, x := range []*journal.Exchange{{Fault: "overloaded", First: time.Hour}, {Partial: true, First: time.Hour}, {Took: time.Hour}} {
		page = append(page, store.Request{Exchange: x})
	}
	want := Waits{Of: 100, FirstP50: 50, FirstP95: 95, TookP50: 50_000, TookP95: 95_000}
	if diff := cmp.Diff(want, waits(page)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Waits{Of: 1, FirstP50: 1, FirstP95: 1, TookP50: 100_000, TookP95: 100_000}, waits(page[99:100])); diff != "" {
		t.Error(diff)
	}
	if got := waits(nil); got != (Waits{}) {
		t.Errorf("of none: %+v", got)
	}
}
