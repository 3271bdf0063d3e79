package cli

import (
	"strings"
	"testing"
	"time"
)

func TestAccess(t *testing.T) {
	s := newShell(t, "")
	out, _ := s.run(exitOK, "", "access", "list")
	has(t, "an empty list", out, "portico access deny")
	out, _ = s.run(exitOK, "", "access", "deny", "203.0.113.7/24", "--reason", "scanner\x1b[31m", "--expires", "30d")
	has(t, "denying", out, "deny 203.0.113.0/24")
	s.run(exitOK, "", "access", "allow", "203.0.113.7")
	s.run(exitOK, "", "access", "allow", "2001:db8::1", "--json")
	_, errs := s.run(exitError, "", "access", "deny", "203.0.113.0/24")
	has(t, "a second rule for a range", errs, "remove it first")
	_, errs = s.run(exitError, "", "access", "deny", "everybody")
	has(t, "no address", errs, "no address and no range")
	_, errs = s.run(exitUsage, "", "access", "deny", "10.0.0.0/8", "--expires", "soon")
	has(t, "no moment", errs, "cannot be read")
	out, _ = s.run(exitOK, "", "access", "list")
	has(t, "the list", out, "deny", "203.0.113.0/24", "203.0.113.7/32", "2001:db8::1/128", "scanner", "active")
	if strings.Contains(out, "\x1b") {
		t.Error("the list has what a terminal obeys")
	}
	s.run(exitOK, "", "access", "remove", "203.0.113.7")
	s.run(exitOK, "", "access", "remove", "203.0.113.99/24", "--force")
	_, errs = s.run(exitUnknown, "", "access", "remove", "203.0.113.0/24")
	has(t, "a rule that is gone", errs, "hint: portico access list")
	out, _ = s.run(exitOK, "", "access", "log", "--since", "1h", "--code", "invalid_key", "--key", "ci", "--from", "10.0.0.1")
	has(t, "an empty log", out, "Nobody was refused")
	_, errs = s.run(exitUsage, "", "access", "log", "--since", "yesterday")
	has(t, "no moment", errs, "cannot be read")
	out, _ = s.run(exitOK, "", "access", "audit", "--what", "add-address-rule")
	has(t, "the audit log", out, "add-address-rule", "203.0.113.7/24", "2001:db8::1", "token")
	if strings.Contains(out, "remove-address-rule") {
		t.Errorf("another operation is listed:\n%s", out)
	}
}

func TestPastFlags(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for since, want := range map[string]string{"": "", "12h": "2026-11-25T00:00:00Z", "2026-01-31T08:00:00+02:00": "2026-01-31T06:00:00Z"} {
		q, err := (&pastFlags{Since: since, Limit: 5000}).query(now)
		if err != nil || q.Get("since") != want || q.Get("limit") != "1000" {
			t.Errorf("%q: %v, %v", since, q, err)
		}
	}
}

func TestReveal(t *testing.T) {
	s := newShell(t, "")
	s.run(exitOK, "", "account", "add", "far", "--provider", "openai", "--base-url", "http://127.0.0.1:1/v1", "--key", "env:SOME_KEY", "--proxy", "http://u:pass@127.0.0.1:1", "--no-test")
	out, _ := s.run(exitOK, "", "account", "reveal", "far")
	has(t, "an account's secrets", out, "api_key: sk-CANARY-0123456789abcdef\n", "proxy: http://u:pass@127.0.0.1:1\n")
	out, _ = s.run(exitOK, "", "account", "reveal", "far", "--json")
	has(t, "as JSON", out, `"api_key": "sk-CANARY-0123456789abcdef"`)
	_, errs := s.run(exitUnknown, "", "account", "reveal", "nobody")
	has(t, "an account that is not there", errs, "hint: portico account list")
	out, _ = s.run(exitOK, "", "access", "audit", "--what", "reveal-account")
	has(t, "the audit log", out, "far")
}
