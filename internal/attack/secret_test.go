package attack

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/rig"
)

// store adds an account with canaries in each of its slots.
func (x *target) store(name string) {
	x.t.Helper()
	in := map[string]any{
		"name": name, "provider": "openai-compatible", "base_url": x.upstream.Base(rig.Chat), "api_key": openaiKey, "models": []string{"s-*"},
		"headers": map[string]string{"X-Team": headerKey}, "proxy": "http://user:" + googleKey + "@127.0.0.1:9",
	}
	if _, err := x.operator.Call(x.t.Context(), http.MethodPost, "/api/accounts", in, nil); err != nil {
		x.t.Fatal(err)
	}
}

// SEC-54: where there is no keychain, the key lies in a file that only the
// operator can read, and status says so, and why.
func TestSEC54NoKeychain(t *testing.T) {
	t.Parallel()
	u := listen(t)
	x := beginWith(t, "off", u, "secret_store: keychain\n", rig.Options{Env: []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent/bus"}})
	x.store("mine")
	got := x.send(request{path: "/api/status", key: adminToken})
	if !strings.Contains(got.body, `"store":"file"`) || !strings.Contains(got.body, `"why":"`) {
		t.Errorf("status says %s", got.body)
	}
	if got := x.send(request{path: "/api/doctor", key: adminToken}); !strings.Contains(got.body, `"name":"secret_key","state":"warn"`) {
		t.Errorf("doctor says %s", got.body)
	}
	if info, err := os.Stat(filepath.Join(x.Dir, "secret.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file: %v, %v", info, err)
	}
	x.again() // and the key is found again
	if got := x.send(request{path: "/api/accounts/mine", key: adminToken}); got.status != http.StatusOK || strings.Contains(got.body, `"state":"off"`) {
		t.Errorf("after a restart: %s", got.body)
	}
}

// SEC-53: a database that is stolen without the key tells no secret, in no
// file that belongs to it.
func TestSEC53StolenDatabase(t *testing.T) {
	t.Parallel()
	x := begin(t, "off", "")
	x.store("mine")
	x.setPassword(adminPassword)
	key := x.key("ci", nil)
	cookie := x.signIn(fmt.Sprintf(`{"password":%q}`, adminPassword))
	_, token, _ := strings.Cut(cookie, "=")
	x.Kill() // what is being written stays as it is
	defer x.restart()
	for _, dir := range []string{x.Dir, filepath.Join(x.Dir, "backups")} {
		files, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, f := range files {
			if f.IsDir() || f.Name() == "portico.yaml" || f.Name() == "secret.key" {
				continue
			}
			b, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []string{key[3:], token[3:], adminPassword, openaiKey, headerKey, googleKey} {
				if bytes.Contains(b, []byte(s)) {
					t.Errorf("%s has %s", f.Name(), s)
				}
			}
		}
	}
}

// SEC-55: a list shows hints; a secret is shown by a call that proves who asks,
// is kept by no cache, and is audited.
func TestSEC55Reveal(t *testing.T) {
	t.Parallel()
	x := begin(t, "off", "")
	x.setPassword(adminPassword)
	x.store("mine")
	cookie := x.signIn(fmt.Sprintf(`{"token":%q}`, adminToken))
	head := append([]string{cookie, "X-Portico-CSRF: 1"}, jsonBody...)
	for _, path := range []string{"/api/accounts/mine/reveal", "/api/config/reveal"} {
		for name, r := range map[string]request{
			"nobody":          {head: jsonBody, body: fmt.Sprintf(`{"token":%q}`, adminToken)},
			"a client":        {head: jsonBody, key: clientKey, body: "{}"},
			"a session alone": {head: head, body: "{}"},
			"another page":    {head: append([]string{"Origin: http://127.0.0.1:3000"}, head...), body: fmt.Sprintf(`{"token":%q}`, adminToken)},
		} {
			r.method, r.path = "POST", path
			if got := x.send(r); got.status != http.StatusUnauthorized && got.status != http.StatusForbidden {
				t.Errorf("%s, %s: %d %s", path, name, got.status, got.body)
			}
		}
	}
	// The answer is the one place where a canary may be seen, so it is not
	// swept like the others.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, x.Base+"/api/accounts/mine/reveal", strings.NewReader(fmt.Sprintf(`{"password":%q}`, adminPassword)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", strings.TrimPrefix(cookie, "Cookie: "))
	r.Header.Set("X-Portico-CSRF", "1")
	r.Header.Set("Content-Type", "application/json")
	resp, err := x.operator.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	_, _ = body.ReadFrom(resp.Body)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Cache-Control") != "no-store" || !strings.Contains(body.String(), openaiKey) {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if got := x.send(request{path: "/api/audit?what=reveal-account", key: adminToken}); !strings.Contains(got.body, `"whom":"mine"`) || !strings.Contains(got.body, `"who":"session `) {
		t.Errorf("the audit log: %s", got.body)
	}
}

// SEC-59: a backup is had by a call that proves who asks, and shows no secret
// without its passphrase. SEC-69: one that is damaged, of a wrong passphrase or
// of something else changes nothing.
func TestSEC59Backup(t *testing.T) {
	t.Parallel()
	x := begin(t, "off", "")
	x.store("mine")
	cookie := x.signIn(fmt.Sprintf(`{"token":%q}`, adminToken))
	head := append([]string{cookie, "X-Portico-CSRF: 1"}, jsonBody...)
	const phrase = "correct horse battery"
	ask := fmt.Sprintf(`{"passphrase":%q}`, phrase)
	for name, r := range map[string]request{
		"nobody": {head: jsonBody, body: ask}, "a client": {head: jsonBody, key: clientKey, body: ask}, "a session alone": {head: head, body: ask},
		"a short passphrase": {head: jsonBody, key: adminToken, body: `{"passphrase":"short"}`},
	} {
		r.method, r.path = "POST", "/api/backup"
		if got := x.send(r); got.status/100 != 4 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	got := x.send(request{method: "POST", path: "/api/backup", head: jsonBody, key: adminToken, body: ask}) // and is looked through for canaries
	if got.status != http.StatusOK || !strings.HasPrefix(got.body, "age-encryption.org/v1") {
		t.Fatalf("%d %.40q", got.status, got.body)
	}
	restore := func(phrase, file string) reply {
		form := "--x\r\nContent-Disposition: form-data; name=\"passphrase\"\r\n\r\n" + phrase +
			"\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n" + file + "\r\n--x--\r\n"
		return x.send(request{method: "POST", path: "/api/restore", key: adminToken, head: []string{"Content-Type: multipart/form-data; boundary=x"}, body: form})
	}
	flipped := []byte(got.body)
	flipped[len(flipped)/2] ^= 1
	for name, tt := range map[string][2]string{
		"a wrong passphrase": {"wrong horse battery", got.body}, "half": {phrase, got.body[:len(got.body)/2]}, "a flipped bit": {phrase, string(flipped)},
		"something else": {phrase, strings.Repeat("SQLite format 3\x00", 100)}, "nothing": {phrase, ""},
	} {
		if r := restore(tt[0], tt[1]); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if left, err := filepath.Glob(filepath.Join(x.Dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
	if r := restore(phrase, got.body); r.status != http.StatusOK || !strings.Contains(r.body, `"what":"same"`) {
		t.Errorf("the good one: %d %s", r.status, r.body)
	}
	x.serves()
}
