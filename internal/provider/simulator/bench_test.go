package simulator

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"portico/internal/provider"
)

// run sends one request and reads its answer; it returns how many reads that
// took.
func run(b *testing.B, rt http.RoundTripper, s *Simulator, dialect, path, body string, buf []byte) (reads int) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	path, query, _ := strings.Cut(path, "?")
	if err := s.Address(req, &provider.Account{Name: "a"}, provider.Target{Protocol: dialect, Path: path, Query: query}); err != nil {
		b.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		b.Fatal(err)
	}
	for err == nil {
		_, err = resp.Body.Read(buf)
		reads++
	}
	if cerr := resp.Body.Close(); !errors.Is(err, io.EOF) || cerr != nil || resp.StatusCode != 200 {
		b.Fatal(err, cerr, resp.Status)
	}
	return reads
}

// BenchmarkRequest is what a small and a large request cost, whole.
func BenchmarkRequest(b *testing.B) {
	for _, dialect := range speaks {
		for _, size := range []int{10, 1 << 20} {
			b.Run(fmt.Sprintf("%s/%d", dialect, size), func(b *testing.B) {
				s := New()
				path, body := wants{said: "hello", system: strings.Repeat("x", size)}.build(dialect, false)
				b.ReportAllocs()
				for buf := make([]byte, 32<<10); b.Loop(); {
					run(b, s.Transport(), s, dialect, path, body, buf)
				}
			})
		}
	}
}

// BenchmarkStream is what one event of a long stream costs.
func BenchmarkStream(b *testing.B) {
	for _, dialect := range speaks {
		b.Run(dialect, func(b *testing.B) {
			s, events := New(), 0
			path, body := wants{said: "[[long:1000]]"}.build(dialect, true)
			b.ReportAllocs()
			for buf := make([]byte, 32<<10); b.Loop(); {
				events += run(b, s.Transport(), s, dialect, path, body, buf)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
		})
	}
}
