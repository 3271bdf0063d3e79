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
