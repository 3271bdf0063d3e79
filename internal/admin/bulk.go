package admin

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"portico/internal/config"
	"portico/internal/pool"
)

// A Selection says which accounts are meant: those of which all holds that it
// says. One that says nothing means none, unless All is true.
type Selection struct {
	Names    []string `json:"names,omitzero" maxItems:"10000"`
	Tags     []string `json:"tags,omitzero" maxItems:"32" doc:"All of them."`
	Provider string   `json:"provider,omitzero" maxLength:"64"`
	State    string   `json:"state,omitzero" enum:"ready,cooling,trial,down,refreshing,needs_login,off"`
	Text     string   `json:"text,omitzero" maxLength:"128" doc:"A part of the name or the label, in whatever case."`
	All      bool     `json:"all,omitzero" doc:"All accounts, as far as the rest permits."`
}

func (s *Selection) empty() bool {
	return !s.All && len(s.Names) == 0 && len(s.Tags) == 0 && s.Provider == "" && s.State == "" && s.Text == ""
}

// takes reports whether v is meant. names are s.Names.
func (s *Selection) takes(v *pool.View, names map[string]bool) bool {
	if len(names) > 0 && !names[v.Name] || s.Provider != "" && s.Provider != v.Provider || s.State != "" && s.State != state(v) {
		return false
	}
	for _, tag := range s.Tags {
		if !slices.Contains(v.Tags, tag) {
			return false
		}
	}
	text := strings.ToLower(s.Text)
	return strings.Contains(strings.ToLower(v.Name), text) || strings.Contains(strings.ToLower(v.Label), text)
}

// selected are the accounts that s means, in the order of the pool. A name of
// which there is no account is an error.
func (a *api) selected(s *Selection) ([]pool.View, error) {
	if s.empty() {
		return nil, wrong("body.select", "it says nothing; all: true means all accounts")
	}
	names := map[string]bool{}
	for _, n := range s.Names {
		names[n] = true
	}
	var out []pool.View
	for _, v := range a.o.Accounts.Views() {
		if s.takes(&v, names) {
			out = append(out, v)
		}
		delete(names, v.Name) // what is left is of nobody
		if len(s.Names) > 0 && len(names) == 0 {
			break
		}
	}
	for _, n := range s.Names {
		if names[n] {
			return nil, problem(http.StatusNotFound, CodeNoAccount, "there is no account called %q", n)
		}
	}
	return out, nil
}

// A BulkChange is what becomes different about several accounts. What is absent
// stays.
type BulkChange struct {
	Disabled   *bool         `json:"disabled,omitzero"`
	Label      *string       `json:"label,omitzero" maxLength:"128"`
	AddTags    []string      `json:"add_tags,omitzero" maxItems:"32"`
	RemoveTags []string      `json:"remove_tags,omitzero" maxItems:"32"`
	Models     *[]string     `json:"models,omitzero" maxItems:"1000"`
	Priority   *int          `json:"priority,omitzero" minimum:"-1000000" maximum:"1000000"`
	Weight     *int          `json:"weight,omitzero" minimum:"1" maximum:"1000000"`
	Limits     *LimitsChange `json:"limits,omitzero"`
	Proxy      *string       `json:"proxy,omitzero" maxLength:"2048" doc:"Stored keys would go by it, so a session has to prove who asks."`
}

