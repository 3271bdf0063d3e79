package pace

import (
	"math"
	"math/rand"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestWindowHolds: whatever is sent and however it falls, no minute holds more
// than the limit, and what it holds is not far below if there is enough to
// send.
func TestWindowHolds(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for _, limit := range []int64{1, 2, 7, 60, 500} {
		w := Window{Limit: limit}
		var sent []Moment
		for now := Moment(0); now < 10*time.Minute; now += time.Duration(rng.Intn(400)) * time.Millisecond {
			if free := w.Free(now, 1); free != 0 {
				if free <= now {
					t.Fatalf("limit %d: at %s it is free at %s", limit, now, free)
				}
				later := w
				if next := later.Free(free, 1); next != 0 {
					t.Fatalf("limit %d: at %s it says %s, and then %s", limit, now, free, next)
				}
				continue
			}
			w.Add(now, 1)
			sent = append(sent, now)
		}
		for i := range sent {
			if j := i + int(limit); j < len(sent) && sent[j]-sent[i] < time.Minute {
				t.Fatalf("limit %d: more than that from %s to %s", limit, sent[i], sent[j])
			}
		}
		if offered := int64(10 * 60 * 5); int64(len(sent)) < min(limit*9, offered*8/10) {
			t.Errorf("limit %d: only %d in ten minutes", limit, len(sent))
		}
	}
}

// TestWindowCorrected: what turns out to be less is given back, and what is
// larger than the limit goes alone.
func TestWindowCorrected(t *testing.T) {
	w := Window{Limit: 100}
	w.Add(0, 90)
	if w.Free(0, 20) != 61*time.Second {
		t.Errorf("free at %s", w.Free(0, 20))
	}
	w.Add(time.Second, -50)
	if w.Free(time.Second, 20) != 0 {
		t.Error("what was given back is not free")
	}
	w.Add(2*time.Second, -1000)
	if w.Free(2*time.Second, 5000) != 0 {
		t.Error("an empty window does not take what is too large for any")
	}
	w.Add(2*time.Second, 5000)
	if got := w.Free(3*time.Second, 1); got != 63*time.Second {
		t.Errorf("free at %s", got)
	}
}

// TestHistory: what went out lately, and what was taken back.
func TestHistory(t *testing.T) {
	var h History
	if n, over := h.Sum(time.Second, time.Minute); n != 0 || over != 0 {
		t.Errorf("nothing is %v over %s", n, over)
	}
	h.Back(time.Second, 3) // of nothing
	h.Add(100*time.Second, 3)
	h.Add(101*time.Second, 2)
	h.Add(105*time.Second, 4)
	for _, tt := range []struct {
		now, d time.Duration
		n      float64
		over   time.Duration
	}{
		{106 * time.Second, time.Minute, 9, 6 * time.Second},
		{106 * time.Second, 2 * time.Second, 4, 2 * time.Second},
		{150 * time.Second, 10 * time.Second, 0, 10 * time.Second},
		{150 * time.Second, time.Hour, 9, 50 * time.Second},
	} {
		if n, over := h.Sum(tt.now, tt.d); n != tt.n || over != tt.over {
			t.Errorf("%s before %s: %v over %s, want %v over %s", tt.d, tt.now, n, over, tt.n, tt.over)
		}
	}
	h.Back(101*time.Second, 2)
	if n, _ := h.Sum(106*time.Second, 5500*time.Millisecond); n != 4 {
		t.Errorf("%v are left of those that went lately", n)
	}
	h.Add(150*time.Second, -5) // more than the last took
	if n, _ := h.Sum(150*time.Second, time.Minute); n != 2 {
		t.Errorf("after 7 were taken back %v of 9 are left", n)
	}
}

// TestHistoryBounded: it holds so many pieces, whatever happens; what went out
// within any time up to two minutes is about what it says.
func TestHistoryBounded(t *testing.T) {
	for _, rate := range []float64{1, 20, 2000} {
		var h History
		gap := time.Duration(float64(time.Second) / rate)
		now := Moment(time.Second)
		for ; now < 200*time.Second; now += gap {
			h.Add(now, 1)
			if len(h.sent) > maxPieces {
				t.Fatalf("%d pieces", len(h.sent))
			}
			if now%(10*time.Second) < gap {
				h.refuse(refusal{at: now, cost: 1})
			}
		}
		if len(h.refused) > maxRefusals || cap(h.refused) > 2*maxRefusals {
			t.Errorf("%d refusals", len(h.refused))
		}
		for _, d := range []time.Duration{time.Second, 10 * time.Second, 60 * time.Second, 120 * time.Second} {
			n, _ := h.Sum(now, d)
			if want := rate * d.Seconds(); math.Abs(n-want) > 1+want/20 {
				t.Errorf("%.0f a second: %.0f in %s, want %.0f", rate, n, d, want)
			}
		}
	}
}

// TestRead reads the headers of the vendors that have any. Spec: upstreams
// §1A.4, §4.3.
func TestRead(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		name string
		h    []string
		want []Reading
	}{
		{"none", nil, nil},
		{"OpenAI", []string{
			"X-Ratelimit-Limit-Requests", "500", "X-Ratelimit-Remaining-Requests", "498", "X-Ratelimit-Reset-Requests", "240ms",
			"X-Ratelimit-Limit-Tokens", "30000", "X-Ratelimit-Remaining-Tokens", "29000", "X-Ratelimit-Reset-Tokens", "2s",
		}, []Reading{{Requests, 500, 498, 240 * time.Millisecond, false}, {Tokens, 30000, 29000, 2 * time.Second, false}}},
		{"Anthropic", []string{
			"Anthropic-Ratelimit-Requests-Limit", "50", "Anthropic-Ratelimit-Requests-Remaining", "0", "Anthropic-Ratelimit-Requests-Reset", "2026-01-02T03:05:05Z",
			"Anthropic-Ratelimit-Input-Tokens-Limit", "40000", "Anthropic-Ratelimit-Input-Tokens-Remaining", "39000", "Anthropic-Ratelimit-Input-Tokens-Reset", "2026-01-02T03:04:07Z",
			"Anthropic-Ratelimit-Tokens-Limit", "48000", "Anthropic-Ratelimit-Tokens-Remaining", "47000", "Anthropic-Ratelimit-Tokens-Reset", "2026-01-02T03:04:07Z",
		}, []Reading{{Requests, 50, 0, time.Minute, false}, {Tokens, 40000, 39000, 2 * time.Second, false}}},
		{
			"a window",
			[]string{"X-Ratelimit-Limit", "20", "X-Ratelimit-Remaining", "3", "X-Ratelimit-Reset", "1767323075000"},
			[]Reading{{Requests, 20, 3, 30 * time.Second, true}},
		},
		{"garbage", []string{"X-Ratelimit-Limit-Requests", "many", "X-Ratelimit-Remaining-Requests", "1", "X-Ratelimit-Reset-Requests", "1s"}, nil},
		{"negative", []string{"X-Ratelimit-Limit-Requests", "5", "X-Ratelimit-Remaining-Requests", "-1", "X-Ratelimit-Reset-Requests", "1s"}, nil},
		{"no reset", []string{"X-Ratelimit-Limit", "20", "X-Ratelimit-Remaining", "3"}, nil},
		{"no limit at all", []string{"X-Ratelimit-Limit-Requests", "0", "X-Ratelimit-Remaining-Requests", "0", "X-Ratelimit-Reset-Requests", "0s"}, nil},
	} {
		h := http.Header{}
		for i := 0; i < len(tt.h); i += 2 {
			h.Set(tt.h[i], tt.h[i+1])
		}
		if d := cmp.Diff(tt.want, Read(nil, h, now)); d != "" {
			t.Errorf("%s:\n%s", tt.name, d)
		}
	}
}

