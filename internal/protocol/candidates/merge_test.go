package candidates

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"portico/internal/jsonedit"
)

var update = flag.Bool("update", false, "write what is made into testdata")

// TestMerge merges what stands in testdata. The comment of an archive names the
// dialect, and "array" if the pieces make one. A file with a number is the
// whole answer for that candidate. In the file stream each line is a piece,
// after the number of its stream.
func TestMerge(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if len(files) == 0 {
		t.Fatal("there is nothing to merge")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d := OpenAI
			if bytes.Contains(a.Comment, []byte("dialect: gemini")) {
				d = Gemini
			}
			var bodies [][]byte
			var stream, want []byte
			for _, f := range a.Files {
				switch f.Name {
				case "stream":
					stream = f.Data
				case "want":
					want = f.Data
				default:
					bodies = append(bodies, bytes.TrimSpace(f.Data))
				}
			}
			var got []byte
			if stream == nil {
				if got, err = d.Merge(bodies); err != nil {
					got = []byte("error: " + err.Error())
				}
			} else {
				got = merged(t, d, stream, bytes.Contains(a.Comment, []byte("array")))
			}
			got = append(bytes.TrimRight(got, "\n"), '\n')
			if *update {
				last := &a.Files[len(a.Files)-1]
				last.Data = got
				if err := os.WriteFile(file, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// merged is what becomes of a stream as testdata has it.
func merged(t *testing.T, d *Dialect, stream []byte, array bool) (out []byte) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(string(stream)), "\n")
	legs := 0
	for _, l := range lines {
		legs = max(legs, int(l[0]-'0')+1)
	}
	m := d.NewMerger(legs, array)
	for _, l := range lines {
		var err error
		if out, err = m.Frame(out, int(l[0]-'0'), []byte(l[1:])); err != nil {
			return fmt.Appendf(out, "error: %v", err)
		}
	}
	return m.End(out)
}

// FuzzMerge: whatever upstreams send, what is merged is JSON if it was, and an
// answer has every candidate that its parts had.
func FuzzMerge(f *testing.F) {
	f.Add([]byte(`{"id":"a","choices":[{"index":0,"text":"x"}],"usage":{"a":1}}`), []byte(`{"choices":[]}`))
	f.Add([]byte(`{"candidates":[{"content":{}}],"usageMetadata":{"a":1}}`), []byte(`{"promptFeedback":{"blockReason":"SAFETY"}}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, d := range []*Dialect{OpenAI, Gemini} {
			m := d.NewMerger(2, true)
			out, err := m.Frame(nil, 0, a)
			if err == nil {
				out, err = m.Frame(out, 1, b)
			}
			if out = m.End(out); err == nil && d == Gemini && sound(a) && sound(b) {
				if _, err := jsonedit.Skip(out, 0); err != nil {
					t.Errorf("%s\n%s\nbecame the stream\n%s", a, b, out)
				}
			}
			whole, err := d.Merge([][]byte{a, b})
			if err != nil || !sound(a) || !sound(b) {
				continue
			}
			if _, err := jsonedit.Skip(whole, 0); err != nil {
				t.Errorf("%s\n%s\nbecame\n%s: %v", a, b, whole, err)
			}
			if n := count(d, a) + count(d, b); count(d, whole) < n {
				t.Errorf("%s\n%s\nbecame\n%s, of %d candidates", a, b, whole, n)
			}
		}
	})
}

func sound(v []byte) bool {
	end, err := jsonedit.Skip(v, 0)
	return err == nil && end == len(v) && v[0] == '{'
}

func count(d *Dialect, v []byte) (n int) {
	for _, err := range jsonedit.Elements(jsonedit.Get(v, d.list)) {
		if err == nil {
			n++
		}
	}
	return n
}

// TestPictures: pictures have no numbers. Whole ones stand together; of streams
// one after the other is told to its end.
func TestPictures(t *testing.T) {
	got, err := Pictures.Merge([][]byte{
		[]byte(`{"created":1,"data":[{"b64_json":"a"}],"output_format":"png","usage":{"input_tokens":3,"input_tokens_details":{"image_tokens":1}}}`),
		[]byte(`{"created":2,"data":[{"b64_json":"b"}],"usage":{"input_tokens":4,"input_tokens_details":{"image_tokens":2}}}`),
	})
	if want := `{"created":1,"data":[{"b64_json":"a"},{"b64_json":"b"}],"output_format":"png","usage":{"input_tokens":7,"input_tokens_details":{"image_tokens":3}}}`; err != nil || string(got) != want {
		t.Errorf("%v, %s", err, got)
	}
	if _, err := Pictures.Merge([][]byte{[]byte(`{"data":[{}]}`), []byte(`{}`)}); err == nil || !strings.Contains(err.Error(), "picture 1") {
		t.Error(err)
	}
	const draft, done = `{"type":"image_edit.partial_image","b64_json":"`, `{"type":"image_edit.completed","b64_json":"`
	m := Pictures.NewMerger(4, false)
	var out []byte
	for _, e := range []struct {
		leg  int
		data string
	}{{1, draft + `1a"}`}, {0, draft + `0a"}`}, {2, done + `2"}`}, {1, draft + `1b"}`}, {3, draft + `3"}`}, {1, `{"error":{}}`}, {1, done + `1"}`}, {0, done + `0"}`}} {
		if out, err = m.Frame(out, e.leg, []byte(e.data)); err != nil {
			t.Fatal(err)
		}
	}
	out = m.End(m.Over(m.Over(out, 1), 3))
	var told []string
	for line := range strings.Lines(string(out)) {
		if v, ok := strings.CutPrefix(line, "data: "); ok {
			_, v, _ = strings.Cut(v, `b64_json":"`)
			told = append(told, strings.TrimSuffix(v, "\"}\n"))
		}
	}
	if got := strings.Join(told, " "); got != "1a 1b 1 2 0a 0 3" || strings.Count(string(out), "event: image_edit.") != 7 {
		t.Errorf("%s\n%s", got, out)
	}
	if b, err := Pictures.One([]byte("--b"), 1); string(b) != "--b" || err != nil || Pictures.Wanted([]byte(`{"n":3}`)) != 0 || Pictures.Seeded([]byte(`{"seed":3}`)) {
		t.Error("a request is read")
	}
}
