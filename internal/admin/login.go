package admin

import (
	"context"
	"net/http"
	"time"

	"portico/internal/config"
	"portico/internal/secret"
)

// Logins are the logins that are under way at issuers of tokens. Errors that are
// one of ErrNoLogin, ErrLoginOver, ErrManyLogins or [Invalid] are told as such.
type Logins interface {
	// Begin begins a login, which goes on by itself.
	Begin(ctx context.Context, ask LoginAsk) (Login, error)
	// Look is how the login called id stands, once it is over or ctx is.
	Look(ctx context.Context, id string) (Login, error)
	// Paste brings back the issuer's answer by hand.
	Paste(id, answer string) error
	// Cancel ends a login.
	Cancel(id string) error
}

// A LoginAsk is a login that is wanted.
type LoginAsk struct {
	Account config.Account // that is added by it; of one that is there the name alone
	Again   bool           // it is there, and signs in anew
	Client  secret.Text    // zero: the client of its last login
	Device  bool           // on another device, rather than in a browser
	Test    bool           // ask the upstream before an account is stored
}

// A Login is a login as it stands.
type Login struct {
	ID       string    `json:"id"`
	Name     string    `json:"name" doc:"The account."`
	Mode     string    `json:"mode" enum:"browser,device"`
	State    string    `json:"state" enum:"waiting,busy,done,failed" doc:"busy: the person has agreed, and what came of it is looked at."`
	URL      string    `json:"url" doc:"Where the person agrees; any browser does."`
	UserCode string    `json:"user_code,omitzero" doc:"What the person enters there."`
	Redirect string    `json:"redirect,omitzero" doc:"Where the browser is sent at the end: a port of the gateway's machine. In a browser elsewhere that page does not open; its address is sent to callback."`
	Expires  time.Time `json:"expires"`
	Text     string    `json:"text" doc:"What came of it, as a sentence; empty while it waits."`
}

// A NewLogin is a login to begin.
type NewLogin struct {
	Name    string `json:"name" pattern:"^[\\p{L}\\p{Nd} ._@+:-]+$" maxLength:"64" doc:"The account."`
	Account *Draft `json:"account,omitzero" doc:"What the account is, if the login adds it; absent: it is there, and signs in again."`
	Mode    string `json:"mode,omitzero" enum:"browser,device" default:"browser" doc:"device: a code is entered on another device, if the issuer permits it."`
	Client  string `json:"client,omitzero" maxLength:"8192" doc:"An OAuth client of your own, as the JSON file that its issuer's console has. Absent: that of the account's last login."`
	Test    *bool  `json:"test,omitzero" doc:"Ask the upstream before the account is added; true if it is absent."`
}

// maxLooks bounds those who wait for logins at one time, and maxLook how long.
const (
	maxLooks = 32
	maxLook  = 60
)

func (n *NewLogin) ask() (LoginAsk, error) {
	ask := LoginAsk{Client: secret.Of(n.Client), Device: n.Mode == "device", Test: n.Test == nil || *n.Test}
	if n.Account == nil {
		ask.Account.Name, ask.Again = n.Name, true
		return ask, nil
	}
	if n.Account.APIKey != "" || n.Account.Refresh != "" || n.Account.Client != "" {
		return ask, wrong("body.account", "the credential comes of the login; leave api_key, refresh_token and client out of it")
	}
	ask.Account = n.Account.account(n.Name)
	return ask, nil
}

func (a *api) logins() {
	if a.o.Logins == nil {
		return
	}
	looks := make(chan struct{}, maxLooks)
	type one struct {
		ID string `path:"id" maxLength:"64"`
	}
	handle(a, operation{
		id: "begin-login", method: http.MethodPost, path: "/api/logins", tag: "accounts", summary: "Sign in at an issuer of tokens", status: http.StatusCreated,
		more: "The person opens url in any browser and agrees. A browser on the gateway's machine ends the login by itself; of one elsewhere the address that it ends at is sent to callback. " +
			"A login has five minutes, and one answer. With account it adds one; without it the account called name signs in again, which nobody but its old identity can do.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *struct{ Body NewLogin }) (*out[Login], error) {
		ask, err := in.Body.ask()
		if err != nil {
			return nil, err
		}
		if ask.Again {
			_, err = a.mutable(in.Body.Name)
		} else if _, none := a.find(in.Body.Name); none == nil {
			err = ErrTaken
		}
		if err != nil {
			return nil, err
		}
		l, err := a.o.Logins.Begin(ctx, ask)
		return &out[Login]{l}, err
	})
	handle(a, operation{
		id: "get-login", method: http.MethodGet, path: "/api/logins/{id}", tag: "accounts", summary: "How a login stands",
		more:   "It can be asked for a quarter of an hour after its end.",
		errors: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"64"`
		Wait int    `query:"wait" minimum:"0" maximum:"60" doc:"Answer once the login is over, or after so many seconds."`
	},
	) (*out[Login], error) {
		ctx, cancel := context.WithTimeout(ctx, time.Duration(min(in.Wait, maxLook))*time.Second)
		defer cancel()
		if in.Wait > 0 {
			select {
			case looks <- struct{}{}:
				defer func() { <-looks }()
			default:
				return nil, problem(http.StatusServiceUnavailable, CodeUnavailable, "%d others wait for logins; ask without wait", maxLooks)
			}
		}
		l, err := a.o.Logins.Look(ctx, in.ID)
		return &out[Login]{l}, err
	})
	handle(a, operation{
		id: "answer-login", method: http.MethodPost, path: "/api/logins/{id}/callback", tag: "accounts", summary: "Bring back the issuer's answer by hand",
		more:   "The answer is the whole address that the browser was sent to, or the code in it. One that belongs to another login is refused and harms none.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"64"`
		Body struct {
			Answer string `json:"answer" minLength:"1" maxLength:"8192"`
		}
	},
	) (*out[Login], error) {
		if err := a.o.Logins.Paste(in.ID, in.Body.Answer); err != nil {
			return nil, err
		}
		now, cancel := context.WithCancel(ctx)
		cancel()
		l, err := a.o.Logins.Look(now, in.ID)
		return &out[Login]{l}, err
	})
	handle(a, operation{
		id: "cancel-login", method: http.MethodDelete, path: "/api/logins/{id}", tag: "accounts", summary: "End a login without a result",
		errors: []int{http.StatusNotFound},
	}, func(_ context.Context, in *one) (*struct{}, error) {
		return nil, a.o.Logins.Cancel(in.ID)
	})
}
