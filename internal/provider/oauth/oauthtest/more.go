package oauthtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json/v2"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/provider"
)

// At is where the server's users sign in, as providers say it.
func (s *Server) At() *provider.Login {
	return &provider.Login{
		Issuer: "the test's issuer", Auth: s.URL + "/auth", Token: s.URL + "/token", Device: s.URL + "/device/code", Userinfo: s.URL + "/userinfo",
		Scopes: []string{"api", "openid"}, DeviceScopes: []string{"api", "openid"}, Domains: []string{"googleapis.com"},
	}
}

// ClientFile is the server's client in the form in which Google gives one to
// its owner, with the addresses that Google's form has no place for.
func (s *Server) ClientFile() string {
	b, err := json.Marshal(map[string]any{"installed": map[string]any{
		"client_id": ClientID, "client_secret": ClientSecret, "project_id": "test", "auth_uri": s.URL + "/auth", "token_uri": s.URL + "/token",
		"device_uri": s.URL + "/device/code", "userinfo_uri": s.URL + "/userinfo", "redirect_uris": []string{"http://localhost"},
	}})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// begin begins a login on another device (RFC 8628 §3.1).
func (s *Server) begin(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("client_id") != ClientID {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := "device-" + rand.Text()
	d := &device{user: "ABCD-" + rand.Text()[:4], scopes: r.PostForm.Get("scope")}
	s.devices[id] = d
	answer(w, http.StatusOK, map[string]any{
		"device_code": id, "user_code": d.user, "verification_url": s.URL + "/device", "expires_in": 600, "interval": 1,
	})
}

// Decide has the user decide on the login that shows the code user: approved,
// denied or expired.
func (s *Server) Decide(user, state string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		if d.user == user {
			d.state = state
			return true
		}
	}
	return false
}

// SlowDown has the next poll of each login told to slow down.
func (s *Server) SlowDown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		d.slow = true
	}
}

// poll is a request for the token of a device (RFC 8628 §3.5).
func (s *Server) poll(id string) (f *family, why, says string) {
	d := s.devices[id]
	switch {
	case d == nil:
		return nil, "invalid_grant", "Malformed device code."
	case d.slow:
		d.slow = false
		return nil, "slow_down", ""
	case d.state == "approved":
		delete(s.devices, id)
		return &family{scopes: d.scopes}, "", ""
	case d.state == "denied":
		return nil, "access_denied", "Forbidden"
	case d.state == "expired":
		return nil, "expired_token", ""
	}
	return nil, "authorization_pending", ""
}

// serviceKey is made once: it takes a while.
var serviceKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// ServiceAccount makes a service account and returns its key file.
func (s *Server) ServiceAccount(t testing.TB, email string) string {
	key, err := serviceKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.services[email] = &key.PublicKey
	b, err := json.Marshal(map[string]any{
		"type": "service_account", "project_id": "test-project", "private_key_id": "kid1", "client_email": email, "client_id": "7", "token_uri": s.URL + "/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Dismiss deletes a service account.
func (s *Server) Dismiss(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.services, email)
}

// assertion checks what a service account signed (RFC 7523 §3).
func (s *Server) assertion(text string) (why, says string) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return "invalid_grant", "Bad assertion."
	}
	var head struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
	}
	var c struct {
		Iss   string `json:"iss"`
		Aud   string `json:"aud"`
		Scope string `json:"scope"`
		Iat   int64  `json:"iat"`
		Exp   int64  `json:"exp"`
	}
	for i, v := range []any{&head, &c} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(b, v) != nil {
			return "invalid_grant", "Bad assertion."
		}
	}
	key := s.services[c.Iss]
	if key == nil {
		return "invalid_grant", "Invalid grant: account not found"
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	now := time.Now().Unix()
	switch {
	case err != nil || head.Alg != "RS256" || rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) != nil:
		return "invalid_grant", "Invalid JWT Signature."
	case c.Aud != s.URL+"/token" || c.Exp <= now || c.Exp > now+3601 || c.Iat > now || head.Kid != "kid1":
		return "invalid_grant", "Invalid JWT: Token must be a short-lived token"
	case c.Scope == "":
		return "invalid_scope", "Empty scope."
	}
	return "", ""
}

// Agree plays the browser: it opens the address at which the user agrees, and
// follows it to where it leads. The answer's body is returned.
func Agree(t testing.TB, address string) (final *url.URL, body string) {
	t.Helper()
	r, err := http.Get(address) //nolint:noctx // a test's own server
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b := make([]byte, 1<<16)
	n, _ := r.Body.Read(b)
	return r.Request.URL, string(b[:n])
}
