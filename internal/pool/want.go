package pool

import (
	"slices"
	"time"

	"portico/internal/fault"
	"portico/internal/glob"
	"portico/internal/protocol"
	"portico/internal/schedule"
)

// A Way is one form in which a request can be put to an upstream.
type Way struct {
	Op       protocol.Op
	Protocol string
}

// A Want says what a lease must be able to do.
type Want struct {
	Ways     []Way  // acceptable forms, best first
	Equal    int    // how many at the end of Ways are equally good, all of one Op: the account's own order decides
	Named    bool   // those at the end of Ways are only for accounts that Models name
	Model    string // as the upstream will be asked for it, "" for none
	Query    schedule.Query
	Strategy schedule.Strategy
	Not      []string // names of accounts that were tried
	Only     string   // the name of the only account that may serve, "" for any
	// Prefer are accounts that come before others, whatever their priority, as
	// long as they are able; those of the first set before those of the next. A
	// pattern is for their names, or for a tag of theirs if it begins with tag:.
	Prefer []glob.Set
	Tokens int64 // about how many the request will use, for limits of tokens

	// For Wait alone.
	Key   string        // whose request it is: keys that wait are served in turn
	Queue bool          // it waits for anybody, not only for the account where its conversation is
	Max   time.Duration // how long at most
	Since time.Time     // when the request came, which decides who is before whom; zero: now
}

// way is the best acceptable form that the account offers.
func (w *Want) way(a *Account) (Way, bool) {
	n := len(w.Ways) - w.Equal
	for _, way := range w.Ways[:n] {
		if slices.Contains(a.By.Speaks(a.Account, way.Op, w.Model), way.Protocol) {
			return way, true
		}
	}
	if equal := w.Ways[n:]; len(equal) > 0 && (!w.Named || len(a.Models) > 0) {
		for _, p := range a.By.Speaks(a.Account, equal[0].Op, w.Model) {
			if i := slices.Index(equal, Way{Op: equal[0].Op, Protocol: p}); i >= 0 {
				return equal[i], true
			}
		}
	}
	return Way{}, false
}

// favours reports whether w prefers e to others.
func (w *Want) favours(e *entry) bool {
	return slices.ContainsFunc(w.Prefer, e.isOf)
}

// isOf reports whether s has e's name, or a tag of its.
func (e *entry) isOf(s glob.Set) bool {
	return s.Match(e.Name) || slices.ContainsFunc(e.tags, s.Match)
}

// skips reports whether e may not serve.
func (w *Want) skips(e *entry) bool {
	return len(w.Not) > 0 && slices.Contains(w.Not, e.Name) || w.Only != "" && w.Only != e.Name
}

// Passed is an account that could serve a request but was passed over.
type Passed struct {
	Account string
	Why     string
	Until   time.Time // zero: unknown
	Class   fault.Class
}

// maxPassed bounds how many of them are named.
const maxPassed = 32

// None reports that no account is able now.
type None struct {
	// Accounts is how many are switched on at all, Mute how many of them serve
	// the model but take it in none of the wanted ways, and Known how many
	// could serve the request if they were well.
	Accounts, Mute, Known int
	// Until is the earliest moment at which this request may be served; zero:
	// unknown. Who waits already is served first.
	Until  time.Time
	Passed []Passed
	// Full: more wait than may.
	Full bool
}
