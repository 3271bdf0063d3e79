package responses

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestFiles: the files stay within their bound however much is kept and
// forgotten, and what is within the limits is there, also what began long ago.
func TestFiles(t *testing.T) {
	const size = 6 * fileSize
	l := Limits{Entries: 1000, Bytes: OnDisk(size)}
	dir := t.TempDir()
	s := onDisk(t, dir, l, time.Now)
	s.Put("k", "first", Response{Input: []byte(`"the beginning"`), Object: []byte(strings.Repeat("x", 1000))})
	text := func(i int) []byte { return fmt.Appendf(nil, `"%d %s"`, i, strings.Repeat("x", 256<<10)) }
	for i := range 200 {
		if i%20 == 0 { // a conversation that goes on all the time
			s.Put("k", fmt.Sprint("turn", i), Response{Before: s.Thread("k", before(i)), Input: fmt.Appendf(nil, "%d", i), Object: []byte(`{"turn":true}`)})
		}
		s.Put("k", fmt.Sprint(i), Response{Output: text(i)})
		if n := s.disk.tape.Size(); n > size {
			t.Fatalf("%d bytes of files after %d, want %d at most", n, i, size)
		}
	}
	s.Delete("k", "198")
	for _, s := range []*Store{s, onDisk(t, dir, l, time.Now)} {
		if got, want := s.said(t, "k", "turn180"), `"the beginning",0,20,40,60,80,100,120,140,160,180`; got != want {
			t.Errorf("the conversation is %s, want %s", got, want)
		}
		if got, want := s.said(t, "k", "199"), string(text(199)); got != want {
			t.Errorf("the last answer is %.20s", got)
		}
		if s.holds("k", "198") || s.holds("k", "10") {
			t.Error("what is deleted, or over the limits, is there")
		}
		if s.size > l.Bytes || s.disk.tape.Size() > size {
			t.Errorf("%d bytes are kept in files of %d", s.size, s.disk.tape.Size())
		}
	}
	s.SetLimits(Limits{})
	if n := s.disk.tape.Size(); n > 2*fileSize {
		t.Errorf("%d bytes of files when nothing is kept", n)
	}
}

func before(i int) string {
	if i == 0 {
		return "first"
	}
	return fmt.Sprint("turn", i-20)
}

// TestGoneMeanwhile: an answer that goes on from what was dropped while it was
// made is not kept, since it could not be continued.
func TestGoneMeanwhile(t *testing.T) {
	s := onDisk(t, t.TempDir(), Limits{Entries: 1, Bytes: 1 << 30}, time.Now)
	s.Put("k", "1", Response{Input: []byte("1")})
	x := s.Thread("k", "1")
	for range 3 { // its file is full, then dropped
		s.Put("k", "big", Response{Input: make([]byte, fileSize)})
	}
	s.Put("k", "2", Response{Before: x, Input: []byte("2")})
	if s.holds("k", "2") {
		t.Errorf("it is kept, and says %s", s.said(t, "k", "2"))
	}
	s.Put("k", "3", Response{Input: []byte("3")})
	if got := s.said(t, "k", "3"); got != "3" {
		t.Errorf("afterwards: %s", got)
	}
}

// TestUnreadable: what was sealed with another key is not there, and does not
// stand in the way.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	s := onDisk(t, dir, wide, time.Now)
	s.Put("k", "1", Response{Input: []byte("1"), Object: []byte("{}")})
	files, _ := filepath.Glob(filepath.Join(dir, "answers", "*"))
	for _, f := range files {
		if text, _ := os.ReadFile(f); strings.Contains(string(text), "{}") {
			t.Error("an answer can be read on the disk")
		}
	}
	if err := os.Remove(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	s = onDisk(t, dir, wide, time.Now)
	if _, err := s.Items(s.Thread("k", "1")); err == nil || s.Object("k", "1") != nil {
		t.Errorf("it can be read: %v", err)
	}
	s.Put("k", "2", Response{Input: []byte("2")})
	if got := s.said(t, "k", "2"); got != "2" {
		t.Errorf("afterwards: %s", got)
	}
}

