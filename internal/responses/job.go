package responses

import (
	"context"
	"strconv"
	"sync"
	"time"

	"portico/internal/jsonedit"
	"portico/internal/sse"
)

// Bounds of the answers that are made in the background.
const (
	// MaxJobs is how many may be under way at one time.
	MaxJobs = 64
	// lingering is how long the events of one that is over can be asked for.
	lingering = 5 * time.Minute
	// maxLogged bounds the events of one, in bytes, and maxLogs those of all.
	// Of one that has more only the answer itself can be asked for.
	maxLogged = 32 << 20
	maxLogs   = 128 << 20
)

// Jobs are the answers that are made in the background, and those that were a
// short while ago. It is safe for concurrent use.
type Jobs struct {
	now func() time.Time

	mu      sync.Mutex
	all     map[place]*Job
	over    []*Job // those that are over, in this order
	running int
	logged  int           // bytes of events
	closed  bool          // none may begin
	idle    chan struct{} // closed when none is running any more, after closed
}

// NewJobs returns an empty table that reads the time from now.
func NewJobs(now func() time.Time) *Jobs {
	return &Jobs{now: now, all: map[place]*Job{}, idle: make(chan struct{})}
}

// A Job is one answer that is made in the background.
type Job struct {
	place
	jobs   *Jobs
	cancel context.CancelCauseFunc
	keep   func(object []byte)

	// Guarded by the table's lock.
	object  []byte   // as it stands
	events  [][]byte // framed; each one's number is its index
	size    int      // of them
	lost    bool     // there were too many
	done    bool
	since   time.Time
	changed chan struct{} // closed when something happens
}

// Begin begins the answer id of scope, which is object until something is known
// of it. cancel ends the work, and keep is told what becomes of the answer if it
// is not kept by others: if it fails or is cancelled. It returns nil if as many
// are under way as may be, or none may begin any more.
func (j *Jobs) Begin(scope, id string, object []byte, cancel context.CancelCauseFunc, keep func(object []byte)) *Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tidy()
	if j.closed || j.running >= MaxJobs {
		return nil
	}
	x := &Job{place: place{scope, id}, jobs: j, cancel: cancel, keep: keep, object: object, changed: make(chan struct{})}
	j.all[x.place] = x
	j.running++
	for _, kind := range []string{"response.created", "response.queued"} {
		x.log(kind, "response", object)
	}
	return x
}

// tidy forgets those that have been over for a while.
func (j *Jobs) tidy() {
	now := j.now()
	for len(j.over) > 0 && (now.Sub(j.over[0].since) > lingering || len(j.over) > MaxJobs || j.logged > maxLogs) {
		x := j.over[0]
		j.over = j.over[1:]
		x.unlog()
		if j.all[x.place] == x {
			delete(j.all, x.place)
		}
	}
}

// Find returns the job of an answer, or nil.
func (j *Jobs) Find(scope, id string) *Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tidy()
	return j.all[place{scope, id}]
}

// Drop ends the work on an answer that is wanted no more, and forgets it.
func (j *Jobs) Drop(scope, id string, why error) {
	if x := j.Find(scope, id); x != nil {
		x.Cancel(why)
		j.mu.Lock()
		delete(j.all, x.place)
		j.mu.Unlock()
	}
}

// Drain lets no more begin and waits until none is under way, or ctx ends; then
// it ends the others with why.
func (j *Jobs) Drain(ctx context.Context, why error) {
	j.mu.Lock()
	if !j.closed {
		j.closed = true
		if j.running == 0 {
			close(j.idle)
		}
	}
	j.mu.Unlock()
	select {
	case <-j.idle:
		return
	case <-ctx.Done():
	}
	j.mu.Lock()
	var left []*Job
	for _, x := range j.all {
		if !x.done {
			left = append(left, x)
		}
	}
	j.mu.Unlock()
	for _, x := range left {
		x.cancel(why)
	}
}

// log adds an event whose member name is value. The lock is held.
func (x *Job) log(kind, name string, value []byte) {
	data := jsonedit.Quote([]byte(`{"type":`), kind)
	data = strconv.AppendInt(append(data, `,"sequence_number":`...), int64(len(x.events)), 10)
	data = append(append(append(data, `,"`...), name...), `":`...)
	x.add(sse.Append(nil, kind, append(append(data, value...), '}')))
}

// add adds an event. The lock is held.
func (x *Job) add(event []byte) {
	j := x.jobs
	if !x.lost {
		x.events = append(x.events, event)
		x.size += len(event)
		j.logged += len(event)
		if x.size > maxLogged || j.logged > maxLogs {
			if j.tidy(); x.size > maxLogged || j.logged > maxLogs {
				x.unlog()
			}
		}
	}
	close(x.changed)
	x.changed = make(chan struct{})
}

