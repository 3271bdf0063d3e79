package cli

import (
	"bytes"
	"encoding/json/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"portico/internal/admin"
)

// A shell runs commands on one data folder.
type shell struct {
	t   *testing.T
	dir string
	env []string
}

func newShell(t *testing.T, file string) *shell {
	t.Helper()
	s := &shell{t: t, dir: filepath.Join(t.TempDir(), "data")}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if file != "" {
		if err := os.WriteFile(filepath.Join(s.dir, "portico.yaml"), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.env = []string{"PORTICO_HOME=" + s.dir, "SOME_KEY=sk-CANARY-0123456789abcdef"}
	return s
}

// run runs a command and fails the test unless it ends with code.
func (s *shell) run(code int, in string, args ...string) (out, errs string) {
	s.t.Helper()
	var o, e bytes.Buffer
	if got := Run(args, s.env, strings.NewReader(in), &o, &e); got != code {
		s.t.Fatalf("%v: exit code %d, want %d\n%s%s", args, got, code, o.String(), e.String())
	}
	return o.String(), e.String()
}

func has(t *testing.T, what, text string, wants ...string) {
	t.Helper()
	for _, w := range wants {
		if !strings.Contains(text, w) {
			t.Errorf("%s lacks %q:\n%s", what, w, text)
		}
	}
}

func TestUsage(t *testing.T) {
	s := newShell(t, "")
	out, _ := s.run(exitOK, "")
	has(t, "the help", out, "serve", "account", "explain", "Exit codes")
	_, errs := s.run(exitUsage, "", "acount")
	has(t, "a wrong command", errs, "acount", "hint: portico --help")
	_, errs = s.run(exitUsage, "", "account", "add")
	has(t, "a missing argument", errs, "--provider", "hint: portico account add")
	out, _ = s.run(exitOK, "", "account", "add", "--help")
	has(t, "the help of a command", out, "Examples:", "--key-file")
	out, _ = s.run(exitOK, "", "serve", "--help")
	has(t, "the help of serve", out, "--auth-mode", "--simulator", "--port")
	out, _ = s.run(exitOK, "", "version", "--json")
	has(t, "the version", out, `"version"`)
}

func TestAccounts(t *testing.T) {
	s := newShell(t, "")
	out, _ := s.run(exitOK, "", "account", "list")
	has(t, "an empty list", out, "portico account add")
	out, errs := s.run(exitOK, "", "account", "add", "sim", "--provider", "simulator")
	has(t, "adding", errs, "added sim")
	has(t, "its test", out, "model")
	_, errs = s.run(exitError, "", "account", "add", "sim", "--provider", "simulator")
	has(t, "adding it twice", errs, "taken")
	_, errs = s.run(exitUsage, "", "account", "add", "x", "--provider", "openai")
	has(t, "no key", errs, "no key was given")
	_, errs = s.run(exitError, "", "account", "add", "x", "--provider", "nothing", "--no-key")
	has(t, "a wrong provider", errs, "nothing")
	// Nothing listens there: its test says so, and it is not kept unless that is wanted.
	far := []string{"account", "add", "far", "--provider", "openai", "--base-url", "http://127.0.0.1:1/v1", "--key", "env:SOME_KEY"}
	_, errs = s.run(exitError, "", far...)
	has(t, "an account that does not answer", errs, "could not be reached", "Nothing was stored", "--no-test")
	if out, _ := s.run(exitOK, "", "account", "list"); strings.Contains(out, "far") {
		t.Error("an account that does not answer was kept:", out)
	}
	out, more := s.run(exitOK, "", append(far, "--no-test")...)
	has(t, "an account that is not tested", out+more, "added far", "not tested")
	_, stray := s.run(exitUsage, "", "account", "add", "x", "--provider", "openai", "--key", "sk-CANARY-0123456789abcdef")
	_, both := s.run(exitUsage, "", "account", "add", "x", "--provider", "openai", "--key-file", "a", "--no-key")
	has(t, "two credentials", both, "can't be used together")
	if errs += more + stray; strings.Contains(errs, "CANARY") {
		t.Error("the key is shown:", errs)
	}
	out, _ = s.run(exitOK, "", "account", "disable", "far")
	has(t, "disabling", out, "disabled far")
	out, _ = s.run(exitOK, "", "account", "list", "--json")
	var list []struct{ Name, State, Key, Origin string }
	if err := json.Unmarshal([]byte(out), &list, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err, out)
	}
	if len(list) != 2 || list[1].Name != "far" || list[1].State != "off" || list[1].Origin != "store" || strings.Contains(list[1].Key, "CANARY") {
		t.Errorf("the list is %+v", list)
	}
	out, _ = s.run(exitOK, "", "account", "enable", "far")
	has(t, "enabling", out, "enabled far")
	s.run(exitOK, "", "account", "remove", "far")
	_, errs = s.run(exitUnknown, "", "account", "test", "far")
	has(t, "testing what is gone", errs, "hint: portico account list")
}

// Several accounts are changed at a time, put into an order, and written into a
// file that can be taken.
func TestSeveral(t *testing.T) {
	s := newShell(t, "")
	for _, name := range []string{"a", "b", "c"} {
		s.run(exitOK, "", "account", "add", name, "-p", "ollama", "--no-key", "--no-test", "--tag", "x,of-"+name, "--label", "Nr. "+name)
	}
	out, _ := s.run(exitOK, "", "account", "set", "--tagged", "x", "--match", "nr. b", "--priority", "4", "--untag", "x", "--tag", "y")
	has(t, "what was changed", out, "changed b\n")
	out, _ = s.run(exitOK, "", "account", "disable", "a", "c")
	if out != "disabled a\ndisabled c\n" {
		t.Errorf("disabling says %q", out)
	}
	_, errs := s.run(exitUsage, "", "account", "enable")
	has(t, "no selection", errs, "no accounts are named")
	_, errs = s.run(exitUsage, "", "account", "set", "a")
	has(t, "no change", errs, "nothing to change")
	_, errs = s.run(exitUnknown, "", "account", "remove", "--tagged", "nobody")
	has(t, "nobody", errs, "no such accounts")
	_, errs = s.run(exitError, "", "account", "heal", "a")
	has(t, "healing without a gateway", errs, "no gateway runs")
	s.run(exitOK, "", "account", "order", "c", "b")
	file := filepath.Join(t.TempDir(), "accounts.json")
	_, errs = s.run(exitOK, "", "account", "export", "--all", "-o", file)
	has(t, "the export", errs, "wrote 3 accounts")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
	s.run(exitError, "", "account", "export", "--all", "-o", file) // nothing is written over
	out, _ = s.run(exitOK, "", "account", "remove", "--all")
	if out != "removed c\nremoved b\nremoved a\n" {
		t.Errorf("removing says %q", out)
	}
	s.run(exitOK, "", "account", "import", file, "--no-test")
	out, _ = s.run(exitOK, "", "account", "list", "--json")
	var list []struct {
		Name, Label, State string
		Tags               []string
		Priority           int
	}
	if err := json.Unmarshal([]byte(out), &list, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err, out)
	}
	if len(list) != 3 || list[0].Name != "c" || list[0].State != "off" || list[1].Name != "b" || list[1].Priority != 4 || list[1].Label != "Nr. b" || strings.Join(list[1].Tags, " ") != "of-b y" {
		t.Errorf("at the end: %+v", list)
	}
}

