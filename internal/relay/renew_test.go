package relay

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/provider"
	"portico/internal/secret"
)

// issuer plays a credential: each renewal of the token in use makes the next.
type issuer struct {
	mu      sync.Mutex
	n       int
	renewed int // as often as the token changed
	err     error
	wait    chan struct{} // Token waits for it, nil: it does not
}

func (i *issuer) ID() string { return "issuer" }

func (i *issuer) token() secret.Text { return secret.Of("token-0123456789-" + strconv.Itoa(i.n)) }

func (i *issuer) Token(ctx context.Context) (secret.Text, error) {
	if i.wait != nil {
		select {
		case <-i.wait:
		case <-ctx.Done():
			return secret.Text{}, context.Cause(ctx)
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.token(), nil
}

func (i *issuer) Renew(_ context.Context, stale secret.Text) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.err != nil {
		return i.err
	}
	if stale == i.token() {
		i.n++
		i.renewed++
	}
	return nil
}

func (i *issuer) Condition(time.Time) provider.Condition { return provider.Condition{} }
func (i *issuer) Retry()                                 {}

// honouring is an upstream that takes one token only, and repeats what it was
// shown.
func honouring(d *dialect, token string) upstream {
	return func(out *http.Request, body []byte) (*http.Response, error) {
		if shown := out.Header.Get("Authorization"); shown != "Bearer "+token {
			return answerOf(401, "application/json", `{"error":{"message":"bad `+shown+`","type":"authentication_error"}}`), nil
		}
		return answerOf(200, "application/json", d.whole), nil
	}
}

func (r *rig) signIn(i int, t provider.Tokens) {
	r.all[i].Account.Key, r.all[i].Account.Tokens = secret.Text{}, t
	r.pool.Set(r.all)
}

// A token that is refused is renewed once, and the same account serves; no
// other is asked, and none is held to account.
func TestRenew(t *testing.T) {
	d := dialects["openai-chat"]
	i := &issuer{}
	r := newRig(t, honouring(d, "token-0123456789-1"), honouring(d, "token-0123456789-1"))
	r.signIn(0, i)
	log := r.logTo()
	c := r.run(r.call(d, false))
	if c.status != 200 || !slices.Equal(r.asked, []string{"a", "a"}) || i.renewed != 1 {
		t.Fatalf("%d after %v, %d renewals: %s", c.status, r.asked, i.renewed, c.text())
	}
	for _, v := range r.pool.Views() {
		if v.Health != (pool.Health{}) {
			t.Errorf("%s is %+v", v.Name, v.Health)
		}
	}
	x := r.ledger.last()
	if len(x.Attempts) != 2 || x.Attempts[0].Fault != "credential_expired" || x.Attempts[0].Step != "again" || x.Attempts[0].Status != 401 {
		t.Errorf("the ledger has %+v", x.Attempts)
	}
	if all := log.String() + x.Attempts[0].Error; strings.Contains(all, "token-0123456789") {
		t.Errorf("the token is told: %s", all)
	}
}

// A token that is refused although it is new says that the account is.
func TestRenewOnce(t *testing.T) {
	d := dialects["openai-chat"]
	i := &issuer{}
	r := newRig(t, honouring(d, "another"), honouring(d, testKey+"b"))
	r.signIn(0, i)
	if c := r.run(r.call(d, false)); c.status != 200 || !slices.Equal(r.asked, []string{"a", "a", "b"}) || i.renewed != 1 {
		t.Fatalf("%d after %v, %d renewals", c.status, r.asked, i.renewed)
	}
	if h := r.pool.Views()[0].Health; h.State != pool.Down || h.Why != fault.CredentialInvalid {
		t.Errorf("a is %+v", h)
	}
}

// If there is no other token, others serve, and the account is held to that.
func TestRenewFails(t *testing.T) {
	d := dialects["openai-chat"]
	for _, class := range []fault.Class{fault.CredentialExpired, fault.Network} {
		i := &issuer{err: &fault.Fault{Class: class, Scope: fault.Account, Msg: "the issuer says no"}}
		r := newRig(t, honouring(d, "another"), honouring(d, testKey+"b"))
		r.signIn(0, i)
		if c := r.run(r.call(d, false)); c.status != 200 || !slices.Equal(r.asked, []string{"a", "b"}) {
			t.Errorf("%v: %d after %v", class, c.status, r.asked)
		}
		if x := r.ledger.last(); x.Attempts[0].Fault != class.String() || !strings.Contains(x.Attempts[0].Error, "the issuer says no") {
			t.Errorf("%v: the ledger has %+v", class, x.Attempts[0])
		}
	}
}

// A key that lasts is never renewed, and a thousand requests with one token
// that is over renew it once.
func TestRenewTogether(t *testing.T) {
	d := dialects["openai-chat"]
	i := &issuer{}
	r := newRig(t, honouring(d, "token-0123456789-1"))
	r.signIn(0, i)
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			if c := r.run(r.call(d, false)); c.status != 200 {
				t.Errorf("%d: %s", c.status, c.text())
			}
		})
	}
	all.Wait()
	if i.renewed != 1 {
		t.Errorf("the token was renewed %d times", i.renewed)
	}
	keyed := newRig(t, honouring(d, "another"))
	if c := keyed.run(keyed.call(d, false)); c.status == 200 || len(keyed.asked) != 1 {
		t.Errorf("with a key: %d after %v", c.status, keyed.asked)
	}
}

// A client that leaves while a token is fetched blames nobody.
func TestRenewLeft(t *testing.T) {
	d := dialects["openai-chat"]
	i := &issuer{wait: make(chan struct{})}
	r := newRig(t, honouring(d, "another"))
	r.signIn(0, i)
	ctx, leave := context.WithCancelCause(t.Context())
	leave(errors.New("gone"))
	r.do(ctx, newClient(), r.call(d, false))
	if x := r.ledger.last(); len(x.Attempts) != 1 || x.Attempts[0].Fault != "canceled" {
		t.Errorf("the ledger has %+v", x.Attempts)
	}
	if h := r.pool.Views()[0].Health; h != (pool.Health{}) {
		t.Errorf("the account is %+v", h)
	}
}
