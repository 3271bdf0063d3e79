package attack

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json/v2"
	"encoding/pem"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"portico/internal/rig"
)

// privateKey is a key of a service account, and a part of its text that is in no
// other.
func privateKey(t *testing.T) (text, part string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}))
	return text, strings.Split(text, "\n")[5][:40]
}

// document is v as JSON, as an account's credential.
func document(t *testing.T, v map[string]any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// SEC-51, every slot: what is secret is put wherever something secret can be
// put, everything is used and fails, and none of it is in what the gateway says,
// shows, logs, exports or keeps, or in its arguments.
func TestSEC51EverySlot(t *testing.T) {
	t.Parallel()
	x := begin(t, "strict", "log: {level: debug}\n")
	issuer := x.upstream.Base(rig.Chat) + "/token"
	pemText, pemPart := privateKey(t)
	const (
		refresh, client = "rt-CANARY-refresh-0123456789abcdef", "cs-CANARY-client-0123456789abcdef"
		proxyPassword   = "pp-CANARY-proxy-0123456789abcdef"
	)
	for _, a := range []map[string]any{
		{"name": "keyed", "provider": "openai", "base_url": x.upstream.Base(rig.Chat), "api_key": openaiKey, "headers": map[string]string{"X-Team": headerKey}, "models": []string{"s-key"}},
		{"name": "user", "provider": "gemini", "base_url": x.upstream.Base(rig.Gemini), "models": []string{"s-user"}, "api_key": document(t, map[string]any{
			"type": "authorized_user", "client_id": "my-own-client.example", "client_secret": client, "refresh_token": refresh, "token_uri": issuer,
		})},
		{"name": "service", "provider": "gemini", "base_url": x.upstream.Base(rig.Gemini), "models": []string{"s-service"}, "api_key": document(t, map[string]any{
			"type": "service_account", "client_email": "robot@example.iam", "private_key_id": "1", "private_key": pemText, "token_uri": issuer, "project_id": "p",
		})},
		{"name": "behind", "provider": "openai", "base_url": "https://api.example.invalid/v1", "api_key": claudeKey, "proxy": "http://user:" + proxyPassword + "@127.0.0.1:1", "models": []string{"s-behind"}},
	} {
		if _, err := x.operator.Call(t.Context(), http.MethodPost, "/api/accounts", a, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.operator.Call(t.Context(), http.MethodPost, "/api/proxies", map[string]any{"name": "pooled", "url": "socks5://user:" + proxyPassword + "@127.0.0.1:1"}, nil); err != nil {
		t.Fatal(err)
	}
	x.setPassword(adminPassword)
	key := x.key("ci", nil)
	cookie := x.signIn(fmt.Sprintf(`{"password":%q}`, adminPassword))
	_, token, _ := strings.Cut(cookie, "=")
	launch := x.send(request{method: "POST", path: "/api/launch", key: adminToken})
	_, code, _ := strings.Cut(launch.body, `"code":"`)
	code, _, _ = strings.Cut(code, `"`)
	if len(code) < 20 {
		t.Fatalf("no code in %s", launch.body)
	}
	// What is not made of canaries is looked for by itself.
	secrets := map[string]string{"the service account's key": pemPart, "a client key": key[3:], "a session": token[3:], "a launch code": code}
	seen := func(where string, b []byte) {
		t.Helper()
		for what, s := range secrets {
			if bytes.Contains(b, []byte(s)) {
				t.Errorf("%s is in %s", what, where)
			}
		}
	}
	send := func(r request) {
		t.Helper()
		seen("the answer to "+r.method+" "+r.path, x.send(r).all)
	}
	chat := func(model string) string {
		return fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"hi"}]}`, model)
	}
	for _, model := range []string{"s-key", "s-user", "s-service", "s-behind", "nobody-has-it"} {
		send(request{method: "POST", path: "/v1/chat/completions", head: jsonBody, key: key, body: chat(model)})
		send(request{method: "POST", path: "/v1beta/models/" + model + ":generateContent?key=" + key, head: jsonBody, body: `{"contents":[{"parts":[{"text":"hi"}]}]}`})
	}
	for _, path := range []string{"/v1/models?key=" + adminToken, "/v1/models?key=" + clientKey, "/v1beta/models?key=" + key, "/api/status?key=" + adminToken, "/v1/files/" + key, "/x?launch=" + code} {
		send(request{path: path})
	}
	for _, name := range []string{"keyed", "user", "service", "behind"} {
		send(request{method: "POST", path: "/api/accounts/" + name + "/test", head: jsonBody, key: adminToken, body: "{}"})
		send(request{method: "PATCH", path: "/api/accounts/" + name, head: jsonBody, key: adminToken, body: `{"base_url":"https://elsewhere.example"}`})
	}
	send(request{method: "POST", path: "/api/accounts", head: jsonBody, key: adminToken, body: fmt.Sprintf(`{"name":"x","provider":"gemini","api_key":%q}`, document(t, map[string]any{"type": "nothing", "refresh_token": refresh}))})
	send(request{method: "POST", path: "/api/accounts/import", head: jsonBody, key: adminToken, body: fmt.Sprintf(`{"file":%q,"preview":true}`, refresh)})
	send(request{method: "POST", path: "/api/accounts/export", head: jsonBody, key: adminToken, body: `{"all":true}`})
	send(request{method: "POST", path: "/api/backup", head: jsonBody, key: adminToken, body: `{"passphrase":"correct horse battery"}`})
	for _, r := range x.adminRoutes() {
		if r.method == http.MethodGet && r.path != "/api/live" && !strings.Contains(r.path, "/profile") && !strings.Contains(r.path, "/trace") {
			r.key = adminToken
			send(r)
			r.key, r.head = "", []string{cookie}
			send(r)
		}
	}
	for _, path := range getPaths {
		send(request{path: path})
	}

	seen("the log", []byte(x.log()))
	args, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(x.PID()), "cmdline"))
	if err == nil {
		seen("the arguments", args)
		if s := leak(args, false); s != "" {
			t.Errorf("the arguments: %s", s)
		}
	}
	x.Kill() // what is being written stays as it is
	defer x.restart()
	err = filepath.WalkDir(x.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == "portico.yaml" {
			return err
		}
		b, err := os.ReadFile(path)
		seen(d.Name(), b)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
