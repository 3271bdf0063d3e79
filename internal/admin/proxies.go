package admin

import (
	"context"
	"net/http"
	"time"
)

// Proxies is the pool of outbound proxies. The errors are those of package
// store, ErrProxyDeclared, [InUse] or [Invalid]. A change is on the disk and in
// force when the method returns.
type Proxies interface {
	// Views lists the proxies, those of the configuration file too.
	Views(ctx context.Context) ([]Proxy, error)
	Add(ctx context.Context, name, address string, off bool) error
	// Change gives the proxy called name what is not nil.
	Change(ctx context.Context, name string, address *string, off *bool) error
	Remove(ctx context.Context, name string) error
	// Test connects through the proxy called name.
	Test(ctx context.Context, name string) (Proxy, error)
}

// A Proxy is one of the pool as the operator sees it. Its user and password are
// never part of it.
type Proxy struct {
	Name      string    `json:"name"`
	Address   string    `json:"address,omitzero" doc:"Scheme, host and port; absent if it cannot be read."`
	Login     bool      `json:"login" doc:"Whether it is shown a user and a password."`
	Origin    string    `json:"origin" enum:"file,store" doc:"Where it was made. One of the configuration file is changed there."`
	State     string    `json:"state" enum:"unchecked,alive,dead,off"`
	Since     time.Time `json:"since,omitzero" doc:"When the state began."`
	Checked   time.Time `json:"checked,omitzero" doc:"When it was last checked."`
	LatencyMS int64     `json:"latency_ms,omitzero" doc:"How long the last check took that it passed."`
	Message   string    `json:"message,omitzero" doc:"Why it is dead."`
	Accounts  int       `json:"accounts" doc:"Accounts that name it. Those that take any of the pool are not counted."`
}

// A NewProxy is an outbound proxy that is to be added.
type NewProxy struct {
	Name     string `json:"name" minLength:"1" maxLength:"64"`
	URL      string `json:"url" minLength:"1" maxLength:"2048" doc:"http, https, socks5 or socks5h, with user and password if it wants them; kept sealed and never shown."`
	Disabled bool   `json:"disabled,omitzero"`
}

// A ProxyChange is what becomes different about a proxy; what is absent stays.
type ProxyChange struct {
	URL      *string `json:"url,omitzero" minLength:"1" maxLength:"2048"`
	Disabled *bool   `json:"disabled,omitzero"`
}

func (a *api) proxy(ctx context.Context, name string) (*out[Proxy], error) {
	all, err := a.o.Proxies.Views(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if p.Name == name {
			return &out[Proxy]{p}, nil
		}
	}
	return nil, problem(http.StatusNotFound, CodeNoProxy, "there is no proxy called %q", name)
}

func (a *api) proxies() {
	if a.o.Proxies == nil {
		return
	}
	type named struct {
		Name string `path:"name" maxLength:"64"`
	}
	handle(a, operation{
		id: "list-proxies", method: http.MethodGet, path: "/api/proxies", tag: "proxies", summary: "The pool of outbound proxies and how they do",
	}, func(ctx context.Context, _ *struct{}) (*out[List[Proxy]], error) {
		all, err := a.o.Proxies.Views(ctx)
		return &out[List[Proxy]]{List[Proxy]{Items: all}}, err
	})
	handle(a, operation{
		id: "get-proxy", method: http.MethodGet, path: "/api/proxies/{name}", tag: "proxies", summary: "One outbound proxy", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *named) (*out[Proxy], error) { return a.proxy(ctx, in.Name) })
	handle(a, operation{
		id: "add-proxy", method: http.MethodPost, path: "/api/proxies", tag: "proxies", summary: "Add an outbound proxy to the pool", status: http.StatusCreated,
		more:   "Accounts take it with the proxy pool:NAME, or pool for the one that their own name leads to.",
		errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body NewProxy }) (*out[Proxy], error) {
		if err := a.o.Proxies.Add(ctx, in.Body.Name, in.Body.URL, in.Body.Disabled); err != nil {
			return nil, err
		}
		return a.proxy(ctx, in.Body.Name)
	})
	handle(a, operation{
		id: "change-proxy", method: http.MethodPatch, path: "/api/proxies/{name}", tag: "proxies", summary: "Change an outbound proxy, or switch it on or off",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		Name string `path:"name" maxLength:"64"`
		Body ProxyChange
	},
	) (*out[Proxy], error) {
		if err := a.o.Proxies.Change(ctx, in.Name, in.Body.URL, in.Body.Disabled); err != nil {
			return nil, err
		}
		return a.proxy(ctx, in.Name)
	})
	handle(a, operation{
		id: "remove-proxy", method: http.MethodDelete, path: "/api/proxies/{name}", tag: "proxies", summary: "Remove an outbound proxy",
		more:   "One that an account, its provider or all accounts name is not removed, for they would be served by nobody.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *named) (*struct{}, error) { return nil, a.o.Proxies.Remove(ctx, in.Name) })
	handle(a, operation{
		id: "test-proxy", method: http.MethodPost, path: "/api/proxies/{name}/test", tag: "proxies", summary: "Connect through an outbound proxy",
		more:   "The connection leads to where an account goes that takes the proxy, and nothing is sent there.",
		errors: []int{http.StatusNotFound}, quiet: true,
	}, func(ctx context.Context, in *named) (*out[Proxy], error) {
		ctx, cancel := context.WithTimeout(ctx, testWait)
		defer cancel()
		select {
		case a.tests <- struct{}{}:
			defer func() { <-a.tests }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		p, err := a.o.Proxies.Test(ctx, in.Name)
		return &out[Proxy]{p}, err
	})
}
