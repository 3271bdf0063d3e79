package store

import (
	"fmt"
	"testing"
	"time"

	"portico/internal/journal"
	"portico/internal/llm"
)

// busy returns n exchanges such as most requests leave behind.
func busy(n int) []*journal.Exchange {
	xs := make([]*journal.Exchange, n)
	for i := range xs {
		start := begin.Add(time.Duration(i) * 100 * time.Microsecond)
		xs[i] = &journal.Exchange{
			ID: fmt.Sprintf("req_%026d", i), Start: start,
			Key: "default", Client: "claude-cli/2.0.50", Peer: "127.0.0.1", Session: "9f86d081884c7d65",
			Op: "chat", Inbound: "anthropic", Outbound: "anthropic", Stream: true, Asked: "claude-sonnet-4-5", Served: "claude-sonnet-4-5-20250929",
			Account: "work", Status: 200, Stop: "end_turn", Upstream: "msg_01XFDUDYJgAACzvnptvVoYEL",
			First: 640 * time.Millisecond, Took: 9_400 * time.Millisecond, BytesIn: 81_920, BytesOut: 20_480,
			Usage:    llm.Usage{Input: 4, CacheRead: 20_000, CacheWrite: 700, Output: 650, Reasoning: 120},
			Attempts: []journal.Attempt{{Account: "work", Model: "claude-sonnet-4-5-20250929", Start: 20_000, Took: 9_399 * time.Millisecond, Status: 200, Step: "served"}},
		}
	}
	return xs
}

// BenchmarkKeep is what an exchange costs in the background; one operation is
// one exchange.
func BenchmarkKeep(b *testing.B) {
	for _, batch := range []int{1, 10, 1000} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			s := open(b, b.TempDir())
			xs := busy(b.N)
			b.ReportAllocs()
			b.ResetTimer()
			for len(xs) > 0 {
				n := min(batch, len(xs))
				keepAll(b, s, xs[:n]...)
				xs = xs[n:]
			}
		})
	}
}

// BenchmarkQueries asks a ledger of 200,000 requests.
func BenchmarkQueries(b *testing.B) {
	const n = 200_000
	s := open(b, b.TempDir())
	for xs := busy(n); len(xs) > 0; xs = xs[1000:] {
		keepAll(b, s, xs[:1000]...)
	}
	for _, c := range []struct {
		name string
		f    Filter
	}{
		{"newest", Filter{}},
		{"found nowhere", Filter{Account: "nobody"}},
		{"text found nowhere", Filter{Text: "nowhere"}},
	} {
		b.Run("page/"+c.name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := s.Requests(b.Context(), c.f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			if _, ok, err := s.Request(b.Context(), "req_00000000000000000000012345"); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
	for _, by := range [][]string{nil, {"day"}, {"model", "hour"}} {
		b.Run(fmt.Sprint("usage/", by), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Usage(b.Context(), UsageQuery{By: by}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOpen is what the ledger adds to a start.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir)
	for xs := busy(20_000); len(xs) > 0; xs = xs[1000:] {
		keepAll(b, s, xs[:1000]...)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := Open(dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
