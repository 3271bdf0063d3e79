package endpoint

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/provider"
	"portico/internal/secret"
)

// tokens has one token, or the reason why there is none.
type tokens struct{ err error }

func (tokens) ID() string                                   { return "id" }
func (t tokens) Token(context.Context) (secret.Text, error) { return secret.Of("ya29.token"), t.err }
func (tokens) Renew(context.Context, secret.Text) error     { return nil }
func (tokens) Condition(time.Time) provider.Condition       { return provider.Condition{} }
func (tokens) Retry()                                       {}

// A token goes out as Bearer, whatever header the provider's keys have, and
// takes the place of whatever the client has shown.
func TestAddressWithTokens(t *testing.T) {
	for _, form := range []Form{Bearer, APIKey, GoogKey} {
		a := account(t, "https://h/v1")
		a.Key, a.Tokens = secret.Text{}, tokens{}
		out := &http.Request{Header: http.Header{"Authorization": {"Bearer client"}, "X-Goog-Api-Key": {"client"}, "X-Api-Key": {"client"}}}
		if err := Address(out, a, a.BaseURL, "/v1", "", provider.Target{Path: "/models"}, form); err != nil {
			t.Fatal(err)
		}
		if got := provider.Bearer(out.Header).Reveal(); got != "ya29.token" || out.Header.Get("X-Goog-Api-Key")+out.Header.Get("X-Api-Key") != "" {
			t.Errorf("in the form %d it shows %v", form, out.Header)
		}
		none := fault.New(fault.CredentialExpired, "no")
		a.Tokens = tokens{none}
		if err := Address(out, a, a.BaseURL, "/v1", "", provider.Target{Path: "/models"}, form); !errors.Is(err, none) {
			t.Errorf("without a token: %v", err)
		}
		a.Header.Set("Authorization", "Bearer mine")
		if err := Header(a, form); err == nil {
			t.Error("two Authorizations are taken")
		}
	}
}
