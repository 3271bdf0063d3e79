package portico

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// trapGroups is how many translation traps are known of each group.
var trapGroups = map[string]int{"X": 30, "A": 43, "B": 30, "C": 32, "D": 20, "E": 25, "F": 16}

var (
	trapRow  = regexp.MustCompile(`^\| ([XA-F][0-9]+) \| (.*?) \| (.*?) \|$`)
	trapTest = regexp.MustCompile("`([a-z/]+)\\.((?:Test|Fuzz)[A-Za-z0-9]+)(?:/([A-Za-z0-9 -]+))?`")
)

// TestTraps: docs/traps.md names each trap once, with a test that exists or a
// reason.
func TestTraps(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("docs", "traps.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		m := trapRow.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		id, what, tests := m[1], m[2], m[3]
		if rows[id] {
			t.Errorf("%s is there twice", id)
		}
		rows[id] = true
		if what == "cannot arise" {
			if len(strings.Fields(tests)) < 8 || trapTest.MatchString(tests) {
				t.Errorf("%s: %q is no reason", id, tests)
			}
			continue
		}
		named := trapTest.FindAllStringSubmatch(tests, -1)
		if len(named) == 0 || len(strings.Fields(what)) < 2 || trapTest.ReplaceAllString(tests, "") != strings.Repeat(", ", len(named)-1) {
			t.Errorf("%s: %q, tested by %q", id, what, tests)
		}
		for _, n := range named {
			if why := trapTestMissing(t, n[1], n[2], n[3]); why != "" {
				t.Errorf("%s: %s.%s/%s: %s", id, n[1], n[2], n[3], why)
			}
		}
	}
	for group, n := range trapGroups {
		for i := range n {
			if id := fmt.Sprint(group, i+1); !rows[id] {
				t.Errorf("%s is not there", id)
			}
		}
	}
	if want := 196; len(rows) != want {
		t.Errorf("%d traps, want %d: %v", len(rows), want, slices.Sorted(maps.Keys(rows)))
	}
}

// trapTestMissing says what is missing of a test of a package of internal: the
// function, or the case whose name holds the id, in a table or among the files
// of testdata/traps and testdata/exchanges.
func trapTestMissing(t *testing.T, pkg, function, id string) string {
	t.Helper()
	dir := filepath.Join("internal", filepath.FromSlash(pkg))
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		return "no such package"
	}
	begins := regexp.MustCompile(`(?m)^func ` + function + `\(`)
	holds := regexp.MustCompile(`"(?:[XA-F][0-9]+ )*` + regexp.QuoteMeta(id) + `(?: [^"]*)?"`)
	var found, cased bool
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found = found || begins.Match(src)
		cased = cased || holds.Match(src)
	}
	cases, _ := filepath.Glob(filepath.Join(dir, "testdata", "traps", "*.txtar"))
	exchanges, _ := filepath.Glob(filepath.Join(dir, "testdata", "exchanges", "*.txtar"))
	cases = append(cases, exchanges...)
	for _, file := range cases {
		cased = cased || slices.Contains(strings.Split(strings.TrimSuffix(filepath.Base(file), ".txtar"), "-"), id)
	}
	switch {
	case !found:
		return "no such function"
	case id != "" && !cased:
		return "no such case"
	}
	return ""
}
