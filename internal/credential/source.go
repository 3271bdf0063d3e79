package credential

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/fault"
	"portico/internal/provider"
	"portico/internal/secret"
)

const (
	// flightTime bounds one renewal, the wait for other processes included.
	flightTime = 45 * time.Second
	// firstPause and lastPause bound how long an issuer that failed is left
	// alone. Spec: upstreams §3.3.
	firstPause, lastPause = time.Second, time.Minute
	// refusedPause is when a credential that was refused is tried once more
	// without anybody's doing.
	refusedPause = 24 * time.Hour
	// misfitPause is when a client that was refused is.
	misfitPause = 5 * time.Minute
)

// A Source is the provider.Tokens of all accounts with one credential. What a
// request asks in the usual case, whether the token at hand is good, takes no
// lock.
type Source struct {
	vault  *Vault
	c      *Credential
	id     string
	client atomic.Pointer[http.Client]

	token  atomic.Pointer[token]
	flying atomic.Int64 // since when a token is fetched, Unix nanoseconds; 0: none is
	gone   atomic.Pointer[gone]
	idle   atomic.Bool // no account that is on has it

	mu      sync.Mutex
	flight  *flight
	failed  *fault.Fault // the last time; nil: it went well
	again   time.Time    // when the issuer may be asked again
	pause   time.Duration
	anew    bool // a refusal on the disk does not count
	unsaved *state
}

// A token is one that the issuer gave.
type token struct {
	text  secret.Text
	until time.Time // when it ends
	renew time.Time // when the next is fetched
	email string
}

// gone is that the issuer refused the credential.
type gone struct {
	since, until time.Time
	fault        *fault.Fault
}

// A flight is one renewal, for all who wait for it.
type flight struct {
	done chan struct{}
	bad  *fault.Fault // set before done is closed
}

var (
	_ provider.Tokens   = (*Source)(nil)
	_ provider.Projects = (*Source)(nil)
)

// ID implements provider.Tokens.
func (s *Source) ID() string { return s.id }

// Projects implements provider.Projects.
func (s *Source) Projects() (own, charged string) { return s.c.Project, s.c.QuotaProject }

// Credential is what the source asks with.
func (s *Source) Credential() *Credential { return s.c }

// Whose is who has signed in: by the issuer's own name, and by their e-mail
// address; "" where nobody said it. It reads the disk.
func (s *Source) Whose() (subject, email string) {
	st, _ := s.vault.shelf.read(s.id) // what cannot be read says nothing
	return cmp.Or(s.c.Subject, st.Subject), cmp.Or(st.Email, s.c.Email)
}

// Token implements provider.Tokens. The token is used to its very end: a
// request that comes too late is refused, and renews it.
func (s *Source) Token(ctx context.Context) (secret.Text, error) {
	if t := s.token.Load(); t != nil && s.vault.now().Before(t.until) {
		return t.text, nil
	}
	if err := s.fetch(ctx, secret.Text{}); err != nil {
		return secret.Text{}, err
	}
	if t := s.token.Load(); t != nil {
		return t.text, nil
	}
	return secret.Text{}, fault.New(fault.Internal, "the token was given up while it was fetched")
}

// Renew implements provider.Tokens.
func (s *Source) Renew(ctx context.Context, stale secret.Text) error { return s.fetch(ctx, stale) }

// Condition implements provider.Tokens.
func (s *Source) Condition(now time.Time) provider.Condition {
	c := provider.Condition{Who: s.c.Email}
	t := s.token.Load()
	if t != nil && t.email != "" {
		c.Who = t.email
	}
	if t != nil && now.Before(t.until) {
		return c // to its very end, whatever becomes of the next
	}
	if g := s.gone.Load(); g != nil && now.Before(g.until) {
		c.State, c.Since, c.Until, c.Fault = provider.SignedOut, g.since, g.until, g.fault
		return c
	}
	if since := s.flying.Load(); since != 0 {
		c.State, c.Since = provider.Refreshing, time.Unix(0, since)
	}
	return c
}

// Retry implements provider.Tokens.
func (s *Source) Retry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed, s.again, s.pause, s.anew = nil, time.Time{}, 0, true
	s.gone.Store(nil)
}

// due reports whether the next token should be fetched at now.
func (s *Source) due(now time.Time) bool {
	if t := s.token.Load(); s.idle.Load() || t != nil && now.Before(t.renew) && now.Before(t.until) {
		return false
	}
	if g := s.gone.Load(); g != nil && now.Before(g.until) || s.flying.Load() != 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !now.Before(s.again)
}

// load begins with what lies on the disk.
func (s *Source) load() {
	st, err := s.vault.shelf.read(s.id)
	if err != nil {
		s.vault.log.Warn("the tokens of a credential are asked for anew", "whose", s.c.Email, "error", err)
		return
	}
	if st.Refused != nil {
		s.refuse(st.Refused)
	}
	s.adopt(&st)
}

