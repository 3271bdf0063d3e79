package journal

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

func BenchmarkNewID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewID()
	}
}

func BenchmarkEncode(b *testing.B) {
	x := typical()
	buf := Append(nil, x)
	b.ReportMetric(float64(len(buf)), "bytes")
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], x)
	}
}

func BenchmarkDecode(b *testing.B) {
	buf := Append(nil, typical())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(buf); err != nil {
			b.Fatal(err)
		}
	}
}

// forget keeps nothing.
type forget struct{}

func (forget) Keep([]*Exchange) error { return nil }

// BenchmarkRecord is what a request pays, with everything in the background
// going on: syncs, rotations, the reading of what was written.
func BenchmarkRecord(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			j, err := Open(b.TempDir(), Options{Keeper: forget{}, Keep: 100 * time.Millisecond})
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error, 1)
			go func() { done <- j.Run(ctx) }()
			b.ReportAllocs()
			var wg sync.WaitGroup
			took := make([][]time.Duration, writers)
			b.ResetTimer()
			for w := range writers {
				took[w] = make([]time.Duration, 0, b.N/writers+1)
				wg.Go(func() {
					x := typical()
					for range cap(took[w]) {
						begin := time.Now()
						if err := j.Record(x); err != nil {
							b.Error(err)
							return
						}
						took[w] = append(took[w], time.Since(begin))
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			all := slices.Concat(took...)
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2]), "p50-ns")
			b.ReportMetric(float64(all[len(all)*99/100]), "p99-ns")
			b.ReportMetric(float64(all[len(all)*999/1000]), "p99.9-ns")
			cancel()
			if err := <-done; err != nil {
				b.Fatal(err)
			}
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
