package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestFirstStartGenerates(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	c, warnings, err := Load(Options{DataDir: dir, Init: true})
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	file := filepath.Join(dir, "portico.yaml")
	if c.File != file || mode(t, dir) != 0o700 || mode(t, file) != 0o600 {
		t.Errorf("file %s, folder %o, file %o", c.File, mode(t, dir), mode(t, file))
	}
	if !strings.HasPrefix(c.APIKey.Reveal(), "sk-") || !strings.HasPrefix(c.AdminToken.Reveal(), "at-") {
		t.Error("the credentials lack their prefixes")
	}
	before := read(t, file)
	again, _, err := Load(Options{DataDir: dir, Init: true})
	if err != nil || again.APIKey != c.APIKey || again.AdminToken != c.AdminToken || read(t, file) != before {
		t.Errorf("the second start made other credentials: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".portico-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWithoutInitNothingIsWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if _, _, err := Load(Options{DataDir: dir}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder was made")
	}
}

func TestGeneratingKeepsEveryByte(t *testing.T) {
	for _, tt := range []struct{ name, before, added string }{
		{"comments", "# mine\nport: 9000   # why\n\naccounts: []\n", `(?s)^BEFORE` + `api_key: sk-\w{38}\nadmin_token: at-\w{38}\n$`},
		{"no line end", "port: 9000", `(?s)^BEFORE\napi_key: sk-\w{38}\nadmin_token: at-\w{38}\n$`},
		{"CRLF", "port: 9000\r\n", `(?s)^BEFORE` + `api_key: sk-\w{38}\r\nadmin_token: at-\w{38}\r\n$`},
		{"only one is absent", "admin_token: at-long-enough-for-this\n", `(?s)^BEFORE` + `api_key: sk-\w{38}\n$`},
		{"ends in a list", "accounts:\n- name: a\n  provider: openai\n", `(?s)^BEFORE` + `api_key: sk-\w{38}\nadmin_token: at-\w{38}\n$`},
		{"empty", "", `^api_key: sk-\w{38}\nadmin_token: at-\w{38}\n$`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t)
			file := filepath.Join(dir, "portico.yaml")
			write(t, file, tt.before)
			c, _, err := Load(Options{DataDir: dir, Init: true})
			if err != nil {
				t.Fatal(err)
			}
			want := regexp.MustCompile(strings.ReplaceAll(tt.added, "BEFORE", regexp.QuoteMeta(tt.before)))
			if after := read(t, file); !want.MatchString(after) {
				t.Errorf("the file is now\n%q", after)
			}
			if c.APIKey.IsZero() || c.AdminToken.IsZero() {
				t.Error("a credential is missing")
			}
		})
	}
}

// A file that a line at its end would change, or that cannot be written, is
// left alone; the credentials go to a file of their own.
func TestGeneratedFile(t *testing.T) {
	for name, text := range map[string]string{"flow table": "{port: 9000}\n", "document end": "port: 9000\n...\n"} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t)
			write(t, filepath.Join(dir, "portico.yaml"), text)
			c, _, err := Load(Options{DataDir: dir, Init: true})
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, filepath.Join(dir, "portico.yaml")); got != text {
				t.Errorf("the file was changed to %q", got)
			}
			if c.APIKey.IsZero() || c.Port != 9000 || mode(t, filepath.Join(dir, "generated.yaml")) != 0o600 {
				t.Errorf("no credentials beside it: %+v", c)
			}
		})
	}
	t.Run("the file goes first", func(t *testing.T) {
		dir := folder(t)
		write(t, filepath.Join(dir, "generated.yaml"), "api_key: sk-from-generated-file\nadmin_token: at-from-generated-file\n")
		write(t, filepath.Join(dir, "portico.yaml"), "api_key: sk-from-portico-yaml\n")
		c, _, err := Load(Options{DataDir: dir})
		if err != nil || c.APIKey.Reveal() != "sk-from-portico-yaml" || c.AdminToken.Reveal() != "at-from-generated-file" {
			t.Errorf("%v %v %v", c.APIKey.Hint(), c.AdminToken.Hint(), err)
		}
	})
}

