// Package session knows who the operator is in a browser: the password, the
// links that open a browser once, and the sessions that follow from either.
//
// Of a session only the digest of its token is kept, of the password a hash
// that is slow to try (argon2id). What has to outlive the process is kept by
// the [Keeper]; codes of links do not outlive it.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// Idle is after how long without a request a session ends.
	Idle = 24 * time.Hour
	// MaxAge is after how long a session ends whatever happens.
	MaxAge = 30 * 24 * time.Hour
	// MaxSessions is how many sessions there are at one time; the one that was
	// idle longest ends for the next.
	MaxSessions = 64
	// maxAgent bounds what is kept of a browser's name, in bytes.
	maxAgent = 160
	// saveEvery is how often it is kept when sessions were last used.
	saveEvery = 10 * time.Minute
)

// ErrNone: there is no session of that id.
var ErrNone = errors.New("there is no such session")

// A Digest is the SHA-256 of a session's token.
type Digest [sha256.Size]byte

// A Record is a session as it is kept. It holds nothing that opens a door.
type Record struct {
	ID      string // for the operator's eyes and the audit log
	Digest  Digest
	Host    string // the Host under which it was begun; it is good for no other
	Address string // of the browser that began it
	Agent   string // what the browser called itself
	Way     string // password, token or launch
	Created time.Time
	Seen    time.Time // up to ten minutes late
}

// over reports whether the session has ended by now.
func (r *Record) over(now time.Time) bool {
	return now.Sub(r.Seen) >= Idle || now.Sub(r.Created) >= MaxAge
}

// Expires is when it ends if nobody uses it.
func (r *Record) Expires() time.Time {
	idle, old := r.Seen.Add(Idle), r.Created.Add(MaxAge)
	if old.Before(idle) {
		return old
	}
	return idle
}

// A Keeper keeps what outlives the process. Everything is on the disk when a
// method returns.
type Keeper interface {
	// Sessions returns what was kept, and the password's hash, "" for none.
	Sessions(ctx context.Context) (rs []Record, password string, err error)
	// PutSession keeps a session, under its id.
	PutSession(ctx context.Context, r *Record) error
	// SeeSessions keeps when those sessions were last seen.
	SeeSessions(ctx context.Context, rs []Record) error
	// EndSessions forgets the sessions of those ids.
	EndSessions(ctx context.Context, ids []string) error
	// PutPassword keeps the password's hash, "" for none, and forgets all
	// sessions, both or neither.
	PutPassword(ctx context.Context, hash string) error
}

// A Book holds the sessions. It is safe for concurrent use.
type Book struct {
	keep  Keeper
	now   func() time.Time
	tries chan struct{} // who may hash a password now

	changes sync.Mutex // one change at a time; it may wait for the disk

	mu       sync.Mutex // never held over I/O
	sessions map[Digest]*Record
	unsaved  map[Digest]bool // seen since it was kept
	password string
	codes    []code
}

// Open returns a Book of what keep has kept.
func Open(ctx context.Context, keep Keeper, now func() time.Time) (*Book, error) {
	b := &Book{keep: keep, now: now, tries: make(chan struct{}, maxTries), sessions: map[Digest]*Record{}, unsaved: map[Digest]bool{}}
	rs, password, err := keep.Sessions(ctx)
	if err != nil {
		return nil, err
	}
	b.password = password
	var ended []string
	for _, r := range rs {
		if r.over(now()) {
			ended = append(ended, r.ID)
			continue
		}
		b.sessions[r.Digest] = &r
	}
	if len(ended) > 0 {
		err = keep.EndSessions(ctx, ended)
	}
	return b, err
}

// A Visitor is whom a session is begun for.
type Visitor struct {
	Host, Address, Agent, Way string
}

