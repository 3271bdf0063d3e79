package relay

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"portico/internal/budget"
	"portico/internal/fault"
	"portico/internal/journal"
	"portico/internal/llm"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/completions"
	"portico/internal/route"
	"portico/internal/schedule"
	"portico/internal/secret"
)

// An answer is one call while it is under way: the way back to the client, how
// far it has come, and what the ledger will say of it. It is used by the
// call's goroutine and, for heartbeats and time limits, by its timer. Answers
// are used again for other calls, and their timers with them.
type answer struct {
	mu    sync.Mutex // guards watch, line and writing to the client
	watch watch
	line  line

	job // for the call's goroutine alone
}

// A job is a call and what became of it so far.
type job struct {
	r   *Relay
	ctx context.Context
	c   *Call

	// How the attempt under way goes. What every chunk of a stream needs
	// stands together, since little of it is in the processor's memory when
	// a chunk comes.
	try   try
	flow  flow
	lease pool.Lease // of the attempt

	// What the client has.
	live     bool // something of this leg: no other account can serve it now
	streamed bool // the upstream's answer is a stream of events
	sse      bool // the client's, too, and it has begun
	told     bool // of the failure, in the upstream's own words
	early    bool // heartbeats may begin the client's stream, see foretell
	abort    bool // the connection must break, so that the answer is not taken for whole

	// Whom to ask, and in which form.
	plan   route.Plan
	query  schedule.Query
	forms  []form
	ways   []pool.Way // of the forms
	form   *form      // that the last attempt was made in
	asked  asked      // the client's own request for the model askedFor, memoised
	askFor string

	// What the client asks for, while that is looked at; see request.
	said   *llm.Request
	parsed bool

	// What was tried.
	home    string   // the account that has the answer that the call is about, "": it may be any
	never   []string // accounts that lack what the call needs
	reach   reach
	unknown bool      // no account at home has the model
	target  int       // how many attempts had failed when this model's turn came
	tried   []string  // accounts that are not to be asked again for this model
	busy    []string  // those of them that are worth another try after a while
	again   string    // one of them that may be asked once more
	twice   bool      // it was
	pause   time.Time // until when the pool keeps the last one off, zero: it does not
	waits   int       // pauses that tries have found
	waited  time.Duration
	model   int  // of the plan
	left    int  // tries that may still keep an upstream busy
	made    int  // tries so far
	hedged  bool // it was put to two accounts at a time
	bought  int  // of them that the budget of all calls paid for
	failed  []failure
	none    pool.None
	unfit   *fault.Fault // why the last form that did not fit was given up
	lost    []string     // what of the client's own request did not go to the upstream
	// unsealed: an upstream refused a seal, so that none is sent any more.
	unsealed bool
	renewed  []string // accounts whose access token was fetched anew for this call
	stay     string   // that of them which is asked again now
	reply    reply    // an upstream's refusal that can go to the client as it is

	// What the ledger says.
	x        journal.Exchange
	attempts []journal.Attempt
	hold     budget.Hold // what is put aside of the key's budget
	guess    int64       // tokens of the request, 0: not guessed yet
	fresh    bool        // the last record tells all, but for blank lines and comments
	mute     bool        // another answer tells it
	ledger   Recorder    // who is told, nil: the relay's

	// Several candidates that are asked for one by one, see fan.
	fan       int              // how many, 0: they are not
	best      completions.Best // those of them that are told, zero: all are
	candidate int              // which of them this call is for, from 1; 0: it is not for one
}

// A try is one attempt.
type try struct {
	lease  *pool.Lease // nil between attempts
	leg    int
	began  time.Time
	first  time.Duration // from began to the first meaningful byte, 0: none came
	status int
	tap    protocol.Tap // nil if the answer cannot be read
	watch  bool         // what is carried as it is, is kept here
	second bool         // it was made beside another one
	sent   *payload
	token  secret.Text // the access token that it showed, zero: it showed a key
}

// A line is the connection to the client.
type line struct {
	w         http.ResponseWriter
	rc        http.ResponseController
	flusher   flusher // w, or rc where it is none
	heartbeat time.Duration
	stall     time.Duration // how long a client may take nothing
	committed bool          // the status is out; nothing can be taken back
	beating   bool          // silence is filled with heartbeats
	foretold  bool          // the first of them sends the status
	open      bool          // a part of an event is out, and the rest is not
	until     time.Duration // the time limit for writing, as it is set
	out       int64         // bytes of the body
	err       error         // why nothing more can be written
}

// A flusher is what net/http's writers are.
type flusher interface{ FlushError() error }

// A slowFlusher flushes writers that are none.
type slowFlusher struct{ rc *http.ResponseController }

func (s slowFlusher) FlushError() error { return s.rc.Flush() }

// defaultStall is for calls without settings.
const defaultStall = time.Minute

