package admin

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"portico/internal/budget"
	"portico/internal/clientkey"
)

// Keys are the keys that the operator hands out to AI clients. version, where
// it is not 0, is the one that a change was made for. The errors are those of
// package store, or an [Invalid]. A change is on the disk and in force when the
// method returns.
type Keys interface {
	// Views lists the keys in the order in which they were made.
	Views(ctx context.Context) ([]KeyView, error)
	// Add makes a key and returns its text, which nobody can show again.
	Add(ctx context.Context, name string, s clientkey.Settings) (text string, err error)
	// Change gives a key what change makes of its settings.
	Change(ctx context.Context, name string, version int64, change func(*clientkey.Settings) error) error
	// Rotate gives a key another text; the old one ends at once.
	Rotate(ctx context.Context, name string, version int64) (text string, err error)
	// Remove forgets a key, which ends at once.
	Remove(ctx context.Context, name string, version int64) error
}

// A KeyView is a key and what it has used.
type KeyView struct {
	clientkey.Record
	Usage budget.Usage
	Used  time.Time // when it was last shown, zero: not since the start
}

// A ClientKey is a key of AI clients as the operator sees it.
type ClientKey struct {
	Name     string    `json:"name"`
	Hint     string    `json:"hint" doc:"Enough to tell two keys apart."`
	Version  int64     `json:"version" doc:"Goes up with every change; it is the ETag, too."`
	State    string    `json:"state" enum:"active,disabled,expired"`
	Created  time.Time `json:"created"`
	Updated  time.Time `json:"updated"`
	LastUsed time.Time `json:"last_used,omitzero" doc:"When it was last shown since the gateway's start."`

	Note        string    `json:"note"`
	Expires     time.Time `json:"expires,omitzero" doc:"Absent: never."`
	Models      []string  `json:"models" doc:"Globs of the names that clients may ask for; none: all."`
	Routes      []string  `json:"routes" doc:"Globs of protocol/operation, such as anthropic/chat; none: all."`
	Addresses   []string  `json:"addresses" doc:"Where clients may call from; none: anywhere."`
	Hours       []string  `json:"hours" doc:"When clients may call, such as mon-fri 08:00-18:00; none: always."`
	Prefer      []string  `json:"prefer" doc:"Globs of accounts that serve the key before others do, as long as they are able; none: it prefers nobody."`
	Zone        string    `json:"zone" doc:"Time zone of hours, days and months."`
	Strict      bool      `json:"strict" doc:"Requests that cannot be carried without a loss are refused."`
	RPM         int64     `json:"rpm" doc:"Requests a minute; 0 is no limit."`
	TPM         int64     `json:"tpm" doc:"Tokens a minute; 0 is no limit."`
	Concurrency int64     `json:"concurrency" doc:"Requests at one time; 0 is no limit."`
	Day         KeyBudget `json:"day"`
	Month       KeyBudget `json:"month"`
	InFlight    int64     `json:"in_flight" doc:"Requests being served; counted if the key has a limit."`
}

// A KeyBudget is what a key may use in a day or a month, and what it has used
// of that. Both are counted if the key has a limit.
type KeyBudget struct {
	Tokens      int64     `json:"tokens" doc:"0 is no limit."`
	USD         float64   `json:"usd" doc:"US dollars at list price; 0 is no limit."`
	SpentTokens int64     `json:"spent_tokens"`
	SpentUSD    float64   `json:"spent_usd" doc:"Of requests that have a list price."`
	HeldTokens  int64     `json:"held_tokens" doc:"Put aside for requests under way."`
	HeldUSD     float64   `json:"held_usd"`
	Ends        time.Time `json:"ends,omitzero" doc:"When it begins anew."`
}

// nano is how many units a dollar has.
const nano = 1e9

func usd(nanos int64) float64 { return float64(nanos) / nano }

func clientKey(v *KeyView, now time.Time) ClientKey {
	k := ClientKey{
		Name: v.Name, Hint: v.Hint, Version: v.Version, State: "active", Created: v.Created, Updated: v.Updated, LastUsed: v.Used,
		Note: v.Note, Expires: v.Expires, Models: v.Models, Routes: v.Routes, Addresses: v.Addresses, Hours: v.Hours, Prefer: v.Prefer, Zone: v.Zone, Strict: v.Strict,
		RPM: v.RPM, TPM: v.TPM, Concurrency: v.Concurrency, InFlight: v.Usage.InFlight,
		Day: keyBudget(v.Settings.Day, v.Usage.Day, v.Usage.Held, v.Usage.DayEnds), Month: keyBudget(v.Settings.Month, v.Usage.Month, v.Usage.Held, v.Usage.MonthEnds),
	}
	if k.Zone == "" {
		k.Zone = "UTC"
	}
	switch {
	case v.Disabled:
		k.State = "disabled"
	case !v.Expires.IsZero() && !now.Before(v.Expires):
		k.State = "expired"
	}
	return k
}

