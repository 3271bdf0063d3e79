// Package oauthtest is an issuer of tokens on this machine, for tests. It takes
// nothing on trust: PKCE with S256, the exact redirect URI, codes that are good
// for once, refresh tokens that are replaced with each use and whose whole
// family is revoked when an old one comes back (RFC 9700 §4.14.2), logins on
// other devices, assertions that service accounts sign.
package oauthtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json/v2"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// The server's one client and one user, until a test changes them.
const (
	ClientID     = "42-portico-test.apps.example"
	ClientSecret = "canary-client-secret-7f3a"
	Email        = "owner@example.com"
	Subject      = "1001"
)

// A Server is the issuer.
type Server struct {
	*httptest.Server

	mu       sync.Mutex
	rotate   bool
	life     time.Duration
	subject  string
	email    string
	deny     bool
	intrude  func(w http.ResponseWriter, form url.Values) bool
	codes    map[string]*code
	refresh  map[string]*family
	access   map[string]access
	devices  map[string]*device
	services map[string]*rsa.PublicKey
	grants   map[string]int // successes, by grant type
	refused  map[string]int
}

// A code is an authorization code.
type code struct {
	redirect, challenge string
	scopes              string
	used                *family // what it became; nil: it is unused
}

// A family are the tokens that came of one login.
type family struct {
	current string // the refresh token that is good
	dead    bool
	scopes  string
}

type access struct {
	until time.Time
	of    *family // nil: of a service
}

type device struct {
	user, scopes string
	state        string // "", approved, denied, expired
	slow         bool
}

// New starts an issuer that ends with the test.
func New(t testing.TB) *Server {
	s := &Server{
		life: time.Hour, subject: Subject, email: Email, codes: map[string]*code{}, refresh: map[string]*family{}, access: map[string]access{},
		devices: map[string]*device{}, services: map[string]*rsa.PublicKey{}, grants: map[string]int{}, refused: map[string]int{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /auth", s.authorise)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /device/code", s.begin)
	mux.HandleFunc("GET /userinfo", s.userinfo)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// Rotate has each use of a refresh token replace it, and set how long access
// tokens last.
func (s *Server) Rotate(on bool, life time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rotate, s.life = on, life
}

// Deny has the user refuse what is asked.
func (s *Server) Deny(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deny = on
}

// Is makes the user who signs in, and for whom tokens are, somebody else.
func (s *Server) Is(subject, email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subject, s.email = subject, email
}

// Intrude has f see each request for a token first. If it returns true it has
// answered.
func (s *Server) Intrude(f func(w http.ResponseWriter, form url.Values) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intrude = f
}

// Granted is how many requests of a grant type were served, Refused how many
// were not.
func (s *Server) Granted(grant string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grants[grant]
}

// Refused is how many requests of a grant type were refused.
func (s *Server) Refused(grant string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused[grant]
}

// Login returns the refresh token of a new login.
func (s *Server) Login(scopes string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &family{current: "1//canary-refresh-" + rand.Text(), scopes: scopes}
	s.refresh[f.current] = f
	return f.current
}

// Revoke ends every login.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.refresh {
		f.dead = true
	}
}

// Expire ends every access token before its time.
func (s *Server) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// Way is a way to the server that takes no network, so that a test's clock need
// not be the world's.
func (s *Server) Way() http.RoundTripper { return way{s} }

type way struct{ s *Server }

// RoundTrip implements http.RoundTripper.
func (w way) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	rec := httptest.NewRecorder()
	w.s.Config.Handler.ServeHTTP(rec, r)
	return rec.Result(), nil
}

// Valid reports whether an API may serve who shows the header: "Bearer …".
func (s *Server) Valid(authorization string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.access[strings.TrimPrefix(authorization, "Bearer ")]
	return ok && time.Now().Before(a.until) && (a.of == nil || !a.of.dead)
}