// begin takes an answer for c.
func (r *Relay) begin(ctx context.Context, w http.ResponseWriter, c *Call) *answer {
	a := r.answers.Get().(*answer)
	a.r, a.ctx, a.c = r, ctx, c
	a.mu.Lock()
	a.line = line{w: w, rc: *http.NewResponseController(w), stall: defaultStall}
	if f, ok := w.(flusher); ok {
		a.line.flusher = f
	} else {
		a.line.flusher = slowFlusher{&a.line.rc}
	}
	if s := c.Settings; s != nil {
		a.line.heartbeat = s.Timeouts.Heartbeat
		if s.Timeouts.WriteStall > 0 {
			a.line.stall = s.Timeouts.WriteStall
		}
	}
	a.mu.Unlock()
	h := w.Header()
	if len(h[idHeader]) == 0 {
		h[idHeader] = []string{c.ID}
	}
	a.x = journal.Exchange{
		ID: c.ID, Start: c.Start, Key: c.Key, Client: c.Client, Peer: c.Peer, Op: c.Op.String(),
		Inbound: c.Codec.Name(), Stream: c.Stream, Asked: c.Model, BytesIn: int64(len(c.Body)),
	}
	if c.Op == protocol.Other {
		a.x.Path = c.Path
	}
	a.query.Tokens = int64(len(c.Body)) / bytesPerToken
	if c.Session != "" || c.Begins != 0 {
		a.query.Session = conversation(c)
		a.x.Session = strconv.FormatUint(a.query.Session, 16)
	}
	return a
}

// conversation is a hash of what identifies c's conversation. One that nobody
// names is told from others by how it begins and by its client alone, since
// many begin with the same word.
func conversation(c *Call) uint64 {
	h := schedule.Hash(c.Session)
	if c.Begins != 0 {
		h = schedule.Mix(h^c.Begins) ^ schedule.Mix(schedule.Hash(c.Key)) ^ schedule.Hash(c.Peer)
	}
	return h
}

// end records what is not recorded yet and gives the answer back. It is
// deferred: a panic of a codec is told to the client as an error.
func (a *answer) end() {
	p := recover()
	err, _ := p.(error)
	aborted := errors.Is(err, http.ErrAbortHandler)
	if p != nil && !aborted {
		a.crashed(p)
	}
	a.stop()
	if !a.fresh {
		a.record(0, false)
	}
	a.hold.Drop(a.r.now())
	abort := a.abort || aborted
	r := a.r
	a.mu.Lock()
	a.line = line{}
	a.mu.Unlock()
	clear(a.failed)
	clear(a.attempts)
	clear(a.forms)
	a.job = job{forms: a.forms[:0], ways: a.ways[:0], tried: a.tried[:0], failed: a.failed[:0], attempts: a.attempts[:0]}
	r.answers.Put(a)
	if abort {
		panic(http.ErrAbortHandler)
	}
}

// crashed tells the client of a defect of the gateway.
func (a *answer) crashed(p any) {
	a.r.log.Error("a request crashed", "request_id", a.c.ID, "panic", p, "stack", string(debug.Stack()))
	defer func() {
		if recover() != nil { // the defect is in telling
			a.abort = true
		}
	}()
	a.tell(crash)
}

// begun notes that the client has something of a stream, which may go on for
// long.
func (a *answer) begun() {
	a.live = true
	a.repay()
}

// repay gives back the tries that it took to be served. Only those that fail,
// too, are a load that an upstream in trouble should not see.
func (a *answer) repay() {
	if a.bought > 0 {
		a.r.retries.giveBack(a.bought)
		a.bought = 0
	}
}

// commit sends the status. All headers are set.
func (a *answer) commit(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.x.Status = status
	a.line.committed = true
	a.line.w.WriteHeader(status)
}

// write sends p. With flush the client gets it now. open says that p ends
// within an event. The error, if any, means that the client has gone.
func (a *answer) write(p []byte, open, flush bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.line.open = open
	return a.put(p, flush)
}

// writeFirst is write for the beginning of a stream. It runs on a goroutine of
// its own: net/http writes the head in a frame of 3 KiB, and the call's
// goroutine is deep enough by then that its stack would grow to 16 KiB, of
// which half would lie idle for the stream's life.
func (a *answer) writeFirst(p []byte, open, flush bool) error {
	done := make(chan any)
	var err error
	go func() {
		defer func() { done <- recover() }()
		err = a.write(p, open, flush)
	}()
	if crash := <-done; crash != nil {
		panic(crash)
	}
	return err
}

// put is write for those who hold the lock.
func (a *answer) put(p []byte, flush bool) error {
	l := &a.line
	if l.err != nil {
		return l.err
	}
	now := a.watch.now()
	a.watch.beat = now
	if now+l.stall > l.until {
		// The limit is set for a while ahead, so that it is not set anew for
		// every piece of a stream.
		d := l.stall + l.stall/4
		l.until = now + d
		_ = l.rc.SetWriteDeadline(time.Now().Add(d)) // not every writer has one
	}
	n, err := l.w.Write(p)
	l.out += int64(n)
	if err == nil && flush {
		err = l.flusher.FlushError()
	}
	l.err = err
	return err
}

// beat begins to fill silence with heartbeats.
func (a *answer) beat() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.line.heartbeat > 0 {
		a.line.beating = true
		a.watch.beat = a.watch.now()
		a.arm(a.watch.beat)
	}
}

// heartbeat fills a silence, unless it is one within an event. The lock is
// held.
func (a *answer) heartbeat() {
	if a.line.open {
		a.watch.beat = a.watch.now()
		return
	}
	if a.line.foretold {
		a.line.foretold, a.line.committed = false, true
		a.line.w.WriteHeader(http.StatusOK)
	}
	if a.put(a.c.Codec.Heartbeat(), true) != nil {
		a.line.beating = false
		if a.watch.cancel != nil {
			a.watch.cancel(errGone)
		}
	}
}
