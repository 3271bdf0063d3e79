package admin

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"portico/internal/explain"
	"portico/internal/fault"
	"portico/internal/pool"
)

// An Account is an account as the operator sees it. Its credential is never
// part of it, only enough to tell two apart.
type Account struct {
	Name      string   `json:"name"`
	Label     string   `json:"label,omitzero" doc:"For people."`
	Tags      []string `json:"tags" doc:"Words by which several accounts are chosen at a time."`
	Provider  string   `json:"provider"`
	Preset    string   `json:"preset,omitzero"`
	Protocols []string `json:"protocols" doc:"What it speaks, best first."`
	BaseURL   string   `json:"base_url,omitzero"`
	Key       string   `json:"key,omitzero" doc:"A hint such as sk-…ab12; absent if the account has none."`
	Login     string   `json:"login,omitzero" doc:"Whose login or service account it is, if its issuer says so; absent if it has a key."`
	Models    []string `json:"models" doc:"Globs; none: all models."`
	Priority  int      `json:"priority" doc:"Accounts of a lower number are tried first."`
	Weight    int      `json:"weight"`
	Limits    Limits   `json:"limits"`
	Headers   []string `json:"headers" doc:"Names of the headers that it sends with every request."`
	Options   []string `json:"options" doc:"Names of the provider's settings that are set."`
	Origin    string   `json:"origin" enum:"file,store,built_in" doc:"Where it was made. One of the configuration file is changed there."`
	Version   int64    `json:"version,omitzero" doc:"Goes up with every change of one that was added here; it is the ETag, too."`

	State    string    `json:"state" enum:"ready,cooling,trial,down,refreshing,needs_login,off"`
	Since    time.Time `json:"since,omitzero" doc:"When the state began; absent for ready and off."`
	Until    time.Time `json:"until,omitzero" doc:"When it is tried again."`
	Why      string    `json:"why,omitzero" doc:"The class of the fault, as in the ledger."`
	Text     string    `json:"text" doc:"The state as a sentence."`
	Message  string    `json:"message,omitzero" doc:"The vendor's own words."`
	Link     string    `json:"link,omitzero" doc:"Where the vendor says one can mend it."`
	Failures int       `json:"failures,omitzero" doc:"Failures in a row that did not make it wait yet."`
	Trouble  []Trouble `json:"trouble" doc:"Models that it cannot serve now while others go."`

	InFlight int    `json:"in_flight"`
	Served   uint64 `json:"served" doc:"Requests that it was given since the start."`
	FirstMS  int64  `json:"first_ms,omitzero" doc:"Time to the first byte, smoothed."`

	Quota []Quota `json:"quota" doc:"What its vendor says is left of windows of hours or days; empty if it says nothing."`
}

// Limits are what the operator allows an account; 0 is no limit.
type Limits struct {
	RPM         int `json:"rpm" minimum:"0" maximum:"1000000000" doc:"Requests a minute."`
	TPM         int `json:"tpm" minimum:"0" maximum:"1000000000" doc:"Tokens a minute."`
	Concurrency int `json:"concurrency" minimum:"0" maximum:"1000000" doc:"Requests at one time."`
}