func keyBudget(b clientkey.Budget, spent, held budget.Amount, ends time.Time) KeyBudget {
	return KeyBudget{
		Tokens: b.Tokens, USD: usd(b.Nanos), SpentTokens: spent.Tokens, SpentUSD: usd(spent.Nanos),
		HeldTokens: held.Tokens, HeldUSD: usd(held.Nanos), Ends: ends,
	}
}

// A KeyChange is what becomes different about a key; what is absent stays.
type KeyChange struct {
	Note        *string       `json:"note,omitzero" maxLength:"1024"`
	Disabled    *bool         `json:"disabled,omitzero"`
	Expires     *string       `json:"expires,omitzero" maxLength:"64" doc:"A moment such as 2027-01-31T18:00:00Z, or never."`
	Models      *[]string     `json:"models,omitzero" maxItems:"1000"`
	Routes      *[]string     `json:"routes,omitzero" maxItems:"1000"`
	Addresses   *[]string     `json:"addresses,omitzero" maxItems:"1000" doc:"IPv4 and IPv6, with or without a prefix length."`
	Hours       *[]string     `json:"hours,omitzero" maxItems:"64"`
	Prefer      *[]string     `json:"prefer,omitzero" maxItems:"16" doc:"Globs of names of accounts, or of tag:TAG."`
	Zone        *string       `json:"zone,omitzero" maxLength:"64"`
	Strict      *bool         `json:"strict,omitzero"`
	RPM         *int64        `json:"rpm,omitzero" minimum:"0" maximum:"1000000000"`
	TPM         *int64        `json:"tpm,omitzero" minimum:"0" maximum:"1000000000"`
	Concurrency *int64        `json:"concurrency,omitzero" minimum:"0" maximum:"1000000"`
	Day         *BudgetChange `json:"day,omitzero"`
	Month       *BudgetChange `json:"month,omitzero"`
}

// A BudgetChange is what becomes different about a budget; 0 is no limit.
type BudgetChange struct {
	Tokens *int64   `json:"tokens,omitzero" minimum:"0"`
	USD    *float64 `json:"usd,omitzero" minimum:"0" maximum:"1000000000"`
}

// A NewKey is a key that is to be made.
type NewKey struct {
	Name string `json:"name" minLength:"1" maxLength:"64" doc:"It does not change, and the ledger has it."`
	KeyChange
}

// A MadeKey is a key with its text, which is shown this once.
type MadeKey struct {
	Key string `json:"key" doc:"The key itself. Nobody can show it again."`
	ClientKey
}

// apply makes the change to s.
func (c *KeyChange) apply(s *clientkey.Settings) error {
	set(&s.Note, c.Note)
	set(&s.Disabled, c.Disabled)
	set(&s.Models, c.Models)
	set(&s.Routes, c.Routes)
	set(&s.Addresses, c.Addresses)
	set(&s.Hours, c.Hours)
	set(&s.Prefer, c.Prefer)
	set(&s.Zone, c.Zone)
	set(&s.Strict, c.Strict)
	set(&s.RPM, c.RPM)
	set(&s.TPM, c.TPM)
	set(&s.Concurrency, c.Concurrency)
	c.Day.apply(&s.Day)
	c.Month.apply(&s.Month)
	if c.Expires == nil {
		return nil
	}
	t, err := instant("body.expires", *c.Expires)
	if err == nil {
		s.Expires = t
	}
	return err
}

// instant reads when something ends: the zero time for never.
func instant(where, s string) (time.Time, error) {
	if s == "" || s == "never" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, wrong(where, "it is no moment such as 2027-01-31T18:00:00Z")
	}
	return t.UTC(), nil
}

func (c *BudgetChange) apply(b *clientkey.Budget) {
	if c == nil {
		return
	}
	set(&b.Tokens, c.Tokens)
	if c.USD != nil {
		b.Nanos = int64(math.Round(*c.USD * nano))
	}
}

