package app

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/config"
	"portico/internal/store"
)

// TestConfigurationFile: it is written for the text that was read, whole or not
// at all, and is in force afterwards.
func TestConfigurationFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	a, err := Open(config.Options{DataDir: dir}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	f := file{a}
	text, tag, err := f.Read()
	if err != nil || !strings.Contains(text, "admin_token: at-") {
		t.Fatalf("%q, %v", text, err)
	}
	if _, err := f.Write(t.Context(), text+"# mine\nlimits: {attempts: 7}\n", tag); err != nil {
		t.Fatal(err)
	}
	if got := a.Config().Limits.Attempts; got != 7 {
		t.Errorf("in force are %d attempts", got)
	}
	if _, err := f.Write(t.Context(), text, tag); !errors.Is(err, store.ErrVersion) {
		t.Errorf("for a text that is no more: %v", err)
	}
	now, tag, err := f.Read()
	if err != nil || !strings.HasSuffix(now, "# mine\nlimits: {attempts: 7}\n") {
		t.Fatalf("%q, %v", now, err)
	}
	for _, bad := range []string{"limits: {attempts: none}\n", "allow_lan_access: true\n", "{", strings.Repeat("#", 2<<20)} {
		if _, err := f.Write(t.Context(), bad, tag); err == nil {
			t.Errorf("%.40q was taken", bad)
		}
	}
	if same, again, err := f.Read(); same != now || again != tag || err != nil || a.Config().Limits.Attempts != 7 {
		t.Errorf("after what was refused it is %q, %v", same, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".portico-*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "portico.yaml")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
