package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// parser is a parser of the commands that runs none.
func parser(t *testing.T) *kong.Kong {
	t.Helper()
	g := &grammar{}
	g.out, g.err = &strings.Builder{}, &strings.Builder{}
	p, err := g.newParser(g, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// commands walks over what can be run.
func commands(n *kong.Node, f func(*kong.Node)) {
	for _, c := range n.Children {
		if len(c.Children) == 0 {
			f(c)
		}
		commands(c, f)
	}
}

// TestExamples: every command shows examples, and each of them is one of that
// command that the parser takes.
func TestExamples(t *testing.T) {
	p := parser(t)
	commands(p.Model.Node, func(n *kong.Node) {
		_, examples, ok := strings.Cut(n.Detail, "Examples:\n")
		if !ok {
			t.Errorf("%s has no examples", n.FullPath())
			return
		}
		own := false
		for line := range strings.Lines(examples) {
			for _, args := range invocations(line) {
				if err := parses(args); err != nil {
					t.Errorf("%s: %s: %v", n.FullPath(), strings.TrimSpace(line), err)
				}
				own = own || strings.HasPrefix("portico "+strings.Join(args, " "), n.FullPath())
			}
		}
		if !own {
			t.Errorf("%s has examples of others only:\n%s", n.FullPath(), examples)
		}
	})
}

// TestDocuments: every command in the documents is one that the parser takes;
// one that is named in a sentence may lack its arguments.
func TestDocuments(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "../../README.md", "../../SECURITY.md", "../../CONTRIBUTING.md", "../../ARCHITECTURE.md")
	n := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it need not be there
		}
		code := false
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				code = !code
				continue
			}
			spans := []string{line}
			if !code {
				spans = spans[:0]
				for _, m := range inline.FindAllStringSubmatch(line, -1) {
					if strings.HasPrefix(m[1], "portico ") && !strings.Contains(m[1], "…") {
						spans = append(spans, m[1])
					}
				}
			}
			for _, span := range spans {
				for _, args := range invocations(span) {
					n++
					err := parses(args)
					if err != nil && (code || !strings.HasPrefix(err.Error(), "expected ") && !strings.HasPrefix(err.Error(), "missing flags")) {
						t.Errorf("%s: %s: %v", file, strings.TrimSpace(span), err)
					}
				}
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d commands were found", n)
	}
}

var inline = regexp.MustCompile("`([^`]+)`")

// parses reports what is wrong with a command.
func parses(args []string) error {
	g := &grammar{}
	g.out, g.err = &strings.Builder{}, &strings.Builder{}
	p, err := g.newParser(g, func(int) {})
	if err != nil {
		return err
	}
	_, err = p.Parse(args)
	return err
}

// call finds the program's name where a shell would run it: at the beginning,
// behind variables, a pipe or an opening of a substitution.
var call = regexp.MustCompile(`(?:^|[|&;(]\s*|^\s*(?:[A-Z_]+=\S+\s+)+)(?:bin/)?portico((?: [^|&;)>#]*)?)`)

// invocations are the arguments of each call of the program in a line of
// shell. Words are parted at spaces, and quotes around them are taken off.
func invocations(line string) (out [][]string) {
	line = strings.TrimSpace(line)
	line, _, _ = strings.Cut(line, "  #")
	for _, m := range call.FindAllStringSubmatch(line, -1) {
		var args []string
		for w := range strings.FieldsSeq(m[1]) {
			w = strings.Trim(w, `'"`)
			if w == "req_…" {
				w = "req_0"
			}
			args = append(args, w)
		}
		if len(args) > 0 {
			out = append(out, args)
		}
	}
	return out
}

func TestInvocations(t *testing.T) {
	for line, want := range map[string]string{
		"portico logs -n 3":                          "[[logs -n 3]]",
		"bin/portico account list   # what is there": "[[account list]]",
		"PORTICO_AUTH_MODE=strict portico serve":     "[[serve]]",
		"portico man | man -l -":                     "[[man]]",
		"export X=\"$(portico key show)\"":           "[[key show]]",
		"portico man > x.1":                          "[[man]]",
		"# portico is small":                         "[]",
		"go build ./cmd/portico":                     "[]",
	} {
		var got strings.Builder
		got.WriteString("[")
		for _, args := range invocations(line) {
			got.WriteString("[" + strings.Join(args, " ") + "]")
		}
		if got.WriteString("]"); got.String() != want {
			t.Errorf("%q: %s, want %s", line, got.String(), want)
		}
	}
}

// TestFlagHelp: the flags of serve say what they take.
func TestFlagHelp(t *testing.T) {
	s := newShell(t, "")
	out, _ := s.run(exitOK, "", "serve", "--help")
	has(t, "the help of serve", strings.Join(strings.Fields(out), " "),
		"--port=NUMBER TCP port that the server listens on (1 to 65535; default 8045).",
		"--auth-mode=off|strict|all_except_health|auto",
		"--limits-body=SIZE",
		"(1KiB to 2GiB; default 100MiB).",
		"--timeouts-drain=DURATION",
		"--allowed-hosts=A,B,...",
		"--proxy=URL",
		"--simulator Serve the built-in simulator")
}

func TestKeysListed(t *testing.T) {
	s := newShell(t, "")
	out, _ := s.run(exitOK, "", "config", "keys")
	has(t, "the list of keys", out,
		"port, PORTICO_PORT, --port\n", "A number from 1 to 65535; default 8045; takes effect at the next start.\n",
		"api_key, PORTICO_API_KEY\n", "accounts[].name\n", "A name; required.\n")
	out, _ = s.run(exitOK, "", "config", "keys", "--json")
	has(t, "the list of keys as JSON", out, `"name": "timeouts.idle"`)
}

// The part of the grammar that serves says the same as the whole.
func TestServing(t *testing.T) {
	help := func(whole bool, args ...string) string {
		var out strings.Builder
		g := &grammar{}
		g.out, g.err = &out, &out
		var commands any = g
		if !whole {
			commands = &g.serving
		}
		p, err := g.newParser(commands, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = p.Parse(args); err != nil {
			fmt.Fprintln(&out, err)
		}
		return out.String()
	}
	for _, args := range [][]string{{"serve", "--help"}, {"serve", "--nonsense"}, {"serve", "more"}} {
		part, whole := help(false, args...), help(true, args...)
		if part != whole || part == "" {
			t.Errorf("%v: %q, and of all commands %q", args, part, whole)
		}
	}
}
