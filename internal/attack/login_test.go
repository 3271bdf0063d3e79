package attack

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"portico/internal/provider/oauth/oauthtest"
	"portico/internal/rig"
)

// google plays Google's APIs for those who show a token of s.
func google(t *testing.T, s *oauthtest.Server) string {
	u := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case !s.Valid(r.Header.Get("Authorization")):
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":{"code":401,"message":"bad token %s","status":"UNAUTHENTICATED"}}`, r.Header.Get("Authorization"))
		case r.Method == http.MethodGet:
			_, _ = io.WriteString(w, `{"models":[{"name":"models/gemini-x","supportedGenerationMethods":["generateContent"]}]}`)
		default:
			_, _ = io.WriteString(w, `{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}`)
		}
	}))
	t.Cleanup(u.Close)
	return u.URL
}

// A command is a command of the real binary that goes on.
type command struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	errs *bufio.Reader
	told bytes.Buffer // of errs
	out  bytes.Buffer
}

// begins begins a command on the gateway's folder.
func (x *target) begins(args ...string) *command {
	x.t.Helper()
	r := &command{t: x.t, cmd: exec.CommandContext(x.t.Context(), gateway, append(args, "--data-dir", x.Dir)...)}
	r.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(x.Dir)}
	r.cmd.Stdout = &r.out
	in, err := r.cmd.StdinPipe()
	if err != nil {
		x.t.Fatal(err)
	}
	errs, err := r.cmd.StderrPipe()
	if err != nil {
		x.t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		x.t.Fatal(err)
	}
	r.in, r.errs = in, bufio.NewReader(io.TeeReader(errs, &r.told))
	return r
}

// reads waits until the command says what re is of, and returns its group.
func (r *command) reads(re *regexp.Regexp) string {
	r.t.Helper()
	for {
		line, err := r.errs.ReadString('\n')
		if m := re.FindStringSubmatch(line); m != nil {
			return m[1]
		}
		if err != nil {
			r.t.Fatalf("%v: it says %s%s", r.cmd.Args[1:], r.told.String(), r.out.String())
		}
	}
}

// ends waits for the command's end, which must be with code, and returns all
// that it said.
func (r *command) ends(code int) string {
	r.t.Helper()
	_ = r.in.Close()
	_, _ = io.Copy(io.Discard, r.errs)
	_ = r.cmd.Wait()
	said := r.told.String() + r.out.String()
	if got := r.cmd.ProcessState.ExitCode(); got != code {
		r.t.Fatalf("%v: exit code %d, want %d: %s", r.cmd.Args[1:], got, code, said)
	}
	if s := leak([]byte(said), true); s != "" || strings.Contains(said, "canary") {
		r.t.Errorf("%v tells a secret: %s %s", r.cmd.Args[1:], s, said)
	}
	return said
}

var (
	theAddress = regexp.MustCompile(`^\s*(http://127\.0\.0\.1:\d+/\S+)`)
	theCode    = regexp.MustCompile(`Enter the code (\S+)`)
)

// state is the state of an account.
func (x *target) state(name string) string {
	x.t.Helper()
	var a struct {
		State string `json:"state"`
	}
	if _, err := x.operator.Call(x.t.Context(), "GET", "/api/accounts/"+name, nil, &a); err != nil {
		x.t.Fatal(err)
	}
	return a.State
}