func TestClientKeys(t *testing.T) {
	s := newShell(t, "")
	out, _ := s.run(exitOK, "", "key", "list")
	has(t, "an empty list", out, "portico key add")
	key, errs := s.run(exitOK, "", "key", "add", "ci", "--models", "gpt-*,claude-*", "--day-usd", "1.5", "--day-tokens", "1000", "--hours", "mon-fri 08:00-18:00;sat", "--expires", "2099-12-31", "--rpm", "60", "--note", "for the build")
	has(t, "adding", errs, "added ci", "shown this once")
	if !regexp.MustCompile(`^sk-[0-9a-z]{38}\n$`).MatchString(key) {
		t.Errorf("the key is %q", key)
	}
	out, _ = s.run(exitOK, "", "key", "show", "ci")
	has(t, "the key's limits", out, "gpt-*, claude-*", "mon-fri 08:00-18:00; sat", "0/1000 tokens, $0/$1.5", "60 a minute", "2100-01-01", "for the build")
	if strings.Contains(out, strings.TrimSpace(key)) {
		t.Error("the key is shown again")
	}
	out, _ = s.run(exitOK, "", "key", "limit", "ci", "--models", "", "--rpm", "0", "--expires", "never", "--strict", "--day-usd", "0", "--zone", "Asia/Tokyo")
	has(t, "changing", out, "Asia/Tokyo", "refuses losses", "0/1000 tokens, $0\n")
	if strings.Contains(out, "gpt-*") || strings.Contains(out, "a minute") || strings.Contains(out, "expires") {
		t.Errorf("what was taken away is still there:\n%s", out)
	}
	out, _ = s.run(exitOK, "", "key", "list")
	has(t, "the list", out, "ci", "active", "for the build")
	s.run(exitOK, "", "key", "disable", "ci")
	out, _ = s.run(exitOK, "", "key", "list", "--json")
	has(t, "the list", out, `"state": "disabled"`)
	s.run(exitOK, "", "key", "enable", "ci")
	again, errs := s.run(exitOK, "", "key", "rotate", "ci")
	has(t, "renewing", errs, "ci was renewed")
	if again == key || len(again) != len(key) {
		t.Errorf("the new key is %q", again)
	}
	_, errs = s.run(exitError, "", "key", "add", "ci")
	has(t, "the name twice", errs, "name")
	_, errs = s.run(exitError, "", "key", "add", "x", "--addresses", "10.0.0.0/40")
	has(t, "a wrong range", errs, "10.0.0.0/40")
	_, errs = s.run(exitUsage, "", "key", "limit", "ci", "--expires", "soon")
	has(t, "a wrong moment", errs, "soon", "30d")
	out, _ = s.run(exitOK, "", "key", "revoke", "ci")
	has(t, "revoking", out, "revoked ci")
	_, errs = s.run(exitUnknown, "", "key", "show", "ci")
	has(t, "what is gone", errs, "hint: portico key list")
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	for s, want := range map[string]string{
		"never": "never", "": "never", "2027-01-31": "2027-02-01T00:00:00Z", "30d": "2026-12-25T10:00:00Z", "1d12h": "2026-11-26T22:00:00Z",
		"90m": "2026-11-25T11:30:00Z", "2027-01-31T18:00:00+01:00": "2027-01-31T18:00:00+01:00",
	} {
		if got, err := moment(s, now); got != want || err != nil {
			t.Errorf("%q: %q, %v, want %q", s, got, err, want)
		}
	}
	for _, s := range []string{"soon", "d", "-1d", "1d-2h", "30"} {
		if got, err := moment(s, now); err == nil {
			t.Errorf("%q: %q", s, got)
		}
	}
}