// unlog forgets the events. The lock is held.
func (x *Job) unlog() {
	x.jobs.logged -= x.size
	x.events, x.size, x.lost = nil, 0, true
}

// Event takes the data of an event of the answer's stream, and tells x's clients
// the same, but for what only x knows. It keeps a copy.
func (x *Job) Event(data []byte) {
	kind, _ := jsonedit.Unquote(jsonedit.Get(data, "type"))
	object := jsonedit.Get(data, "response")
	if kind == "response.failed" {
		// The rest of it may be of somebody who knows nothing of the request.
		x.end("failed", kind, jsonedit.Get(object, "error"))
		return
	}
	if object != nil {
		object = x.Own(object)
	}
	x.jobs.mu.Lock()
	defer x.jobs.mu.Unlock()
	switch {
	case x.done || kind == "response.created" || kind == "response.queued":
		return // they were told
	case object == nil:
		if own, err := jsonedit.Set(data, "sequence_number", strconv.AppendInt(nil, int64(len(x.events)), 10)); err == nil {
			x.add(sse.Append(nil, kind, own))
		}
		return
	}
	switch kind {
	case "response.completed", "response.incomplete":
		x.finish(object)
	default:
		x.object = object
	}
	x.log(kind, "response", object)
}

// Own is a response as x's clients know it. It is a copy.
func (x *Job) Own(object []byte) []byte {
	for _, m := range []member{{"id", jsonedit.Quote(nil, x.id)}, {"background", []byte("true")}, {"store", []byte("true")}} {
		object = m.in(object)
	}
	return object
}

// A member is one that an object gets.
type member struct {
	name  string
	value []byte
}

func (m member) in(object []byte) []byte {
	if own, err := jsonedit.Set(object, m.name, m.value); err == nil {
		return own
	}
	return object
}

// Fail ends x, if it is not over: code and message say why.
func (x *Job) Fail(code, message string) { x.end("failed", "response.failed", failure(code, message)) }

// Cancel ends x for a client that wants it no more, and returns the answer as
// it is then. Those who follow it are told that it is incomplete, for want of
// an event that SDKs know.
func (x *Job) Cancel(why error) []byte {
	x.end("cancelled", "response.incomplete", nil)
	x.cancel(why)
	return x.Object()
}

func failure(code, message string) []byte {
	dst := jsonedit.Quote([]byte(`{"code":`), code)
	return append(jsonedit.Quote(append(dst, `,"message":`...), message), '}')
}

func (x *Job) end(status, kind string, failure []byte) {
	x.jobs.mu.Lock()
	if x.done {
		x.jobs.mu.Unlock()
		return
	}
	object := Ended(x.object, status, failure)
	x.finish(object)
	x.log(kind, "response", object)
	x.jobs.mu.Unlock()
	x.keep(object)
}

// Ended is a response that ended with status before it was complete. failure
// says why, as JSON.
func Ended(object []byte, status string, failure []byte) []byte {
	if len(failure) == 0 {
		failure = []byte("null")
	}
	return member{"error", failure}.in(member{"status", jsonedit.Quote(nil, status)}.in(object))
}

// Pending reports whether object is a response that is still to come. Without a
// job it never will.
func Pending(object []byte) bool {
	switch string(jsonedit.Get(object, "status")) {
	case `"queued"`, `"in_progress"`:
		return true
	}
	return false
}

// Lost is a response that was to come when the process that made it ended.
func Lost(object []byte) []byte {
	return Ended(object, "failed", failure("server_error", "the gateway was stopped before the response was complete"))
}

// finish says that x is object for good. The lock is held.
func (x *Job) finish(object []byte) {
	j := x.jobs
	x.object, x.done, x.since = object, true, j.now()
	j.over = append(j.over, x)
	j.running--
	if j.running == 0 && j.closed {
		close(j.idle)
	}
}

// Object is the answer as it stands.
func (x *Job) Object() []byte {
	x.jobs.mu.Lock()
	defer x.jobs.mu.Unlock()
	return x.object
}

// Next returns the events from number n on, framed, and waits for the first of
// them until ctx ends. end says that no more will come after these. ok is false
// if there are no events to be had.
func (x *Job) Next(ctx context.Context, n int) (events [][]byte, end, ok bool) {
	for {
		x.jobs.mu.Lock()
		events, end, ok = nil, x.done, !x.lost
		if n < len(x.events) {
			events = x.events[n:len(x.events):len(x.events)]
		}
		changed := x.changed
		x.jobs.mu.Unlock()
		if len(events) > 0 || end || !ok {
			return events, end, ok
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, true, true
		}
	}
}