// served is the status of a request that an account of Gemini's takes.
func (x *target) served(model string) int {
	x.t.Helper()
	r, err := http.NewRequestWithContext(x.t.Context(), http.MethodPost, x.Base+"/v1beta/models/"+model+":generateContent",
		strings.NewReader(`{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}`))
	if err != nil {
		x.t.Fatal(err)
	}
	r.Header.Set("x-goog-api-key", clientKey)
	resp, err := x.operator.HTTP.Do(r)
	if err != nil {
		x.t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// Every way in, with the real binary against an issuer that takes nothing on
// trust: PKCE in a browser here and elsewhere, a code on another device, a
// refresh token that is good for once, a service account; and the way back for
// one that needs a login, which is open to its owner only (SEC-60 to SEC-65).
func TestWaysIn(t *testing.T) {
	s := oauthtest.New(t)
	s.Rotate(true, time.Hour)
	base := google(t, s)
	x := beginWith(t, "strict", listen(t), "", rig.Options{})
	client := filepath.Join(t.TempDir(), "client.json")
	if err := os.WriteFile(client, []byte(s.ClientFile()), 0o600); err != nil {
		t.Fatal(err)
	}
	add := func(name string, more ...string) *command {
		return x.begins(append([]string{"account", "add", name, "-p", "gemini", "--base-url", base + "/v1beta", "--models", name + "-*,gemini-*"}, more...)...)
	}
	works := func(said string) {
		t.Helper()
		if !strings.Contains(said, "lists 1 model") || !strings.Contains(said, "signed in as "+oauthtest.Email) {
			t.Errorf("it says %s", said)
		}
	}

	r := add("here", "--login", "--client", client)
	if _, page := oauthtest.Agree(t, r.reads(theAddress)); !strings.Contains(page, "close this window") {
		t.Errorf("the page says %s", page)
	}
	works(r.ends(0))

	r = add("there", "--paste", "--client", client)
	address := r.reads(theAddress)
	if _, err := io.WriteString(r.in, "http://127.0.0.1:1/oauth2callback?state=another&code=4/x\n"+redirected(t, address)+"\n"); err != nil {
		t.Fatal(err)
	}
	said := r.ends(0)
	works(said)
	if !strings.Contains(said, "belongs to another login") {
		t.Errorf("an answer of another login: %s", said)
	}

	r = add("device", "--device", "--client", client)
	if !s.Decide(r.reads(theCode), "approved") {
		t.Error("nobody began a login with that code")
	}
	works(r.ends(0))

	old := s.Login("api openid")
	r = add("token", "--refresh-token-file", "-", "--client", client)
	if _, err := io.WriteString(r.in, old+"\n"); err != nil {
		t.Fatal(err)
	}
	works(r.ends(0))
	for _, name := range []string{"here", "there", "device", "token"} {
		if got := x.served(name + "-1"); got != http.StatusOK {
			t.Errorf("%s: %d", name, got)
		}
	}

	// The refresh token was replaced; whoever has the old one ends the family.
	theft, err := http.PostForm(s.URL+"/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old}, "client_id": {oauthtest.ClientID}, "client_secret": {oauthtest.ClientSecret}})
	if err != nil {
		t.Fatal(err)
	}
	theft.Body.Close()
	if theft.StatusCode != http.StatusBadRequest {
		t.Errorf("the old refresh token is good: %d", theft.StatusCode)
	}
	if got := x.served("token-1"); got == http.StatusOK || x.state("token") != "needs_login" {
		t.Errorf("a login that was revoked: %d, %s", got, x.state("token"))
	}
	s.Is("1002", "eve@example.com")
	r = x.begins("account", "login", "token", "--client", client)
	oauthtest.Agree(t, r.reads(theAddress))
	if said := r.ends(1); !strings.Contains(said, "another identity than eve@example.com") {
		t.Errorf("somebody else: %s", said)
	}
	if got := x.state("token"); got != "needs_login" {
		t.Errorf("after somebody else it is %s", got)
	}
	s.Is(oauthtest.Subject, oauthtest.Email)
	r = x.begins("account", "login", "token", "--client", client)
	oauthtest.Agree(t, r.reads(theAddress))
	works(r.ends(0))
	if got := x.served("token-1"); got != http.StatusOK || x.state("token") != "ready" {
		t.Errorf("after the login: %d, %s", got, x.state("token"))
	}

	key := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(key, []byte(s.ServiceAccount(t, "robot@test.example")), 0o600); err != nil {
		t.Fatal(err)
	}
	r = x.begins("account", "add", "robot", "-p", "vertex", "--base-url", base, "--service-account", key, "--models", "gemini-*")
	if said := r.ends(0); !strings.Contains(said, "It works") || !strings.Contains(said, "signed in as robot@test.example") {
		t.Errorf("a service account: %s", said)
	}
	if got := x.served("gemini-2.5-flash"); got != http.StatusOK {
		t.Errorf("a service account: %d", got)
	}
	if n := s.Refused("authorization_code"); n != 0 {
		t.Errorf("%d codes were refused", n)
	}
	x.audited("begin-login here", "finish-login here", "begin-login token", "finish-login token", "add-account robot")
}

// redirected is where the issuer sends the browser back to.
func redirected(t *testing.T, address string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.Header.Get("Location")
}

// audited checks that the audit log has each of acts.
func (x *target) audited(acts ...string) {
	x.t.Helper()
	var log struct {
		Items []struct {
			What string `json:"what"`
			Whom string `json:"whom"`
		} `json:"items"`
	}
	if _, err := x.operator.Call(x.t.Context(), "GET", "/api/audit?limit=1000", nil, &log); err != nil {
		x.t.Fatal(err)
	}
	did := map[string]bool{}
	for _, a := range log.Items {
		did[a.What+" "+a.Whom] = true
	}
	for _, a := range acts {
		if !did[a] {
			x.t.Errorf("the audit log lacks %q: %v", a, did)
		}
	}
}
