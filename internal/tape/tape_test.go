package tape

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/secret"
)

// A seen record is one that Open told of.
type seen struct {
	p    Place
	head string
}

func open(t testing.TB, dir string, o Options) (*Tape, []seen) {
	t.Helper()
	var all []seen
	x, err := Open(dir, o, func(p Place, head []byte) { all = append(all, seen{p, string(head)}) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x, all
}

func (t *Tape) add(tb testing.TB, head, body string) Place {
	tb.Helper()
	p, err := t.Append([]byte(head), []byte(body))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func heads(all []seen) string {
	var s []string
	for _, x := range all {
		s = append(s, x.head)
	}
	return strings.Join(s, " ")
}

// TestAgain: what was appended is there when the tape is opened again, in its
// order, plain or sealed, and is not written down if it is sealed.
func TestAgain(t *testing.T) {
	for name, sealer := range map[string]Sealer{"plain": nil, "sealed": secret.NewSealer(filepath.Join(t.TempDir(), "key"))} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "answers")
			o := Options{File: 200, Sealer: sealer}
			a, first := open(t, dir, o)
			if len(first) != 0 {
				t.Errorf("a new tape has %v", first)
			}
			want := map[string]string{"": ""}
			for i := range 20 {
				head, body := fmt.Sprint("h", i), strings.Repeat(fmt.Sprint("body", i), i)
				want[head] = body
				if p := a.add(t, head, body); i%3 == 0 {
					if got, err := a.Read(p); err != nil || string(got) != body {
						t.Errorf("%s: %q, %v", head, got, err)
					}
				}
			}
			a.add(t, "", "")
			b, again := open(t, dir, o) // as after kill -9: nobody has closed it
			if len(again) != 21 {
				t.Fatalf("%d records, want 21", len(again))
			}
			for i, x := range again {
				if i < 20 && x.head != fmt.Sprint("h", i) {
					t.Errorf("record %d is %q", i, x.head)
				}
				if got, err := b.Read(x.p); err != nil || string(got) != want[x.head] {
					t.Errorf("%s: %q, %v", x.head, got, err)
				}
			}
			if a.Size() != b.Size() {
				t.Errorf("it is %d bytes large, and was %d", b.Size(), a.Size())
			}
			var raw []byte
			files, _ := filepath.Glob(filepath.Join(dir, "*"))
			for _, f := range files {
				info, _ := os.Stat(f)
				if info.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s may be read by others", f)
				}
				text, _ := os.ReadFile(f)
				raw = append(raw, text...)
			}
			if int64(len(raw)) != b.Size() || len(files) < 2 {
				t.Errorf("%d files of %d bytes", len(files), len(raw))
			}
			if plain := bytes.Contains(raw, []byte("body7")); plain != (sealer == nil) {
				t.Errorf("bodies can be read: %v", plain)
			}
		})
	}
}

// TestDamage: what is damaged hides nothing but what follows it in its file,
// and records can be added afterwards.
func TestDamage(t *testing.T) {
	const record = frame + 2 + 10
	for _, tc := range []struct {
		name string
		hurt func(b []byte) []byte
		want string
	}{
		{"nothing", func(b []byte) []byte { return b }, "h0 h1 h2 h3 h4 new"},
		{"cut in a body", func(b []byte) []byte { return b[:len(b)-1] }, "h0 h1 h2 h3 new"},
		{"cut in a head", func(b []byte) []byte { return b[:len(b)-11] }, "h0 h1 h2 h3 new"},
		{"cut in lengths", func(b []byte) []byte { return b[:len(b)-record+3] }, "h0 h1 h2 h3 new"},
		{"zeros at the end", func(b []byte) []byte { return append(b, make([]byte, 100)...) }, "h0 h1 h2 h3 h4 new"},
		{"a head in the middle", func(b []byte) []byte { b[len(b)-2*record+frame] ^= 1; return b }, "h0 h1 h2 new"},
		{"a length in the middle", func(b []byte) []byte { b[len(b)-2*record+4] ^= 1; return b }, "h0 h1 h2 new"},
		{"a body in the middle", func(b []byte) []byte { b[len(b)-record-1] ^= 1; return b }, "h0 h1 h2 h3 h4 new"},
		{"all", func([]byte) []byte { return []byte("nonsense") }, "h0 h1 h2 new"},
		{"empty", func([]byte) []byte { return nil }, "h0 h1 h2 new"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			a, _ := open(t, dir, Options{File: 3 * record})
			for i := range 5 {
				a.add(t, fmt.Sprint("h", i), "0123456789")
			}
			files, _ := filepath.Glob(filepath.Join(dir, "*"+suffix))
			path := files[len(files)-1]
			b, _ := os.ReadFile(path)
			if err := os.WriteFile(path, tc.hurt(b), 0o600); err != nil {
				t.Fatal(err)
			}
			c, all := open(t, dir, Options{File: 3 * record})
			if p := c.add(t, "new", "x"); p.File == 0 {
				t.Error("it has no place")
			}
			for _, x := range all {
				if body, err := c.Read(x.p); err != nil || tc.name != "a body in the middle" && string(body) != "0123456789" {
					t.Errorf("%s: %q, %v", x.head, body, err)
				}
			}
			if _, all = open(t, dir, Options{File: 3 * record}); heads(all) != tc.want {
				t.Errorf("%s, want %s", heads(all), tc.want)
			}
		})
	}
}

