package clouds

import (
	"context"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/rig"
)

const adminToken = "at-clouds-Jf6bTs9cGv4kXe2wNa8u"

// binary is the gateway, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "portico-clouds-")
		if err == nil {
			defer os.RemoveAll(dir)
			binary, err = rig.Build(context.Background(), dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// A house is a running gateway.
type house struct {
	*rig.Gateway
	t        *testing.T
	operator rig.Operator
}

// begin starts a gateway with accounts.
func begin(t *testing.T, config string) *house {
	t.Helper()
	g, err := rig.Start(context.WithoutCancel(t.Context()), rig.Options{
		Binary: binary, Dir: filepath.Join(t.TempDir(), "data"),
		Config: "auth_mode: off\nadmin_token: " + adminToken + "\nscheduling: {max_wait: 0s}\n" + config,
	})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{g, t, rig.Operator{Base: g.Base, Token: adminToken, HTTP: rig.Client()}}
	t.Cleanup(func() {
		h.operator.HTTP.CloseIdleConnections()
		if err := g.Stop(15 * time.Second); err != nil {
			t.Error(err)
		}
	})
	if err := g.Healthy(t.Context(), 20*time.Second); err != nil {
		t.Fatal(err)
	}
	return h
}

// ask asks as a client of a protocol does.
func (h *house) ask(protocol, model string, stream bool, s rig.Script) *rig.Answer {
	h.t.Helper()
	return rig.Ask{Protocol: protocol, Stream: stream, Model: model, Script: s}.Do(h.t.Context(), h.operator.HTTP, h.Base, nil)
}

// get returns the answer's body.
func (h *house) get(path string) string {
	h.t.Helper()
	_, answer := h.send(http.MethodGet, path, "")
	return answer
}

// post sends a body and returns the answer's.
func (h *house) post(path, body string) (status int, answer string) {
	h.t.Helper()
	return h.send(http.MethodPost, path, body)
}

func (h *house) send(method, path, body string) (status int, answer string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.Base+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := h.operator.HTTP.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// run runs a command of the command line beside the gateway.
func (h *house) run(args ...string) (out string, err error) {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), binary, append(args, "--data-dir", h.Dir)...)
	cmd.Env = []string{"HOME=" + filepath.Dir(h.Dir), "PATH=" + os.Getenv("PATH")}
	b, err := cmd.CombinedOutput()
	return string(b), err
}

// heal makes an account forget what went wrong.
func (h *house) heal(account string) {
	h.t.Helper()
	if _, err := h.operator.Call(h.t.Context(), http.MethodPost, "/api/accounts/"+account+"/heal", nil, nil); err != nil {
		h.t.Fatal(err)
	}
}

// A call is a request that reached a cloud.
type call struct {
	method, path, query string // as they were on the wire
	head                http.Header
	body                string
}

// A cloud is a server that takes down what it is asked.
type cloud struct {
	*httptest.Server
	mu    sync.Mutex
	calls []call
}

// serve starts a cloud that answers by f.
func serve(t *testing.T, f func(w http.ResponseWriter, c call)) *cloud {
	x := &cloud{}
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		h := r.Header.Clone()
		h.Set("Host", r.Host)
		c := call{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, h, string(b)}
		x.mu.Lock()
		x.calls = append(x.calls, c)
		x.mu.Unlock()
		f(w, c)
	}))
	t.Cleanup(x.Close)
	return x
}

// speak answers in one of the protocols that the rig speaks, as a script in the
// body says.
func speak(t *testing.T, w http.ResponseWriter, path, body string) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	(&rig.Upstream{}).ServeHTTP(w, r)
}

// last is the last request to a model; lists are asked for in the background.
func (x *cloud) last(t *testing.T) call {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range slices.Backward(x.calls) {
		if c.method == http.MethodPost {
			return c
		}
	}
	t.Fatal("nothing reached the cloud")
	return call{}
}

// tree is JSON as maps and lists.
func tree(t *testing.T, text string) map[string]any {
	t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return m
}

// reply answers with JSON.
func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// whole fails the test if a is not the whole answer to s, as a client of
// protocol is told it.
func whole(t *testing.T, name, protocol string, a *rig.Answer, s rig.Script) {
	t.Helper()
	want := rig.Ask{Protocol: protocol, Script: s}.Tell()
	if a.Err != nil || a.Status != http.StatusOK || !a.Whole || a.Text != s.Text() {
		t.Errorf("%s: %d, whole %t, %q, told %q, %v", name, a.Status, a.Whole, a.Text, a.Told, a.Err)
	}
	if u := a.Usage; u.In != want.In || u.Cached != want.Cached || u.Out != want.Out || u.Think != want.Think {
		t.Errorf("%s: usage %d %d %d %d, want %d %d %d %d", name, u.In, u.Cached, u.Out, u.Think, want.In, want.Cached, want.Out, want.Think)
	}
}
