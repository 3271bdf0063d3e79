package admin

import (
	"context"
	"net/http"

	"portico/internal/config"
	"portico/internal/secret"
)

// An Import is a file with accounts.
type Import struct {
	File    []byte
	Like    config.Account // what the accounts of refresh tokens are
	Client  secret.Text    // that the refresh tokens were given to
	Preview bool           // add nothing
	Test    bool           // ask the upstreams first
}

// An Imported is what of a file is an account, or might be thought to be one.
type Imported struct {
	Name     string   `json:"name"`
	From     string   `json:"from" doc:"Whose form it has, such as cc-switch."`
	Provider string   `json:"provider,omitzero"`
	Preset   string   `json:"preset,omitzero"`
	BaseURL  string   `json:"base_url,omitzero"`
	Key      string   `json:"key,omitzero" doc:"A hint such as sk-…ab12, or whose login it is."`
	Models   []string `json:"models" doc:"Globs; none: all."`
	Disabled bool     `json:"disabled,omitzero"`
	Verdict  string   `json:"verdict" enum:"add,added,duplicate,refused,failed" doc:"add: it would be added; failed: its upstream would not serve."`
	Why      string   `json:"why,omitzero" doc:"A sentence."`
	Lost     []string `json:"lost" doc:"What the file says beyond that and has no place here."`
}

// An ImportResult is what became of a file.
type ImportResult struct {
	Items []Imported `json:"items"`
	Added int        `json:"added" doc:"How many were added, or would be."`
}

// A NewImport is a file to import.
type NewImport struct {
	File    string `json:"file" minLength:"1" maxLength:"8388608" doc:"The file as it is: an export of Portico, refresh tokens as lines or JSON, or a file of another tool."`
	Preview bool   `json:"preview,omitzero" doc:"Say what would become of it, and add nothing."`
	Test    bool   `json:"test,omitzero" doc:"Ask the upstreams before anything is stored, of 100 accounts at most."`
	Client  string `json:"client,omitzero" maxLength:"8192" doc:"The OAuth client of your own that the refresh tokens in the file were given to."`
	Account *Draft `json:"account,omitzero" doc:"What the accounts of refresh tokens are; of gemini if it is absent."`
}

// maxImport bounds the body of an import in bytes: a file as a text of JSON.
const maxImport = 16 << 20

func (a *api) imports() {
	handle(a, operation{
		id: "import-accounts", method: http.MethodPost, path: "/api/accounts/import", tag: "accounts", summary: "Add the accounts that a file has",
		more: "Accounts that are there already are left alone, by their credential. What vendors reserve for their own programs is refused with the reason. " +
			"Either all are stored that can be, or none.",
		errors: []int{http.StatusServiceUnavailable, http.StatusGatewayTimeout}, body: maxImport,
	}, func(ctx context.Context, in *struct{ Body NewImport }) (*out[ImportResult], error) {
		i := Import{File: []byte(in.Body.File), Client: secret.Of(in.Body.Client), Preview: in.Body.Preview, Test: in.Body.Test && !in.Body.Preview, Like: config.Account{Provider: "gemini"}}
		if d := in.Body.Account; d != nil {
			if d.APIKey != "" || d.Refresh != "" || d.Client != "" {
				return nil, wrong("body.account", "the credentials are in the file; leave api_key, refresh_token and client out of it")
			}
			i.Like = d.account("")
		}
		items, err := a.o.Accounts.Import(ctx, i)
		r := ImportResult{Items: items}
		var names []string
		for _, x := range items {
			if x.Verdict == "add" || x.Verdict == "added" {
				names = append(names, x.Name)
			}
		}
		r.Added = len(names)
		s := senderOf(ctx)
		s.looked, s.whom = i.Preview || r.Added == 0, many(names)
		return &out[ImportResult]{r}, err
	})
}
