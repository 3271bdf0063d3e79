package admin

import (
	"context"
	"net/http"
	"time"

	"portico/internal/catalog"
	"portico/internal/explain"
	"portico/internal/journal"
)

// A Ledger is what has been kept of requests.
type Ledger interface {
	// Requests lists requests, newest first, and the cursor of the page
	// after it, or "".
	Requests(ctx context.Context, f Filter) (xs []*journal.Exchange, next string, err error)
	// Request returns the request with that id, or nil.
	Request(ctx context.Context, id string) (*journal.Exchange, error)
	// Usage sums up what was used.
	Usage(ctx context.Context, q UsageQuery) ([]UsageRow, error)
}

// A Filter says which requests are wanted. Empty members match all.
type Filter struct {
	Since, Until time.Time // began at or after, began before
	Account      string
	Model        string // asked for or served
	Key          string
	Client       string
	Session      string
	Protocol     string // the client's
	Op           string
	Fault        string // a class, "none" or "any"
	MinStatus    int
	MaxStatus    int
	Limit        int    // from 1 to 500
	Cursor       string // from a page before
}

// A Request is one finished request and its price.
type Request struct {
	journal.Exchange
	CostUSD *float64 `json:"cost_usd,omitzero" doc:"At list price; absent if there is none."`
}

// An ExplainedRequest is a request with its story.
type ExplainedRequest struct {
	Request
	Explanation explain.Explanation `json:"explanation"`
}

// cost is what x costs at list price.
func (a *api) cost(x *journal.Exchange) explain.Cost {
	if a.o.Catalog == nil {
		return explain.Cost{}
	}
	model := x.Served
	if model == "" {
		model = x.Asked
	}
	m, ok := a.o.Catalog().Lookup(model)
	if !ok {
		return explain.Cost{}
	}
	usd, known := catalog.Cost(x.Usage, m)
	return explain.Cost{USD: usd, Known: known}
}

func (a *api) request(x *journal.Exchange) Request {
	r := Request{Exchange: *x}
	if c := a.cost(x); c.Known {
		r.CostUSD = &c.USD
	}
	return r
}

// settled returns once what has ended stands in the ledger. If that fails the
// ledger is a moment behind, which is no reason to show nothing.
func (a *api) settled(ctx context.Context) {
	if a.o.Settle == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := a.o.Settle(ctx); err != nil {
		a.o.Log.Warn("the ledger is behind", "error", err)
	}
}

// requestsInput is the query of a list of requests.
type requestsInput struct {
	Since    time.Time `query:"since" doc:"Began at or after."`
	Until    time.Time `query:"until" doc:"Began before."`
	Account  string    `query:"account" maxLength:"64"`
	Model    string    `query:"model" maxLength:"256" doc:"Asked for or served."`
	Key      string    `query:"key" maxLength:"64" doc:"The name of a client key."`
	Client   string    `query:"client" maxLength:"64" doc:"A client's product token."`
	Session  string    `query:"session" maxLength:"128"`
	Protocol string    `query:"protocol" enum:"openai-chat,openai-responses,anthropic,gemini" doc:"The client's."`
	Op       string    `query:"op" enum:"chat,complete,count,embed,other"`
	Fault    string    `query:"fault" maxLength:"32" doc:"A class of fault, or any, or none."`
	Status   string    `query:"status" pattern:"^([1-5]xx|[1-5][0-9]{2})$" doc:"Such as 429 or 5xx."`
	Limit    int       `query:"limit" minimum:"1" maximum:"500" default:"50"`
	Cursor   string    `query:"cursor" maxLength:"256" doc:"The next of the page before."`
}

func (in *requestsInput) filter() Filter {
	f := Filter{
		Since: in.Since, Until: in.Until, Account: in.Account, Model: in.Model, Key: in.Key, Client: in.Client, Session: in.Session,
		Protocol: in.Protocol, Op: in.Op, Fault: in.Fault, Limit: in.Limit, Cursor: in.Cursor,
	}
	if s := in.Status; s != "" {
		f.MinStatus = int(s[0]-'0') * 100
		f.MaxStatus = f.MinStatus + 99
		if s[1] != 'x' {
			f.MinStatus += int(s[1]-'0')*10 + int(s[2]-'0')
			f.MaxStatus = f.MinStatus
		}
	}
	return f
}

func (a *api) requests() {
	handle(a, operation{
		id: "list-requests", method: http.MethodGet, path: "/api/requests", tag: "requests", summary: "Finished requests, newest first",
		errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *requestsInput) (*out[List[Request]], error) {
		a.settled(ctx)
		xs, next, err := a.o.Ledger.Requests(ctx, in.filter())
		if err != nil {
			return nil, err
		}
		l := List[Request]{Items: make([]Request, len(xs)), Next: next}
		for i, x := range xs {
			l.Items[i] = a.request(x)
		}
		return &out[List[Request]]{l}, nil
	})
	handle(a, operation{
		id: "get-request", method: http.MethodGet, path: "/api/requests/{id}", tag: "requests", summary: "One request, and why it went as it did",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"64"`
	}) (*out[ExplainedRequest], error) {
		// What ended a moment ago is in the feed before it is in the ledger.
		x := a.o.Feed.find(in.ID)
		if x == nil {
			a.settled(ctx)
			var err error
			if x, err = a.o.Ledger.Request(ctx, in.ID); err != nil {
				return nil, err
			}
		}
		if x == nil {
			return nil, problem(http.StatusNotFound, CodeNoRequest, "no request %q is known; it may be older than what is kept", in.ID)
		}
		return &out[ExplainedRequest]{ExplainedRequest{a.request(x), explain.Of(x, a.cost(x))}}, nil
	})
}
