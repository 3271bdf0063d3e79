package pool

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"portico/internal/fault"
	"portico/internal/pace"
)

// What outlives a restart: who waits until when and why, what was learned of
// limits, and where conversations are. It is a convenience: without it all is
// learned anew, at the price of some refusals and of cold caches.
const (
	// maxFile bounds the file, in bytes.
	maxFile = 4 << 20
	// maxKept bounds the conversations in it; those that had a turn last.
	maxKept = 4096
	// settles is how long a change may wait for others before it is written.
	settles = 10 * time.Second
)

// kept is the file.
type kept struct {
	Saved    time.Time     `json:"saved"`
	Accounts []keptAccount `json:"accounts,omitempty"`
	// Homes are conversations: the key, the account's id, and for how many
	// seconds it has been silent.
	Homes [][3]uint64 `json:"homes,omitempty"`
}

type keptAccount struct {
	Name   string      `json:"name"`
	Home   string      `json:"home"` // a hash of what makes it the same account
	Health *keptHealth `json:"health,omitzero"`
	Seats  []keptSeat  `json:"models,omitempty"`
	Limits []keptLimit `json:"limits,omitempty"`
	// Left is what its answers told last of what is left, and Purse what its
	// vendor did when it was asked.
	Left  []keptLeft `json:"left,omitempty"`
	Purse []keptLeft `json:"purse,omitempty"`
}

type keptLeft struct {
	Window   string    `json:"window"`
	Left     float64   `json:"left"`
	Resets   time.Time `json:"resets,omitzero"`
	Told     time.Time `json:"told,omitzero"`
	Amount   float64   `json:"amount,omitzero"`
	Currency string    `json:"currency,omitzero"`
}

type keptSeat struct {
	Model  string      `json:"model"`
	Health *keptHealth `json:"health,omitzero"`
	Limits []keptLimit `json:"limits,omitempty"`
}

type keptHealth struct {
	State  uint8     `json:"state"`
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"`
	Pause  int64     `json:"pause_ns,omitzero"`
	Failed int       `json:"failed,omitzero"`
	Guess  bool      `json:"guess,omitzero"`
	Why    string    `json:"why,omitzero"`
	Msg    string    `json:"message,omitzero"`
	Link   string    `json:"link,omitzero"`
}

type keptLimit struct {
	Unit   uint8   `json:"unit"`
	Rate   float64 `json:"rate"`
	Burst  float64 `json:"burst"`
	Window int64   `json:"window_ns,omitzero"`
}

