package portico

import (
	"go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// walls keep apart what must not know each other. A package that lies under
// from, and is not in but, imports nothing under never other than what lies
// under save.
var walls = []struct {
	from, never string
	save        []string // below portico/internal/
	but         []string
	why         string
}{
	// The floor.
	{from: "internal/llm", never: "portico/internal/", why: "the neutral language has no vendor in it"},
	{from: "internal/fault", never: "portico/internal/", why: "the floor imports nothing of ours"},
	{from: "internal/sse", never: "portico/internal/", why: "the floor imports nothing of ours"},
	{from: "internal/jsonedit", never: "portico/internal/", why: "the floor imports nothing of ours"},
	{from: "internal/sigv4", never: "portico/internal/", why: "the floor imports nothing of ours"},
	{from: "internal/eventstream", never: "portico/internal/", why: "the floor imports nothing of ours"},
	{from: "internal/schedule", never: "portico/internal/", why: "a strategy is arithmetic on candidates"},
	{from: "internal/glob", never: "portico/internal/", why: "the floor imports nothing of ours"},
	{from: "internal/sniff", never: "portico/internal/", why: "the floor imports nothing of ours"},
	{from: "internal/secret", never: "portico/internal/", why: "the floor imports nothing of ours"},
	{from: "internal/budget", never: "portico/internal/", why: "what is left is arithmetic, whoever spends"},
	{from: "internal/clientkey", never: "portico/internal/", save: []string{"budget", "fault", "glob"}, why: "what a key may do is decided without knowing who serves"},
	{from: "internal/keychain", never: "portico/internal/", why: "the system's keychain keeps a text, whatever it is for"},
	{from: "internal/session", never: "portico/internal/", why: "who sits at the browser is decided without knowing what they do"},
	{from: "internal/session", never: "net/http", why: "a session is known by its token, whatever carries it"},
	{from: "internal/version", never: "portico/internal/", why: "the floor imports nothing of ours"},
	{from: "internal/credential", never: "portico/internal/", save: []string{"fault", "provider", "secret"}, why: "a token is fetched whoever asks for it, and whatever it is used for"},
	{from: "internal/intake", never: "portico/internal/", save: []string{"config", "credential", "secret"}, why: "a file is read without knowing who will have its accounts"},
	{from: "internal/intake", never: "net/http", why: "a file is bytes"},
	{from: "internal/tape", never: "portico/internal/", why: "records lie on a tape whatever is in them"},
	{from: "internal/socket", never: "portico/internal/", why: "bytes are read and written whatever they are"},
	{from: "internal/lock", never: "portico/internal/", why: "a folder is locked whatever lies in it"},
	{from: "internal/catalog/modelid", never: "portico/internal/", why: "a name is read without knowing whose model it is"},
	{from: "internal/catalog", never: "portico/internal/", save: []string{"catalog", "config", "llm"}, why: "windows and prices are data, whoever serves the model"},
	{from: "internal/tokens", never: "portico/internal/", save: []string{"catalog/modelid"}, why: "an estimate reads a text and a name"},
	{from: "internal/schema", never: "portico/internal/", save: []string{"jsonedit", "llm"}, why: "a schema is fitted to what an upstream takes, not to who asks"},
	{from: "internal/config", never: "portico/internal/", save: []string{"secret"}, why: "the operator decides before anything is built"},

	// Protocols and providers.
	{from: "internal/protocol", never: "portico/internal/pool", why: "a codec knows bytes and llm, not accounts"},
	{from: "internal/protocol", never: "portico/internal/provider", why: "a codec does not know who speaks it"},
	{from: "internal/protocol", never: "portico/internal/config", why: "a codec is not configured"},
	{from: "internal/protocol", never: "portico/internal/translate", why: "a codec says what it knows; what does not fit a pair is not its business"},
	{from: "internal/protocol", never: "net/http", why: "a codec stands on no side of the wire"},
	{from: "internal/protocol/candidates", never: "portico/internal/", save: []string{"jsonedit", "protocol/wire", "sse"}, why: "candidates are counted in the client's own dialect, whoever made them"},
	{from: "internal/provider", never: "portico/internal/relay", why: "a provider is addressed, it does not steer"},
	{from: "internal/provider", never: "portico/internal/pool", why: "a provider does not know the other accounts"},
	{from: "internal/provider", never: "portico/internal/config", why: "a provider is handed an account, whoever wrote it down"},
	{from: "internal/provider", never: "portico/internal/egress", why: "a provider says where to, not by which way"},
	{from: "internal/provider", never: "portico/internal/journal", why: "what happened is told by who tried"},

	// The path.
	{from: "internal/translate", never: "net/http", why: "a translation knows no network"},
	{from: "internal/translate", never: "portico/internal/pool", why: "a translation is told whom a request goes to"},
	{from: "internal/translate", never: "portico/internal/relay", why: "arrows run down"},
	{from: "internal/translate", never: "portico/internal/config", why: "the same request gives the same bytes, whatever is configured"},
	{from: "internal/translate", never: "crypto/rand", why: "the same request gives the same bytes"},
	{from: "internal/translate", never: "math/rand", why: "the same request gives the same bytes"},
	{from: "internal/route", never: "portico/internal/", save: []string{"glob"}, why: "a name becomes names before anybody is asked"},
	{from: "internal/egress", never: "portico/internal/", save: []string{"socket"}, why: "the way out knows addresses, not accounts"},
	{from: "internal/fetch", never: "portico/internal/", save: []string{"egress", "sniff"}, why: "a file is fetched without knowing for whom"},
	{from: "internal/pool", never: "portico/internal/store", why: "the store implements what the pool declares"},
	{from: "internal/pool", never: "portico/internal/relay", why: "arrows run down"},
	{from: "internal/pool", never: "portico/internal/config", why: "the pool is handed accounts, whoever wrote them down"},
	{from: "internal/gauge", never: "portico/internal/", save: []string{"jsonedit", "pace", "pool", "protocol", "provider"}, why: "vendors are asked beside the path, and the pool is told"},
	{from: "internal/relay", never: "portico/internal/gauge", why: "the path does not wait for an answer about money"},
	{from: "internal/models", never: "portico/internal/relay", why: "lists are asked for beside the path, not on it"},
	{from: "internal/models", never: "portico/internal/store", why: "a list can be asked for anew, so it is in no database"},
	{from: "internal/relay", never: "portico/internal/store", why: "the path does not wait for a database"},
	{from: "internal/relay", never: "portico/internal/models", why: "the path does not wait for a list"},
	{from: "internal/relay", never: "portico/internal/access", why: "who may call was decided on the way in"},
	{from: "internal/relay", never: "portico/internal/ingress", why: "arrows run down"},
	{from: "internal/relay", never: "portico/internal/admin", why: "arrows run down"},
	{from: "internal/relay", never: "portico/internal/provider/", why: "the path knows the contract of a provider, and none by name"},

	// The ways in.
	{from: "internal/access", never: "portico/internal/", save: []string{"budget", "clientkey", "config", "fault"}, why: "who may call is decided before anything is looked up"},
	{from: "internal/ingress", never: "portico/internal/provider", why: "the way in does not choose the way out"},
	{from: "internal/ingress", never: "portico/internal/pool", why: "the way in does not choose who serves"},
	{from: "internal/ingress", never: "portico/internal/store", why: "the way in does not wait for a database"},
	{from: "internal/ingress", never: "portico/internal/models", why: "the way in is told the models, whoever found them"},
	{from: "internal/ingress", never: "portico/internal/admin", why: "the two planes share a listener and nothing else"},
	{from: "internal/admin", never: "portico/internal/ingress", why: "the two planes share a listener and nothing else"},
	{from: "internal/admin", never: "portico/internal/relay", why: "the operator's side takes no part in serving"},
	{from: "internal/admin", never: "portico/internal/provider", why: "what an account may be is checked by who puts it into the pool"},
	{from: "internal/admin", never: "portico/internal/egress", why: "the operator's side sends nothing out by itself"},
	{from: "web", never: "portico/internal/", why: "the page knows what it is told, and asks the API like everybody"},
	{from: "cmd", never: "portico/internal/", save: []string{"cli"}, why: "main calls the command line and nothing else"},

	// What is remembered.
	{from: "internal/journal", never: "portico/internal/", save: []string{"llm"}, why: "who wants to know listens; the journal asks nobody"},
	{from: "internal/journal", never: "net/http", why: "what happened is told in plain values"},
	{from: "internal/store", never: "portico/internal/", save: []string{"clientkey", "config", "journal", "llm", "secret", "session"}, why: "a database keeps what it is told, and serves nobody"},
	{from: "internal/responses", never: "portico/internal/", save: []string{"jsonedit", "sse", "tape"}, why: "what is kept for clients is kept whoever answered"},
	{from: "internal/responses", never: "net/http", why: "what is kept is served by the path"},
	{from: "internal/recall", never: "portico/internal/", save: []string{"tape", "translate"}, why: "it keeps what a translation gives it, and reads nothing of it"},
	{from: "internal/backup", never: "portico/internal/", save: []string{"budget", "clientkey", "config", "secret"}, why: "a file is a file, wherever it is restored"},
	{from: "internal/store", never: "net/http", why: "a database is no server"},
	{from: "internal/telemetry", never: "portico/internal/", save: []string{"config", "fault", "journal", "llm", "protocol"}, why: "metrics hear, and ask only what they are given"},
	{from: "internal/explain", never: "portico/internal/", save: []string{"fault", "journal", "llm"}, why: "the story is told from the record alone"},
	{from: "internal/explain", never: "net/http", why: "a story is text"},

	// The whole, and what looks at it from outside.
	{from: "internal", never: "portico/internal/app", but: []string{"internal/app", "internal/cli"}, why: "app is the only room that knows all others"},
	{from: "internal", never: "portico/internal/cli", but: []string{"internal/cli"}, why: "the command line is the top"},
	{from: "internal/rig", never: "portico/internal/", save: []string{"protocol"}, why: "what looks from outside sees the outside"},
	{from: "internal/soak", never: "portico/internal/", save: []string{"rig", "protocol"}, why: "what looks from outside sees the outside"},
	{from: "internal/judge", never: "portico/internal/", save: []string{"rig", "protocol"}, why: "what looks from outside sees the outside"},
	{from: "internal/bench", never: "portico/internal/", save: []string{"rig"}, why: "what looks from outside sees the outside"},
	{from: "internal/conformance", never: "portico/internal/", save: []string{"rig", "jsonedit", "sse"}, why: "who judges the codecs shares no code with them"},
	{from: "internal/gallery", never: "portico/internal/", save: []string{"catalog", "journal", "llm", "store"}, why: "a past is written by who keeps it; all else is seen from outside"},
	{from: "internal", never: "portico/internal/rig", but: []string{"internal/rig", "internal/soak", "internal/judge", "internal/bench", "internal/conformance"}, why: "the gateway does not carry what tests it"},
	{from: "internal", never: "portico/internal/protocol/codectest", but: []string{"internal/protocol/codectest"}, why: "the gateway does not carry what tests it"},
	{from: "internal", never: "portico/internal/eventstream/eventstreamtest", but: []string{"internal/eventstream/eventstreamtest"}, why: "the gateway does not carry what tests it"},
	{from: "internal", never: "portico/internal/provider/providertest", but: []string{"internal/provider/providertest"}, why: "the gateway does not carry what tests it"},
	{from: "internal", never: "encoding/json", why: "encoding/json/v2 keeps numbers and unknown members"},
}

// codecs speak for themselves alone: a translation between two of them goes
// through llm.
var codecs = []string{"anthropic", "completions", "converse", "gemini", "openaichat", "openairesponses"}

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
				if !below(i, w.never) || slices.ContainsFunc(w.save, func(s string) bool { return under(i, "portico/internal/"+s) }) {
					continue
				}
				t.Errorf("%s imports %s: %s", p.dir, i, w.why)
			}
		}
	}
}