// adopt uses the token of st, if it has one.
func (s *Source) adopt(st *state) {
	if st.Access == "" || !s.vault.now().Before(st.Until) {
		return
	}
	life := st.Until.Sub(st.Issued)
	// Early, and not all accounts at one time. Spec: reliability REL-43.
	part := 0.75 + 0.1*rand.Float64()
	s.token.Store(&token{
		text: secret.Of(st.Access), until: st.Until, renew: st.Issued.Add(time.Duration(part * float64(life))), email: st.Email,
	})
}

func (s *Source) refuse(r *refused) {
	until := r.Until
	if latest := s.vault.now().Add(refusedPause); until.After(latest) {
		until = latest // the clock was put back since
	}
	s.gone.Store(&gone{r.Since, until, &fault.Fault{
		Class: fault.ParseClass(r.Class), Scope: fault.Account, Phase: fault.Dialing, Msg: r.Msg,
	}})
}

// fetch gets a token other than stale: it waits for the flight under way, or
// begins one. A zero stale wants one that is newer than the one at hand.
func (s *Source) fetch(ctx context.Context, stale secret.Text) error {
	now := s.vault.now()
	s.mu.Lock()
	t := s.token.Load()
	if !stale.IsZero() && t != nil && t.text != stale && now.Before(t.until) {
		s.mu.Unlock()
		return nil // somebody was faster
	}
	if g := s.gone.Load(); g != nil && now.Before(g.until) {
		s.mu.Unlock()
		return own(g.fault)
	}
	if s.flight == nil && s.failed != nil && now.Before(s.again) {
		f := *s.failed
		f.After = s.again.Sub(now)
		s.mu.Unlock()
		return &f
	}
	if !stale.IsZero() && t != nil && t.text == stale {
		s.token.Store(nil) // nobody else runs into it
	}
	f := s.flight
	if f == nil {
		f = &flight{done: make(chan struct{})}
		s.flight = f
		s.flying.Store(now.UnixNano())
		// It goes on without whoever asked first: its answer must be kept.
		stale = cmp.Or(stale, s.atHand())
		s.vault.flights.Go(func() { s.fly(f, stale) })
	}
	s.mu.Unlock()
	select {
	case <-f.done:
		if f.bad != nil {
			return own(f.bad)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// own is a copy of f, for a caller that may change it.
func own(f *fault.Fault) error {
	c := *f
	return &c
}

// atHand is the token in use, the zero Text if there is none.
func (s *Source) atHand() secret.Text {
	if t := s.token.Load(); t != nil {
		return t.text
	}
	return secret.Text{}
}

// fly is one flight.
func (s *Source) fly(f *flight, stale secret.Text) {
	ctx, cancel := context.WithTimeout(s.vault.life, flightTime)
	defer cancel()
	pause, bad := s.renew(ctx, stale)
	now := s.vault.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.anew = false
	switch {
	case bad == nil:
		s.failed, s.again, s.pause = nil, time.Time{}, 0
	case pause > 0:
		s.failed, s.again = bad, now.Add(pause)
	default:
		s.pause = min(max(2*s.pause, firstPause), lastPause)
		s.failed, s.again = bad, now.Add(s.pause)
	}
	if bad != nil {
		s.vault.log.Warn("no access token", "whose", s.c.Email, "class", bad.Class.String(), "why", bad.Msg)
		f.bad = bad
	}
	s.flight = nil
	s.flying.Store(0)
	close(f.done)
}

// renew asks the issuer for a token and keeps it, once for all processes. The
// pause is how long the issuer is left alone, 0: by how often it failed.
func (s *Source) renew(ctx context.Context, stale secret.Text) (pause time.Duration, _ *fault.Fault) {
	unlock, err := s.vault.shelf.lock(ctx, s.id)
	if err != nil {
		return 0, unkept(err)
	}
	defer unlock()
	st, err := s.current()
	if err != nil {
		return 0, unkept(err)
	}
	now := s.vault.now()
	if st.Access != "" && secret.Of(st.Access) != stale && now.Before(st.Until) {
		s.adopt(&st) // another process was faster
		return 0, nil
	}
	s.mu.Lock()
	anew := s.anew
	s.mu.Unlock()
	if st.Refused != nil && now.Before(st.Refused.Until) && !anew {
		s.refuse(st.Refused)
		return st.Refused.Until.Sub(now), s.gone.Load().fault
	}
	return s.ask(ctx, st)
}

// unkept is the fault of a disk that does not do what it should.
func unkept(err error) *fault.Fault {
	return &fault.Fault{Class: fault.Network, Scope: fault.Account, Phase: fault.Dialing, Msg: "its tokens cannot be kept: " + line(err.Error()), Err: err}
}

// current is the state on the disk, once what could not be kept the last time
// is there.
func (s *Source) current() (state, error) {
	s.mu.Lock()
	unsaved := s.unsaved
	s.mu.Unlock()
	if unsaved == nil {
		st, err := s.vault.shelf.read(s.id)
		if err != nil {
			s.vault.log.Warn("the tokens of a credential are asked for anew", "whose", s.c.Email, "error", err)
		}
		return st, nil
	}
	if err := s.vault.shelf.write(s.id, unsaved); err != nil {
		return state{}, err
	}
	s.mu.Lock()
	s.unsaved = nil
	s.mu.Unlock()
	return *unsaved, nil
}

// ask asks the issuer. st is what is on the disk; the lock is held.
func (s *Source) ask(ctx context.Context, st state) (pause time.Duration, _ *fault.Fault) {
	open := st.Asked // an answer that was lost
	for again := false; ; again = true {
		refresh := secret.Of(cmp.Or(st.Refresh, s.c.Refresh.Reveal()))
		if s.c.Kind == User {
			st.Asked = s.vault.now()
			if err := s.vault.shelf.write(s.id, &st); err != nil {
				return 0, unkept(err)
			}
		}
		s.vault.asked()
		g, err := s.c.ask(ctx, s.client.Load(), refresh)
		s.vault.answered()
		if err == nil {
			err = s.whose(&st, &g)
		}
		if err == nil {
			return 0, s.keep(st, &g)
		}
		what, f, sure := s.c.read(err, refresh)
		if m, ok := errors.AsType[*mismatch](err); ok {
			what, f, sure = dead, m.fault(), true
		}
		if what == dead && !again && s.c.Kind == User {
			// The store is believed before the issuer is.
			if now, err := s.vault.shelf.read(s.id); err == nil && now.Refresh != st.Refresh {
				st = now
				continue
			}
		}
		return s.failure(st, what, f, sure, open)
	}
}

// failure keeps what a failed request says of the credential.
func (s *Source) failure(st state, what refusal, f *fault.Fault, sure bool, open time.Time) (time.Duration, *fault.Fault) {
	now := s.vault.now()
	switch {
	case what == dead:
		if !open.IsZero() && s.c.Kind == User {
			f.Msg = "the login is lost: a renewal that began on " + open.UTC().Format("2 January 2006 at 15:04:05 MST") +
				" was cut off before its answer was kept, and the issuer has replaced the refresh token since. " + f.Msg
		}
		st.Refused = &refused{now, now.Add(refusedPause), f.Class.String(), f.Msg}
		st.Asked = open
		s.refuse(st.Refused)
		if s.token.Load() == nil {
			st.Access = "" // it was refused, too
		}
		_ = s.vault.shelf.write(s.id, &st) // another process learns it by itself
		return refusedPause, f
	case sure && s.c.Kind == User:
		st.Asked = open
		_ = s.vault.shelf.write(s.id, &st)
	}
	if what == misfits {
		return misfitPause, f
	}
	return 0, f
}

// keep has g on the disk before anybody uses it.
func (s *Source) keep(st state, g *Grant) *fault.Fault {
	now := s.vault.now()
	st.Access, st.Issued, st.Until = g.Access.Reveal(), now, now.Add(g.Life)
	st.Asked, st.Refused = time.Time{}, nil
	if !g.Refresh.IsZero() {
		st.Refresh = g.Refresh.Reveal()
	}
	st.Email, st.Subject = cmp.Or(g.Email, st.Email), cmp.Or(st.Subject, g.Subject)
	s.gone.Store(nil)
	if err := s.vault.shelf.write(s.id, &st); err != nil {
		// The access token serves to its end; the refresh token is used only
		// once it is on the disk, which is tried each time.
		s.vault.log.Error("a new token cannot be kept; make room on the disk before it ends", "whose", s.c.Email, "until", st.Until, "error", err)
		s.mu.Lock()
		s.unsaved = &st
		s.mu.Unlock()
	}
	s.adopt(&st)
	return nil
}

// A mismatch is a token of somebody else.
type mismatch struct{ want, got string }

func (m *mismatch) Error() string {
	return "the issuer gave a token of another identity"
}

func (m *mismatch) fault() *fault.Fault {
	f := &fault.Fault{Class: fault.CredentialInvalid, Scope: fault.Account, Phase: fault.Dialing}
	f.Msg = "the issuer gave a token of another identity than the account's, which is not used"
	if m.want != "" && m.got != "" {
		f.Msg += ": " + m.got + " in place of " + m.want
	}
	return f
}

// whose refuses a token of another identity than the credential's, or than the
// first token's if the credential names none. Spec: security SEC-65.
func (s *Source) whose(st *state, g *Grant) error {
	if want := cmp.Or(s.c.Subject, st.Subject); s.c.Kind == User && want != "" && g.Subject != "" && g.Subject != want {
		return &mismatch{s.c.Email, g.Email}
	}
	return nil
}
