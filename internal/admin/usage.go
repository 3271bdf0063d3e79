package admin

import (
	"context"
	"net/http"
	"time"

	"portico/internal/llm"
)

// A UsageQuery says what is summed up.
type UsageQuery struct {
	Since, Until time.Time // began at or after, began before
	By           []string  // of GroupNames, at most 3; none: one sum
}

// A UsageRow is the sum of one group.
type UsageRow struct {
	Group    map[string]string `json:"group" doc:"What the row is the sum of, such as model and day."`
	Requests int64             `json:"requests"`
	Failed   int64             `json:"failed" doc:"Those of them that the client was told a fault of."`
	llm.Usage
	Total   int64    `json:"total" doc:"All tokens."`
	CostUSD *float64 `json:"cost_usd,omitzero" doc:"At list price; absent if it is not known."`
}

func (a *api) usage() {
	handle(a, operation{
		id: "usage", method: http.MethodGet, path: "/api/usage", tag: "requests", summary: "Tokens and requests, summed up",
	}, func(ctx context.Context, in *struct {
		Since time.Time `query:"since"`
		Until time.Time `query:"until"`
		By    []string  `query:"by" maxItems:"3" enum:"hour,day,month,model,account,key,client,protocol" doc:"What to group by."`
	}) (*out[List[UsageRow]], error) {
		a.settled(ctx)
		rows, err := a.o.Ledger.Usage(ctx, UsageQuery{in.Since, in.Until, in.By})
		return &out[List[UsageRow]]{List[UsageRow]{Items: rows}}, err
	})
}