// TestTold: what the vendor says holds, with what went out since, and not for
// ever.
func TestTold(t *testing.T) {
	var l Told
	if l.Free(0, 1) != 0 || l.Known(0) {
		t.Error("nothing was told and something holds")
	}
	// 10 of 60 are left, and the rest is there in 50 seconds: one a second.
	l.Set(time.Second, Reading{Requests, 60, 10, 50 * time.Second, false}, 8)
	for i := range 2 {
		if l.Free(time.Second, 1) != 0 {
			t.Fatalf("after 8 and %d more it is at its limit", i)
		}
		l.Take(time.Second, 1)
	}
	if got := l.Free(time.Second, 1); got != 2*time.Second {
		t.Errorf("the next may go at %s, want 2s", got)
	}
	if l.Free(2*time.Second, 1) != 0 {
		t.Error("and then it may not")
	}
	if left, of := l.Left(11 * time.Second); left != 10 || of != 60 {
		t.Errorf("ten seconds later %v of %v are left", left, of)
	}
	// Two of a window are left, which ends in 30 seconds.
	l.Set(time.Second, Reading{Requests, 20, 2, 30 * time.Second, true}, 0)
	l.Take(time.Second, 2)
	if got := l.Free(5*time.Second, 1); got != 31*time.Second {
		t.Errorf("the next may go at %s, want 31s", got)
	}
	if l.Free(31*time.Second, 20) != 0 {
		t.Error("the window is over and not all is there")
	}
	l.Set(time.Second, Reading{Requests, 20, 0, time.Second, true}, 1e6)
	if l.Free(2*time.Minute, 1) != 0 {
		t.Error("what is not told again holds for ever")
	}
}

// TestAllowances reads what subscriptions have left; unknown is unknown and not
// all of it.
func TestAllowances(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	h := http.Header{}
	if got := Allowances(h, now); got != nil {
		t.Errorf("without a header: %v", got)
	}
	h.Set("Anthropic-Ratelimit-Unified-5h-Utilization", "1.08")
	h.Set("Anthropic-Ratelimit-Unified-5h-Reset", "1767326645")
	h.Set("Anthropic-Ratelimit-Unified-7d-Utilization", "much")
	h.Set("Anthropic-Ratelimit-Unified-7d-Reset", "1767326645")
	h.Set("X-Codex-Primary-Used-Percent", "80")
	h.Set("X-Codex-Primary-Reset-After-Seconds", "60")
	h.Set("X-Codex-Secondary-Used-Percent", "80")
	want := []Allowance{{Window: "5h", Resets: now.Add(time.Hour)}, {Window: "primary", Left: 0.2, Resets: now.Add(time.Minute)}}
	got := Allowances(h, now)
	if len(got) != 2 || got[0].Window != "5h" || got[0].Left != 0 || !got[0].Resets.Equal(want[0].Resets) ||
		got[1].Window != "primary" || got[1].Left < 0.199 || got[1].Left > 0.201 || !got[1].Resets.Equal(want[1].Resets) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestPureCost: nothing of it allocates.
func TestPureCost(t *testing.T) {
	var l Learned
	var p History
	var w Window
	w.Limit = 1 << 40
	l.Resume(0, 1e6, 1e6, 0)
	for now := range Moment(2 * maxPieces) {
		p.Add(now, 1)
	}
	now := Moment(0)
	if n := testing.AllocsPerRun(100, func() {
		now += time.Second
		p.Add(now, 1)
		w.Add(now, 1)
		w.Free(now, 1)
		l.Take(now, 1, &p)
		l.Free(now, 1, &p)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
