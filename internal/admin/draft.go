package admin

import (
	"context"
	"net/http"
	"time"

	"portico/internal/config"
	"portico/internal/secret"
)

// testWait bounds a test as a whole; the account's own time limits end it
// sooner.
const testWait = time.Minute

// testing calls f, a test, unless too many are under way.
func (a *api) testing(ctx context.Context, f func(context.Context) (Tested, error)) (Tested, error) {
	select {
	case a.tests <- struct{}{}:
		defer func() { <-a.tests }()
	default:
		return Tested{}, problem(http.StatusServiceUnavailable, CodeUnavailable, "%d tests are under way; wait for one to end", maxTests)
	}
	ctx, cancel := context.WithTimeout(ctx, testWait)
	defer cancel()
	return f(ctx)
}

// An AddedAccount is an account that was added, and what its test found before.
type AddedAccount struct {
	Account
	Tested *Tested `json:"tested,omitzero" doc:"Absent if no test was asked for."`
}

// drafted is the account called name that d describes, with its credential.
func (a *api) drafted(name string, d *Draft) (config.Account, error) {
	c := d.account(name)
	switch {
	case d.Refresh == "" && d.Client != "":
		return c, wrong("body.client", "a client is for a refresh token; to sign in with it, begin a login")
	case d.Refresh == "":
		return c, nil
	case d.APIKey != "":
		return c, wrong("body.refresh_token", "it stands beside api_key; only one of them can hold")
	}
	var err error
	c.APIKey, err = a.o.Accounts.Document(d.Provider, secret.Of(d.Refresh), secret.Of(d.Client))
	return c, err
}

func (a *api) drafts() {
	handle(a, operation{
		id: "test-draft", method: http.MethodPost, path: "/api/accounts/test", tag: "accounts", summary: "Ask the upstream of an account that is not there yet whether it would serve",
		more:   "Nothing is stored but the access token of a login. A failure of the account is an answer (ok: false), not an error.",
		errors: []int{http.StatusServiceUnavailable, http.StatusGatewayTimeout}, quiet: true,
	}, func(ctx context.Context, in *struct{ Body Draft }) (*out[Tested], error) {
		c, err := a.drafted("draft", &in.Body)
		if err != nil {
			return nil, err
		}
		t, err := a.testing(ctx, func(ctx context.Context) (Tested, error) { return a.o.Accounts.Probe(ctx, c) })
		return &out[Tested]{t}, err
	})
	handle(a, operation{
		id: "add-account", method: http.MethodPost, path: "/api/accounts", tag: "accounts", summary: "Add an account", status: http.StatusCreated,
		more:   "With test the upstream is asked first, and an account that would not serve is refused (test_failed) and not stored.",
		errors: []int{http.StatusConflict, http.StatusServiceUnavailable, http.StatusGatewayTimeout},
	}, func(ctx context.Context, in *struct {
		Body struct {
			NewAccount
			Test bool `json:"test,omitzero" doc:"Ask the upstream before it is stored."`
		}
	},
	) (*out[AddedAccount], error) {
		c, err := a.drafted(in.Body.Name, &in.Body.Draft)
		if err != nil {
			return nil, err
		}
		var tested *Tested
		if in.Body.Test {
			if _, err := a.find(c.Name); err == nil {
				return nil, ErrTaken // the upstream need not be asked
			}
			t, err := a.testing(ctx, func(ctx context.Context) (Tested, error) { return a.o.Accounts.Probe(ctx, c) })
			if err != nil {
				return nil, err
			}
			if !t.OK {
				return nil, problem(http.StatusUnprocessableEntity, CodeTestFailed, "%s Nothing was stored.", t.Text)
			}
			tested = &t
		}
		if err := a.o.Accounts.Add(ctx, c); err != nil {
			return nil, err
		}
		v, err := a.find(c.Name)
		return &out[AddedAccount]{AddedAccount{v, tested}}, err
	})
}
