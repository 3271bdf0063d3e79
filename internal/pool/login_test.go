package pool

import (
	"context"
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/provider"
	"portico/internal/secret"
)

// credential plays one whose condition the test sets.
type credential struct {
	id      string
	now     provider.Condition
	retries int
}

func (c *credential) ID() string                                 { return c.id }
func (c *credential) Token(context.Context) (secret.Text, error) { return secret.Of("t"), nil }
func (c *credential) Renew(context.Context, secret.Text) error   { return nil }
func (c *credential) Condition(time.Time) provider.Condition     { return c.now }
func (c *credential) Retry()                                     { c.retries++ }
func with(c *credential) func(*Account)                          { return func(a *Account) { a.Tokens = c } }

func TestCredentials(t *testing.T) {
	a, b := &credential{id: "a"}, &credential{id: "b"}
	p, _ := pool(account("a", with(a)), account("b", with(b)))
	serves := func() map[string]bool {
		got := map[string]bool{}
		for range 20 {
			got[take(p, chat, nil)] = true
		}
		return got
	}
	if got := serves(); !got["a"] || !got["b"] {
		t.Errorf("with fresh tokens these serve: %v", got)
	}
	a.now = provider.Condition{State: provider.Refreshing}
	if got := serves(); got["a"] || !got["b"] {
		t.Errorf("while a refreshes these serve: %v", got)
	}
	b.now = provider.Condition{State: provider.SignedOut, Until: t0.Add(time.Hour)}
	if got := serves(); !got["a"] || got["b"] || got[""] {
		t.Errorf("while a refreshes and b needs a login these serve: %v", got)
	}
	a.now = provider.Condition{State: provider.SignedOut, Until: t0.Add(2 * time.Hour), Fault: fault.New(fault.CredentialExpired, "revoked"), Who: "me@example.com"}
	_, none := p.Lease(chat)
	if none == nil || len(none.Passed) != 2 || none.Passed[0].Class != fault.CredentialExpired || none.Passed[0].Why != "needs a login" || !none.Until.Equal(t0.Add(time.Hour)) {
		t.Errorf("with nobody signed in: %+v", none)
	}
	v := p.Views()[0]
	if v.Health.State != NeedsLogin || v.Health.Msg != "revoked" || v.Who != "me@example.com" || v.Health.State.String() != "needs_login" {
		t.Errorf("a is shown as %+v", v)
	}
	p.Heal("a")
	if a.retries != 1 {
		t.Errorf("healing tried the credential %d times", a.retries)
	}
	a.now = provider.Condition{State: provider.Refreshing}
	if v := p.Views()[0]; v.Health.State != Refreshing {
		t.Errorf("a is shown as %+v", v)
	}
}

// What is known of an account holds for it as long as its credential is the
// same.
func TestCredentialChanges(t *testing.T) {
	one, other := &credential{id: "1"}, &credential{id: "2"}
	p, _ := pool(account("a", with(one)))
	take(p, chat, of(fault.CredentialInvalid, 0))
	p.Set([]Account{account("a", with(one))})
	if s := p.Views()[0].Health.State; s != Down {
		t.Errorf("with the same credential it is %v", s)
	}
	before, after := account("a", with(one)), account("a", with(other))
	if before.identity() == after.identity() {
		t.Error("two credentials are kept as one account")
	}
	p.Set([]Account{after})
	if s := p.Views()[0].Health.State; s != Ready {
		t.Errorf("with another credential it is %v", s)
	}
}
