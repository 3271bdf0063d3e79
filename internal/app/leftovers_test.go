package app

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestClearAway(t *testing.T) {
	dir := t.TempDir()
	halves := []string{".server-1.tmp", ".portico-2.tmp", ".key-3.tmp", ".models.json-4", "accounts.db.copy.tmp", "accounts.db.copy.tmp-journal"}
	whole := []string{"accounts.db", "accounts.db.copy", "models.json", "portico.yaml", "secret.key", "server.json"}
	for _, name := range slices.Concat(halves, whole) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := clearAway(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, whole) {
		t.Errorf("left: %q", got)
	}
}