// below is under, but a folder with a slash at its end does not count itself.
func below(path, folder string) bool {
	if f, ok := strings.CutSuffix(folder, "/"); ok {
		return path != f && under(path, f)
	}
	return under(path, folder)
}

func under(path, folder string) bool {
	if folder == "encoding/json" { // v2 lies beneath it
		return path == folder
	}
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// TestCodecsApart: no codec knows another one.
func TestCodecsApart(t *testing.T) {
	for _, p := range packages(t) {
		for _, c := range codecs {
			for _, other := range codecs {
				if other != c && under(p.dir, "internal/protocol/"+c) && slices.Contains(p.imports, "portico/internal/protocol/"+other) {
					t.Errorf("%s imports %s: what lies between two protocols goes through llm", p.dir, other)
				}
			}
		}
	}
}

// TestWallsStand: every wall is about something that is there, so that none is
// left over from a package that has another name now.
func TestWallsStand(t *testing.T) {
	for _, w := range walls {
		paths := append([]string{w.from}, w.but...)
		for _, s := range w.save {
			paths = append(paths, "internal/"+s)
		}
		if rest, ok := strings.CutPrefix(w.never, "portico/"); ok {
			paths = append(paths, rest)
		}
		for _, p := range paths {
			if _, err := os.Stat(p); err != nil {
				t.Errorf("the wall from %s to %s: %v", w.from, w.never, err)
			}
		}
	}
}

// TestArchitecture: the map names every package, and only what is there.
func TestArchitecture(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n > 250 {
		t.Errorf("ARCHITECTURE.md has %d lines; a map that is too large is not read", n)
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`((?:internal|cmd|web)(?:/[^`\\s]*)?)`").FindAllStringSubmatch(string(text), -1) {
		path := m[1]
		named[path] = true
		if found, err := filepath.Glob(filepath.FromSlash(path)); err != nil || len(found) == 0 {
			t.Errorf("ARCHITECTURE.md names %s, which is not there", path)
		}
	}
	for _, p := range folders(t) {
		if p != "." && !named[p] {
			t.Errorf("ARCHITECTURE.md does not name %s", p)
		}
	}
}

// folders are those with Go files, those of tests and of other modules among
// them.
func folders(t *testing.T) (dirs []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules"):
			return filepath.SkipDir
		case filepath.Ext(name) == ".go":
			if dir := filepath.ToSlash(filepath.Dir(path)); !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
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
