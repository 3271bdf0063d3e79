package credential

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
	"portico/internal/provider"
	"portico/internal/provider/oauth/oauthtest"
	"portico/internal/secret"
)

// userOf is the credential of a login at s.
func userOf(t testing.TB, s *oauthtest.Server, refresh string) *Credential {
	t.Helper()
	c := &Credential{
		Kind: User, TokenURL: s.URL + "/token", Scopes: []string{"api"}, ClientID: oauthtest.ClientID, ClientSecret: secret.Of(oauthtest.ClientSecret),
		Refresh: secret.Of(refresh), Email: oauthtest.Email, Subject: oauthtest.Subject,
	}
	again, err := Parse(c.Text(), s.At())
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func open(t testing.TB, dir string) (*Vault, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	v, err := Open(dir, secret.NewSealer(filepath.Join(dir, "secret.key")), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return v, log
}

// classOf is the class of a fault, Unknown for no error.
func classOf(t testing.TB, err error) fault.Class {
	t.Helper()
	if err == nil {
		return fault.Unknown
	}
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok {
		t.Fatalf("%v is no fault", err)
	}
	if strings.Contains(f.Error(), "canary") {
		t.Errorf("the fault tells a secret: %v", f)
	}
	return f.Class
}

// clean fails the test if a secret lies in the folder or was logged.
func clean(t *testing.T, dir string, log *bytes.Buffer) {
	t.Helper()
	if strings.Contains(log.String(), "canary") {
		t.Errorf("the log tells a secret: %s", log)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte("canary")) {
			t.Errorf("%s tells a secret", path)
		}
		if info, _ := d.Info(); info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Tokens are fetched once, used to their end, renewed early in the background,
// and outlive a restart; each refresh token is used once.
func TestEarly(t *testing.T) {
	dir := t.TempDir()
	s := oauthtest.New(t)
	synctest.Test(t, func(t *testing.T) {
		s.Rotate(true, time.Hour)
		c := userOf(t, s, s.Login("api"))
		v, log := open(t, dir)
		src := v.Source(c, s.Way())
		ctx, stop := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { _ = v.Run(ctx) })
		first, err := src.Token(t.Context())
		if err != nil || !s.Valid("Bearer "+first.Reveal()) {
			t.Fatalf("the first token: %v", err)
		}
		time.Sleep(44 * time.Minute)
		if n := s.Granted("refresh_token"); n != 1 {
			t.Errorf("before three quarters of its life there were %d renewals", n)
		}
		time.Sleep(8 * time.Minute)
		synctest.Wait()
		if n := s.Granted("refresh_token"); n != 2 {
			t.Errorf("before its end there were %d renewals", n)
		}
		second, err := src.Token(t.Context())
		if err != nil || second == first || s.Granted("refresh_token") != 2 {
			t.Errorf("the second token: %v", err)
		}
		v.Keep(map[string]bool{c.ID(): false})
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if n := s.Granted("refresh_token"); n != 2 {
			t.Errorf("of an account that is off there were %d renewals", n)
		}
		stop()
		run.Wait()
		v.Close()

		again, _ := open(t, dir)
		third, err := again.Source(c, s.Way()).Token(t.Context())
		if err != nil || s.Granted("refresh_token") != 3 {
			t.Errorf("after the end: %v, %d renewals", err, s.Granted("refresh_token"))
		}
		again.Close()
		last, _ := open(t, dir)
		if got, err := last.Source(c, s.Way()).Token(t.Context()); err != nil || got != third || s.Granted("refresh_token") != 3 {
			t.Errorf("after a restart: %v, %d renewals", err, s.Granted("refresh_token"))
		}
		clean(t, dir, log)
	})
}

// An issuer that is down costs nothing while the token at hand is good, and is
// not hammered.
func TestIssuerDown(t *testing.T) {
	s := oauthtest.New(t)
	synctest.Test(t, func(t *testing.T) {
		s.Rotate(false, time.Hour)
		v, _ := open(t, "")
		src := v.Source(userOf(t, s, s.Login("api")), s.Way())
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go func() { _ = v.Run(ctx) }()
		token, err := src.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var asked atomic.Int32
		s.Intrude(func(w http.ResponseWriter, _ url.Values) bool {
			asked.Add(1)
			http.Error(w, "canary down", http.StatusInternalServerError)
			return true
		})
		time.Sleep(time.Hour - time.Second)
		if got, err := src.Token(t.Context()); err != nil || got != token {
			t.Errorf("a second before the end: %v", err)
		}
		if n := asked.Load(); n < 10 || n > 30 {
			t.Errorf("the issuer was asked %d times in about ten minutes", n)
		}
		time.Sleep(2 * time.Second)
		before := asked.Load()
		for range 100 {
			if class := classOf(t, second(src.Token(t.Context()))); class != fault.Network {
				t.Fatalf("after the end: %v", class)
			}
		}
		if n := asked.Load() - before; n > 1 {
			t.Errorf("a hundred requests asked the issuer %d times", n)
		}
		s.Intrude(nil)
		time.Sleep(lastPause)
		synctest.Wait()
		if _, err := src.Token(t.Context()); err != nil {
			t.Errorf("once it is back: %v", err)
		}
	})
}

func second[A any](_ A, err error) error { return err }

// A login that was revoked is told, asked for no more, and that outlives a
// restart; Retry asks once more.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	s := oauthtest.New(t)
	v, log := open(t, dir)
	c := userOf(t, s, s.Login("api"))
	src := v.Source(c, s.Way())
	if _, err := src.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Revoke()
	token, _ := src.Token(t.Context())
	err := src.Renew(t.Context(), token)
	if class := classOf(t, err); class != fault.CredentialExpired || !strings.Contains(err.Error(), "Token has been expired or revoked.") {
		t.Fatalf("a revoked login: %v", err)
	}
	for range 10 {
		classOf(t, src.Renew(t.Context(), token))
	}
	got := src.Condition(time.Now())
	if got.State != provider.SignedOut || got.Fault == nil || got.Who != oauthtest.Email || got.Until.Sub(got.Since) != refusedPause {
		t.Errorf("its condition: %+v", got)
	}
	if n := s.Refused("refresh_token"); n != 1 {
		t.Errorf("the issuer was asked %d times", n)
	}
	again, _ := open(t, dir)
	other := again.Source(c, s.Way())
	if other.Condition(time.Now()).State != provider.SignedOut || classOf(t, second(other.Token(t.Context()))) != fault.CredentialExpired || s.Refused("refresh_token") != 1 {
		t.Errorf("after a restart: %+v", other.Condition(time.Now()))
	}
	other.Retry()
	if classOf(t, second(other.Token(t.Context()))) != fault.CredentialExpired || s.Refused("refresh_token") != 2 {
		t.Errorf("after Retry the issuer was asked %d times", s.Refused("refresh_token"))
	}
	clean(t, dir, log)
}

// What the issuer's refusals mean.
func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		class  fault.Class
		state  provider.TokenState
	}{
		"revoked":              {400, `{"error":"invalid_grant","error_description":"canary: 1//canary"}`, fault.CredentialExpired, provider.SignedOut},
		"reauthentication":     {400, `{"error":"invalid_grant","error_subtype":"invalid_rapt"}`, fault.CredentialExpired, provider.SignedOut},
		"another client":       {401, `{"error":"invalid_client"}`, fault.Permission, provider.Fresh},
		"a client that is off": {401, `{"error":"disabled_client"}`, fault.Permission, provider.Fresh},
		"scope":                {400, `{"error":"invalid_scope"}`, fault.Permission, provider.Fresh},
		"too fast":             {429, `{}`, fault.Network, provider.Fresh},
		"a page":               {503, `<html>`, fault.Network, provider.Fresh},
		"a redirect":           {302, ``, fault.Permission, provider.Fresh},
		"no token":             {200, `{}`, fault.Network, provider.Fresh},
		"a token of a kind":    {200, `{"access_token":"a","token_type":"mac"}`, fault.Network, provider.Fresh},
		"a token of spaces":    {200, `{"access_token":"a b","token_type":"Bearer"}`, fault.Network, provider.Fresh},
		"no JSON":              {200, `canary`, fault.Network, provider.Fresh},
	} {
		s := oauthtest.New(t)
		s.Intrude(func(w http.ResponseWriter, _ url.Values) bool {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(tt.body))
			return true
		})
		v, _ := open(t, t.TempDir())
		src := v.Source(userOf(t, s, "1//canary"), s.Way())
		err := second(src.Token(t.Context()))
		f, _ := errors.AsType[*fault.Fault](err)
		if f == nil || f.Class != tt.class || f.Scope != fault.Account || src.Condition(time.Now()).State != tt.state {
			t.Errorf("%s: %v, %+v", name, err, src.Condition(time.Now()))
		}
		if strings.Contains(err.Error(), "1//canary") {
			t.Errorf("%s: the fault tells the refresh token: %v", name, err)
		}
	}
}

