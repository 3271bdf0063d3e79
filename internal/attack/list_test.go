package attack

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestList: docs/security-tests.md names every attack of groups 1 to 5 once,
// names only tests that exist, names every test that exists beside its own
// attack, and says why where there is none.
func TestList(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "security-tests.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := testFunctions(t)
	row := regexp.MustCompile(`^\| SEC-(\d\d) \| ([^|]+) \| ([^|]*) ?\| ([^|]*) ?\|$`)
	name := regexp.MustCompile("`(Test\\w+)`")
	named := map[string][]string{} // by test: the ids beside which it stands
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		m := row.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			if strings.HasPrefix(line, "| SEC") {
				t.Errorf("a row of another form: %s", line)
			}
			continue
		}
		id, by, left := m[1], strings.TrimSpace(m[3]), strings.TrimSpace(m[4])
		if seen[id] {
			t.Errorf("SEC-%s is there twice", id)
		}
		seen[id] = true
		if by == "" && left == "" {
			t.Errorf("SEC-%s: neither a test nor a reason", id)
		}
		for _, n := range name.FindAllStringSubmatch(by, -1) {
			if !tests[n[1]] {
				t.Errorf("SEC-%s names %s, which there is not", id, n[1])
			}
			named[n[1]] = append(named[n[1]], id)
		}
	}
	for i := 1; i <= 50; i++ {
		if id := fmt.Sprintf("%02d", i); !seen[id] {
			t.Errorf("SEC-%s is not in the list", id)
		}
	}
	for test := range tests {
		id, ok := strings.CutPrefix(test, "TestSEC")
		if !ok {
			continue
		}
		if ids := strings.Join(named[test], " "); !strings.Contains(ids, id[:2]) {
			t.Errorf("%s does not stand beside SEC-%s (%s)", test, id[:2], ids)
		}
	}
}

// testFunctions are the tests of this package.
func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				out[fn.Name.Name] = true
			}
		}
	}
	return out
}
