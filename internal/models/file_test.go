package models

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/protocol"
)

// TestSaved: a new shelf has the lists of the one before it at once.
func TestSaved(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "models.json")
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		u.says(200, `{"data":[{"id":"a","context_window":7,"created":1700000000}]}`)
		s := New(Options{Codecs: codecs, File: file})
		set(t, s, account(t, "one", "openai", "", u))
		stop := running(t, s)
		synctest.Wait()
		stop()
	})
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("sk-own")) {
		t.Errorf("the file holds the key: %s", text)
	}
	if info, _ := os.Stat(file); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	s := New(Options{Codecs: codecs, File: file})
	set(t, s, account(t, "one", "openai", "", nil), account(t, "two", "openai", "", nil))
	want := protocol.Model{ID: "a", Context: 7, Created: time.Unix(1700000000, 0).UTC()}
	if m, ok := s.Find("", "a"); !ok || !sameModel(m, want) {
		t.Errorf("%+v, want %+v", m, want)
	}
	s = New(Options{Codecs: codecs, File: file})
	set(t, s, account(t, "one", "openai", "https://elsewhere.example/v1", nil))
	if got := ids(s.List("")); got != "" {
		t.Errorf("another address got the list: %s", got)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name, text string
		want       int // lists, or -1 for an error
	}{
		{"nothing", "[]", 0},
		{"one", `[{"account":"a","home":"h","models":[{"id":"m"}]}]`, 1},
		{"garbage", "{", -1},
		{"another form", `{"a":1}`, -1},
		{"half", `[{"account":"a",`, -1},
		{"too large", "[" + strings.Repeat(" ", maxFile) + "]", -1},
	} {
		file := filepath.Join(dir, "f")
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		lists, err := load(file)
		got := len(lists)
		if err != nil {
			got = -1
		}
		if got != tt.want {
			t.Errorf("%s: %d lists, %v; want %d", tt.name, got, err, tt.want)
		}
		// A shelf that cannot read its file works without.
		New(Options{File: file})
	}
	if lists, err := load(filepath.Join(dir, "none")); lists != nil || err != nil {
		t.Errorf("no file: %v, %v", lists, err)
	}
}

func TestSaveBound(t *testing.T) {
	file := filepath.Join(t.TempDir(), "models.json")
	big := saved{Name: "big"}
	for i := range 60_000 {
		big.Models = append(big.Models, protocol.Model{ID: strings.Repeat("m", 100) + strconv.Itoa(i)})
	}
	if err := save(file, []saved{big, big, {Name: "small"}}); err != nil {
		t.Fatal(err)
	}
	lists, err := load(file)
	if err != nil || len(lists) != 2 || lists[1].Name != "small" {
		t.Errorf("%d lists, %v", len(lists), err)
	}
}

func TestSaveFails(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "models.json")
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := save(file, nil); err == nil {
		t.Error("a folder was replaced")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
