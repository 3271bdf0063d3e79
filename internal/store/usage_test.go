package store

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/internal/journal"
)

// summed sums up xs in Go.
func summed(xs []*journal.Exchange, q UsageQuery) map[string]Sum {
	out := make(map[string]Sum)
	for _, x := range xs {
		if !wants(q.Filter, x) {
			continue
		}
		local := x.Start.In(q.Location)
		model := x.Served
		if model == "" {
			model = x.Asked
		}
		_, offset := local.Zone()
		group := make(map[string]string)
		for _, by := range q.By {
			group[by] = map[string]string{
				"minute": local.Format("2006-01-02T15:04:00") + zone(offset), "quarter": local.Add(-time.Duration(local.Minute()%15)*time.Minute).Format("2006-01-02T15:04:00") + zone(offset),
				"hour": local.Format("2006-01-02T15:00:00") + zone(offset), "day": local.Format("2006-01-02"), "month": local.Format("2006-01"),
				"account": x.Account, "model": model, "key": x.Key, "client": x.Client, "protocol": x.Inbound,
			}[by]
		}
		k := groupKey(group, q.By)
		s := out[k]
		s.Group = group
		s.Requests++
		if x.Fault != "" {
			s.Failed++
		}
		if x.Partial {
			s.Partial++
		}
		if x.Estimated {
			s.Estimated++
		}
		s.Usage = s.Plus(x.Usage)
		if usd, known := price(model, x.Usage); known || x.Usage.Total() == 0 {
			s.USD += usd
		} else {
			s.Unpriced++
		}
		out[k] = s
	}
	return out
}

func zone(offset int) string {
	if offset == 0 {
		return "Z"
	}
	return fmt.Sprintf("%+03d:%02d", offset/3600, offset%3600/60)
}

// TestUsageAgrees: the sums are those of the ledger's exchanges, over the end
// of summer time and in zones of half and quarter hours.
func TestUsageAgrees(t *testing.T) {
	s := open(t, t.TempDir())
	xs := some(500) // more than two days
	keepAll(t, s, xs...)
	for _, place := range []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"} {
		loc, err := time.LoadLocation(place)
		if err != nil {
			t.Fatal(err)
		}
		for _, by := range [][]string{
			nil,
			{"minute"},
			{"quarter", "day"},
			{"hour"},
			{"day"},
			{"month"},
			{"account"},
			{"model"},
			{"key"},
			{"client"},
			{"protocol"},
			{"model", "day"},
			{"day", "account", "key"},
			{"hour", "client"},
		} {
			for name, f := range map[string]Filter{"all": {}, "none": {Account: "nobody"}, "some": {Account: "work", Fault: "none", Since: xs[100].Start, Until: xs[300].Start}} {
				q := UsageQuery{Filter: f, By: by, Location: loc}
				got, err := s.Usage(t.Context(), q)
				if err != nil {
					t.Fatalf("%s by %v: %v", name, by, err)
				}
				want := summed(xs, q)
				if len(by) == 0 && len(want) == 0 {
					want = map[string]Sum{"": {}}
				}
				m := make(map[string]Sum)
				for _, g := range got {
					m[groupKey(g.Group, by)] = g
				}
				if diff := cmp.Diff(want, m, cmpopts.EquateApprox(0, 1e-6), cmpopts.EquateEmpty()); diff != "" || len(m) != len(got) {
					t.Fatalf("%s by %v in %s (-want +got):\n%s", name, by, place, diff)
				}
			}
		}
	}
}

// TestUsageOrder: times in their order, then the most tokens first.
func TestUsageOrder(t *testing.T) {
	s := open(t, t.TempDir())
	keepAll(t, s, some(500)...)
	got, err := s.Usage(t.Context(), UsageQuery{By: []string{"model", "day"}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(got, func(a, b Sum) int {
		if c := strings.Compare(a.Group["day"], b.Group["day"]); c != 0 {
			return c
		}
		return int(b.Total() - a.Total())
	}) {
		t.Errorf("not in order: %+v", got)
	}
	if _, err := s.Usage(t.Context(), UsageQuery{By: []string{"start; DROP TABLE exchanges"}}); err == nil || !strings.Contains(err.Error(), "protocol") {
		t.Errorf("an unknown group: %v", err)
	}
	if _, err := s.Usage(t.Context(), UsageQuery{By: []string{"quarter", "minute"}}); err == nil {
		t.Error("two grains at one time")
	}
}

// TestTotals: the sum of all is exact, however many small costs it has.
func TestTotals(t *testing.T) {
	s := open(t, t.TempDir())
	xs := some(1000)
	keepAll(t, s, xs...)
	got, err := s.Totals(t.Context(), Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var nanos int64
	for _, x := range xs {
		nanos += s.cost(x).Int64
	}
	if got.Requests != 1000 || math.Round(got.USD*nano) != float64(nanos) {
		t.Errorf("%d requests, %v, want %v", got.Requests, got.USD, float64(nanos)/nano)
	}
	if got, err := s.Totals(t.Context(), Filter{Account: "nobody"}); err != nil || got.Requests != 0 {
		t.Errorf("nobody's: %+v, %v", got, err)
	}
}

// TestUsageIsBounded: whatever clients call themselves, the result has a
// bound, and still sums up to everything.
func TestUsageIsBounded(t *testing.T) {
	by := []string{"client", "day"}
	sums := make(map[string]*sum)
	const n = maxGroups + 500
	for range 2 {
		for i := range n {
			one := &sum{Group: map[string]string{"client": fmt.Sprint(i), "day": "d"}, Requests: 1, cost: 3}
			fold(sums, by, one)
		}
	}
	got := sorted(sums, by)
	var all, rest int64
	for _, g := range got {
		all += g.Requests
		if g.Group["client"] == Other {
			rest = g.Requests
		}
	}
	if len(got) != maxGroups+1 || all != 2*n || rest != 1000 {
		t.Errorf("%d groups of %d requests, %d of them in the rest", len(got), all, rest)
	}
}
