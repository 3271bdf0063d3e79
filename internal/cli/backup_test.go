package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBackup: what was backed up in one folder is there in another after a
// restore, and a dry run changes nothing.
func TestBackup(t *testing.T) {
	one, two := newShell(t, ""), newShell(t, "")
	one.run(exitOK, "", "account", "add", "far", "--provider", "openai", "--base-url", "http://127.0.0.1:1/v1", "--key", "env:SOME_KEY", "--no-test")
	key, _ := one.run(exitOK, "", "key", "add", "ci", "--rpm", "60")
	one.run(exitOK, "", "access", "deny", "203.0.113.0/24", "--reason", "scanner")
	file := filepath.Join(t.TempDir(), "portico.age")
	const phrase = "correct horse battery\n"
	_, errs := one.run(exitError, "short\n", "backup", "create", file)
	has(t, "a short passphrase", errs, "at least 12 letters")
	one.run(exitOK, phrase, "backup", "create", file, "--ledger")
	_, errs = one.run(exitError, phrase, "backup", "create", file)
	has(t, "a file that is there", errs, "--force")
	b, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(b), "CANARY") || strings.Contains(string(b), strings.TrimSpace(key)) {
		t.Errorf("the backup shows a secret, or cannot be read: %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}

	_, errs = two.run(exitError, "wrong horse battery\n", "backup", "restore", file)
	has(t, "a wrong passphrase", errs, "passphrase is wrong")
	_, errs = two.run(exitError, phrase, "backup", "restore", file, "--only", "everything")
	has(t, "a part that is not there", errs, "accounts, keys, rules, proxies, config, ledger")
	out, _ := two.run(exitOK, phrase, "backup", "restore", file, "--dry-run")
	has(t, "the preview", out, "add      account  far", "add      key      ci", "add      rule     203.0.113.0/24", "replace  config", "nothing was changed")
	if out, _ := two.run(exitOK, "", "account", "list"); strings.Contains(out, "far") {
		t.Error("the dry run has restored")
	}
	two.run(exitOK, phrase, "backup", "restore", file, "--only", "accounts,keys,rules,ledger")
	out, _ = two.run(exitOK, "", "account", "reveal", "far")
	has(t, "the credential", out, "sk-CANARY-0123456789abcdef")
	out, _ = two.run(exitOK, "", "key", "show", "ci")
	has(t, "the key", out, "60 a minute")
	out, _ = two.run(exitOK, "", "access", "list")
	has(t, "the rule", out, "203.0.113.0/24", "scanner")

	two.run(exitOK, "", "key", "limit", "ci", "--rpm", "1")
	out, _ = two.run(exitOK, phrase, "backup", "restore", file, "--keep", "--only", "accounts,keys")
	has(t, "what is kept", out, "same  account  far", "keep  key      ci")
	out, _ = two.run(exitOK, phrase, "backup", "restore", file)
	has(t, "what is replaced", out, "replace  key      ci", "replace  config")
	admin, _ := one.run(exitOK, "", "key", "show", "--admin")
	if now, _ := two.run(exitOK, "", "key", "show", "--admin"); now != admin {
		t.Error("the configuration was not restored")
	}
	out, _ = two.run(exitOK, "", "backup", "list")
	has(t, "the snapshots", out, "restore", ".db")
	name := strings.Fields(strings.Split(out, "\n")[1])[0]
	out, _ = two.run(exitOK, "", "backup", "restore", name, "--only", "keys")
	has(t, "a snapshot", out, "replace  key   ci", "restored")
	out, _ = two.run(exitOK, "", "key", "show", "ci")
	has(t, "the key of the snapshot", out, "1 a minute")
	entries, err := filepath.Glob(filepath.Join(two.dir, ".*"))
	if err != nil || len(entries) > 0 {
		t.Errorf("left over: %v, %v", entries, err)
	}
	out, _ = two.run(exitOK, "", "access", "audit", "--what", "restore")
	has(t, "the audit log", out, "restore")
}