func TestKeys(t *testing.T) {
	s := newShell(t, "api_key: sk-0123456789abcdefghijklmnopqrstuvwxyz\nadmin_token: pt-0123456789abcdefghijklmnopqrstuvwxyz\n")
	out, _ := s.run(exitOK, "", "key", "show")
	if out != "sk-0123456789abcdefghijklmnopqrstuvwxyz\n" {
		t.Errorf("the key is %q", out)
	}
	out, errs := s.run(exitOK, "", "key", "rotate")
	has(t, "what was done", errs, "portico.yaml")
	again, _ := s.run(exitOK, "", "key", "show")
	if out == "" || out != again || strings.Contains(out, "0123456789abcdefghij") {
		t.Errorf("the new key is %q, then %q", out, again)
	}
	s = newShell(t, "")
	_, errs = s.run(exitUnknown, "", "key", "show", "--admin")
	has(t, "no key yet", errs, "portico serve")
}

func TestConfig(t *testing.T) {
	s := newShell(t, "port: 9000\napi_key: sk-0123456789abcdefghijklmnopqrstuvwxyz\n")
	out, _ := s.run(exitOK, "", "config", "check")
	has(t, "a sound file", out, "sound", "portico.yaml")
	out, _ = s.run(exitOK, "", "config", "show")
	has(t, "the configuration", out, "port: 9000", "portico.yaml:1")
	if strings.Contains(out, "0123456789abcdef") {
		t.Error("the key is shown")
	}
	s = newShell(t, "prot: 9000\nauth_mode: perhaps\n")
	for _, args := range [][]string{{"config", "check"}, {"serve"}, {"account", "list"}} {
		_, errs := s.run(exitConfig, "", args...)
		has(t, "a wrong file", errs, "portico.yaml:1", "prot", "portico.yaml:2", "auth_mode")
	}
}

