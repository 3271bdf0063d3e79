package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"portico/internal/admin"
	"portico/internal/app"
	"portico/internal/config"
	"portico/internal/lock"
)

const (
	testKey   = "sk-0123456789abcdefghijklmnopqrstuvwxyz"
	testToken = "pt-0123456789abcdefghijklmnopqrstuvwxyz"
)

// TestDoctorSecurity asks a gateway that runs, and one that does not.
func TestDoctorSecurity(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	s := newShell(t, fmt.Sprintf("port: %d\nauth_mode: strict\napi_key: %s\nadmin_token: %s\nsimulator: true\n", port, testKey, testToken))
	out, _ := s.run(exitOK, "", "doctor", "--security")
	has(t, "without a gateway", out, "-     I1  ", "ok    I3  It listens on this machine alone.", "not looked at")

	a, err := app.Open(config.Options{DataDir: s.dir}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	up, done := make(chan string, 1), make(chan error, 1)
	go func() {
		err := a.Serve(ctx, func(address string) { up <- address })
		done <- errors.Join(err, a.Close())
	}()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-up:
	case err := <-done:
		t.Fatal(err)
	}
	out, _ = s.run(exitOK, "", "doctor", "--security")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 11 {
		t.Errorf("there are %d lines, want one for each invariant:\n%s", len(lines), out)
	}
	for i, line := range lines {
		if want := fmt.Sprintf("ok    %-4s", fmt.Sprintf("I%d", i+1)); !strings.HasPrefix(line, want) {
			t.Errorf("%q does not begin with %q", line, want)
		}
	}
	out, _ = s.run(exitOK, "", "logs")
	if out != "" {
		t.Errorf("the doctor's requests came as far as the ledger: %s", out)
	}
}

// TestSecurityFails: an open door is told.
func TestSecurityFails(t *testing.T) {
	open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(map[string]string{
			"/api/status":   `{"auth":"strict","lan":true}`,
			"/api/config":   `{"keys":[{"key":"retention.age","value":"0s"},{"key":"retention.rows","value":0},{"key":"retention.bytes","value":"0"}]}`,
			"/api/accounts": `{"items":[{"name":"far","key":"sk-…","base_url":"http://vendor.example/v1"},{"name":"near","key":"sk-…","base_url":"http://127.0.0.1:1"},{"name":"` + testKey + `"}]}`,
		}[r.URL.Path]))
	}))
	defer open.Close()
	c := &client{base: open.URL, token: testToken, running: &lock.Holder{}, http: http.Client{Timeout: time.Minute}}
	s, err := c.look(t.Context(), []admin.Check{{Name: "journal", State: admin.Fail, Text: "It is full."}}, testToken, testKey)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, x := range c.security(t.Context(), &s) {
		got[x.Name] = x.State
		if x.Name == "I4" && (!strings.Contains(x.Text, "far") || strings.Contains(x.Text, "near")) {
			t.Errorf("I4 names the wrong accounts: %s", x.Text)
		}
	}
	for name, want := range map[string]string{
		"I1": admin.Fail, "I2": admin.Fail, "I3": admin.OK, "I4": admin.Warn, "I5": admin.Fail, "I6": admin.Fail,
		"I7": admin.Fail, "I8": admin.Warn, "I9": admin.Fail, "I10": admin.OK, "I11": admin.Fail,
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	s.status.Auth = "off"
	if x := exposed(&s.status); x.State != admin.Fail {
		t.Errorf("on the network without a key: %+v", x)
	}
}

func TestPasswordAndSessions(t *testing.T) {
	s := newShell(t, "")
	_, errs := s.run(exitError, "too short\n", "password", "set")
	has(t, "a short password", errs, "at least 12 letters")
	_, errs = s.run(exitUsage, "\n", "password", "set")
	has(t, "no password", errs, "no password was given")
	out, _ := s.run(exitOK, "correct horse battery\n", "password", "set")
	has(t, "a password", out, "is set")
	out, _ = s.run(exitOK, "", "sessions", "list")
	has(t, "no sessions", out, "portico open")
	_, errs = s.run(exitUnknown, "", "sessions", "end", "nobody")
	has(t, "a session that is not there", errs, "hint: portico sessions list")
	s.run(exitOK, "", "sessions", "end", "all")
	out, _ = s.run(exitOK, "", "password", "remove")
	has(t, "none", out, "no password")
	_, errs = s.run(exitError, "", "open", "--print")
	has(t, "no gateway", errs, "no gateway runs", "portico serve")
}

// TestOpener: a file is opened without a shell.
func TestOpener(t *testing.T) {
	for system, want := range map[string]string{"linux": "xdg-open", "freebsd": "xdg-open", "darwin": "open", "windows": "rundll32"} {
		if name, _ := opener(system); name != want {
			t.Errorf("%s: %s", system, name)
		}
	}
}