// A refusal is not believed while the store has another token than was used.
func TestRereads(t *testing.T) {
	dir := t.TempDir()
	s := oauthtest.New(t)
	v, _ := open(t, dir)
	c := userOf(t, s, "1//canary-old")
	src := v.Source(c, s.Way())
	n := 0
	s.Intrude(func(http.ResponseWriter, url.Values) bool {
		if n++; n == 1 { // another process, which has not waited for the lock
			if err := v.shelf.write(c.ID(), &state{Refresh: s.Login("api")}); err != nil {
				t.Error(err)
			}
		}
		return false
	})
	if _, err := src.Token(t.Context()); err != nil || n != 2 {
		t.Errorf("%v after %d requests", err, n)
	}
}

// A token of somebody else is not used.
func TestOtherIdentity(t *testing.T) {
	s := oauthtest.New(t)
	v, _ := open(t, t.TempDir())
	src := v.Source(userOf(t, s, s.Login("api openid")), s.Way())
	if _, err := src.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Is("2002", "thief@example.com")
	token, _ := src.Token(t.Context())
	err := src.Renew(t.Context(), token)
	if classOf(t, err) != fault.CredentialInvalid || !strings.Contains(err.Error(), "thief@example.com") || src.Condition(time.Now()).State != provider.SignedOut {
		t.Errorf("%v, %+v", err, src.Condition(time.Now()))
	}
}