func (c *BulkChange) apply(a config.Account) config.Account {
	set(&a.Disabled, c.Disabled)
	set(&a.Label, c.Label)
	set(&a.Models, c.Models)
	set(&a.Priority, c.Priority)
	set(&a.Weight, c.Weight)
	set(&a.Proxy, c.Proxy)
	if l := c.Limits; l != nil {
		set(&a.Limits.RPM, l.RPM)
		set(&a.Limits.TPM, l.TPM)
		set(&a.Limits.Concurrency, l.Concurrency)
	}
	tags := slices.DeleteFunc(slices.Clone(a.Tags), func(t string) bool { return slices.Contains(c.RemoveTags, t) })
	for _, t := range c.AddTags {
		if !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	a.Tags = tags
	return a
}

// A Bulk is an act on several accounts.
type Bulk struct {
	Select  Selection   `json:"select"`
	Change  *BulkChange `json:"change,omitzero"`
	Remove  bool        `json:"remove,omitzero" doc:"For ten seconds restore-accounts can undo it."`
	Heal    bool        `json:"heal,omitzero" doc:"Forget their faults."`
	Preview bool        `json:"preview,omitzero" doc:"Say which accounts are meant, and do nothing."`
	Proof   *Proof      `json:"proof,omitzero" doc:"Of a session that changes the proxy."`
}

// A BulkResult is what was done, or would be.
type BulkResult struct {
	Done []string `json:"done" doc:"The accounts, in their order."`
	Kept []string `json:"kept" doc:"Those that were meant and are declared in the configuration file or built in: they are changed there, or not at all."`
}

// A Names is a list of accounts.
type Names struct {
	Names []string `json:"names" minItems:"1" maxItems:"10000"`
}

func (a *api) several() {
	handle(a, operation{
		id: "change-accounts", method: http.MethodPost, path: "/api/accounts/bulk", tag: "accounts", summary: "Change, heal or remove several accounts",
		more:   "All are changed, or none. Accounts of the configuration file are left alone and named.",
		errors: []int{http.StatusForbidden, http.StatusNotFound},
	}, func(ctx context.Context, in *struct{ Body Bulk }) (*out[BulkResult], error) {
		r, err := a.bulk(ctx, &in.Body)
		s := senderOf(ctx)
		s.looked, s.whom = in.Body.Preview || len(r.Done) == 0, many(r.Done)
		switch {
		case in.Body.Remove:
			s.whom = "remove " + s.whom
		case in.Body.Heal:
			s.whom = "heal " + s.whom
		}
		return &out[BulkResult]{r}, err
	})
	handle(a, operation{
		id: "restore-accounts", method: http.MethodPost, path: "/api/accounts/restore", tag: "accounts", summary: "Undo the removal of accounts",
		more:   "For ten seconds after it, while the gateway runs. All are restored, or none.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body Names }) (*struct{}, error) {
		senderOf(ctx).whom = many(in.Body.Names)
		return nil, a.o.Accounts.Restore(ctx, in.Body.Names)
	})
	handle(a, operation{
		id: "order-accounts", method: http.MethodPost, path: "/api/accounts/order", tag: "accounts", summary: "Put accounts into an order",
		more:   "Those that are named come first; the others follow as they were. Accounts of the configuration file are before all, in its order. The strategy priority goes by it, and lists do.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body Names }) (*struct{}, error) {
		for _, n := range in.Body.Names {
			if _, err := a.mutable(n); err != nil {
				return nil, err
			}
		}
		senderOf(ctx).whom = many(in.Body.Names)
		return nil, a.o.Accounts.Order(ctx, in.Body.Names)
	})
}

func (a *api) bulk(ctx context.Context, b *Bulk) (r BulkResult, err error) {
	acts := 0
	for _, does := range []bool{b.Change != nil, b.Remove, b.Heal} {
		if does {
			acts++
		}
	}
	if acts != 1 {
		return r, wrong("body", "it needs one of change, remove and heal")
	}
	views, err := a.selected(&b.Select)
	if err != nil {
		return r, err
	}
	var stored []config.Account
	for i := range views {
		name := views[i].Name
		c, ok := a.o.Accounts.Stored(name)
		switch {
		case b.Heal:
			r.Done = append(r.Done, name)
		case ok && !views[i].Declared:
			r.Done, stored = append(r.Done, name), append(stored, c)
		default:
			r.Kept = append(r.Kept, name)
		}
	}
	if b.Preview || len(r.Done) == 0 {
		return r, nil
	}
	switch {
	case b.Heal:
		for _, name := range r.Done {
			a.o.Accounts.Heal(name)
		}
		return r, nil
	case b.Remove:
		return r, a.o.Accounts.Remove(ctx, r.Done, nil)
	}
	if b.Change.Proxy != nil {
		if err := a.prove(ctx, b.Proof); err != nil {
			return r, err
		}
	}
	for i := range stored {
		stored[i] = b.Change.apply(stored[i])
	}
	return r, a.o.Accounts.Replace(ctx, stored, nil)
}
