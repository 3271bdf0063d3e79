package relay

import (
	"time"

	"portico/internal/catalog"
	"portico/internal/config"
	"portico/internal/fetch"
	"portico/internal/journal"
	"portico/internal/route"
	"portico/internal/schedule"
)

// Settings are what the operator decides about the path. They are immutable; a
// reload makes new ones, and a request keeps those that it began with.
type Settings struct {
	Routes   *route.Table
	Strategy schedule.Strategy
	Attempts int // tries for one request that keep an upstream busy, at least 1
	Timeouts config.Timeouts
	// Hedge is how calls are put to two accounts, nil: none is.
	Hedge *Hedge
	// MaxWait is how long a call waits for an account in all, 0: not at all.
	MaxWait time.Duration
	// Catalog is what is known of models, for requests that have to be put in
	// another protocol. It may be nil.
	Catalog *catalog.Catalog
	// Thinking says what becomes of the thinking that clients ask for.
	Thinking config.Thinking
	// Preamble is put before the instructions of conversations, "": nothing is.
	Preamble string
	// Fetch says which files are fetched that clients name by their
	// addresses; nil: none.
	Fetch *fetch.Policy
}

// A Recorder keeps exchanges. *journal.Journal is one.
type Recorder interface {
	// Record returns once x is safe from a crash of this process. An
	// exchange that is recorded again under its ID replaces what was
	// recorded before. x must not be changed afterwards.
	Record(x *journal.Exchange) error
}
