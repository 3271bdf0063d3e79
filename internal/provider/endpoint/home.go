package endpoint

import (
	"errors"
	"net/url"

	"portico/internal/provider"
)

// A Home is the one place of a vendor who has presets of nobody.
type Home struct {
	Origin    *url.URL // the base URL of an account that names none; shared, never changed
	Protocols []string // that are offered, best first
	Options   []string // that an account may have
	Stems     []string // see Stem
}

// Prepare checks what a names and fills what it leaves open. A key is demanded
// at the vendor's own; a base URL of one's own may be a proxy that has the key.
func (h *Home) Prepare(a *provider.Account) (err error) {
	if a.Preset != "" {
		return errors.New("preset: this provider has none; openai-compatible and anthropic-compatible have")
	}
	if err := Options(a.Options, h.Options...); err != nil {
		return err
	}
	if a.BaseURL == nil {
		a.BaseURL = h.Origin
	} else if a.BaseURL, err = Base(a.BaseURL, false, a.Options); err != nil {
		return err
	}
	if err := Stem(a.BaseURL, h.Stems...); err != nil {
		return err
	}
	if err := Key(a.Key, h.Own(a) && a.Tokens == nil); err != nil {
		return err
	}
	a.Protocols, err = Protocols(a.Protocols, h.Protocols, h.Protocols)
	return err
}

// Own reports whether a, whose base URL is known, is at the vendor's own.
func (h *Home) Own(a *provider.Account) bool { return a.BaseURL.Host == h.Origin.Host }
