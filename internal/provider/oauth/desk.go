package oauth

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"sync"
	"time"

	"portico/internal/credential"
)

const (
	// maxLogins bounds the logins that are remembered, and maxWaiting those of
	// them that wait for somebody.
	maxLogins, maxWaiting = 64, 16
	// browserTime is how long a person has in a browser. On another device it
	// is as long as the issuer says, but not longer than deviceTime.
	browserTime, deviceTime = 5 * time.Minute, 30 * time.Minute
	// remembered is for how long it can be asked what became of a login.
	remembered = 15 * time.Minute
	// lands is how long Close waits.
	lands = 10 * time.Second
)

// Errors of a Desk.
var (
	ErrUnknown = errors.New("there is no such login; it may have been too long ago")
	ErrMany    = errors.New("too many logins are under way; finish or cancel one")
	ErrOver    = errors.New("the login is over")
)

// A Method is how somebody signs in.
type Method string

// The methods.
const (
	Browser Method = "browser"
	Device  Method = "device"
)

// A State is how a login is doing.
type State string

// The states.
const (
	Waiting State = "waiting" // for a person
	Busy    State = "busy"    // the person has agreed, and what came of it is looked at
	Done    State = "done"
	Failed  State = "failed"
)

// An Ask is a login that is wanted.
type Ask struct {
	Client *Client
	Method Method
	Way    http.RoundTripper // to the issuer
	// For is what the login is for, as whoever looks at it later is told.
	For string
	// Subject is who must sign in, by the issuer's own name, "" if only their
	// Email is known; without both anybody may. The issuer is told the Email.
	Subject, Email string
	// Done takes what came of it, and says what was found. It is called once
	// at most.
	Done func(context.Context, *credential.Credential, credential.Grant) (found string, err error)
}

// A Status is a login as it stands.
type Status struct {
	ID       string
	For      string
	Method   Method
	State    State
	URL      string // where the person agrees
	UserCode string // that they enter there, "" if none
	Redirect string // where the issuer sends them back to, "" if nowhere
	Until    time.Time
	Text     string // what came of it
}

// A Desk has the logins that are under way. It is safe for concurrent use.
type Desk struct {
	life context.Context
	end  context.CancelFunc
	all  sync.WaitGroup

	patience time.Duration // browserTime, but for tests

	mu     sync.Mutex
	logins map[string]*login
}

// NewDesk returns a desk without logins.
func NewDesk() *Desk {
	d := &Desk{patience: browserTime, logins: map[string]*login{}}
	d.life, d.end = context.WithCancel(context.Background())
	return d
}

// Close ends all logins. Those that have had their answer are waited for, for a
// while.
func (d *Desk) Close() error {
	d.end()
	over := make(chan struct{})
	go func() { defer close(over); d.all.Wait() }()
	late := time.NewTimer(lands)
	defer late.Stop()
	select {
	case <-over:
	case <-late.C:
	}
	return nil
}

// A login is one that is under way, or was.
type login struct {
	ask      Ask
	patience time.Duration
	cancel   context.CancelCauseFunc
	answer   chan answer   // what the issuer said, once
	ended    chan struct{} // closed when the login is over

	mu     sync.Mutex
	status Status
	over   time.Time
	state  string // the secret that comes back with the answer
	issuer string // that signed it, see RFC 9207
}

// An answer is what an issuer gives a person to bring back.
type answer struct {
	code string
	err  error
}

func (l *login) now() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

func (l *login) set(s State, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status.State, l.status.Text = s, text
	if s == Done || s == Failed {
		l.over = time.Now()
		close(l.ended)
	}
}

// Begin begins a login. It goes on until somebody has signed in, its time is up
// or it is cancelled; ctx is for its beginning alone.
func (d *Desk) Begin(ctx context.Context, a Ask) (Status, error) {
	l := &login{ask: a, patience: d.patience, answer: make(chan answer, 1), ended: make(chan struct{}), status: Status{ID: rand.Text(), For: a.For, Method: a.Method, State: Waiting}}
	if err := d.add(l); err != nil {
		return Status{}, err
	}
	life, cancel := context.WithCancelCause(d.life)
	l.cancel = cancel
	var rest func(context.Context) error
	var err error
	if a.Method == Device {
		rest, err = l.device(ctx)
	} else {
		rest, err = l.browser()
	}
	if err != nil {
		cancel(err)
		d.mu.Lock()
		delete(d.logins, l.status.ID)
		d.mu.Unlock()
		return Status{}, err
	}
	s := l.now()
	d.all.Go(func() {
		defer cancel(nil)
		life, stop := context.WithDeadlineCause(life, s.Until, errors.New("its time is up"))
		defer stop()
		if err := rest(life); err != nil {
			l.set(Failed, sentence(err))
		}
	})
	return s, nil
}

// add remembers l, and forgets those of long ago.
func (d *Desk) add(l *login) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	waiting := 0
	for id, old := range d.logins {
		old.mu.Lock()
		over := old.over
		old.mu.Unlock()
		switch {
		case over.IsZero():
			waiting++
		case time.Since(over) > remembered || len(d.logins) >= maxLogins:
			delete(d.logins, id)
		}
	}
	if waiting >= maxWaiting || d.life.Err() != nil {
		return ErrMany
	}
	d.logins[l.status.ID] = l
	return nil
}

func (d *Desk) find(id string) (*login, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.logins[id]; l != nil {
		return l, nil
	}
	return nil, ErrUnknown
}

// Look is how the login called id stands.
func (d *Desk) Look(id string) (Status, error) {
	l, err := d.find(id)
	if err != nil {
		return Status{}, err
	}
	return l.now(), nil
}

// Wait is Look once the login is over, or ctx is.
func (d *Desk) Wait(ctx context.Context, id string) (Status, error) {
	l, err := d.find(id)
	if err != nil {
		return Status{}, err
	}
	select {
	case <-l.ended:
	case <-ctx.Done():
	}
	return l.now(), nil
}

// Cancel ends the login called id.
func (d *Desk) Cancel(id string) error {
	l, err := d.find(id)
	if err != nil {
		return err
	}
	l.cancel(errors.New("it was cancelled"))
	return nil
}

// Paste brings back the issuer's answer by hand: the whole address that the
// browser was sent to, or the code in it. An address of another login is
// refused and harms none.
func (d *Desk) Paste(id, text string) error {
	l, err := d.find(id)
	if err != nil {
		return err
	}
	if l.ask.Method == Device {
		return errors.New("this login is ended on the other device, not here")
	}
	a, err := l.read(text)
	if err != nil {
		return err
	}
	return l.take(a)
}

// take takes the issuer's answer, once.
func (l *login) take(a answer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.status.State != Waiting {
		return ErrOver
	}
	l.status.State, l.status.Text = Busy, "The answer has come and is looked at."
	l.answer <- a
	return nil
}
