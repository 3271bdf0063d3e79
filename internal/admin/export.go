package admin

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"portico/internal/config"
	"portico/internal/pool"
)

// An Export is accounts as a file, which import-accounts takes.
type Export struct {
	Version  int        `json:"portico_accounts" doc:"The version of the form: 1."`
	Created  time.Time  `json:"created"`
	Accounts []Exported `json:"accounts"`
}

// An Exported is an account without its secrets.
type Exported struct {
	NewAccount
	Left []string `json:"left_out" doc:"What may be secret and is not in the file."`
}

// exported is v, whose settings are c, without what may be secret: the
// credential, the values of headers and options, and the password of a proxy.
func exported(v *pool.View, c *config.Account) Exported {
	e := Exported{
		Name: v.Name, Provider: v.Provider, Preset: v.Preset, Protocols: c.Protocols, BaseURL: c.BaseURL, Models: c.Models,
		Priority: v.Priority, Weight: v.Weight, Disabled: v.Disabled, Label: v.Label, Tags: v.Tags,
	}
	if l := (Limits{v.RPM, v.TPM, v.Parallel}); l != (Limits{}) {
		e.Limits = &l
	}
	if !c.APIKey.IsZero() {
		e.Left = append(e.Left, "api_key")
	}
	if u, err := url.Parse(c.Proxy); c.Proxy != "" && err == nil && u.User == nil {
		e.Proxy = c.Proxy
	} else if c.Proxy != "" {
		e.Left = append(e.Left, "proxy")
	}
	for _, h := range slices.Sorted(maps.Keys(c.Headers)) {
		e.Left = append(e.Left, "the header "+h)
	}
	for _, o := range slices.Sorted(maps.Keys(c.Options)) {
		e.Left = append(e.Left, "the option "+o)
	}
	return e
}

func (a *api) exports() {
	handle(a, operation{
		id: "export-accounts", method: http.MethodPost, path: "/api/accounts/export", tag: "accounts", summary: "Accounts as a file, without their secrets",
		more:   "Keys, logins, and the values of headers and options are left out and named. import-accounts takes the file once they are filled in.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		Body struct {
			Select Selection `json:"select"`
		}
	},
	) (*out[Export], error) {
		views, err := a.selected(&in.Body.Select)
		if err != nil {
			return nil, err
		}
		e := Export{Version: 1, Created: time.Now().UTC().Truncate(time.Second), Accounts: []Exported{}}
		declared := map[string]*config.Account{}
		cfg := a.o.Config()
		for i := range cfg.Accounts {
			declared[cfg.Accounts[i].Name] = &cfg.Accounts[i]
		}
		var names []string
		for i := range views {
			v := &views[i]
			names = append(names, v.Name)
			if c, ok := a.o.Accounts.Stored(v.Name); ok && !v.Declared {
				e.Accounts = append(e.Accounts, exported(v, &c))
			} else if c := declared[v.Name]; c != nil {
				e.Accounts = append(e.Accounts, exported(v, c))
			}
		}
		senderOf(ctx).whom = many(names)
		return &out[Export]{e}, nil
	})
}
