package cli

import (
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/app"
	"portico/internal/config"
	"portico/internal/journal"
	"portico/internal/simulate"
)

func TestSimulate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lab.yaml")
	lab := "accounts:\n- {name: one, rpm: 120, price: 3}\n- {name: two, rpm: 60, revoked: true}\n"
	if err := os.WriteFile(file, []byte(lab), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"drawn", []string{"--length", "4s"}, exitOK, []string{"requests in ", "STRATEGY", "cache_first", "fixed", "an oracle would serve"}},
		{"a file", []string{"--file", file, "--strategy", "balance"}, exitOK, []string{"on 2 accounts", "balance"}},
		{"the file of the documentation", []string{"--file", documented(t), "--rate", "5", "--strategy", "balance"}, exitOK, []string{"on 9 accounts"}},
		{"no such strategy", []string{"--strategy", "best"}, exitUsage, []string{`no strategy "best"`}},
		{"no such file", []string{"--file", file + ".not"}, exitUsage, []string{"no such file"}},
		{"too many accounts", []string{"--accounts", "100000"}, exitUsage, []string{"--accounts"}},
		{"no share of no limit", []string{"--file", file, "--load", "0"}, exitUsage, []string{"--load"}},
	} {
		var out, errs strings.Builder
		code := Run(append([]string{"simulate"}, tt.args...), nil, strings.NewReader(""), &out, &errs)
		if code != tt.code {
			t.Errorf("%s: exit code %d, want %d: %s", tt.name, code, tt.code, errs.String())
		}
		for _, s := range tt.says {
			if !strings.Contains(out.String()+errs.String(), s) {
				t.Errorf("%s: %q is missing in\n%s%s", tt.name, s, out.String(), errs.String())
			}
		}
	}
}

// TestSimulateSame: the same seed gives the same, byte for byte, and as data.
func TestSimulateSame(t *testing.T) {
	play := func(seed string) string {
		var out, errs strings.Builder
		if code := Run([]string{"simulate", "--json", "--faults", "--accounts", "7", "--length", "4s", "--seed", seed}, nil, strings.NewReader(""), &out, &errs); code != exitOK {
			t.Fatal(code, errs.String())
		}
		return out.String()
	}
	one := play("7")
	if play("7") != one || play("8") == one {
		t.Error("the figures do not follow from the seed")
	}
	var rs []simulate.Result
	if err := json.Unmarshal([]byte(one), &rs, journal.JSON, json.RejectUnknownMembers(true)); err != nil || len(rs) != 8 || rs[0].Strategy != "cache_first" || rs[0].Served == 0 {
		t.Errorf("%v, %d results", err, len(rs))
	}
}

// documented is the file of accounts that the documentation shows.
func documented(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/simulate.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```text\n")
	text, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the documentation shows no file")
	}
	file := filepath.Join(t.TempDir(), "shown.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestSimulatePast: the ledger's past is played, on accounts of a file or on the
// gateway's own.
func TestSimulatePast(t *testing.T) {
	s := newShell(t, "simulator: true\naccounts:\n- {name: one, provider: openai, api_key: sk-CANARY-0123456789abcdef, limits: {rpm: 600}}\n- {name: two, provider: openai, api_key: sk-CANARY-0123456789abcdef, disabled: true}\n")
	_, errs := s.run(exitError, "", "simulate", "--past")
	has(t, "an empty ledger", errs, "no request to play")
	a, err := app.Open(config.Options{DataDir: s.dir}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	h := a.Handler()
	for i := range 7 {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/chat/completions", strings.NewReader(fmt.Sprintf(`{"model":"simulator","prompt_cache_key":"talk-%d","messages":[{"role":"user","content":"hello"}]}`, i%2)))
		r.Header.Set("Authorization", "Bearer "+a.Config().APIKey.Reveal())
		r.Host = fmt.Sprint("127.0.0.1:", a.Config().Port)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	out, _ := s.run(exitOK, "", "simulate", "--past", "--own", "--strategy", "balance")
	has(t, "the past on its own accounts", out, "7 requests in ", "on 1 accounts", "an oracle would serve 7")
	out, _ = s.run(exitOK, "", "simulate", "--past", "--accounts", "3", "--json", "--strategy", "cache_first")
	var rs []simulate.Result
	if err := json.Unmarshal([]byte(out), &rs, journal.JSON); err != nil || len(rs) != 1 || rs[0].Served != 7 || rs[0].Turns != 5 || rs[0].AtHome == 0 {
		t.Errorf("%v, %+v", err, rs)
	}
	_, errs = s.run(exitUsage, "", "simulate", "--own", "--file", "x")
	has(t, "two sets of accounts", errs, "--own and --file")
}
