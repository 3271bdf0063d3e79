package attack

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/internal/rig"
)

// listeners are the addresses on which a process listens, as Linux tells them.
func listeners(t *testing.T, pid int) (out []string) {
	t.Helper()
	proc := "/proc/" + strconv.Itoa(pid)
	fds, err := os.ReadDir(proc + "/fd")
	if err != nil {
		t.Skipf("the listeners of a process cannot be read here: %v", err)
	}
	own := map[string]bool{}
	for _, fd := range fds {
		if to, err := os.Readlink(filepath.Join(proc, "fd", fd.Name())); err == nil {
			if inode, ok := strings.CutPrefix(to, "socket:["); ok {
				own[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	const tcpListen, udpUnconnected = "0A", "07"
	for _, table := range []struct{ name, state string }{{"tcp", tcpListen}, {"tcp6", tcpListen}, {"udp", udpUnconnected}, {"udp6", udpUnconnected}} {
		b, err := os.ReadFile(proc + "/net/" + table.name)
		if err != nil {
			continue // no IPv6 here
		}
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) > 9 && f[3] == table.state && own[f[9]] {
				out = append(out, table.name+" "+f[1])
			}
		}
	}
	return out
}

// SEC-01: a fresh start listens on loopback and nowhere else.
func TestSEC01Listeners(t *testing.T) {
	eachMode(t, "", func(t *testing.T, x *target) {
		x.serves()
		want := fmt.Sprintf("tcp 0100007F:%04X", x.Port)
		if got := listeners(t, x.PID()); len(got) != 1 || got[0] != want {
			t.Errorf("it listens on %q, want %q", got, want)
		}
	})
}

// start runs the gateway to its end, which must come at once.
func start(t *testing.T, config string, env []string, args ...string) (code int, out string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if config != "" {
		if err := rig.WriteConfig(dir, config); err != nil {
			t.Fatal(err)
		}
	}
	port, err := rig.FreePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), gateway, append([]string{"serve", "--data-dir", dir, "--port", strconv.Itoa(port)}, args...)...)
	cmd.Env = append([]string{"HOME=" + dir}, env...)
	timer := time.AfterFunc(3*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	b, _ := cmd.CombinedOutput()
	return cmd.ProcessState.ExitCode(), string(b)
}

// configError is the exit code of a configuration that cannot hold.
const configError = 3

// SEC-02, SEC-04: access from the network without a key is refused at the
// start, wherever it comes from, and the message names what to set.
func TestSEC02LANWithoutKey(t *testing.T) {
	for name, tt := range map[string]struct {
		config string
		env    []string
		args   []string
	}{
		"file":                  {config: "allow_lan_access: true\n"},
		"file, off by name":     {config: "allow_lan_access: true\nauth_mode: off\n"},
		"file, with a key":      {config: "allow_lan_access: true\napi_key: " + clientKey + "\n"},
		"env":                   {env: []string{"PORTICO_ALLOW_LAN_ACCESS=true"}},
		"env, off by name":      {env: []string{"PORTICO_ALLOW_LAN_ACCESS=true", "PORTICO_AUTH_MODE=off"}},
		"flag":                  {args: []string{"--allow-lan-access"}},
		"flag over file":        {config: "allow_lan_access: true\nauth_mode: strict\n", args: []string{"--auth-mode", "off"}},
		"env over file":         {config: "auth_mode: strict\n", env: []string{"PORTICO_AUTH_MODE=off", "PORTICO_ALLOW_LAN_ACCESS=1"}},
		"a short key":           {config: "allow_lan_access: true\nauth_mode: strict\napi_key: Tr0ub4dor\n"},
		"a short admin token":   {config: "allow_lan_access: true\nauth_mode: strict\nadmin_token: Tr0ub4dor\n"},
		"one key for two doors": {config: "allow_lan_access: true\nauth_mode: strict\napi_key: " + clientKey + "\nadmin_token: " + clientKey + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out := start(t, tt.config, tt.env, tt.args...)
			if code != configError || !strings.Contains(out, "auth_mode") && !strings.Contains(out, "admin_token") && !strings.Contains(out, "api_key") {
				t.Errorf("exit code %d: %s", code, out)
			}
			if s := leak([]byte(out), false); s != "" {
				t.Error(s)
			}
		})
	}
}