// Begin begins a session and returns its token, which nobody can show again.
func (b *Book) Begin(ctx context.Context, v Visitor) (token string, r Record, err error) {
	b.changes.Lock()
	defer b.changes.Unlock()
	now := b.now().UTC()
	token = "ps-" + rand.Text()
	r = Record{
		ID: strings.ToLower(rand.Text()[:10]), Digest: sha256.Sum256([]byte(token)), Host: v.Host, Address: v.Address, Agent: short(v.Agent), Way: v.Way,
		Created: now, Seen: now,
	}
	if ended := b.surplus(now); len(ended) > 0 {
		if err := b.end(ctx, ended); err != nil {
			return "", Record{}, err
		}
	}
	if err := b.keep.PutSession(ctx, &r); err != nil {
		return "", Record{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := r
	b.sessions[r.Digest] = &kept
	return token, r, nil
}

// short is the beginning of s without what does not print.
func short(s string) string {
	out := make([]byte, 0, min(len(s), maxAgent))
	for i := range min(len(s), maxAgent) {
		if c := s[i]; c >= ' ' && c <= '~' {
			out = append(out, c)
		}
	}
	return string(out)
}

// surplus are the sessions that are over, and of the others those that must
// end so that there is room for one more.
func (b *Book) surplus(now time.Time) (ended []Record) {
	alive := b.all()
	slices.SortFunc(alive, func(x, y Record) int { return y.Seen.Compare(x.Seen) })
	for i, r := range alive {
		if r.over(now) || i >= MaxSessions-1 {
			ended = append(ended, r)
		}
	}
	return ended
}

func (b *Book) all() []Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Record, 0, len(b.sessions))
	for _, r := range b.sessions {
		out = append(out, *r)
	}
	return out
}

// end ends those sessions: on the disk first, so that none comes back.
func (b *Book) end(ctx context.Context, rs []Record) error {
	ids := make([]string, len(rs))
	for i := range rs {
		ids[i] = rs[i].ID
	}
	if err := b.keep.EndSessions(ctx, ids); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range rs {
		delete(b.sessions, rs[i].Digest)
		delete(b.unsaved, rs[i].Digest)
	}
	return nil
}

// Find returns the session that token opens under the name host. It costs one
// digest and one look into a map, whatever token is.
func (b *Book) Find(token, host string) (Record, bool) {
	sum := Digest(sha256.Sum256([]byte(token)))
	now := b.now().UTC()
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.sessions[sum]
	if r == nil || r.Host != host || r.over(now) {
		return Record{}, false
	}
	r.Seen = now
	b.unsaved[sum] = true
	return *r, true
}

// List lists the sessions, the one that was begun last first.
func (b *Book) List() []Record {
	now := b.now()
	out := slices.DeleteFunc(b.all(), func(r Record) bool { return r.over(now) })
	slices.SortFunc(out, func(x, y Record) int {
		if c := y.Created.Compare(x.Created); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	return out
}

// End ends the session called id, or returns ErrNone.
func (b *Book) End(ctx context.Context, id string) error {
	b.changes.Lock()
	defer b.changes.Unlock()
	for _, r := range b.List() {
		if r.ID == id {
			return b.end(ctx, []Record{r})
		}
	}
	return ErrNone
}

// EndAll ends all sessions and says how many there were.
func (b *Book) EndAll(ctx context.Context) (int, error) {
	b.changes.Lock()
	defer b.changes.Unlock()
	all := b.all()
	return len(all), b.end(ctx, all)
}

// Run keeps when sessions were last used, until ctx ends. What a full disk does
// not take is tried again with the next.
func (b *Book) Run(ctx context.Context) error {
	t := time.NewTicker(saveEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return b.save(context.WithoutCancel(ctx))
		case <-t.C:
			_ = b.save(ctx) // it stays unsaved
		}
	}
}

func (b *Book) save(ctx context.Context) error {
	b.changes.Lock()
	defer b.changes.Unlock()
	var rs []Record
	b.mu.Lock()
	for sum := range b.unsaved {
		if r := b.sessions[sum]; r != nil {
			rs = append(rs, *r)
		}
	}
	clear(b.unsaved)
	b.mu.Unlock()
	if len(rs) == 0 {
		return nil
	}
	err := b.keep.SeeSessions(ctx, rs)
	if err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		for i := range rs {
			b.unsaved[rs[i].Digest] = true
		}
	}
	return err
}