// A Trouble is a model that an account cannot serve now.
type Trouble struct {
	Model   string    `json:"model"`
	State   string    `json:"state" enum:"cooling,trial,down,ready"`
	Since   time.Time `json:"since,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Why     string    `json:"why,omitzero"`
	Text    string    `json:"text"`
	Message string    `json:"message,omitzero"`
}

// A Tested is what a test of an account found.
type Tested struct {
	OK      bool   `json:"ok"`
	Status  int    `json:"status,omitzero" doc:"The vendor's HTTP status."`
	TookMS  int64  `json:"took_ms"`
	Models  int    `json:"models,omitzero" doc:"How many models the account listed."`
	Login   string `json:"login,omitzero" doc:"Whose login or service account it is, if its issuer says so."`
	Why     string `json:"why,omitzero" doc:"The class of the fault."`
	Text    string `json:"text" doc:"What was found, as a sentence."`
	Message string `json:"message,omitzero" doc:"The vendor's own words."`
}

// view is v as the operator sees it; version is 0 if it was not added here.
func view(v *pool.View, version int64) Account {
	h := v.Health
	a := Account{
		Name: v.Name, Provider: v.Provider, Preset: v.Preset, Protocols: v.Protocols,
		Priority: v.Priority, Weight: v.Weight, Limits: Limits{v.RPM, v.TPM, v.Parallel},
		Headers: slices.Sorted(maps.Keys(v.Header)), Options: slices.Sorted(maps.Keys(v.Options)), Origin: origin(v, version),
		Label: v.Label, Tags: v.Tags, Login: v.Who, State: state(v), Failures: h.Failed, InFlight: v.InFlight, Served: v.Served, FirstMS: v.First.Milliseconds(),
		Quota: quota(v, time.Now()),
	}
	if a.Origin == "store" {
		a.Version = version
	}
	if v.BaseURL != nil {
		a.BaseURL = v.BaseURL.String()
	}
	if !v.Key.IsZero() {
		a.Key = v.Key.Hint()
	}
	for _, g := range v.Account.Models {
		a.Models = append(a.Models, g.String())
	}
	if !v.Disabled {
		a.Since, a.Until, a.Why, a.Message, a.Link = h.Since, until(h), class(h), h.Msg, h.Link
	}
	a.Text = sentence(a.State, h)
	for model, h := range v.Models {
		s := h.State.String()
		a.Trouble = append(a.Trouble, Trouble{Model: model, State: s, Since: h.Since, Until: until(h), Why: class(h), Text: sentence(s, h), Message: h.Msg})
	}
	slices.SortFunc(a.Trouble, func(x, y Trouble) int { return cmp.Compare(x.Model, y.Model) })
	return a
}

// until is when a pause ends; a trial's is over.
func until(h pool.Health) time.Time {
	if h.State == pool.Cooling || h.State == pool.Down || h.State == pool.NeedsLogin {
		return h.Until
	}
	return time.Time{}
}

func class(h pool.Health) string {
	if h.Why == fault.Unknown {
		return ""
	}
	return h.Why.String()
}

// sentence says what a state means, without times, which go on.
func sentence(state string, h pool.Health) string {
	switch state {
	case off:
		return "Switched off."
	case pool.Cooling.String():
		return "Waiting: " + explain.Reason(h.Why) + "."
	case pool.Trial.String():
		return "About to be tried again; before, " + explain.Reason(h.Why) + "."
	case pool.Down.String():
		return "Needs you: " + explain.Reason(h.Why) + "."
	case pool.Refreshing.String():
		return "Its access token is over; the next is being fetched."
	case pool.NeedsLogin.String():
		return "Needs a login: its credential is not taken any more."
	}
	if h.Failed > 0 {
		return "Ready, though the last attempts failed."
	}
	return "Ready."
}

// find returns the view of the account called name.
func (a *api) find(name string) (Account, error) {
	for _, v := range a.o.Accounts.Views() {
		if v.Name == name {
			return view(&v, a.o.Accounts.Versions()[name]), nil
		}
	}
	return Account{}, problem(http.StatusNotFound, CodeNoAccount, "there is no account called %q", name)
}

func (a *api) accounts() {
	type named struct {
		Name string `path:"name" maxLength:"64"`
	}
	handle(a, operation{
		id: "list-accounts", method: http.MethodGet, path: "/api/accounts", tag: "accounts", summary: "All accounts and how they are doing",
	}, func(_ context.Context, in *accountFilter) (*out[List[Account]], error) {
		l, err := in.list(a.o.Accounts.Views(), a.o.Accounts.Versions())
		return &out[List[Account]]{l}, err
	})
	handle(a, operation{
		id: "get-account", method: http.MethodGet, path: "/api/accounts/{name}", tag: "accounts", summary: "One account",
		errors: []int{http.StatusNotFound},
	}, func(_ context.Context, in *named) (*tagged[Account], error) {
		v, err := a.find(in.Name)
		return &tagged[Account]{etag(v.Version), v}, err
	})
	handle(a, operation{
		id: "change-account", method: http.MethodPatch, path: "/api/accounts/{name}", tag: "accounts", summary: "Change an account",
		more:   "What is absent stays. A list, headers and options are replaced as a whole. Another base URL or preset needs the key again, so that nobody can have a stored key sent elsewhere.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, in *struct {
		Name    string `path:"name" maxLength:"64"`
		IfMatch string `header:"If-Match" maxLength:"64" doc:"The ETag of what is changed; without it any will do."`
		Body    AccountChange
	},
	) (*tagged[Account], error) {
		version, err := matched(in.IfMatch)
		if err != nil {
			return nil, err
		}
		if err := a.changeAccount(ctx, in.Name, version, &in.Body); err != nil {
			return nil, err
		}
		v, err := a.find(in.Name)
		return &tagged[Account]{etag(v.Version), v}, err
	})
	handle(a, operation{
		id: "remove-account", method: http.MethodDelete, path: "/api/accounts/{name}", tag: "accounts", summary: "Remove an account and its credential",
		more:   "For ten seconds restore-accounts can undo it, while the gateway runs.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, in *struct {
		Name    string `path:"name" maxLength:"64"`
		IfMatch string `header:"If-Match" maxLength:"64" doc:"The ETag of what is removed; without it any will do."`
	},
	) (*struct{}, error) {
		version, err := matched(in.IfMatch)
		if err != nil {
			return nil, err
		}
		if _, err := a.mutable(in.Name); err != nil {
			return nil, err
		}
		return nil, a.o.Accounts.Remove(ctx, []string{in.Name}, versions(in.Name, version))
	})
	handle(a, operation{
		id: "test-account", method: http.MethodPost, path: "/api/accounts/{name}/test", tag: "accounts", summary: "Ask an account's upstream whether it would serve",
		more:   "A failure of the account is an answer (ok: false), not an error.",
		errors: []int{http.StatusNotFound, http.StatusServiceUnavailable, http.StatusGatewayTimeout},
	}, func(ctx context.Context, in *named) (*out[Tested], error) {
		if _, err := a.find(in.Name); err != nil {
			return nil, err
		}
		t, err := a.testing(ctx, func(ctx context.Context) (Tested, error) { return a.o.Accounts.Test(ctx, in.Name) })
		return &out[Tested]{t}, err
	})
	handle(a, operation{
		id: "heal-account", method: http.MethodPost, path: "/api/accounts/{name}/heal", tag: "accounts", summary: "Forget an account's faults, so that it is tried at once",
		errors: []int{http.StatusNotFound},
	}, func(_ context.Context, in *named) (*out[Account], error) {
		if _, err := a.find(in.Name); err != nil {
			return nil, err
		}
		a.o.Accounts.Heal(in.Name)
		v, err := a.find(in.Name)
		return &out[Account]{v}, err
	})
}
