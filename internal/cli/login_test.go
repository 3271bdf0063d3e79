package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/provider/oauth/oauthtest"
)

// Somebody signs in while no gateway runs, by a browser elsewhere; the client
// is kept for the next time.
func TestLoginWithoutServer(t *testing.T) {
	iss := oauthtest.New(t)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !iss.Valid(r.Header.Get("Authorization")) {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, `{"models":[{"name":"models/gemini-x"}]}`)
	}))
	t.Cleanup(up.Close)
	s := newShell(t, "")
	client := filepath.Join(t.TempDir(), "client.json")
	if err := os.WriteFile(client, []byte(iss.ClientFile()), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"account", "add", "g", "-p", "gemini", "--base-url", up.URL + "/v1beta", "--paste", "--client", client}
	in, errs := &bytes.Buffer{}, &browser{t: t}
	errs.paste = in
	var out bytes.Buffer
	if code := Run(args, s.env, in, &out, errs); code != exitOK {
		t.Fatalf("exit code %d: %s%s", code, out.String(), errs.String())
	}
	has(t, "the result", out.String(), "it lists 1 model", "signed in as "+oauthtest.Email)
	out.Reset()
	has(t, "the list", first(s.run(exitOK, "", "account", "list")), "ready")
	_, more := s.run(exitUsage, "", "account", "login", "g", "--paste", "--client", client)
	has(t, "nothing pasted", more, "nothing was pasted")
	_, more = s.run(exitError, "", "account", "login", "g", "--paste") // the issuer is none that Portico knows by itself
	has(t, "no client", more, "send the client's file")
	_, more = s.run(exitUnknown, "", "account", "login", "nobody")
	has(t, "nobody's login", more, "hint: portico account list")
	_, more = s.run(exitError, "", "account", "add", "c", "-p", "anthropic", "--login", "--client", client)
	has(t, "a vendor without logins", more, "takes keys only")
	if all := errs.String() + more; strings.Contains(all, "canary") {
		t.Error("a secret is shown:", all)
	}
}

func first(s, _ string) string { return s }

// A browser plays the person: it opens the address that it is shown, and
// pastes where that ends.
type browser struct {
	t     *testing.T
	paste io.Writer
	bytes.Buffer
	opened bool
}

func (b *browser) Write(p []byte) (int, error) {
	lines := bufio.NewScanner(bytes.NewReader(p))
	for lines.Scan() {
		if a := strings.TrimSpace(lines.Text()); strings.HasPrefix(a, "http://127.0.0.1") && strings.Contains(a, "/auth?") && !b.opened {
			b.opened = true
			r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, a, nil)
			if err != nil {
				b.t.Fatal(err)
			}
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				b.t.Fatal(err)
			}
			resp.Body.Close()
			fmt.Fprintln(b.paste, resp.Header.Get("Location"))
		}
	}
	return b.Buffer.Write(p)
}

// A file is shown first, then taken, and a second time nothing of it is new. No
// secret of it is shown.
func TestImport(t *testing.T) {
	iss := oauthtest.New(t)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := r.Header.Get("Authorization"); !iss.Valid(h) && h != "Bearer sk-canary-good-0001" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, `{"models":[{"name":"models/gemini-x"}],"data":[{"id":"m"}]}`)
	}))
	t.Cleanup(up.Close)
	s := newShell(t, "")
	file := filepath.Join(t.TempDir(), "accounts.json")
	text := fmt.Sprintf(`{"portico_accounts":1,"accounts":[{"name":"good","provider":"openai","base_url":%q,"api_key":"sk-canary-good-0001"},{"name":"bad","provider":"openai","base_url":%q,"api_key":"sk-canary-bad-00002"},
		{"name":"old","provider":"nonsense"},{"name":"claude","provider":"anthropic","api_key":"sk-ant-oat01-canary"}]}`, up.URL+"/v1", up.URL+"/v1")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs := s.run(exitOK, "", "account", "import", file, "--dry-run")
	has(t, "what would become of it", out, "sk-…0001", "add", "nonsense", "refused")
	has(t, "its sum", errs, "2 would be added, 0 are there already, 2 are refused")
	all := out + errs
	if out, _ := s.run(exitOK, "", "account", "list"); strings.Contains(out, "good") {
		t.Error("a preview added accounts:", out)
	}
	out, errs = s.run(exitError, "", "account", "import", file)
	has(t, "what became of it", out, "added", "failed", "the key was rejected")
	has(t, "its sum", errs, "1 added, 0 are there already, 2 refused, 1 would not serve")
	all += out + errs
	out, errs = s.run(exitError, "", "account", "import", file, "--no-test")
	has(t, "a second time", errs, "1 added, 1 are there already, 2 refused")
	all += out + errs

	client := filepath.Join(t.TempDir(), "client.json")
	if err := os.WriteFile(client, []byte(iss.ClientFile()), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens := "me@example.com " + iss.Login("api openid") + "\n" + iss.Login("api openid") + "\n"
	out, errs = s.run(exitError, tokens, "account", "import", "-")
	has(t, "tokens without their client", out, "send that client's file")
	all += out + errs
	out, errs = s.run(exitOK, tokens, "account", "import", "-", "--client", client, "--base-url", up.URL+"/v1beta", "--json")
	has(t, "tokens", out, `"me@example.com"`, "signed in as "+oauthtest.Email, `"added": 2`)
	if all += out + errs; strings.Contains(all, "canary") {
		t.Error("a secret is shown:", all)
	}
}

// What application default credentials are is found as Google's libraries do.
func TestDefaultCredentials(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, ".config", "gcloud", "application_default_credentials.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{file: "{of gcloud}", filepath.Join(dir, "own.json"): " {of the variable}\n", filepath.Join(dir, "empty.json"): "\n", filepath.Join(dir, "large.json"): strings.Repeat("x", maxSecret+1)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ env, want, err string }{
		{"HOME=" + dir, "{of gcloud}", ""},
		{"CLOUDSDK_CONFIG=" + filepath.Dir(file), "{of gcloud}", ""},
		{"GOOGLE_APPLICATION_CREDENTIALS=" + filepath.Join(dir, "own.json"), "{of the variable}", ""},
		{"GOOGLE_APPLICATION_CREDENTIALS=" + filepath.Join(dir, "empty.json"), "", "is empty"},
		{"GOOGLE_APPLICATION_CREDENTIALS=" + filepath.Join(dir, "large.json"), "", "more than 65536 bytes"},
		{"HOME=" + filepath.Join(dir, "nobody"), "", "no application default credentials"},
	} {
		g := &globals{env: []string{tt.env}}
		got, err := g.defaultCredentials()
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %q, %v", tt.env, got, err)
		}
	}
}
