package admin

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"portico/internal/config"
	"portico/internal/pool"
	"portico/internal/secret"
	"portico/internal/store"
)

// A NewAccount is an account to add. Its members are those of the
// configuration file.
type NewAccount struct {
	Name string `json:"name" pattern:"^[\\p{L}\\p{Nd} ._@+:-]+$" maxLength:"64" doc:"What it is called; unique."`
	Draft
}

// A Draft is all of an account but its name.
type Draft struct {
	Provider  string            `json:"provider" minLength:"1" maxLength:"64" doc:"The kind of upstream, such as openai or anthropic-compatible."`
	Preset    string            `json:"preset,omitzero" maxLength:"64" doc:"The vendor behind a compatible provider."`
	Protocols []string          `json:"protocols,omitzero" maxItems:"4" enum:"openai-chat,openai-responses,anthropic,gemini" doc:"What it speaks, best first, if not what its provider does."`
	BaseURL   string            `json:"base_url,omitzero" maxLength:"2048" doc:"Where it lives, as the vendor's SDK takes it."`
	APIKey    string            `json:"api_key,omitzero" maxLength:"8192" doc:"The credential: a key, or one of Google's JSON documents. It is never shown again."`
	Refresh   string            `json:"refresh_token,omitzero" maxLength:"4096" doc:"In place of api_key: an OAuth refresh token, which needs the client that it was given to."`
	Client    string            `json:"client,omitzero" maxLength:"8192" doc:"An OAuth client of your own, as the JSON file that its issuer's console has."`
	Models    []string          `json:"models,omitzero" maxItems:"1000" doc:"Globs of what it serves; none: all."`
	Priority  int               `json:"priority,omitzero" minimum:"-1000000" maximum:"1000000" doc:"Accounts of a lower number are tried first."`
	Weight    int               `json:"weight,omitzero" minimum:"1" maximum:"1000000" default:"1" doc:"Share of the requests among accounts of one priority."`
	Limits    *Limits           `json:"limits,omitzero"`
	Proxy     string            `json:"proxy,omitzero" maxLength:"2048" doc:"An outbound proxy of its own."`
	Disabled  bool              `json:"disabled,omitzero" doc:"Leave it alone for now."`
	Label     string            `json:"label,omitzero" maxLength:"128" doc:"For people."`
	Tags      []string          `json:"tags,omitzero" maxItems:"32" doc:"Words by which several accounts are chosen at a time."`
	Headers   map[string]string `json:"headers,omitzero" maxProperties:"64" doc:"Sent with every request."`
	Options   map[string]string `json:"options,omitzero" maxProperties:"64" doc:"The provider's own settings."`
}

// account is the draft of an account called name. What it signs in with, if that
// is no key, is not part of it yet.
func (d *Draft) account(name string) config.Account {
	a := config.Account{
		Name: name, Provider: d.Provider, Preset: d.Preset, Protocols: d.Protocols, BaseURL: d.BaseURL, APIKey: secret.Of(d.APIKey),
		Models: d.Models, Priority: d.Priority, Weight: max(d.Weight, 1), Proxy: d.Proxy, Disabled: d.Disabled, Label: d.Label, Tags: d.Tags, Headers: d.Headers, Options: d.Options,
	}
	if d.Limits != nil {
		a.Limits = config.AccountLimits(*d.Limits)
	}
	return a
}

// An AccountChange is what becomes different about an account. What is absent
// stays.
type AccountChange struct {
	Preset    *string            `json:"preset,omitzero" maxLength:"64"`
	Protocols *[]string          `json:"protocols,omitzero" maxItems:"4" enum:"openai-chat,openai-responses,anthropic,gemini"`
	BaseURL   *string            `json:"base_url,omitzero" maxLength:"2048"`
	APIKey    *string            `json:"api_key,omitzero" maxLength:"8192"`
	Models    *[]string          `json:"models,omitzero" maxItems:"1000"`
	Priority  *int               `json:"priority,omitzero" minimum:"-1000000" maximum:"1000000"`
	Weight    *int               `json:"weight,omitzero" minimum:"1" maximum:"1000000"`
	Limits    *LimitsChange      `json:"limits,omitzero"`
	Proxy     *string            `json:"proxy,omitzero" maxLength:"2048"`
	Disabled  *bool              `json:"disabled,omitzero"`
	Label     *string            `json:"label,omitzero" maxLength:"128"`
	Tags      *[]string          `json:"tags,omitzero" maxItems:"32"`
	Headers   *map[string]string `json:"headers,omitzero" maxProperties:"64"`
	Options   *map[string]string `json:"options,omitzero" maxProperties:"64"`
}

