// Package journal is told once what happened to each request, keeps it safe
// over a crash, and tells everyone who listens: the database, the meter, the
// metrics, the live feed of the UI.
//
// What it promises, and at which price:
//
//   - When Record returns nil the exchange outlives the process, whatever ends
//     it: the kernel has it, in a file whose room was allocated ahead. That
//     costs one write, no lock that all requests share, and no fsync.
//   - It outlives a power cut some milliseconds later. All that was recorded
//     within 5 ms shares an fsync; on a slow disk it is more.
//   - Afterwards it goes to the Keeper, which has it exactly once by its ID.
//     The files are removed when they are kept; while nothing is recorded
//     nothing is written.
//   - On a full disk requests go on. Up to 10,000 exchanges wait in memory, and
//     are written within seconds once there is room; beyond that they are lost
//     and counted. The same holds if the Keeper takes nothing until the files
//     have reached their bound.
package journal

import (
	"cmp"
	"time"

	"portico/internal/llm"
)

// An Exchange is everything worth knowing about one request and its answer.
// It holds no body, no header and no secret.
type Exchange struct {
	ID       string    `json:"id"` // see NewID
	Start    time.Time `json:"start"`
	Key      string    `json:"key,omitzero"`     // who asked: the client key's name, never the key
	Client   string    `json:"client,omitzero"`  // the client's product token (User-Agent), at most 64 bytes
	Peer     string    `json:"peer,omitzero"`    // the client's address without its port
	Session  string    `json:"session,omitzero"` // a hash of the conversation, or ""
	Op       string    `json:"op"`
	Path     string    `json:"path,omitzero"` // the path below the protocol's base, for operations that are not chat
	Inbound  string    `json:"inbound"`       // the client's protocol
	Outbound string    `json:"outbound,omitzero"`
	Stream   bool      `json:"stream,omitzero"`
	Asked    string    `json:"asked,omitzero"`    // the model that the client named
	Served   string    `json:"served,omitzero"`   // the model that the account was asked for
	Rule     string    `json:"rule,omitzero"`     // the route that decided, or ""
	Account  string    `json:"account,omitzero"`  // who served, or was tried last
	Status   int       `json:"status"`            // the HTTP status that the client got; 499: it left before one was sent
	Stop     string    `json:"stop,omitzero"`     // the upstream's finish reason
	Upstream string    `json:"upstream,omitzero"` // the upstream's own id of its answer

	First    time.Duration `json:"first_ns,omitzero"` // from Start to the first meaningful byte of the answer
	Took     time.Duration `json:"took_ns"`           // from Start to the end
	BytesIn  int64         `json:"bytes_in"`
	BytesOut int64         `json:"bytes_out"`

	Usage     llm.Usage `json:"usage,omitzero"`
	Estimated bool      `json:"estimated,omitzero"` // the upstream never told the usage
	Partial   bool      `json:"partial,omitzero"`   // the answer broke off, or the client left
	Open      bool      `json:"open,omitzero"`      // another record follows, if nothing kills the process; listeners are told of that one
	Attempts  []Attempt `json:"attempts,omitzero"`
	Passed    []Passed  `json:"passed,omitzero"` // accounts that were not tried, and why; at most 32
	Losses    []string  `json:"losses,omitzero"` // "path=reason"
	Edits     []string  `json:"edits,omitzero"`  // what the settings changed in the request, "what=how"; at most 8

	Fault string `json:"fault,omitzero"` // the class of what the client was told, "" if it was served
	Code  string `json:"code,omitzero"`
	Error string `json:"error,omitzero"` // for a human, redacted, at most 512 bytes
}

// Cost is what x costs at price, which is asked for each model that had a share
// in the answer. known is false if it does not know one of them.
func (x *Exchange) Cost(price func(model string, u llm.Usage) (usd float64, known bool)) (usd float64, known bool) {
	rest := x.Usage
	known = true
	add := func(model string, u llm.Usage) {
		if d, ok := price(model, u); ok {
			usd += d
		} else {
			known = false
		}
	}
	for i := range x.Attempts {
		if a := &x.Attempts[i]; a.Usage != (llm.Usage{}) {
			rest = rest.Minus(a.Usage)
			add(cmp.Or(a.Model, x.Served, x.Asked), a.Usage)
		}
	}
	if rest != (llm.Usage{}) {
		add(cmp.Or(x.Served, x.Asked), rest)
	}
	return usd, known
}

// An Attempt is one try at one account.
type Attempt struct {
	Account string        `json:"account"`
	Model   string        `json:"model,omitzero"`
	Start   time.Duration `json:"start_ns"` // since the exchange's Start
	Took    time.Duration `json:"took_ns"`
	Status  int           `json:"status,omitzero"`
	Fault   string        `json:"fault,omitzero"`
	Scope   string        `json:"scope,omitzero"`
	Phase   string        `json:"phase,omitzero"`
	Code    string        `json:"code,omitzero"`
	Error   string        `json:"error,omitzero"` // at most 512 bytes, redacted
	After   time.Duration `json:"after_ns,omitzero"`
	Step    string        `json:"step,omitzero"` // what came next: served, give_up, another, onward, again; outrun: the answer of another account began first

	Why    string        `json:"why,omitzero"`       // why this account: only, picked, home, moved, last_hope, preferred, reserve; hedge: beside another one that had not begun to answer
	Of     int           `json:"of,omitzero"`        // how many accounts were able, 0: it was not looked at others
	Waited time.Duration `json:"waited_ns,omitzero"` // for an account to be able, before the attempt

	// Leg is which of several requests that make one answer the attempt was
	// for, from 1; 0 where one request makes it.
	Leg int `json:"leg,omitzero"`
	// Usage is what the attempt used, where the exchange's has a part of
	// another attempt in it, too; Estimated: the upstream did not tell it.
	Usage     llm.Usage `json:"usage,omitzero"`
	Estimated bool      `json:"estimated,omitzero"`
}

// Passed is an account that was not tried.
type Passed struct {
	Account string `json:"account"`
	Why     string `json:"why"`
}
