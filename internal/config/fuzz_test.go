package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever stands in the file, loading ends with a sound configuration or
// with problems of one line each, and what is shown can be read again.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{
		"", "port: 1\n", "accounts:\n- {name: a, provider: b, models: ['*'], limits: {rpm: 1}}\n", "a: &b [*b]\n", "? x\n: y\n",
		"routes: [{match: /a/, to: [b]}]\nallow_lan_access: true\n", "api_key: |\n  x\n", "<<: {a: 1}\n", "timeouts: {idle: 9223372036854775807s}\n", "{\n", "- - -\n", "limits: {body: 1e400}\n",
	} {
		f.Add([]byte(s))
	}
	dir := filepath.Join(f.TempDir(), "data")
	os.Mkdir(dir, 0o700)
	file := filepath.Join(dir, "portico.yaml")
	f.Fuzz(func(t *testing.T, src []byte) {
		if err := os.WriteFile(file, src, 0o600); err != nil {
			t.Fatal(err)
		}
		c, warnings, err := Load(Options{DataDir: dir})
		for _, w := range warnings {
			oneLine(t, w.String())
		}
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			if !ok || len(e.Problems) == 0 || len(e.Problems) > maxProblems {
				t.Fatalf("%T %v", err, err)
			}
			for _, p := range e.Problems {
				oneLine(t, p.String())
			}
			return
		}
		if c.Port < 1 || c.Port > 65535 || c.AllowLAN && c.Resolve() == AuthOff || len(c.Accounts) > 1000 {
			t.Fatalf("an unsound configuration was taken: %+v", c)
		}
		var b strings.Builder
		if err := c.Masked(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := parse([]byte(b.String())); err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
	})
}

func oneLine(t *testing.T, s string) {
	if strings.ContainsAny(s, "\n\r\x1b") || len(s) > 4096 {
		t.Fatalf("a message is not one short line: %q", s)
	}
}

func FuzzScalars(f *testing.F) {
	for _, s := range []string{"100MiB", "1.5GB", "90d", "1w2d3h", "-1s", "", "0", "9223372036854775807", "1e30TiB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := parseSize(s); err == nil {
			if back, err := parseSize(formatSize(n)); err != nil || back != n || n < 0 {
				t.Errorf("%q is %d, shown as %s, read as %d", s, n, formatSize(n), back)
			}
		}
		if d, err := parseDuration(s); err == nil {
			if back, err := parseDuration(formatDuration(d)); err != nil || back != d || d < 0 {
				t.Errorf("%q is %d, shown as %s, read as %d", s, d, formatDuration(d), back)
			}
		}
	})
}
