//go:build unix

package store

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestModes: no file is open to others, whatever the umask, and one that was
// is closed to them.
func TestModes(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := t.TempDir()
	check := func() {
		t.Helper()
		paths, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(paths) < 7 { // two databases with -wal and -shm, key, copy
			t.Errorf("only %v", paths)
		}
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode() != 0o600 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
		}
	}
	s := open(t, dir)
	if _, err := s.AddAccount(t.Context(), account("a")); err != nil {
		t.Fatal(err)
	}
	keepAll(t, s, some(10)...)
	s.accounts.copies.Wait()
	check()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{ledgerFile, accountsFile} {
		if err := os.Chmod(filepath.Join(dir, name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, dir)
	if _, err := s.AddAccount(t.Context(), account("b")); err != nil {
		t.Fatal(err)
	}
	keepAll(t, s, some(20)...)
	s.accounts.copies.Wait()
	check()
}
