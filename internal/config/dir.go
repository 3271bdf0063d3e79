package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Names of the files that this package writes in the data folder.
const (
	fileName      = "portico.yaml"
	generatedName = "generated.yaml"
)

// Dir names the data folder: flag, else $PORTICO_HOME in env, else the user's
// configuration folder + /portico. The result is absolute. Nothing is made.
func Dir(flag string, env []string) (string, error) {
	dir := flag
	if dir == "" {
		dir, _ = lookup(env, "PORTICO_HOME")
	}
	if dir == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			return "", fmt.Errorf("there is no configuration folder (%w); set PORTICO_HOME or give --data-dir", err)
		}
		dir = filepath.Join(base, "portico")
	}
	return filepath.Abs(dir)
}

// MakeDir makes the data folder if it is not there, and refuses one that
// others could read. An empty folder of ours is closed to others instead of
// refused: nothing was in it that they could have seen.
func MakeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the data folder: %w", err)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) == 0 {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() && owned(dir, info) == nil {
			if err := os.Chmod(dir, 0o700); err != nil {
				return fmt.Errorf("cannot close the data folder to others: %w", err)
			}
		}
	}
	return CheckDir(dir)
}

// CheckDir refuses a data folder that is not a folder, is another user's, or
// can be entered by others; the error says what to do. A missing folder is
// fs.ErrNotExist.
func CheckDir(dir string) error { return checkDir(dir) }

// lookup finds the last setting of name in env, as the system does.
func lookup(env []string, name string) (string, bool) {
	for _, e := range slices.Backward(env) {
		if k, v, ok := strings.Cut(e, "="); ok && k == name {
			return v, true
		}
	}
	return "", false
}

// shellQuote makes s safe to paste behind a command.
func shellQuote(s string) string {
	if strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/._-+:@%", r)
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// writeFile replaces path in one step that a crash cannot halve: a new file
// beside it (0600), flushed, renamed over it, the folder flushed. A symbolic
// link stays one; the file it leads to is replaced.
func writeFile(path string, data []byte) (err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".portico-*.tmp") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a rename outlive a power cut where the file system can do
// that for folders; where it cannot, the rename itself stands all the same.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	d.Sync()
	return d.Close()
}