func TestSEC04Container(t *testing.T) {
	code, out := start(t, "", []string{"PORTICO_ALLOW_LAN_ACCESS=true"})
	if code != configError || !strings.Contains(out, "PORTICO_AUTH_MODE") || !strings.Contains(out, "PORTICO_ALLOW_LAN_ACCESS") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// SEC-06: keys out of examples are refused.
func TestSEC06SampleKeys(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		"your-api-key-1", "YOUR_API_KEY", "sk-123", "sk-xxxx", "sk-xxxxxxxxxxxxxxxxxxxxxxxx", "changeme", "change-me-please", "sk-your-key-here",
		"password", "admin", "secret", "test-placeholder", "<api-key>", "sk-000000", "12345678",
	} {
		for _, name := range []string{"api_key", "admin_token"} {
			code, out := start(t, "# a comment\n"+name+": "+strconv.Quote(key)+"\n", nil)
			if code != configError || !strings.Contains(out, "portico.yaml:2: "+name) {
				t.Fatalf("%s %q: exit code %d: %s", name, key, code, out)
			}
			code, out = start(t, "", []string{"PORTICO_" + strings.ToUpper(name) + "=" + key})
			if code != configError || !strings.Contains(out, name) {
				t.Fatalf("%s %q by env: exit code %d: %s", name, key, code, out)
			}
		}
		if testing.Short() {
			break
		}
	}
}

// SEC-07: every installation makes keys of its own. That 10,000 of them are
// random is a test of package config.
func TestSEC07GeneratedKeys(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`(?m)^(?:api_key: (sk-[0-9a-hjkmnp-tv-z]{38})|admin_token: (at-[0-9a-hjkmnp-tv-z]{38}))$`)
	seen := map[string]bool{}
	installs := scaled(200, 12)
	for range installs {
		dir := filepath.Join(t.TempDir(), "data")
		g, err := rig.Start(t.Context(), rig.Options{Binary: gateway, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		err = g.Healthy(t.Context(), 10*time.Second)
		g.Kill()
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "portico.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		keys := form.FindAllStringSubmatch(string(b), -1)
		if len(keys) != 2 {
			t.Fatalf("no two keys in %s", b)
		}
		for _, k := range keys {
			key := k[1] + k[2]
			if body := key[3:35]; seen[body] {
				t.Errorf("%s came twice", key)
			} else {
				seen[body] = true
			}
		}
		for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "portico.yaml"): 0o600} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: mode %v, %v", path, info.Mode(), err)
			}
		}
	}
	// 32 letters of 5 bits: at each place all letters must come up.
	for place := range 32 {
		letters := map[byte]bool{}
		for body := range seen {
			letters[body[place]] = true
		}
		if len(letters) < min(installs/2, 8) {
			t.Errorf("at place %d only %d letters came up", place, len(letters))
		}
	}
}

// SEC-75 restricted: what tells of the inside is the operator's, whatever the
// mode says of clients.
func TestSEC75Profiles(t *testing.T) {
	eachMode(t, "", func(t *testing.T, x *target) {
		for _, p := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/vars"} {
			if got := x.send(request{path: p}); got.status != http.StatusUnauthorized {
				t.Errorf("%s: %d", p, got.status)
			}
		}
		if got := x.send(request{path: "/metrics", key: clientKey}); got.status != http.StatusUnauthorized {
			t.Errorf("with a client's key: %d", got.status)
		}
		got := x.send(request{path: "/metrics", key: adminToken})
		if got.status != http.StatusOK || !strings.Contains(got.body, "portico_info") {
			t.Errorf("the operator's metrics: %d", got.status)
		}
	})
}
