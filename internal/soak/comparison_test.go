package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestComparison: what lies within what chance does agrees, and what does not
// is told.
func TestComparison(t *testing.T) {
	made := func(served int, home float64, first int) *play {
		p := &play{Offered: 1000, Served: served, Locality: home, CostUSD: 1, TookP50: int64(time.Second)}
		for i, name := range []string{"one", "two"} {
			n := first
			if i == 1 {
				n = served - first
			}
			p.Accounts = append(p.Accounts, struct {
				Name   string `json:"name"`
				Served int    `json:"served"`
			}{name, n})
		}
		return p
	}
	virtual := []*play{made(1000, .50, 480), made(1000, .52, 500), made(1000, .48, 520)}
	for _, tt := range []struct {
		name string
		live *play
		says string // "": it agrees
	}{
		{"the mean", made(1000, .50, 500), ""},
		{"as far as chance goes", made(1000, .58, 560), ""},
		{"fewer served", made(900, .50, 450), "served 90.0 %, simulated 100.0 % ± 0.0 %"},
		{"another home", made(1000, .70, 500), "at home 70 %"},
		{"another account", made(1000, .50, 800), "share of two 20.0 %, simulated 50.0 ± 2.0 %"},
	} {
		c := newComparison([]part{{Name: "one"}, {Name: "two"}})
		got := c.add("balance", virtual, tt.live)
		if (got == "") != (tt.says == "") || !strings.Contains(got, tt.says) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.says)
		}
		if text := c.text(time.Second); strings.Contains(text, " not |") != (tt.says != "") {
			t.Errorf("%s: the tables say\n%s", tt.name, text)
		}
	}
}

func TestWriteBetween(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	const old = "head\n<!-- begin measured: x -->\nold\n<!-- end measured: x -->\ntail\n"
	if err := os.WriteFile(page, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeBetween(page, "x", "new\n"); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(page); string(got) != strings.Replace(old, "old", "new", 1) {
		t.Errorf("the page is\n%s", got)
	}
	if err := writeBetween(page, "y", ""); err == nil {
		t.Error("a page without marks was written")
	}
}