// authorise is the page on which a user agrees, which this one does at once.
func (s *Server) authorise(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	redirect, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case q.Get("client_id") != ClientID:
		http.Error(w, "unknown client", http.StatusBadRequest)
		return
	case err != nil || redirect.Scheme != "http" || redirect.Hostname() != "127.0.0.1" || redirect.Port() == "":
		http.Error(w, "the redirect URI is none of a program on the user's machine (RFC 8252 §7.3)", http.StatusBadRequest)
		return
	case q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 22:
		http.Error(w, "no PKCE, no state, or another flow", http.StatusBadRequest)
		return
	}
	back := url.Values{"state": {q.Get("state")}, "iss": {s.URL}}
	if s.deny {
		back.Set("error", "access_denied")
		back.Set("error_description", "the user said <b>no</b>")
	} else {
		c := "4/" + rand.Text()
		s.codes[c] = &code{redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), scopes: q.Get("scope")}
		back.Set("code", c)
	}
	redirect.RawQuery = back.Encode()
	http.Redirect(w, r, redirect.String(), http.StatusFound)
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	intrude := s.intrude
	s.mu.Unlock()
	if intrude != nil && intrude(w, r.PostForm) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	grant := r.PostForm.Get("grant_type")
	f, why, says := s.grant(grant, r.PostForm)
	if why != "" {
		s.refused[grant]++
		status := http.StatusBadRequest
		if why == "invalid_client" {
			status = http.StatusUnauthorized
		}
		answer(w, status, map[string]any{"error": why, "error_description": says})
		return
	}
	s.grants[grant]++
	a := "ya29.canary-access-" + rand.Text()
	out := map[string]any{"access_token": a, "expires_in": int(s.life / time.Second), "token_type": "Bearer"}
	s.access[a] = access{until: time.Now().Add(s.life), of: f}
	if f != nil {
		if grant != "refresh_token" || s.rotate {
			f.current = "1//canary-refresh-" + rand.Text()
			s.refresh[f.current] = f
			out["refresh_token"] = f.current
		}
		if strings.Contains(f.scopes, "openid") {
			out["id_token"] = s.idToken()
		}
		out["scope"] = f.scopes
	}
	answer(w, http.StatusOK, out)
}

// grant is what a request for a token is about, or why it is refused.
func (s *Server) grant(grant string, form url.Values) (f *family, why, says string) {
	if grant == "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		why, says = s.assertion(form.Get("assertion"))
		return nil, why, says
	}
	if form.Get("client_id") != ClientID || form.Get("client_secret") != ClientSecret {
		return nil, "invalid_client", "The OAuth client was not found."
	}
	switch grant {
	case "authorization_code":
		return s.code(form)
	case "refresh_token":
		given := form.Get("refresh_token")
		f = s.refresh[given]
		if f == nil || f.dead {
			return nil, "invalid_grant", "Token has been expired or revoked."
		}
		if f.current != given {
			f.dead = true // somebody has an old one: nobody is believed any more
			return nil, "invalid_grant", "Token has been used before."
		}
		return f, "", ""
	case "urn:ietf:params:oauth:grant-type:device_code":
		return s.poll(form.Get("device_code"))
	}
	return nil, "unsupported_grant_type", ""
}

func (s *Server) code(form url.Values) (*family, string, string) {
	c := s.codes[form.Get("code")]
	if c == nil {
		return nil, "invalid_grant", "Malformed auth code."
	}
	if c.used != nil {
		c.used.dead = true // RFC 6749 §4.1.2
		return nil, "invalid_grant", "The code was used before."
	}
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	if base64.RawURLEncoding.EncodeToString(sum[:]) != c.challenge {
		return nil, "invalid_grant", "Invalid code verifier."
	}
	if form.Get("redirect_uri") != c.redirect {
		return nil, "redirect_uri_mismatch", ""
	}
	c.used = &family{scopes: c.scopes}
	return c.used, "", ""
}

// idToken says who the user is. Nobody checks its signature, see OpenID Connect
// Core §3.1.3.7.
func (s *Server) idToken() string {
	b, err := json.Marshal(map[string]any{"iss": s.URL, "aud": ClientID, "sub": s.subject, "email": s.email, "exp": time.Now().Add(time.Hour).Unix()})
	if err != nil {
		panic(err)
	}
	e := base64.RawURLEncoding
	return e.EncodeToString([]byte(`{"alg":"none"}`)) + "." + e.EncodeToString(b) + "." + e.EncodeToString([]byte("x"))
}

func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	if !s.Valid(r.Header.Get("Authorization")) {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"id": s.subject, "email": s.email})
}

func answer(w http.ResponseWriter, status int, v map[string]any) {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, "%s\n", b)
}