// A LimitsChange is what becomes different about an account's limits.
type LimitsChange struct {
	RPM         *int `json:"rpm,omitzero" minimum:"0" maximum:"1000000000"`
	TPM         *int `json:"tpm,omitzero" minimum:"0" maximum:"1000000000"`
	Concurrency *int `json:"concurrency,omitzero" minimum:"0" maximum:"1000000"`
}

// apply returns a with c. A credential is bound to where it was meant to go:
// if that changes, the credential has to come along (spec: security SEC-34,
// I4). The same holds for what would make it visible on the way: the option
// that permits plain http, and the headers' own values.
func (c *AccountChange) apply(a config.Account) (config.Account, error) {
	moved := changes(c.BaseURL, a.BaseURL) || changes(c.Preset, a.Preset) || changes(c.Proxy, a.Proxy) ||
		c.Options != nil && !maps.Equal(*c.Options, a.Options)
	if moved && c.APIKey == nil && !a.APIKey.IsZero() {
		return a, problem(http.StatusUnprocessableEntity, CodeKeyRequired,
			"send api_key too: the key of %q was given for another address, way or setting", a.Name)
	}
	if moved && c.Headers == nil && len(a.Headers) > 0 {
		return a, problem(http.StatusUnprocessableEntity, CodeKeyRequired,
			"send headers too: those of %q, which may hold a key, were given for another address, way or setting", a.Name)
	}
	set(&a.Preset, c.Preset)
	set(&a.Protocols, c.Protocols)
	set(&a.BaseURL, c.BaseURL)
	set(&a.Models, c.Models)
	set(&a.Priority, c.Priority)
	set(&a.Weight, c.Weight)
	set(&a.Proxy, c.Proxy)
	set(&a.Disabled, c.Disabled)
	set(&a.Label, c.Label)
	set(&a.Tags, c.Tags)
	set(&a.Headers, c.Headers)
	set(&a.Options, c.Options)
	if c.APIKey != nil {
		a.APIKey = secret.Of(*c.APIKey)
	}
	if l := c.Limits; l != nil {
		set(&a.Limits.RPM, l.RPM)
		set(&a.Limits.TPM, l.TPM)
		set(&a.Limits.Concurrency, l.Concurrency)
	}
	return a, nil
}

// maxRaces is how often a change that is for any version is made anew because
// somebody else was faster.
const maxRaces = 3

// changeAccount makes the change to the stored account called name, if version
// is 0 or the one that it has.
func (a *api) changeAccount(ctx context.Context, name string, version int64, c *AccountChange) error {
	for races := 0; ; races++ {
		read := cmp.Or(version, a.o.Accounts.Versions()[name]) // before the account, so that it is not newer
		old, err := a.mutable(name)
		if err != nil {
			return err
		}
		changed, err := c.apply(old)
		if err != nil {
			return err
		}
		if err = a.o.Accounts.Replace(ctx, []config.Account{changed}, versions(name, read)); !errors.Is(err, store.ErrVersion) || version != 0 || races == maxRaces {
			return err
		}
	}
}

// versions says that a change of the account called name was made for a version,
// unless that is 0.
func versions(name string, version int64) map[string]int64 {
	return map[string]int64{name: version}
}

func changes(to *string, from string) bool { return to != nil && *to != from }

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// mutable returns the stored account called name, or says why it cannot be
// changed here.
func (a *api) mutable(name string) (config.Account, error) {
	if stored, ok := a.o.Accounts.Stored(name); ok {
		return stored, nil
	}
	views := a.o.Accounts.Views()
	i := slices.IndexFunc(views, func(v pool.View) bool { return v.Name == name })
	switch {
	case i < 0:
		return config.Account{}, problem(http.StatusNotFound, CodeNoAccount, "there is no account called %q", name)
	case views[i].Declared:
		where := "the configuration file"
		if f := a.o.Config().File; f != "" {
			where = f
		}
		return config.Account{}, problem(http.StatusConflict, CodeDeclared, "the account %q is declared in %s; change it there", name, where)
	}
	return config.Account{}, problem(http.StatusConflict, CodeBuiltIn, "the account %q is part of Portico and cannot be changed", name)
}
