package admin

import (
	"context"
	"net/http"
)

// A Vendor is whom an account can be at. Provider and Preset are those of the
// account.
type Vendor struct {
	Title    string `json:"title" doc:"What people call it."`
	Provider string `json:"provider"`
	Preset   string `json:"preset,omitzero"`
	BaseURL  string `json:"base_url,omitzero" doc:"Where it lives unless the account says otherwise; absent if the account has to say."`
	Keyless  bool   `json:"keyless,omitzero" doc:"It needs no key, as servers on one's own machine do."`
	Login    bool   `json:"login,omitzero" doc:"One can sign in, with an OAuth client of one's own, or give a document in place of a key."`
}

func (a *api) vendors() {
	if a.o.Vendors == nil {
		return
	}
	handle(a, operation{
		id: "list-vendors", method: http.MethodGet, path: "/api/vendors", tag: "accounts", summary: "Whom an account can be at",
		more: "In the order in which people look for them.",
	}, func(context.Context, *struct{}) (*out[List[Vendor]], error) {
		return &out[List[Vendor]]{List[Vendor]{Items: a.o.Vendors()}}, nil
	})
}
