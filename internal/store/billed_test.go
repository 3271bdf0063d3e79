package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/journal"
	"portico/internal/llm"
)

// TestBilled: what the loser of a hedge used, and each of several candidates, is
// summed up at the account and the model that billed it. The sum of all stays what
// the requests used, however often one was recorded.
func TestBilled(t *testing.T) {
	s := open(t, t.TempDir())
	day := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	use := func(in, out int64) llm.Usage { return llm.Usage{Input: in, Output: out} }
	exchange := func(id, account string, u llm.Usage, as ...journal.Attempt) *journal.Exchange {
		return &journal.Exchange{ID: id, Start: day, Account: account, Served: "m", Asked: "m", Key: "k", Op: "chat", Inbound: "openai-chat", Status: 200, Usage: u, Attempts: as}
	}
	hedged := exchange("req_1", "a", use(250, 20),
		journal.Attempt{Account: "a", Model: "m", Step: "served"},
		journal.Attempt{Account: "b", Model: "m", Step: "outrun", Why: "hedge", Usage: use(100, 5)})
	open := *hedged
	open.Open, open.Usage, open.Attempts = true, use(150, 3), open.Attempts[:1]
	keepAll(t, s, &open)
	keepAll(t, s, hedged,
		exchange("req_2", "a", use(30, 9),
			journal.Attempt{Account: "a", Model: "m", Leg: 1, Usage: use(10, 3)},
			journal.Attempt{Account: "c", Model: "m", Leg: 2, Status: 429, Fault: "rate_limited"},
			journal.Attempt{Account: "b", Model: "m", Leg: 2, Usage: use(10, 3)},
			journal.Attempt{Account: "c", Model: "free-m", Leg: 3, Usage: use(10, 3)}),
		exchange("req_3", "b", use(7, 1)),
	)
	type row struct{ requests, input, output int64 }
	for _, tt := range []struct {
		name string
		q    UsageQuery
		want map[string]row
	}{
		{"all", UsageQuery{}, map[string]row{"": {3, 287, 30}}},
		{"by account", UsageQuery{By: []string{"account"}}, map[string]row{"a": {2, 160, 18}, "b": {1, 117, 9}, "c": {0, 10, 3}}},
		{"by model", UsageQuery{By: []string{"model"}}, map[string]row{"m": {3, 277, 27}, "free-m": {0, 10, 3}}},
		{"by minute and account", UsageQuery{By: []string{"minute", "account"}}, map[string]row{"a": {2, 160, 18}, "b": {1, 117, 9}, "c": {0, 10, 3}}},
		{"by day and account", UsageQuery{By: []string{"day", "account"}, Since: day.Add(-time.Hour)}, map[string]row{"a": {2, 160, 18}, "b": {1, 117, 9}, "c": {0, 10, 3}}},
		{"of one account", UsageQuery{Account: "b"}, map[string]row{"": {1, 117, 9}}},
		{"of one that only lost", UsageQuery{Account: "c"}, map[string]row{"": {0, 10, 3}}},
		{"by key", UsageQuery{By: []string{"key"}}, map[string]row{"": {3, 287, 30}}},
		{"of another time", UsageQuery{By: []string{"account"}, Since: day.Add(time.Hour)}, map[string]row{}},
	} {
		sums, err := s.Usage(t.Context(), tt.q)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]row{}
		for _, x := range sums {
			got[x.Group["account"]+x.Group["model"]] = row{x.Requests, x.Input, x.Output}
		}
		if d := cmp.Diff(tt.want, got, cmp.AllowUnexported(row{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
	// Money goes with it, to the billionth.
	by := func(q UsageQuery) (usd float64) {
		sums, err := s.Usage(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range sums {
			usd += x.USD
		}
		return usd
	}
	if all, parts := by(UsageQuery{}), by(UsageQuery{By: []string{"account"}}); all == 0 || nanosOf(all) != nanosOf(parts) {
		t.Errorf("all cost $%v, by account $%v", all, parts)
	}
	if b := by(UsageQuery{Account: "b"}); nanosOf(b) != nanosOf((105+8)*0.000_003) {
		t.Errorf("b cost $%v", b) // req_2 has no price, since one of its models has none
	}
}
