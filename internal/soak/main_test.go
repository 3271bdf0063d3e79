package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/internal/rig"
)

// TestBrief does a little of everything, so that the soak itself is known to
// work and what it checks breaks no test unseen.
func TestBrief(t *testing.T) {
	binary, err := rig.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	s := &soak{ctx: t.Context(), binary: binary, dir: t.TempDir(), size: brief, out: &out, report: report{slack: brief.slack}, scene: "../../docs/strategies.yaml"}
	if err := s.all(""); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestFails: a soak that finds nothing where there is something would be worse
// than none. A gateway that ends at once fails every check, and says why.
func TestFails(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir) // what fails leaves its data for a look
	binary := filepath.Join(dir, "gateway")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\necho nothing works\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"-gateway", binary, "-only", "folder,stop", "-brief"}, &out, &errs); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(out.String(), "FAILS") || !strings.Contains(out.String(), "nothing works") || !strings.Contains(errs.String(), "2 of 2") {
		t.Errorf("%s%s", out.String(), errs.String())
	}
	if code := run(context.Background(), []string{"-gateway", binary, "-only", "nonsense"}, &out, &errs); code != 1 {
		t.Errorf("an unknown check: exit code %d", code)
	}
}

// TestCompare: the book finds every way in which a ledger can be wrong.
func TestCompare(t *testing.T) {
	ask := rig.Ask{Protocol: rig.Chat, Model: "m", Agent: "soak-1", Script: rig.Script{N: 1, In: 2, Out: 3, Chunks: 1}}
	answer := &rig.Answer{ID: "req_1", Status: 200, Whole: true, Bytes: 10, Text: ask.Script.Text(), Usage: rig.Script{In: 2, Out: 3}}
	row := rig.Row{ID: "req_1", Client: "soak-1", Op: "chat", Inbound: rig.Chat, Outbound: rig.Chat, Asked: "m", Account: "a", Status: 200, Stop: "stop", Took: 1, BytesOut: 10}
	row.Usage.Input, row.Usage.Output = 2, 3
	row.Attempts = append(row.Attempts, rig.Attempt{Step: "served"})
	change := func(f func(*rig.Row)) []rig.Row {
		r := row
		f(&r)
		return []rig.Row{r}
	}
	for name, tt := range map[string]struct {
		rows                    []rig.Row
		missing, doubled, wrong int
	}{
		"right":         {[]rig.Row{row}, 0, 0, 0},
		"missing":       {nil, 1, 0, 1},
		"twice":         {[]rig.Row{row, row}, 0, 2, 0},
		"under two ids": {append(change(func(r *rig.Row) { r.ID = "req_2" }), row), 0, 1, 0},
		"usage":         {change(func(r *rig.Row) { r.Usage.Output = 4 }), 0, 0, 1},
		"status":        {change(func(r *rig.Row) { r.Status = 500 }), 0, 0, 1},
		"partial":       {change(func(r *rig.Row) { r.Partial = true }), 0, 0, 1},
		"bytes":         {change(func(r *rig.Row) { r.BytesOut = 9 }), 0, 0, 1},
		"of nobody":     {append(change(func(r *rig.Row) { r.ID, r.Client = "req_2", "x" }), row), 0, 0, 1},
	} {
		b := newBook()
		b.begin()
		b.send(ask.Agent)
		b.got(ask, answer)
		b.compare(tt.rows)
		if b.missing != tt.missing || b.doubled != tt.doubled || len(b.faults) != tt.wrong {
			t.Errorf("%s: %d missing, %d doubled, %q", name, b.missing, b.doubled, b.faults)
		}
	}
}

func TestTimes(t *testing.T) {
	var ts times
	for i := range 100 {
		ts = append(ts, time.Duration(i+1))
	}
	for q, want := range map[float64]time.Duration{.5: 50, .99: 99, 1: 100} {
		if got := ts.at(q); got != want {
			t.Errorf("at(%v) = %d, want %d", q, got, want)
		}
	}
	if times(nil).at(1) != 0 {
		t.Error("the longest of none")
	}
}