func TestWithoutServer(t *testing.T) {
	s := newShell(t, "")
	out, errs := s.run(exitError, "", "status")
	has(t, "the status", out, "Accounts: none.")
	has(t, "the hint", errs, "hint: portico serve")
	out, _ = s.run(exitOK, "", "logs")
	if out != "" {
		t.Errorf("the empty ledger lists %q", out)
	}
	_, errs = s.run(exitUnknown, "", "explain", "req_00000000000000000000000000")
	has(t, "an unknown request", errs, "hint: portico logs")
	out, _ = s.run(exitError, "", "doctor")
	has(t, "the doctor", out, "no account", "to mend it: ")
	_, errs = s.run(exitError, "", "logs", "--follow")
	has(t, "nothing to follow", errs, "portico serve")
}

func TestScripts(t *testing.T) {
	s := newShell(t, "")
	for shell, want := range map[string]string{"bash": "complete -o default -F _portico portico", "zsh": "#compdef portico", "fish": "complete -c portico"} {
		out, _ := s.run(exitOK, "", "completion", shell)
		has(t, shell, out, want, "rotate", "key-file")
	}
	out, _ := s.run(exitOK, "", "man")
	has(t, "the page", out, ".TH PORTICO 1", "account add", "PORTICO_AUTH_MODE")
	if m := regexp.MustCompile(`(?m)^'.*$`).FindString(out); m != "" {
		t.Errorf("a line would be taken for a request: %s", m)
	}
}

func TestCondition(t *testing.T) {
	soon, late := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2026, 1, 2, 3, 9, 5, 0, time.UTC)
	waits := func(model string, until time.Time) admin.Trouble {
		return admin.Trouble{Model: model, State: "cooling", Why: "rate_limited", Until: until}
	}
	for _, tt := range []struct {
		a     admin.Account
		want  string
		again time.Time
	}{
		{admin.Account{State: "ready"}, "ready", time.Time{}},
		{admin.Account{State: "cooling", Why: "quota_spent", Until: late, Trouble: []admin.Trouble{waits("m", soon)}}, "cooling (quota_spent)", late},
		{admin.Account{State: "ready", Trouble: []admin.Trouble{waits("m", soon)}}, "ready; m: cooling (rate_limited)", soon},
		{admin.Account{State: "ready", Trouble: []admin.Trouble{{Model: "l", State: "trial"}, waits("m", late), waits("n", soon)}}, "ready; m: cooling (rate_limited) and 1 more", soon},
	} {
		if got, again := condition(&tt.a); got != tt.want || again != tt.again {
			t.Errorf("%+v: %q, %s; want %q, %s", tt.a, got, again, tt.want, tt.again)
		}
	}
}