// TestNoDisk: if the disk takes nothing, answers are kept in memory, and on the
// disk again as soon as it does.
func TestNoDisk(t *testing.T) {
	dir := t.TempDir()
	s := onDisk(t, dir, wide, time.Now)
	_ = s.disk.tape.Close()
	s.Put("k", "1", Response{Input: []byte("1"), Object: []byte("{}")})
	s.Put("k", "2", Response{Before: s.Thread("k", "1"), Input: []byte("2")})
	if got := s.said(t, "k", "2"); got != "1,2" || string(s.Object("k", "1")) != "{}" || !s.disk.ill {
		t.Errorf("kept: %s", got)
	}
	if s = onDisk(t, dir, wide, time.Now); s.holds("k", "1") {
		t.Error("it is on the disk")
	}
	s.Put("k", "r\xff", Response{Input: []byte("1")})
	if !s.holds("k", "r\xff") {
		t.Error("an id that is no text is not kept in memory")
	}
}

// TestKilled: an answer that was put is found after kill -9, without anything
// having been closed or synced.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("RESPONSES_CHILD"); dir != "" {
		s := onDisk(t, dir, Limits{Entries: 1 << 20, Bytes: 1 << 30}, time.Now)
		for i := 0; ; i++ {
			id := fmt.Sprint(i)
			s.Put("k", id, Response{Before: s.Thread("k", fmt.Sprint(i-1)), Input: []byte(id), Object: []byte(strings.Repeat("x", 5000))})
			fmt.Println(id) // the client has its answer
		}
	}
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	child.Env = append(os.Environ(), "RESPONSES_CHILD="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines, last := bufio.NewScanner(out), ""
	for n := 0; n < 300 && lines.Scan(); n++ {
		last = lines.Text()
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // what it told before it died
		if text := lines.Text(); text != "" && text >= "0" && text <= "9999999" {
			last = text
		}
	}
	_, _ = io.Copy(io.Discard, out)
	_ = child.Wait()
	s := onDisk(t, dir, Limits{Entries: 1 << 20, Bytes: 1 << 30}, time.Now)
	said := s.said(t, "k", last)
	if !strings.HasSuffix(said, ","+last) || !strings.HasPrefix(said, "0,1,2,") || len(s.Object("k", last)) != 5000 {
		t.Errorf("after %s the conversation is %.40s", last, said)
	}
}

// TestManyAtOnce: turns, readers and deletions do not disturb each other while
// files are dropped.
func TestManyAtOnce(t *testing.T) {
	s := onDisk(t, t.TempDir(), Limits{Entries: 300, Bytes: 2 * fileSize}, time.Now)
	var all sync.WaitGroup
	for w := range 6 {
		all.Go(func() {
			scope := fmt.Sprint("k", w)
			var want []string
			for i := range 40 {
				id, item := fmt.Sprint(i), fmt.Sprintf(`"%s %d %s"`, scope, i, strings.Repeat("x", 10_000))
				s.Put(scope, id, Response{Before: s.Thread(scope, fmt.Sprint(i-1)), Input: []byte(item), Object: []byte("{}")})
				want = append(want, item)
				if x := s.Thread(scope, id); x != nil {
					if got, err := s.Items(x); err != nil || string(got) != strings.Join(want, ",") {
						t.Errorf("%s %d: %d bytes, %v", scope, i, len(got), err)
					}
				}
				if i%7 == 6 {
					s.Delete(scope, fmt.Sprint(i-3))
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkPut(b *testing.B) {
	s := onDisk(b, b.TempDir(), Limits{Entries: 10_000, Bytes: 100 << 20}, time.Now)
	input, object := []byte(strings.Repeat("x", 4000)), []byte(strings.Repeat("y", 3000))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		var before *Thread
		if i%20 > 0 {
			before = s.Thread("k", fmt.Sprint(i-1))
		}
		s.Put("k", fmt.Sprint(i), Response{Before: before, Input: input, Object: object})
	}
}
