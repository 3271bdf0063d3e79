package app

import (
	"testing"
	"time"

	"portico/internal/budget"
	"portico/internal/clientkey"
	"portico/internal/config"
	"portico/internal/journal"
	"portico/internal/llm"
)

// TestRetentionKeepsBudgets: what a key has spent of its day and month holds over
// a restart, though the ledger has forgotten the requests.
func TestRetentionKeepsBudgets(t *testing.T) {
	dir := folder(t, "port: 1\n")
	open := func() *App {
		t.Helper()
		a, err := Open(config.Options{DataDir: dir}, &logs{})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := open()
	if _, err := (clientKeys{a}).Add(t.Context(), "ci", clientkey.Settings{Day: clientkey.Budget{Tokens: 1000}}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if err := a.store.Keep([]*journal.Exchange{{ID: "req_1", Start: now, Key: "ci", Usage: llm.Usage{Input: 600, Output: 50}, Status: 200}}); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"with the request", "without it"} {
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		a = open()
		got := a.gate.Keys.Grants()["ci"].Meter().Usage(now)
		if want := (budget.Amount{Tokens: 650}); got.Day != want || got.Month != want {
			t.Errorf("%s: %+v of the day, %+v of the month", when, got.Day, got.Month)
		}
		if n, err := a.store.Prune(t.Context(), config.Retention{Bytes: 1}, now); err != nil || when == "with the request" && n != 1 {
			t.Errorf("%s: %d requests were removed, %v", when, n, err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}
