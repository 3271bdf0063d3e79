package credential

import (
	"bufio"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/provider"
	"portico/internal/provider/oauth/oauthtest"
	"portico/internal/secret"
)

// The test binary plays other processes on the same data folder.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CREDENTIAL_TEST_DIR"); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

// child has 200 goroutines ask for a token at once, and says what came of it.
// It stops where CREDENTIAL_TEST_STOP says.
func child(dir string) int {
	doc, err := os.ReadFile(os.Getenv("CREDENTIAL_TEST_DOCUMENT"))
	if err != nil {
		return say(err.Error())
	}
	c, err := Parse(secret.Of(string(doc)), &provider.Login{Scopes: []string{"api"}})
	if err != nil {
		return say(err.Error())
	}
	v, err := Open(dir, secret.NewSealer(filepath.Join(dir, "secret.key")), nil)
	if err != nil {
		return say(err.Error())
	}
	stop := func() { say("stopped"); select {} }
	switch os.Getenv("CREDENTIAL_TEST_STOP") {
	case "asked":
		v.asked = stop
	case "answered":
		v.answered = stop
	}
	src := v.Source(c, http.DefaultTransport)
	say("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return say(err.Error())
	}
	var all sync.WaitGroup
	tokens := make([]string, 200)
	for i := range tokens {
		all.Go(func() {
			t, err := src.Token(v.life)
			if tokens[i] = t.Reveal(); err != nil {
				tokens[i] = "error: " + err.Error()
			}
		})
	}
	all.Wait()
	for _, t := range tokens {
		if t != tokens[0] {
			return say("two tokens: " + t + " and " + tokens[0])
		}
	}
	return say(tokens[0])
}

func say(s string) int {
	_, _ = os.Stdout.WriteString(s + "\n")
	return 0
}

// A process is one of them.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  *os.File
	out *bufio.Reader
}

func start(t *testing.T, dir string, c *Credential, stop string) *process {
	t.Helper()
	doc := filepath.Join(t.TempDir(), "credential.json")
	if err := os.WriteFile(doc, []byte(c.Text().Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), "CREDENTIAL_TEST_DIR="+dir, "CREDENTIAL_TEST_DOCUMENT="+doc, "CREDENTIAL_TEST_STOP="+stop)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdin, p.in = r, w
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	p.out = bufio.NewReader(out)
	if got := p.read(); got != "ready" {
		t.Fatalf("a process says %q", got)
	}
	return p
}

func (p *process) read() string {
	p.t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func (p *process) begin() {
	if _, err := p.in.WriteString("now\n"); err != nil {
		p.t.Fatal(err)
	}
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	_ = p.in.Close()
}

// 200 goroutines in each of three processes meet one expired token whose
// refresh token is good for once. Spec: security SEC-64.
func TestProcesses(t *testing.T) {
	dir := t.TempDir()
	s := oauthtest.New(t)
	s.Rotate(true, time.Hour)
	v, log := open(t, dir)
	c := userOf(t, s, s.Login("api"))
	if err := v.shelf.write(c.ID(), &state{Access: "ya29.over", Issued: time.Now().Add(-2 * time.Hour), Until: time.Now().Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	var ps []*process
	for range 3 {
		ps = append(ps, start(t, dir, c, ""))
	}
	for _, p := range ps {
		p.begin()
	}
	var tokens []string
	for _, p := range ps {
		tokens = append(tokens, p.read())
	}
	if tokens[0] != tokens[1] || tokens[1] != tokens[2] || !s.Valid("Bearer "+tokens[0]) {
		t.Errorf("the tokens are %q", tokens)
	}
	if ok, no := s.Granted("refresh_token"), s.Refused("refresh_token"); ok != 1 || no != 0 {
		t.Errorf("%d renewals, %d refused", ok, no)
	}
	// The account lives: the next renewal is taken too.
	src := v.Source(c, s.Way())
	if err := src.Renew(t.Context(), secret.Of(tokens[0])); err != nil {
		t.Errorf("the renewal after it: %v", err)
	}
	clean(t, dir, log)
}

// kill -9 at each moment of a renewal. Only where the issuer's answer is gone
// with the process is the login lost, and then that is told.
func TestKilled(t *testing.T) {
	for _, tt := range []struct {
		stop   string
		serves bool // the issuer gets to see the request
		lost   bool
	}{
		{"asked", false, false},
		{"answered", true, true},
		{"", true, false}, // after it
	} {
		t.Run("at "+tt.stop, func(t *testing.T) {
			dir := t.TempDir()
			s := oauthtest.New(t)
			s.Rotate(true, time.Hour)
			c := userOf(t, s, s.Login("api"))
			p := start(t, dir, c, tt.stop)
			p.begin()
			if got := p.read(); tt.stop != "" && got != "stopped" || tt.stop == "" && !s.Valid("Bearer "+got) {
				t.Fatalf("the process says %q", got)
			}
			if got := s.Granted("refresh_token"); (got == 1) != tt.serves {
				t.Fatalf("%d renewals", got)
			}
			p.kill()
			v, log := open(t, dir)
			src := v.Source(c, s.Way())
			_, err := src.Token(t.Context())
			if !tt.lost {
				if err != nil {
					t.Errorf("the login is lost: %v", err)
				}
				return
			}
			if classOf(t, err) != fault.CredentialExpired || !strings.Contains(err.Error(), "cut off before its answer was kept") {
				t.Errorf("%v", err)
			}
			if got := src.Condition(time.Now()); got.State != provider.SignedOut || !strings.Contains(got.Fault.Msg, "the login is lost") {
				t.Errorf("its condition: %+v", got)
			}
			clean(t, dir, log)
		})
	}
}

// An answer that is lost on the network is the same case, and told the same.
func TestAnswerLost(t *testing.T) {
	s := oauthtest.New(t)
	s.Rotate(true, time.Hour)
	v, _ := open(t, t.TempDir())
	src := v.Source(userOf(t, s, s.Login("api")), cutting{s.Way()})
	if class := classOf(t, second(src.Token(t.Context()))); class != fault.Network {
		t.Fatalf("the answer that got lost: %v", class)
	}
	src.client.Store(Client(s.Way()))
	src.Retry()
	if err := second(src.Token(t.Context())); classOf(t, err) != fault.CredentialExpired || !strings.Contains(err.Error(), "cut off before its answer was kept") {
		t.Errorf("%v", err)
	}
}

// cutting is a way on which requests arrive and answers do not.
type cutting struct{ http.RoundTripper }

func (c cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := c.RoundTripper.RoundTrip(r); err != nil {
		return nil, err
	}
	return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: os.ErrDeadlineExceeded}
}
