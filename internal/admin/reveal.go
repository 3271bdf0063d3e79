package admin

import (
	"context"
	"net/http"
)

// Revealed are an account's secrets, for once.
type Revealed struct {
	APIKey  string            `json:"api_key,omitzero" doc:"The key, or the document of a login or a service account."`
	Proxy   string            `json:"proxy,omitzero" doc:"With its password, if it has one."`
	Headers map[string]string `json:"headers,omitzero"`
	Options map[string]string `json:"options,omitzero"`
}

// A RevealedKey is the api_key.
type RevealedKey struct {
	APIKey string `json:"api_key"`
}

// reveal registers the only operations that answer with a secret that was
// stored before. The call itself has to prove who asks, so that neither a
// stolen cookie nor a browser that was left open is enough, and each success is
// an entry of the audit log (spec: security I5, SEC-55).
func (a *api) reveal() {
	handle(a, operation{
		id: "reveal-account", method: http.MethodPost, path: "/api/accounts/{name}/reveal", tag: "accounts", summary: "Show the secrets of an account that was added here",
		more:   "A session has to show the password or the admin token in the body. It is audited.",
		errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		Name string `path:"name" maxLength:"64"`
		Body *Proof `required:"false"`
	},
	) (*out[Revealed], error) {
		if err := a.prove(ctx, in.Body); err != nil {
			return nil, err
		}
		x, err := a.mutable(in.Name)
		if err != nil {
			return nil, err
		}
		return &out[Revealed]{Revealed{APIKey: x.APIKey.Reveal(), Proxy: x.Proxy, Headers: x.Headers, Options: x.Options}}, nil
	})
	handle(a, operation{
		id: "reveal-api-key", method: http.MethodPost, path: "/api/config/reveal", tag: "gateway", summary: "Show the api_key of the configuration",
		more:   "A session has to show the password or the admin token in the body. It is audited.",
		errors: []int{http.StatusForbidden},
	}, func(ctx context.Context, in *struct {
		Body *Proof `required:"false"`
	},
	) (*out[RevealedKey], error) {
		if err := a.prove(ctx, in.Body); err != nil {
			return nil, err
		}
		return &out[RevealedKey]{RevealedKey{a.o.Config().APIKey.Reveal()}}, nil
	})
}

// prove is fresh for a body that may be absent.
func (a *api) prove(ctx context.Context, p *Proof) error {
	if p == nil {
		p = &Proof{}
	}
	return a.fresh(ctx, p)
}