// The identity of the first token holds, where the credential names none.
func TestFirstIdentity(t *testing.T) {
	s := oauthtest.New(t)
	dir := t.TempDir()
	v, _ := open(t, dir)
	c := userOf(t, s, s.Login("api openid"))
	c.Subject, c.Email = "", ""
	x := v.Source(c, s.Way())
	if subject, email := x.Whose(); subject != "" || email != "" {
		t.Errorf("before the first token it is of %q %q", subject, email)
	}
	if _, err := x.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, _ := open(t, dir) // after a restart, too
	x = again.Source(c, s.Way())
	if subject, email := x.Whose(); subject != oauthtest.Subject || email != oauthtest.Email {
		t.Errorf("it is of %q %q", subject, email)
	}
	s.Is("2002", "thief@example.com")
	token, err := x.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Renew(t.Context(), token); classOf(t, err) != fault.CredentialInvalid || !strings.Contains(err.Error(), "another identity") {
		t.Errorf("a token of somebody else: %v", err)
	}
}

func TestServiceAccount(t *testing.T) {
	dir := t.TempDir()
	s := oauthtest.New(t)
	c, err := Parse(secret.Of(s.ServiceAccount(t, "robot@test.example")), s.At())
	if err != nil {
		t.Fatal(err)
	}
	v, log := open(t, dir)
	src := v.Source(c, s.Way())
	token, err := src.Token(t.Context())
	if err != nil || !s.Valid("Bearer "+token.Reveal()) || src.Condition(time.Now()).Who != "robot@test.example" {
		t.Fatalf("%v", err)
	}
	s.Dismiss("robot@test.example")
	if err := src.Renew(t.Context(), token); classOf(t, err) != fault.CredentialInvalid {
		t.Errorf("once dismissed: %v", err)
	}
	clean(t, dir, log)
}