// identity is a hash of what makes a the same account as before. It tells
// nothing of the key.
func (a *Account) identity() string {
	h := sha256.New()
	fmt.Fprintf(h, "portico pool\x00%s\x00%s\x00%s", a.Provider, a.origin(), a.Key.Reveal())
	if a.Tokens != nil {
		fmt.Fprintf(h, "\x00%s", a.Tokens.ID())
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

func keepHealth(h *Health) *keptHealth {
	if h == nil || h.State == Ready && h.Failed == 0 {
		return nil
	}
	return &keptHealth{uint8(h.State), h.Since.Round(0), h.Until.Round(0), int64(h.Pause), h.Failed, h.Guess, h.Why.String(), h.Msg, h.Link}
}

// health is h, which was written when the clock was behind by late.
func (h *keptHealth) health(late time.Duration) *Health {
	if h == nil || h.State > uint8(Down) {
		return nil
	}
	shift := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.Add(-late)
	}
	return &Health{
		State: State(h.State), Since: shift(h.Since), Until: shift(h.Until), Pause: min(max(time.Duration(h.Pause), 0), fault.MaxWait),
		Failed: max(h.Failed, 0), Guess: h.Guess, Why: fault.ParseClass(h.Why), Msg: clip(h.Msg, 256), Link: h.Link,
	}
}

// maxLeft bounds the allowances of one account in the file.
const maxLeft = 16

func keepLeft(as *[]pace.Allowance, now time.Time) (out []keptLeft) {
	if as == nil {
		return nil
	}
	for _, a := range (*as)[:min(len(*as), maxLeft)] {
		if a.Holds(now) {
			out = append(out, keptLeft{a.Window, a.Left, a.Resets.Round(0), a.Told.Round(0), a.Amount, a.Currency})
		}
	}
	return out
}

// resumeLeft gives to what was kept, which was written when the clock was
// behind by late. What is out of bounds is unknown.
func resumeLeft(to *atomic.Pointer[[]pace.Allowance], ls []keptLeft, late time.Duration) {
	var out []pace.Allowance
	for _, l := range ls[:min(len(ls), maxLeft)] {
		if !(l.Left >= 0 && l.Left <= 1) && l.Left != pace.Unknown {
			continue
		}
		a := pace.Allowance{Window: clip(l.Window, 64), Left: l.Left, Amount: l.Amount, Currency: clip(l.Currency, 16)}
		if !l.Resets.IsZero() {
			a.Resets = l.Resets.Add(-late)
		} else {
			a.Told = l.Told.Add(-late)
		}
		out = append(out, a)
	}
	if out != nil {
		to.Store(&out)
	}
}

func (g *gate) keep() (out []keptLimit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limits == nil {
		return nil
	}
	for unit := range g.limits.learned {
		if l := &g.limits.learned[unit]; l.Known() {
			rate, burst, window := l.Limit()
			out = append(out, keptLimit{uint8(unit), rate, burst, int64(window)})
		}
	}
	return out
}

func (g *gate) resume(now pace.Moment, ls []keptLimit) {
	if len(ls) == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limits == nil {
		g.limits = &limits{}
	}
	for _, l := range ls {
		if l.Unit < uint8(pace.Units) {
			g.limits.learned[l.Unit].Resume(now, l.Rate, l.Burst, time.Duration(l.Window))
		}
	}
	g.publish(now)
}

// snapshot is what is worth keeping.
func (p *Pool) snapshot() *kept {
	m := p.moments()
	k := &kept{Saved: m.time.Round(0)}
	for _, e := range *p.entries.Load() {
		if e.Reserved {
			continue
		}
		a := keptAccount{Name: e.Name, Home: e.identity(), Health: keepHealth(e.whole.Load()), Limits: e.gate.keep()}
		e.mu.Lock()
		for model, s := range e.seats {
			if h, ls := keepHealth(s.health.Load()), s.gate.keep(); h != nil || ls != nil {
				a.Seats = append(a.Seats, keptSeat{model, h, ls})
			}
		}
		e.mu.Unlock()
		a.Left, a.Purse = keepLeft(e.allowances.Load(), m.time), keepLeft(e.purse.Load(), m.time)
		if a.Health != nil || a.Limits != nil || a.Seats != nil || a.Left != nil || a.Purse != nil {
			k.Accounts = append(k.Accounts, a)
		}
	}
	k.Homes = p.homes.keep(m.at)
	return k
}

// keep lists the conversations that had a turn last.
func (h *homes) keep(now pace.Moment) (out [][3]uint64) {
	for i := range h.parts {
		p := &h.parts[i]
		p.Lock()
		for key, at := range p.by {
			if idle := now - at.last; idle <= homeLife {
				out = append(out, [3]uint64{key, at.account, uint64(max(idle, 0) / time.Second)})
			}
		}
		p.Unlock()
	}
	slices.SortFunc(out, func(a, b [3]uint64) int { return int(int64(a[2]) - int64(b[2])) })
	return out[:min(len(out), maxKept)]
}

// restore has the accounts that are set next, and conversations, begin as k
// has them.
func (p *Pool) restore(k *kept) {
	m := p.moments()
	late := max(k.Saved.Sub(m.time), 0) // the clock was put back
	passed := max(m.time.Sub(k.Saved), 0)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = map[string]*keptAccount{}
	for i := range k.Accounts {
		p.kept[k.Accounts[i].Name] = &k.Accounts[i]
	}
	p.keptLate = late
	for _, h := range k.Homes[:min(len(k.Homes), maxKept)] {
		if idle := time.Duration(min(h[2], uint64(homeLife/time.Second)))*time.Second + passed; idle < homeLife {
			p.homes.set(h[0], home{account: h[1], last: m.at - idle})
		}
	}
}

// recall gives e, which is new, what was kept of it. p.mu is held.
func (p *Pool) recall(e *entry, now pace.Moment) {
	k := p.kept[e.Name]
	if k == nil || k.Home != e.identity() || e.Reserved {
		return
	}
	if h := k.Health.health(p.keptLate); h != nil {
		e.whole.Store(h)
	}
	resumeLeft(&e.allowances, k.Left, p.keptLate)
	resumeLeft(&e.purse, k.Purse, p.keptLate)
	if e.gate.resume(now, k.Limits); len(k.Limits) > 0 {
		e.limited.Store(true)
	}
	for _, s := range k.Seats[:min(len(k.Seats), maxModels)] {
		seat, _ := e.seat(s.Model)
		if h := s.Health.health(p.keptLate); h != nil {
			seat.health.Store(h)
		}
		seat.gate.resume(now, s.Limits)
	}
}

// changed notes that what is kept is out of date.
func (p *Pool) changed() {
	if p.stale.Load() || p.stale.Swap(true) {
		return
	}
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// Load has the pool begin as the file says, which Run wrote. It is called
// before the first Set. A missing file says nothing; one that cannot be read
// is an error, after which the pool begins with nothing.
func (p *Pool) Load(file string) error {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return err
	}
	if len(text) > maxFile {
		return fmt.Errorf("%s has more than %d bytes", file, maxFile)
	}
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return fmt.Errorf("%s cannot be read: %w", file, err)
	}
	p.restore(&k)
	return nil
}

// Run keeps the pool's state in the file until ctx ends: a while after it has
// changed, and at the end. While nothing changes nothing is written.
func (p *Pool) Run(ctx context.Context, file string, log *slog.Logger) error {
	unwell := false
	save := func() {
		p.stale.Store(false)
		err := p.save(file)
		if err != nil && !unwell {
			log.Error("the states of accounts cannot be saved; serving goes on", "file", file, "error", err)
		}
		unwell = err != nil
	}
	pause := time.NewTimer(settles)
	defer pause.Stop()
	for {
		select {
		case <-p.news:
		case <-ctx.Done():
			if p.stale.Load() {
				save()
			}
			return nil
		}
		pause.Reset(settles)
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
		save()
	}
}

// save writes the file so that it is whole at any moment, readable by its
// owner only, and within its bound: conversations go first, then accounts.
func (p *Pool) save(file string) (err error) {
	k := p.snapshot()
	text, err := json.Marshal(k)
	for err == nil && len(text) > maxFile {
		if len(k.Homes) > 0 {
			k.Homes = nil
		} else {
			k.Accounts = k.Accounts[:len(k.Accounts)/2]
		}
		text, err = json.Marshal(k)
	}
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
