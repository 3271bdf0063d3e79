package attack

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"portico/internal/rig"
)

// lan is the address of the machine on a network that exists only within a
// namespace of the kernel's.
const lan = "10.77.0.1"

const lanEnv = "PORTICO_ATTACK_LAN"

// onLAN runs the test once more in a network of its own, in which nobody else
// is, and reports whether this is that run.
func onLAN(t *testing.T) bool {
	t.Helper()
	if os.Getenv(lanEnv) != "" {
		return true
	}
	script := "ip link set lo up && ip addr add " + lan + `/24 dev lo && exec "$0" "$@"`
	if err := exec.CommandContext(t.Context(), "unshare", "-rn", "sh", "-c", script, "true").Run(); err != nil {
		t.Skipf("a network of its own cannot be made here (unshare -rn, ip): %v", err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-rn", "sh", "-c", script, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", fmt.Sprintf("-full=%t", *full))
	cmd.Env = append(os.Environ(), lanEnv+"=1", binaryEnv+"="+gateway)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("on a network of its own: %v\n%s", err, out)
	}
	return false
}

// beginLAN starts a gateway that listens on all addresses, and attacks it from
// the network.
func beginLAN(t *testing.T, mode string) *target {
	t.Helper()
	u := listen(t)
	x := beginWith(t, mode, u, "allow_lan_access: true\n"+accounts(u), rig.Options{})
	x.addr = fmt.Sprintf("%s:%d", lan, x.Port)
	x.host = x.addr
	return x
}

// SEC-03: a listener on the network is never open, not even for the instant in
// which a change switches the keys off.
func TestSEC03AuthOffWhileOnLAN(t *testing.T) {
	if !onLAN(t) {
		return
	}
	x := beginLAN(t, "strict")
	config, err := os.ReadFile(x.Dir + "/portico.yaml")
	if err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan map[int]int)
	go func() {
		statuses := map[int]int{}
		for {
			select {
			case <-stop:
				done <- statuses
				return
			case <-time.After(time.Millisecond):
			}
			got := x.send(request{path: "/v1/models"})
			statuses[got.status]++
		}
	}()
	open := strings.Replace(string(config), "auth_mode: strict", "auth_mode: off", 1)
	for _, text := range []string{
		open,
		strings.Replace(open, "allow_lan_access: true", "allow_lan_access: false", 1),
		strings.Replace(open, "auth_mode: off\n", "", 1),
		string(config),
		strings.Replace(string(config), "allow_lan_access: true", "allow_lan_access: false", 1),
		strings.Replace(string(config), "auth_mode: strict", "auth_mode: auto", 1),
	} {
		if err := rig.WriteConfig(x.Dir, text); err != nil {
			t.Fatal(err)
		}
		status, err := x.operator.Call(t.Context(), http.MethodPost, "/api/reload", nil, nil)
		if strings.Contains(text, "auth_mode: off") && status != http.StatusUnprocessableEntity {
			t.Errorf("the reload that opens the server: %d, %v", status, err)
		}
		time.Sleep(60 * time.Millisecond) // some polls for each
	}
	close(stop)
	if statuses := <-done; len(statuses) != 1 || statuses[http.StatusUnauthorized] < 50 {
		t.Errorf("asked from the network without a key: %v", statuses)
	}
	x.quiet()
}

// SEC-05: from the network, health tells nothing but health.
func TestSEC05HealthFromLAN(t *testing.T) {
	if !onLAN(t) {
		return
	}
	x := beginLAN(t, "all_except_health")
	got := x.send(request{path: "/healthz"})
	if got.status != http.StatusOK || got.body != `{"status":"ok"}` {
		t.Errorf("%d %s", got.status, got.body)
	}
	for name, values := range got.head {
		if name == "Server" || strings.Contains(strings.Join(values, " "), x.Dir) {
			t.Errorf("it tells %s: %q", name, values)
		}
	}
	for _, p := range []string{"/v1/models", "/v1/chat/completions", "/metrics", "/api/status"} {
		if got := x.send(request{path: p}); got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", p, got.status)
		}
	}
	if got := x.send(request{path: "/v1/models", key: clientKey}); got.status != http.StatusOK {
		t.Errorf("with the key: %d", got.status)
	}
	strict := beginLAN(t, "strict")
	if got := strict.send(request{path: "/healthz"}); got.status != http.StatusUnauthorized {
		t.Errorf("strict: %d", got.status)
	}
}

// SEC-09 on a network: the interface's address is a name, everything else is
// not.
func TestSEC09HostsOnLAN(t *testing.T) {
	if !onLAN(t) {
		return
	}
	x := beginLAN(t, "strict")
	for host, want := range map[string]int{
		x.host:                                     http.StatusOK,
		fmt.Sprintf("127.0.0.1:%d", x.Port):        http.StatusOK,
		lan:                                        http.StatusMisdirectedRequest,
		fmt.Sprintf("%s:%d", lan, x.Port+1):        http.StatusMisdirectedRequest,
		fmt.Sprintf("10.77.0.2:%d", x.Port):        http.StatusMisdirectedRequest,
		fmt.Sprintf("0.0.0.0:%d", x.Port):          http.StatusMisdirectedRequest,
		fmt.Sprintf("evil.example:%d", x.Port):     http.StatusMisdirectedRequest,
		fmt.Sprintf("10.77.0.1.nip.io:%d", x.Port): http.StatusMisdirectedRequest,
	} {
		if got := x.send(request{path: "/v1/models", host: host, key: clientKey}); got.status != want {
			t.Errorf("Host %s: %d, want %d", host, got.status, want)
		}
	}
}

// SEC-25: who somebody is, the socket says. No header makes a peer local.
func TestSEC25ForwardedFor(t *testing.T) {
	if !onLAN(t) {
		return
	}
	x := beginLAN(t, "auto")
	for _, h := range []string{
		"X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: ::1", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1", "X-Client-IP: 127.0.0.1",
		"True-Client-IP: 127.0.0.1", "CF-Connecting-IP: 127.0.0.1", "X-Forwarded-Host: 127.0.0.1:8045", "X-Original-Forwarded-For: 127.0.0.1",
	} {
		if got := x.send(request{path: "/v1/models", head: []string{h}}); got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", h, got.status)
		}
	}
	x.quiet()
	// Nor does one get out of the limit on guesses.
	heard := 0
	for i := range 30 {
		if got := x.send(request{path: "/v1/models", key: fmt.Sprintf("guess-%d", i), head: []string{fmt.Sprintf("X-Forwarded-For: 10.0.0.%d", i)}}); got.status == http.StatusUnauthorized {
			heard++
		}
	}
	if heard > 6 {
		t.Errorf("%d guesses were heard", heard)
	}
	got := x.send(request{method: "POST", path: "/v1/chat/completions", key: clientKey, head: []string{"X-Forwarded-For: 192.0.2.9", "Content-Type: application/json"}, body: chatBody})
	if got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	var row struct {
		Peer string `json:"peer"`
	}
	if _, err := x.operator.Call(t.Context(), http.MethodGet, "/api/requests/"+got.head.Get("X-Portico-Request-Id"), nil, &row); err != nil || row.Peer != lan {
		t.Errorf("the ledger knows the peer as %q, %v", row.Peer, err)
	}
}