// full is a disk on which nothing can be written any more after some writes.
type full struct {
	Sealer
	left int
}

func (f *full) Seal(plain string, where ...string) ([]byte, error) {
	if f.left--; f.left < 0 {
		return nil, errors.New("the disk is full")
	}
	return f.Sealer.Seal(plain, where...)
}

// A refresh token that cannot be kept is not used before it is; the access
// token that came with it serves.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	s := oauthtest.New(t)
	s.Rotate(true, time.Hour)
	disk := &full{secret.NewSealer(filepath.Join(dir, "key")), 1}
	v, err := Open(dir, disk, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := userOf(t, s, s.Login("api"))
	src := v.Source(c, s.Way())
	token, err := src.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Renew(t.Context(), token); classOf(t, err) != fault.Network || s.Granted("refresh_token") != 1 {
		t.Errorf("on a full disk: %v, %d renewals", err, s.Granted("refresh_token"))
	}
	disk.left = 1000
	src.Retry()
	if err := src.Renew(t.Context(), token); err != nil || s.Granted("refresh_token") != 2 || s.Refused("refresh_token") != 0 {
		t.Errorf("once there is room: %v, %d renewals, %d refused", err, s.Granted("refresh_token"), s.Refused("refresh_token"))
	}
}

// A login that is over serves to the end of the token at hand, and not beyond.
func TestRefusedEarly(t *testing.T) {
	s := oauthtest.New(t)
	synctest.Test(t, func(t *testing.T) {
		s.Rotate(false, time.Hour)
		v, _ := open(t, "")
		src := v.Source(userOf(t, s, s.Login("api")), s.Way())
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go func() { _ = v.Run(ctx) }()
		if _, err := src.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Revoke()
		time.Sleep(time.Hour - time.Second)
		synctest.Wait()
		if _, err := src.Token(t.Context()); err != nil || src.Condition(time.Now()).State != provider.Fresh || s.Refused("refresh_token") != 1 {
			t.Errorf("before the end: %v, %+v, %d refused", err, src.Condition(time.Now()), s.Refused("refresh_token"))
		}
		time.Sleep(2 * time.Second)
		if class := classOf(t, second(src.Token(t.Context()))); class != fault.CredentialExpired || src.Condition(time.Now()).State != provider.SignedOut {
			t.Errorf("after the end: %v, %+v", class, src.Condition(time.Now()))
		}
		time.Sleep(refusedPause)
		synctest.Wait()
		if n := s.Refused("refresh_token"); n != 2 {
			t.Errorf("a day later the issuer has refused %d times", n)
		}
	})
}

// A thousand requests with one token that was refused fetch one.
func TestRenewTogether(t *testing.T) {
	s := oauthtest.New(t)
	s.Rotate(true, time.Hour)
	v, _ := open(t, t.TempDir())
	src := v.Source(userOf(t, s, s.Login("api")), s.Way())
	stale, err := src.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Expire()
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			if err := src.Renew(t.Context(), stale); err != nil {
				t.Error(err)
			}
			if token, err := src.Token(t.Context()); err != nil || !s.Valid("Bearer "+token.Reveal()) {
				t.Errorf("the token after it: %v", err)
			}
		})
	}
	all.Wait()
	if n := s.Granted("refresh_token"); n != 2 {
		t.Errorf("%d tokens were fetched", n)
	}
}