func TestConfigElsewhere(t *testing.T) {
	dir, other := folder(t), folder(t)
	real := filepath.Join(other, "real.yaml")
	link := filepath.Join(other, "link.yaml")
	write(t, real, "port: 9000\n")
	if err := os.Symlink("real.yaml", link); err != nil {
		t.Fatal(err)
	}
	c, _, err := Load(Options{DataDir: dir, File: link, Init: true})
	if err != nil || c.Port != 9000 {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != "real.yaml" {
		t.Errorf("the link was replaced: %s, %v", to, err)
	}
	if !strings.Contains(read(t, real), "api_key: sk-") {
		t.Error("the credential is not in the file")
	}
	if _, _, err := Load(Options{DataDir: dir, File: filepath.Join(other, "nope.yaml")}); err == nil || !strings.Contains(err.Error(), "nope.yaml: there is no such file") {
		t.Errorf("a --config that is not there: %v", err)
	}
}

func TestRotate(t *testing.T) {
	dir := folder(t)
	file := filepath.Join(dir, "portico.yaml")
	write(t, file, "# top\nport: 9000\n\"api_key\" : 'sk-old-old-old-old-old'  # the key\nadmin_token: at-keep-keep-keep-keep\nlog: {level: info}\n")
	value, where, err := Rotate(Options{DataDir: dir}, "api_key")
	if err != nil || where != file {
		t.Fatal(where, err)
	}
	want := "# top\nport: 9000\n\"api_key\" : " + value.Reveal() + "  # the key\nadmin_token: at-keep-keep-keep-keep\nlog: {level: info}\n"
	if got := read(t, file); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if mode(t, file) != 0o600 {
		t.Errorf("mode %o", mode(t, file))
	}

	for name, tt := range map[string]struct {
		file string
		o    Options
		key  string
		want string
	}{
		"set by a variable": {"", Options{Env: []string{"PORTICO_API_KEY=sk-from-the-environment"}}, "api_key", "api_key comes from env PORTICO_API_KEY; change it there"},
		"points elsewhere":  {"api_key: env:K", Options{Env: []string{"K=sk-from-the-environment"}}, "api_key", "portico.yaml:1: api_key is written in a way that cannot be edited in place; change it by hand"},
		"block of text":     {"api_key: >-\n  sk-long-enough-key-0\n", Options{}, "api_key", "portico.yaml:1: api_key is written in a way"},
		"flow table":        {"{api_key: sk-long-enough-key-0}", Options{}, "api_key", "portico.yaml:1: api_key is written in a way"},
		"another key":       {"", Options{}, "port", `"port" is not a credential`},
	} {
		t.Run(name, func(t *testing.T) {
			tt.o.DataDir = folder(t)
			f := filepath.Join(tt.o.DataDir, "portico.yaml")
			write(t, f, tt.file+"\n")
			_, _, err := Rotate(tt.o, tt.key)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if tt.file != "" && !strings.HasPrefix(read(t, f), tt.file) {
				t.Errorf("the file was changed: %q", read(t, f))
			}
		})
	}
}

func TestGeneratedCredentials(t *testing.T) {
	seen := map[string]bool{}
	letters := map[rune]int{}
	const n = 10_000
	for range n {
		s := Generate("api_key").Reveal()
		if seen[s] || !generated.MatchString(s) || mistyped(s) || placeholder(s) || unfit(s) != "" {
			t.Fatalf("%d letters, again %v, typing error %v, placeholder %v", len(s), seen[s], mistyped(s), placeholder(s))
		}
		seen[s] = true
		if !mistyped(flip(s)) {
			t.Fatal("a changed letter was not noticed")
		}
		for _, r := range s[3:35] {
			letters[r]++
		}
	}
	// 32 letters of 5 bits each are 160 bits if each is equally likely; six
	// standard deviations are allowed.
	if len(letters) != 32 {
		t.Errorf("%d letters are used, want 32", len(letters))
	}
	for r, k := range letters {
		if k < 10_000-600 || k > 10_000+600 {
			t.Errorf("%c came %d times, want about 10000", r, k)
		}
	}
	if !strings.HasPrefix(Generate("admin_token").Reveal(), "at-") {
		t.Error("the admin token has the prefix of a key")
	}
}

func TestPlaceholders(t *testing.T) {
	for _, s := range []string{
		"your-api-key-1", "your-api-key", "YOUR_API_KEY", "sk-your-key-here", "sk-123", "sk-1234", "sk-123456", "sk-xxxx",
		"sk-xxxxxxxxxxxxxxxx", "changeme", "change-me", "sk-change-me-please", "<your key>", "<key>", "${API_KEY}", "sk-...", "***", "password",
		"secret", "admin", "sk-1234567890abcdef", "insert-token", "replace-this", "sk-placeholder", "123456", "sk-abc123", "sk-abcdef", "api_key",
	} {
		if !placeholder(s) {
			t.Errorf("%q was taken", s)
		}
	}
	for _, s := range []string{"test-key", "sk-bench", "k-1", "correct-horse-battery-staple", "sk-9f8a7b6c5d4e3f2a1b0c", "awesome-key-of-mine", "sk-portico-dev"} {
		if placeholder(s) {
			t.Errorf("%q was refused", s)
		}
	}
}
