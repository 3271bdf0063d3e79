package portico

import (
	"go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// walls keep apart what must not know each other. A package that lies under
// from, and is not in but, imports nothing under never.
var walls = []struct {
	from, never string
	but         []string
	why         string
}{
	{from: "internal/llm", never: "portico/internal/", why: "the neutral language has no vendor in it"},
	{from: "internal/fault", never: "portico/internal/", why: "the floor imports nothing of ours"},
	{from: "internal/sse", never: "portico/internal/", why: "the floor imports nothing of ours"},
	{from: "internal/jsonedit", never: "portico/internal/", why: "the floor imports nothing of ours"},
	{from: "internal/schedule", never: "portico/internal/", why: "a strategy is arithmetic on candidates"},
	{from: "internal/glob", never: "portico/internal/", why: "the floor imports nothing of ours"},
	{from: "internal/secret", never: "portico/internal/", why: "the floor imports nothing of ours"},
	{from: "internal/protocol", never: "portico/internal/pool", why: "a codec knows bytes and llm, not accounts"},
	{from: "internal/protocol", never: "portico/internal/provider", why: "a codec does not know who speaks it"},
	{from: "internal/protocol", never: "portico/internal/config", why: "a codec is not configured"},
	{from: "internal/protocol", never: "net/http", why: "a codec stands on no side of the wire"},
	{from: "internal/provider", never: "portico/internal/relay", why: "a provider is addressed, it does not steer"},
	{from: "internal/provider", never: "portico/internal/pool", why: "a provider does not know the other accounts"},
	{from: "internal/relay", never: "portico/internal/store", why: "the path does not wait for a database"},
	{from: "internal/relay", never: "portico/internal/ingress", why: "arrows run down"},
	{from: "internal/relay", never: "portico/internal/admin", why: "arrows run down"},
	{from: "internal/ingress", never: "portico/internal/provider", why: "the way in does not choose the way out"},
	{from: "internal/ingress", never: "portico/internal/store", why: "the way in does not wait for a database"},
	{from: "internal/ingress", never: "portico/internal/admin", why: "the two planes share a listener and nothing else"},
	{from: "internal/pool", never: "portico/internal/store", why: "the store implements what the pool declares"},
	{from: "internal/journal", never: "portico/internal/store", why: "the store listens to the journal"},
	{from: "internal", never: "portico/internal/app", but: []string{"internal/app", "internal/cli"}, why: "app is the only room that knows all others"},
	{from: "internal", never: "portico/internal/cli", but: []string{"internal/cli"}, why: "the command line is the top"},
	{from: "internal", never: "encoding/json", why: "encoding/json/v2 keeps numbers and unknown members"},
}

// pkg is one package of the house.
type pkg struct {
	dir     string // below the root, with slashes
	imports []string
	doc     string
}

func packages(t *testing.T) (ps []pkg) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		name := d.Name()
		if path != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "bin" || name == "dist") {
			return filepath.SkipDir
		}
		if path != "." {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
				return filepath.SkipDir // a module of its own
			}
		}
		b, err := build.ImportDir(path, 0)
		if err != nil {
			return nil // no Go here
		}
		if len(b.GoFiles) > 0 {
			ps = append(ps, pkg{filepath.ToSlash(path), b.Imports, b.Doc})
		}
		return nil // the compiler tells it better
	})
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func TestWalls(t *testing.T) {
	ps := packages(t)
	if len(ps) < 20 {
		t.Fatalf("found only %d packages", len(ps))
	}
	for _, w := range walls {
		for _, p := range ps {
			if !under(p.dir, w.from) || slices.ContainsFunc(w.but, func(b string) bool { return under(p.dir, b) }) {
				continue
			}
			for _, i := range p.imports {
				if under(i, strings.TrimSuffix(w.never, "/")) {
					t.Errorf("%s imports %s: %s", p.dir, i, w.why)
				}
			}
		}
	}
}

func under(path, folder string) bool {
	if folder == "encoding/json" { // v2 lies beneath it
		return path == folder
	}
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// TestPackageDocs: a package that cannot be told in a sentence is no package.
func TestPackageDocs(t *testing.T) {
	for _, p := range packages(t) {
		if s := new(doc.Package).Synopsis(p.doc); !strings.HasSuffix(s, ".") || !strings.Contains(s, " ") {
			t.Errorf("%s has no sentence of documentation (%q)", p.dir, s)
		}
	}
}

// TestNoMark keeps marks of unfinished work out of the code.
func TestNoMark(t *testing.T) {
	mark := "TO" + "DO"
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil // the compiler tells it better
		}
		for _, c := range f.Comments {
			if strings.Contains(c.Text(), mark) {
				t.Errorf("%s holds a %s without an issue", path, mark)
			}
		}
		return nil // the compiler tells it better
	})
	if err != nil {
		t.Fatal(err)
	}
}