func TestForget(t *testing.T) {
	dir := t.TempDir()
	s := oauthtest.New(t)
	v, _ := open(t, dir)
	c, d := userOf(t, s, s.Login("api")), userOf(t, s, s.Login("api"))
	for _, c := range []*Credential{c, d} {
		if _, err := v.Source(c, s.Way()).Token(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	files := func() (n int) {
		all, err := filepath.Glob(filepath.Join(dir, folder, "*"+stateSuffix))
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	if err := v.Forget(c.ID()); err != nil || files() != 2 {
		t.Errorf("one that an account has is forgotten: %v", err)
	}
	v.Keep(map[string]bool{d.ID(): true})
	if err := v.Forget(c.ID()); err != nil || files() != 1 {
		t.Errorf("%d files: %v", files(), err)
	}
	old := time.Now().Add(-sweeps - time.Hour)
	name := filepath.Join(dir, folder, d.ID()+stateSuffix)
	if err := os.Chtimes(name, old, old); err != nil {
		t.Fatal(err)
	}
	if err := v.Sweep(); err != nil || files() != 1 {
		t.Errorf("one that an account has is swept: %v", err)
	}
	v.Keep(nil)
	if err := v.Sweep(); err != nil || files() != 0 {
		t.Errorf("an old one stays: %v", err)
	}
}

// What was given up can be had back whole: a refresh token that was replaced
// meanwhile is good.
func TestWithdraw(t *testing.T) {
	s := oauthtest.New(t)
	s.Rotate(true, time.Hour)
	dir := t.TempDir()
	v, _ := open(t, dir)
	c := userOf(t, s, s.Login("api"))
	if _, err := v.Source(c, s.Way()).Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w, err := v.Withdraw(c.ID()); err != nil || w.kept != nil {
		t.Errorf("while it is used: %+v, %v", w, err)
	}
	v.Keep(nil)
	w, err := v.Withdraw(c.ID())
	if err != nil || w.kept == nil {
		t.Fatalf("%+v, %v", w, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "tokens", "*")); err != nil || len(left) != 0 {
		t.Errorf("there is left %q, %v", left, err)
	}
	if err := v.Return(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	x := v.Source(c, s.Way())
	token, err := x.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Renew(t.Context(), token); err != nil || s.Refused("refresh_token") != 0 {
		t.Errorf("after it came back: %v", err)
	}
	if err := v.Return(t.Context(), w); err != nil { // of old
		t.Fatal(err)
	}
	if st, err := v.shelf.read(c.ID()); err != nil || st.Refresh == w.kept.Refresh {
		t.Errorf("what is newer was lost: %v", err)
	}
	if none, err := v.Withdraw("nothing"); err != nil || none.kept != nil || v.Return(t.Context(), none) != nil {
		t.Errorf("of nothing: %+v, %v", none, err)
	}
}

// Seed has the token that came with a login used, and no other fetched.
func TestSeed(t *testing.T) {
	s := oauthtest.New(t)
	v, _ := open(t, t.TempDir())
	c := userOf(t, s, s.Login("api"))
	if err := v.Seed(t.Context(), c, Grant{Access: secret.Of("ya29.seed"), Life: time.Hour, Refresh: c.Refresh}); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Source(c, s.Way()).Token(t.Context()); err != nil || got.Reveal() != "ya29.seed" || s.Granted("refresh_token") != 0 {
		t.Errorf("%v", err)
	}
}

// TestLatest: a credential that is taken elsewhere goes on there, though its
// first refresh token was replaced and its issuer does not take that any more.
func TestLatest(t *testing.T) {
	s := oauthtest.New(t)
	s.Rotate(true, 0)
	v, _ := open(t, t.TempDir())
	c := userOf(t, s, s.Login("api"))
	if same, err := v.Latest(c); err != nil || same != c {
		t.Errorf("before anything was replaced: %v", err)
	}
	if _, err := v.Source(c, s.Way()).Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	now, err := v.Latest(c)
	if err != nil || now.Refresh == c.Refresh {
		t.Fatalf("it was not replaced: %v", err)
	}
	v.Keep(nil) // the first one asks no more
	elsewhere, _ := open(t, t.TempDir())
	if _, err := elsewhere.Source(now, s.Way()).Token(t.Context()); err != nil {
		t.Errorf("elsewhere: %v", err)
	}
}