// matched reads If-Match: the version that a change is for, 0 if it is for any.
func matched(header string) (int64, error) {
	header = strings.TrimSpace(header)
	if header == "" || header == "*" {
		return 0, nil
	}
	n, err := strconv.ParseInt(strings.Trim(header, `"`), 10, 64)
	if err != nil || n <= 0 {
		return 0, problem(http.StatusPreconditionFailed, CodeVersion, "If-Match must be an ETag that this API gave")
	}
	return n, nil
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// A tagged answer has a version.
type tagged[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

func (a *api) findKey(ctx context.Context, name string) (ClientKey, error) {
	all, err := a.o.Keys.Views(ctx)
	if err != nil {
		return ClientKey{}, err
	}
	for i := range all {
		if all[i].Name == name {
			return clientKey(&all[i], time.Now()), nil
		}
	}
	return ClientKey{}, problem(http.StatusNotFound, CodeNoKey, "there is no client key called %q", name)
}

func (a *api) keys() {
	if a.o.Keys == nil {
		return
	}
	type named struct {
		Name string `path:"name" maxLength:"64"`
	}
	type matching struct {
		Name    string `path:"name" maxLength:"64"`
		IfMatch string `header:"If-Match" maxLength:"64" doc:"The ETag of what is changed; without it any will do."`
	}
	handle(a, operation{
		id: "list-keys", method: http.MethodGet, path: "/api/keys", tag: "keys", summary: "The keys of AI clients, and what they have used",
		more: "The api_key of the configuration is none of them: it may do everything.",
	}, func(ctx context.Context, _ *struct{}) (*out[List[ClientKey]], error) {
		all, err := a.o.Keys.Views(ctx)
		l := List[ClientKey]{Items: make([]ClientKey, len(all))}
		for i := range all {
			l.Items[i] = clientKey(&all[i], time.Now())
		}
		return &out[List[ClientKey]]{l}, err
	})
	handle(a, operation{
		id: "get-key", method: http.MethodGet, path: "/api/keys/{name}", tag: "keys", summary: "One key of AI clients",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *named) (*tagged[ClientKey], error) {
		k, err := a.findKey(ctx, in.Name)
		return &tagged[ClientKey]{etag(k.Version), k}, err
	})
	handle(a, operation{
		id: "add-key", method: http.MethodPost, path: "/api/keys", tag: "keys", summary: "Make a key for AI clients", status: http.StatusCreated,
		more:   "The answer holds the key, which is shown this once.",
		errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body NewKey }) (*tagged[MadeKey], error) {
		var s clientkey.Settings
		if err := in.Body.apply(&s); err != nil {
			return nil, err
		}
		text, err := a.o.Keys.Add(ctx, in.Body.Name, s)
		if err != nil {
			return nil, err
		}
		k, err := a.findKey(ctx, in.Body.Name)
		return &tagged[MadeKey]{etag(k.Version), MadeKey{text, k}}, err
	})
	handle(a, operation{
		id: "change-key", method: http.MethodPatch, path: "/api/keys/{name}", tag: "keys", summary: "Change what a key may do",
		more:   "What is absent stays; a list is replaced as a whole. It holds for every request that comes from then on.",
		errors: []int{http.StatusNotFound, http.StatusPreconditionFailed},
	}, func(ctx context.Context, in *struct {
		Name    string `path:"name" maxLength:"64"`
		IfMatch string `header:"If-Match" maxLength:"64" doc:"The ETag of what is changed; without it any will do."`
		Body    KeyChange
	},
	) (*tagged[ClientKey], error) {
		version, err := matched(in.IfMatch)
		if err == nil {
			err = a.o.Keys.Change(ctx, in.Name, version, in.Body.apply)
		}
		if err != nil {
			return nil, err
		}
		k, err := a.findKey(ctx, in.Name)
		return &tagged[ClientKey]{etag(k.Version), k}, err
	})
	handle(a, operation{
		id: "rotate-key", method: http.MethodPost, path: "/api/keys/{name}/rotate", tag: "keys", summary: "Give a key another text",
		more:   "The old one ends at once; answers that are under way go on. The answer holds the new one, which is shown this once.",
		errors: []int{http.StatusNotFound, http.StatusPreconditionFailed},
	}, func(ctx context.Context, in *matching) (*tagged[MadeKey], error) {
		version, err := matched(in.IfMatch)
		if err != nil {
			return nil, err
		}
		text, err := a.o.Keys.Rotate(ctx, in.Name, version)
		if err != nil {
			return nil, err
		}
		k, err := a.findKey(ctx, in.Name)
		return &tagged[MadeKey]{etag(k.Version), MadeKey{text, k}}, err
	})
	handle(a, operation{
		id: "remove-key", method: http.MethodDelete, path: "/api/keys/{name}", tag: "keys", summary: "Revoke a key",
		more:   "It ends at once; answers that are under way go on.",
		errors: []int{http.StatusNotFound, http.StatusPreconditionFailed},
	}, func(ctx context.Context, in *matching) (*struct{}, error) {
		version, err := matched(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return nil, a.o.Keys.Remove(ctx, in.Name, version)
	})
}
