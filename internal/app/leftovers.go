package app

import (
	"errors"
	"os"
	"path/filepath"
)

// halves are the names of files that stand in for another until they are
// whole. Those that are there when the folder has just been taken were left by
// a process that was killed, and some of them hold what is secret.
var halves = []string{".server-*.tmp", ".portico-*.tmp", ".key-*.tmp", ".models.json-*", ".pool.json-*", "*.copy.tmp", "*.copy.tmp-journal", ".backup-*.tmp", restoring, ".backup-*.tmp-journal"}

// restoring is what a restore works with: files, and folders with a copy of a
// snapshot.
const restoring = ".restore-*.tmp*"

// clearAway removes them from the data folder dir.
func clearAway(dir string) error {
	entries, err := os.ReadDir(dir)
	errs := []error{err}
	for _, e := range entries {
		for _, pattern := range halves {
			if ok, _ := filepath.Match(pattern, e.Name()); ok && (e.Type().IsRegular() || e.IsDir() && pattern == restoring) {
				errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
				break
			}
		}
	}
	return errors.Join(errs...)
}
