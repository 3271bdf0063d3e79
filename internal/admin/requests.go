package admin

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"portico/internal/catalog"
	"portico/internal/explain"
	"portico/internal/journal"
	"portico/internal/llm"
	"portico/internal/store"
)

// A Ledger is what has been kept of requests. *store.Store is one.
type Ledger interface {
	// Requests lists requests, newest first, and the cursor of the page
	// after it, or "".
	Requests(ctx context.Context, f store.Filter) (page []store.Request, next string, err error)
	// Request returns the request with that id, and whether there is one.
	Request(ctx context.Context, id string) (store.Request, bool, error)
	// Usage sums up what was used.
	Usage(ctx context.Context, q store.UsageQuery) ([]store.Sum, error)
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

// cost is what x, which the ledger has not priced yet, costs at list price.
func (a *api) cost(x *journal.Exchange) explain.Cost {
	if a.o.Catalog == nil {
		return explain.Cost{}
	}
	c := a.o.Catalog()
	usd, known := x.Cost(func(model string, u llm.Usage) (float64, bool) {
		m, ok := c.Lookup(model)
		if !ok {
			return 0, false
		}
		return catalog.Cost(u, m)
	})
	return explain.Cost{USD: usd, Known: known}
}

// request is x at its price.
func request(x *journal.Exchange, c explain.Cost) Request {
	r := Request{Exchange: *x}
	if c.Known {
		r.CostUSD = &c.USD
	}
	return r
}

// kept is a request of the ledger, at the price of the day it was kept.
func kept(r *store.Request) Request {
	return request(r.Exchange, explain.Cost{USD: r.USD, Known: r.Priced})
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
	Since     time.Time `query:"since" doc:"Began at or after."`
	Until     time.Time `query:"until" doc:"Began before."`
	Account   string    `query:"account" maxLength:"64"`
	Model     string    `query:"model" maxLength:"256" doc:"Asked for or served; a * stands for any text, as in claude-*."`
	Key       string    `query:"key" maxLength:"64" doc:"The name of a client key."`
	Client    string    `query:"client" maxLength:"64" doc:"A client's product token."`
	Session   string    `query:"session" maxLength:"128"`
	Protocol  string    `query:"protocol" enum:"openai-chat,openai-responses,anthropic,gemini" doc:"The client's."`
	Outbound  string    `query:"outbound" enum:"openai-chat,openai-responses,anthropic,gemini" doc:"The account's protocol."`
	Op        string    `query:"op" enum:"chat,complete,count,embed,other"`
	Fault     string    `query:"fault" maxLength:"32" doc:"A class of fault, or any, or none."`
	Status    string    `query:"status" pattern:"^([1-5]xx|(>=|<)?[1-5][0-9]{2})$" doc:"Such as 429, 5xx, >=400 or <400."`
	MinTokens int64     `query:"min_tokens" minimum:"0" doc:"Used so many tokens, of all kinds, or more."`
	MinTook   int64     `query:"min_took_ms" minimum:"0" maximum:"86400000" doc:"Took so long or longer. A page may then be short, or empty, and yet have one after it."`
	Text      string    `query:"text" maxLength:"256" doc:"A part of the id, of a model's name or of the account's."`
	Limit     int       `query:"limit" minimum:"1" maximum:"500" default:"50"`
	Cursor    string    `query:"cursor" maxLength:"256" doc:"The next of the page before."`
}

func (in *requestsInput) filter() store.Filter {
	f := store.Filter{
		Since: in.Since, Until: in.Until, Account: in.Account, Model: in.Model, Key: in.Key, Client: in.Client, Session: in.Session,
		Protocol: in.Protocol, Outbound: in.Outbound, Op: in.Op, Fault: in.Fault, MinTokens: in.MinTokens, MinTook: time.Duration(in.MinTook) * time.Millisecond,
		Text: in.Text, Limit: in.Limit, Cursor: in.Cursor,
	}
	f.MinStatus, f.MaxStatus = statuses(in.Status)
	return f
}

// statuses are the least and the greatest status that s means, 0 for no bound.
// What s may be is in the pattern of requestsInput.
func statuses(s string) (least, most int) {
	if s == "" {
		return 0, 0
	}
	if strings.HasSuffix(s, "xx") {
		least = int(s[0]-'0') * 100
		return least, least + 99
	}
	digits := strings.TrimLeft(s, "><=")
	n, _ := strconv.Atoi(digits)
	switch s[:len(s)-len(digits)] {
	case ">=":
		return n, 0
	case "<":
		return 0, n - 1
	}
	return n, n
}

func (a *api) requests() {
	handle(a, operation{
		id: "list-requests", method: http.MethodGet, path: "/api/requests", tag: "requests", summary: "Finished requests, newest first",
		errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *requestsInput) (*out[List[Request]], error) {
		a.settled(ctx)
		page, next, err := a.o.Ledger.Requests(ctx, in.filter())
		if errors.Is(err, store.ErrCursor) {
			return nil, problem(http.StatusBadRequest, CodeMalformed, "%s", err)
		}
		if err != nil {
			return nil, err
		}
		l := List[Request]{Items: make([]Request, len(page)), Next: next}
		for i := range page {
			l.Items[i] = kept(&page[i])
		}
		return &out[List[Request]]{l}, nil
	})
	handle(a, operation{
		id: "get-request", method: http.MethodGet, path: "/api/requests/{id}", tag: "requests", summary: "One request, and why it went as it did",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"64"`
	},
	) (*out[ExplainedRequest], error) {
		// What ended a moment ago is in the feed before it is in the ledger.
		if x := a.o.Feed.find(in.ID); x != nil {
			return explained(x, a.cost(x)), nil
		}
		a.settled(ctx)
		r, ok, err := a.o.Ledger.Request(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, problem(http.StatusNotFound, CodeNoRequest, "no request %q is known; it may be older than what is kept", in.ID)
		}
		return explained(r.Exchange, explain.Cost{USD: r.USD, Known: r.Priced}), nil
	})
}

func explained(x *journal.Exchange, c explain.Cost) *out[ExplainedRequest] {
	return &out[ExplainedRequest]{ExplainedRequest{request(x, c), explain.Of(x, c)}}
}
