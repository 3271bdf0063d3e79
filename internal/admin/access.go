package admin

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"portico/internal/clientkey"
	"portico/internal/store"
)

// Access is who may call from where, and what happened at the gate. The errors
// are those of package store. A change is on the disk and in force when the
// method returns.
type Access interface {
	// Rules lists the rules on addresses in the order in which they were
	// made, and how often each has decided, by its id.
	Rules(ctx context.Context) ([]store.Rule, map[string]store.Hits, error)
	AddRule(ctx context.Context, r store.Rule) (store.Rule, error)
	RemoveRule(ctx context.Context, id string) error
	// KeepsOut reports whether addr, which may call now, could not any more
	// with the rule add and without the one called remove.
	KeepsOut(addr netip.Addr, add *store.Rule, remove string) bool
	// Notes lists what happened at the gate, newest first.
	Notes(ctx context.Context, p store.Past) (notes []store.Note, next string, err error)
}

// An AddressRule is a rule on addresses as the operator sees it.
type AddressRule struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind" enum:"allow,deny"`
	Range   string    `json:"range" doc:"Such as 10.0.0.0/8; the narrowest that an address lies in counts."`
	Reason  string    `json:"reason"`
	State   string    `json:"state" enum:"active,expired"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero" doc:"Absent: never."`
	Hits    int64     `json:"hits" doc:"Requests that it has decided."`
	LastHit time.Time `json:"last_hit,omitzero" doc:"Up to ten seconds late."`
}

// A NewRule is a rule on addresses that is to be made.
type NewRule struct {
	Kind    string `json:"kind" enum:"allow,deny"`
	Range   string `json:"range" minLength:"1" maxLength:"64" doc:"An address of IPv4 or IPv6, or a range of them."`
	Reason  string `json:"reason,omitzero" maxLength:"256"`
	Expires string `json:"expires,omitzero" maxLength:"64" doc:"A moment such as 2027-01-31T18:00:00Z; absent or never: it stays."`
	Force   bool   `json:"force,omitzero" doc:"Make it even if it keeps you out yourself."`
}

// A GateNote is what happened at the gate, once or more often.
type GateNote struct {
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Address string    `json:"address"`
	Key     string    `json:"key,omitzero" doc:"Name of the client key, if it is known."`
	Code    string    `json:"code" doc:"Why, such as invalid_key, key_expired or address_refused."`
	Path    string    `json:"path" doc:"Of the first request, as far as there is such a path."`
	Count   int64     `json:"count"`
}

func addressRule(r *store.Rule, hits store.Hits, now time.Time) AddressRule {
	out := AddressRule{
		ID: r.ID, Kind: "allow", Range: r.Range.String(), Reason: r.Reason, State: "active", Created: r.Created, Expires: r.Expires,
		Hits: hits.Hits, LastHit: hits.Last,
	}
	if r.Deny {
		out.Kind = "deny"
	}
	if !r.Expires.IsZero() && !now.Before(r.Expires) {
		out.State = "expired"
	}
	return out
}

// rule reads what is to be made.
func (n *NewRule) rule() (store.Rule, error) {
	r := store.Rule{Deny: n.Kind == "deny", Reason: n.Reason}
	var err error
	if r.Range, err = clientkey.ParsePrefix(n.Range); err != nil {
		return r, wrong("body.range", "it is no address and no range of addresses such as 10.0.0.0/8 or 2001:db8::/32")
	}
	r.Expires, err = instant("body.expires", n.Expires)
	return r, err
}

// lockedOut is the refusal of what would keep its author out.
func lockedOut(addr netip.Addr) error {
	return problem(http.StatusConflict, CodeLockOut, "your own address, %s, could not call any more; send force if that is what you want", addr)
}

func (a *api) access() {
	if a.o.Access == nil {
		return
	}
	handle(a, operation{
		id: "list-address-rules", method: http.MethodGet, path: "/api/access/rules", tag: "access", summary: "The rules on addresses, and what they did",
	}, func(ctx context.Context, _ *struct{}) (*out[List[AddressRule]], error) {
		rules, hits, err := a.o.Access.Rules(ctx)
		l := List[AddressRule]{Items: make([]AddressRule, len(rules))}
		for i := range rules {
			l.Items[i] = addressRule(&rules[i], hits[rules[i].ID], time.Now())
		}
		return &out[List[AddressRule]]{l}, err
	})
	handle(a, operation{
		id: "add-address-rule", method: http.MethodPost, path: "/api/access/rules", tag: "access", summary: "Let an address in or keep it out", status: http.StatusCreated,
		more:   "A rule for a narrower range counts more. Whoever calls from this machine itself is never kept out.",
		errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body NewRule }) (*out[AddressRule], error) {
		r, err := in.Body.rule()
		if err != nil {
			return nil, err
		}
		if from := senderOf(ctx).addr; from.IsValid() && !in.Body.Force && a.o.Access.KeepsOut(from, &r, "") {
			return nil, lockedOut(from)
		}
		if r, err = a.o.Access.AddRule(ctx, r); err != nil {
			return nil, err
		}
		return &out[AddressRule]{addressRule(&r, store.Hits{}, time.Now())}, nil
	})
	handle(a, operation{
		id: "remove-address-rule", method: http.MethodDelete, path: "/api/access/rules/{id}", tag: "access", summary: "Remove a rule on addresses",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		ID    string `path:"id" maxLength:"64"`
		Force bool   `query:"force" doc:"Remove it even if that keeps you out yourself."`
	},
	) (*struct{}, error) {
		if from := senderOf(ctx).addr; from.IsValid() && !in.Force && a.o.Access.KeepsOut(from, nil, in.ID) {
			return nil, lockedOut(from)
		}
		return nil, a.o.Access.RemoveRule(ctx, in.ID)
	})
	handle(a, operation{
		id: "list-access", method: http.MethodGet, path: "/api/access/log", tag: "access", summary: "Who was refused at the gate, and why, newest first",
		more: "What is the same within a minute is one entry. The latest 10,000 are kept. Requests that were let in are at /api/requests.",
	}, func(ctx context.Context, in *struct {
		Since   time.Time `query:"since" doc:"Happened at or after."`
		Until   time.Time `query:"until" doc:"Happened before."`
		Address string    `query:"address" maxLength:"64"`
		Key     string    `query:"key" maxLength:"64"`
		Code    string    `query:"code" maxLength:"64"`
		Limit   int       `query:"limit" minimum:"1" maximum:"1000" default:"50"`
		Cursor  string    `query:"cursor" maxLength:"32"`
	},
	) (*out[List[GateNote]], error) {
		notes, next, err := a.o.Access.Notes(ctx, store.Past{Since: in.Since, Until: in.Until, Peer: in.Address, Key: in.Key, What: in.Code, Limit: in.Limit, Cursor: in.Cursor})
		l := List[GateNote]{Items: make([]GateNote, len(notes)), Next: next}
		for i, n := range notes {
			l.Items[i] = GateNote{First: n.First, Last: n.Last, Address: n.Peer, Key: n.Key, Code: n.Code, Path: n.Path, Count: n.Count}
		}
		return &out[List[GateNote]]{l}, err
	})
}
