package portico

import (
	"bytes"
	"cmp"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/internal/app"
	"portico/internal/config"
	"portico/internal/credential"
	"portico/internal/journal"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/provider/compat"
	"portico/internal/secret"
	"portico/internal/telemetry"
)

var update = flag.Bool("update", false, "write the generated parts of the documents anew")

// generated are the parts of the documents that are made from the program, by
// the file and the name in the marks around them.
var generated = []struct {
	file, name string
	make       func(t *testing.T) string
}{
	{"docs/configuration.md", "keys", func(*testing.T) string { return keys("") }},
	{"docs/configuration.md", "accounts", func(*testing.T) string { return keys("accounts[].") }},
	{"docs/configuration.md", "routes", func(*testing.T) string { return keys("routes[].") }},
	{"docs/configuration.md", "models", func(*testing.T) string { return keys("models[].") }},
	{"docs/accounts.md", "presets", presets},
	{"docs/accounts.md", "reserved", reserved},
	{"docs/operations.md", "metrics", metrics},
}

// TestGenerated: what is made from the program says what the program does.
func TestGenerated(t *testing.T) {
	for _, g := range generated {
		text, err := os.ReadFile(g.file)
		if err != nil {
			t.Fatal(err)
		}
		begin, end := "<!-- begin generated: "+g.name+" -->\n", "<!-- end generated: "+g.name+" -->\n"
		head, rest, ok := strings.Cut(string(text), begin)
		old, tail, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Errorf("%s has no marks for %s", g.file, g.name)
			continue
		}
		now := g.make(t)
		if old == now {
			continue
		}
		if !*update {
			t.Errorf("%s: the table of %s is stale; go test -run TestGenerated -update . makes it anew", g.file, g.name)
			continue
		}
		if err := os.WriteFile(g.file, []byte(head+begin+now+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// table is a table of Markdown.
func table(head string, rows [][]string) string {
	var b strings.Builder
	b.WriteString("| " + strings.ReplaceAll(head, ",", " | ") + " |\n" + strings.Repeat("|---", strings.Count(head, ",")+1) + "|\n")
	for _, r := range rows {
		for i := range r {
			r[i] = strings.ReplaceAll(r[i], "|", `\|`)
		}
		b.WriteString("| " + strings.Join(r, " | ") + " |\n")
	}
	return b.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// keys is the table of the keys with prefix, or of those at the top.
func keys(prefix string) string {
	var rows [][]string
	for _, k := range config.Keys() {
		name, ok := strings.CutPrefix(k.Name, prefix)
		if !ok || prefix == "" && strings.Contains(name, "[]") {
			continue
		}
		name = code(name)
		if k.Restart {
			name += " *"
		}
		value := strings.Replace(k.Type, "one of ", "", 1)
		if k.Required {
			value += "; required"
		}
		rows = append(rows, []string{name, value, code(k.Default), k.Doc})
	}
	return table("key,value,default,meaning", rows)
}

// reserved is the table of the logins that vendors keep for their own programs.
func reserved(*testing.T) string {
	var rows [][]string
	for _, r := range credential.Reservations() {
		u, err := url.Parse(r.Source)
		if err != nil {
			panic(err)
		}
		rows = append(rows, []string{r.Tool, r.Why, r.Instead, "[" + u.Host + "](" + r.Source + ")"})
	}
	return table("login of,why it is not taken,what is,where the vendor says so", rows)
}

// presets is the table of the vendors behind the compatible providers, as an
// account of each comes out of its provider.
func presets(t *testing.T) string {
	var rows [][]string
	for _, name := range compat.Presets() {
		var providers, speaks []string
		var by provider.Provider
		var a *provider.Account
		local := false
		for _, p := range compat.New() {
			x := &provider.Account{Name: name, Provider: p.Name(), Preset: name}
			if err := p.Prepare(x); err != nil {
				x = &provider.Account{Name: name, Provider: p.Name(), Preset: name, Key: secret.Of("sk-0123456789abcdef")}
				if err := p.Prepare(x); err != nil {
					continue // it is not offered by this one
				}
			} else {
				local = true
			}
			if p.Name() == "ollama" {
				providers = append(providers, code(p.Name()))
				continue
			}
			providers = append(providers, code(p.Name())+" "+code(x.BaseURL.String()))
			if a == nil {
				by, a = p, x
			}
		}
		if a == nil {
			t.Fatalf("no provider takes the preset %s", name)
		}
		for _, p := range a.Protocols {
			speaks = append(speaks, code(p))
		}
		var more []string
		for _, op := range []struct {
			is   protocol.Op
			name string
		}{{protocol.Complete, "completions"}, {protocol.Embed, "embeddings"}, {protocol.Count, "token counts"}} {
			if len(by.Speaks(a, op.is, "m")) > 0 {
				more = append(more, op.name)
			}
		}
		key := "needed"
		if local {
			key = "none needed"
		}
		rows = append(rows, []string{code(name), compat.Title(name), strings.Join(providers, "<br>"), strings.Join(speaks, "<br>"), strings.Join(more, ", "), key})
	}
	return table("preset,vendor,provider and base URL,speaks,beside chat,key", rows)
}

// metrics is the table of what /metrics shows beside the figures of Go and the
// process.
func metrics(t *testing.T) string {
	m := telemetry.NewMetrics(telemetry.Sources{
		Accounts: func() map[string]int { return map[string]int{"ready": 1} },
		Flying:   func() (int, int) { return 0, 0 },
		Journal:  func() journal.Stats { return journal.Stats{} },
	})
	m.Heard(&journal.Exchange{Status: 200, First: time.Second, Served: "m", Usage: llm.Usage{Input: 1}, Attempts: []journal.Attempt{{}}})
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	type metric struct{ name, kind, help, labels string }
	var all []metric
	for line := range strings.Lines(b.String()) {
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "# HELP portico_"):
			all = append(all, metric{name: words[2], help: strings.Join(words[3:], " ")})
		case strings.HasPrefix(line, "# TYPE portico_"):
			all[len(all)-1].kind = words[3]
		case strings.HasPrefix(line, "portico_"):
			last := &all[len(all)-1]
			var labels []string
			for _, l := range label.FindAllStringSubmatch(line, -1) {
				if l[1] != "le" {
					labels = append(labels, code(l[1]))
				}
			}
			last.labels = cmp.Or(last.labels, strings.Join(labels, ", "))
		}
	}
	var rows [][]string
	for _, x := range all {
		rows = append(rows, []string{code(x.name), x.kind, x.labels, x.help})
	}
	return table("metric,kind,labels,meaning", rows)
}

var label = regexp.MustCompile(`[{,]([a-z_]+)="`)

// documents are the texts for users.
func documents(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")
	texts := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		texts[f] = string(text)
	}
	return texts
}

// blocks are the blocks of code of a language in a text.
func blocks(text, language string) (out []string) {
	for {
		_, rest, ok := strings.Cut(text, "\n```"+language+"\n")
		if !ok {
			return out
		}
		block, tail, _ := strings.Cut(rest, "```")
		out, text = append(out, block), tail
	}
}

// TestConfigurations: every configuration in the documents is one that the
// gateway takes.
func TestConfigurations(t *testing.T) {
	n := 0
	for file, text := range documents(t) {
		for _, y := range blocks(text, "yaml") {
			n++
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for name, content := range map[string]string{"portico.yaml": y, "spare.key": "sk-0123456789abcdef"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			o := config.Options{DataDir: dir}
			for _, m := range regexp.MustCompile(`env:([A-Z_]+)`).FindAllStringSubmatch(y, -1) {
				o.Env = append(o.Env, m[1]+"=sk-0123456789abcdef")
			}
			o.Providers, o.CheckAccount = app.Providers()
			_, warnings, err := config.Load(o)
			if err != nil || len(warnings) > 0 {
				t.Errorf("%s: a configuration is refused: %v %v\n%s", file, err, warnings, y)
			}
		}
	}
	if n == 0 {
		t.Error("no configuration was found")
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinks: what the documents link to in this repository is there.
func TestLinks(t *testing.T) {
	for file, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			u, err := url.Parse(m[1])
			if err != nil || u.Scheme != "" || u.Path == "" {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), u.Path)); err != nil {
				t.Errorf("%s links to %s, which is not there", file, m[1])
			}
		}
	}
}

// TestMakeTargets: every make target in the documents is one, and the surface
// is there.
func TestMakeTargets(t *testing.T) {
	text, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z]+):`).FindAllStringSubmatch(string(text), -1) {
		targets = append(targets, m[1])
	}
	want := []string{"run", "build", "test", "check", "bench", "gen"}
	for file, text := range documents(t) {
		for _, m := range regexp.MustCompile("(?m)(?:^|`)make ([a-z]+)").FindAllStringSubmatch(text, -1) {
			if !slices.Contains(targets, m[1]) {
				t.Errorf("%s speaks of make %s, which there is not", file, m[1])
			}
		}
	}
	for _, w := range want {
		if !slices.Contains(targets, w) {
			t.Errorf("the Makefile has no target %s", w)
		}
	}
}