// TestSealDamaged: a body that was changed, or sealed with another key, is not
// given out.
func TestSealDamaged(t *testing.T) {
	dir, keys := t.TempDir(), t.TempDir()
	o := Options{File: 1 << 20, Sealer: secret.NewSealer(filepath.Join(keys, "a"))}
	a, _ := open(t, dir, o)
	p := a.add(t, "h", "secret")
	_ = a.Close()
	if _, err := a.Read(p); !errors.Is(err, ErrGone) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := a.Append(nil, nil); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
	o.Sealer = secret.NewSealer(filepath.Join(keys, "b"))
	_, _ = o.Sealer.Seal("x")
	b, all := open(t, dir, o)
	if _, err := b.Read(all[0].p); !errors.Is(err, ErrDamaged) {
		t.Errorf("with another key: %v", err)
	}
}

// TestMost: all files together stay within the bound, whatever was there
// before, and the oldest go.
func TestMost(t *testing.T) {
	dir := t.TempDir()
	o := Options{File: 500, Most: 2000}
	a, _ := open(t, dir, o)
	first := a.add(t, "first", "x")
	for i := range 200 {
		a.add(t, fmt.Sprint(i), strings.Repeat("x", 50))
		if a.Size() > o.Most {
			t.Fatalf("%d bytes after %d", a.Size(), i)
		}
	}
	if _, err := a.Read(first); !errors.Is(err, ErrGone) {
		t.Errorf("the first one: %v", err)
	}
	_, all := open(t, dir, o)
	if n := len(all); n < 15 || all[n-1].head != "199" || all[0].head == "first" {
		t.Errorf("%d are left: %s", n, heads(all))
	}
	o.Most = 1000
	if b, _ := open(t, dir, o); b.Size() > 1000 {
		t.Errorf("%d bytes are left", b.Size())
	}
}

// TestDrop: files go when their owner says so, but for the last one.
func TestDrop(t *testing.T) {
	a, _ := open(t, t.TempDir(), Options{File: 1})
	if _, ok := a.Oldest(); ok {
		t.Error("an empty tape has an oldest file")
	}
	p, q := a.add(t, "a", "1"), a.add(t, "b", "2")
	n, ok := a.Oldest()
	if !ok || n != p.File {
		t.Errorf("the oldest is %d, %v", n, ok)
	}
	a.Drop(n)
	a.Drop(q.File)
	a.Drop(99)
	if _, err := a.Read(p); !errors.Is(err, ErrGone) {
		t.Errorf("the dropped one: %v", err)
	}
	if b, err := a.Read(q); err != nil || string(b) != "2" {
		t.Errorf("the last one: %q, %v", b, err)
	}
	if _, err := a.Append(make([]byte, MaxRecord+1), nil); err == nil {
		t.Error("a record without a bound was taken")
	}
}

// TestRestarts: a process that begins again and again leaves no files behind.
func TestRestarts(t *testing.T) {
	dir := t.TempDir()
	for range 20 {
		a, _ := open(t, dir, Options{File: 1000})
		_ = a.Close()
		b, _ := open(t, dir, Options{File: 1000})
		b.add(t, "h", "b")
		_ = b.Close()
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 1 {
		t.Errorf("%d files", len(files))
	}
	if _, all := open(t, dir, Options{File: 1000}); len(all) != 20 {
		t.Errorf("%d records", len(all))
	}
}

// TestMany: writers and readers do not disturb each other, nor a sync.
func TestMany(t *testing.T) {
	a, _ := open(t, t.TempDir(), Options{File: 2000, Most: 100_000})
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 100 {
				body := fmt.Sprint("body ", w, i)
				p := a.add(t, "h", body)
				if got, err := a.Read(p); err != nil || string(got) != body {
					t.Errorf("%q, %v", got, err)
				}
				if i%30 == 0 {
					if err := a.sync(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
}

// TestRun: what was appended is brought to the disk within a second.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := open(t, t.TempDir(), Options{File: 1000})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- a.Run(ctx) }()
		a.add(t, "h", "b")
		dirty := func() bool {
			a.mu.RLock()
			defer a.mu.RUnlock()
			return a.files[0].dirty
		}
		if !dirty() {
			t.Error("it is on the disk at once")
		}
		time.Sleep(syncEvery + time.Millisecond)
		synctest.Wait()
		if dirty() {
			t.Error("it is not on the disk")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func FuzzScan(f *testing.F) {
	dir := f.TempDir()
	a, err := Open(dir, Options{File: 1000}, func(Place, []byte) {})
	if err != nil {
		f.Fatal(err)
	}
	for i := range 3 {
		if _, err := a.Append([]byte{byte(i)}, []byte("body")); err != nil {
			f.Fatal(err)
		}
	}
	_ = a.Close()
	b, _ := os.ReadFile(filepath.Join(dir, nameOf(1)))
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		last := int64(len(magic))
		end := scan(bytes.NewReader(b), 1, int64(len(b)), func(p Place, head []byte) {
			if p.at != last || len(head) != int(p.head) {
				t.Fatalf("a record at %d, want %d", p.at, last)
			}
			last = p.at + frame + int64(p.head) + int64(p.body)
		})
		if end > int64(len(b)) || end != 0 && end != last {
			t.Fatalf("it ends at %d of %d, the last record at %d", end, len(b), last)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	a, err := Open(b.TempDir(), Options{File: 8 << 20, Most: 64 << 20, Sealer: secret.NewSealer(filepath.Join(b.TempDir(), "key"))}, func(Place, []byte) {})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	body := bytes.Repeat([]byte("conversation "), 1600)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := a.Append([]byte("head"), body); err != nil {
			b.Fatal(err)
		}
	}
}
