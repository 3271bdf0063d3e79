package admin

import (
	"context"
	"net/http"
	"time"

	"portico/internal/llm"
	"portico/internal/store"
)

// A UsageRow is what some requests used together.
type UsageRow struct {
	Group     map[string]string `json:"group" doc:"What the row is the sum of, such as model and day."`
	Requests  int64             `json:"requests"`
	Failed    int64             `json:"failed" doc:"Those of them whose client was told a fault."`
	Partial   int64             `json:"partial" doc:"Those whose answer broke off, or whose client left."`
	Estimated int64             `json:"estimated" doc:"Those whose usage the provider never told."`
	llm.Usage
	Total    int64   `json:"total" doc:"All tokens."`
	CostUSD  float64 `json:"cost_usd" doc:"Of those that have a list price."`
	Unpriced int64   `json:"unpriced" doc:"Requests that used something for which there is no price."`
}

func usageRow(s *store.Sum) UsageRow {
	return UsageRow{
		Group: s.Group, Requests: s.Requests, Failed: s.Failed, Partial: s.Partial, Estimated: s.Estimated,
		Usage: s.Usage, Total: s.Total(), CostUSD: s.USD, Unpriced: s.Unpriced,
	}
}

func (a *api) usage() {
	handle(a, operation{
		id: "usage", method: http.MethodGet, path: "/api/usage", tag: "requests", summary: "Requests, tokens and cost, summed up",
		more: "Rows with times come in their order, the others by tokens, most first.",
	}, func(ctx context.Context, in *struct {
		Since    time.Time `query:"since" doc:"Began at or after."`
		Until    time.Time `query:"until" doc:"Began before."`
		Account  string    `query:"account" maxLength:"64"`
		Model    string    `query:"model" maxLength:"256"`
		Key      string    `query:"key" maxLength:"64"`
		Client   string    `query:"client" maxLength:"64"`
		Protocol string    `query:"protocol" enum:"openai-chat,openai-responses,anthropic,gemini"`
		By       []string  `query:"by" maxItems:"3" uniqueItems:"true" enum:"minute,quarter,hour,day,month,account,model,key,client,protocol" doc:"What to group by; a quarter is one of an hour."`
		Zone     string    `query:"zone" maxLength:"64" default:"UTC" doc:"The time zone of hours, days and months, such as Europe/Berlin."`
	},
	) (*out[List[UsageRow]], error) {
		zone, err := time.LoadLocation(in.Zone)
		if err != nil || in.Zone == "Local" {
			return nil, &Problem{
				Title: http.StatusText(http.StatusUnprocessableEntity), Status: http.StatusUnprocessableEntity, Code: CodeInvalid,
				Detail: "the time zone is not known", Errors: []Error{{"query.zone", "it is none of the zones that this machine knows"}},
			}
		}
		a.settled(ctx)
		sums, err := a.o.Ledger.Usage(ctx, store.UsageQuery{
			Since: in.Since, Until: in.Until, Account: in.Account, Model: in.Model, Key: in.Key, Client: in.Client, Protocol: in.Protocol,
			By: in.By, Location: zone,
		})
		if err != nil {
			return nil, err
		}
		l := List[UsageRow]{Items: make([]UsageRow, len(sums))}
		for i, s := range sums {
			l.Items[i] = usageRow(&s)
		}
		return &out[List[UsageRow]]{l}, nil
	})
}
