package admin

import (
	"context"
	"net/http"
	"slices"
	"time"

	"portico/internal/llm"
	"portico/internal/store"
)

// An Overview is what a window of time was like. Its totals are the sums of its
// buckets, so that the two agree whatever ends meanwhile.
type Overview struct {
	Since   time.Time     `json:"since"`
	Until   time.Time     `json:"until"`
	StepS   int64         `json:"step_s" doc:"Seconds of a bucket."`
	Totals  UsageRow      `json:"totals"`
	Buckets []UsageBucket `json:"buckets" doc:"In their order. Where nothing was asked there is none."`
	Waits   Waits         `json:"waits"`
}

// A UsageBucket is what the requests used that began within one step.
type UsageBucket struct {
	Start time.Time `json:"start"`
	UsageRow
}

// Waits are how long clients waited, in milliseconds. They are those of the
// newest requests of the window, as many as Of says.
type Waits struct {
	Of       int   `json:"of" doc:"How many requests that were served are looked at, at most 1000."`
	FirstP50 int64 `json:"first_p50_ms" doc:"Until the first meaningful byte: half of them waited at most so long."`
	FirstP95 int64 `json:"first_p95_ms"`
	TookP50  int64 `json:"took_p50_ms" doc:"Until the end."`
	TookP95  int64 `json:"took_p95_ms"`
}

// Windows of an overview and their buckets: a chart has some hundred points.
const (
	minuteWindow  = 2 * time.Hour
	quarterWindow = 26 * time.Hour
	hourWindow    = 8 * 24 * time.Hour
	maxWindow     = 400 * 24 * time.Hour
)

// grain is by what the buckets of a window are made, and how long one is.
func grain(window time.Duration) (by string, step time.Duration) {
	switch {
	case window <= minuteWindow:
		return "minute", time.Minute
	case window <= quarterWindow:
		return "quarter", 15 * time.Minute
	case window <= hourWindow:
		return "hour", time.Hour
	}
	return "day", 24 * time.Hour
}

// bucketStart is the moment that a group by time names.
func bucketStart(by, group string, zone *time.Location) (time.Time, error) {
	layout := time.RFC3339
	if by == "day" {
		layout = time.DateOnly
	}
	return time.ParseInLocation(layout, group, zone)
}

// waits sums up how long the clients of page waited that were served. It is
// pure.
func waits(page []store.Request) Waits {
	var first, took []time.Duration
	for i := range page {
		x := page[i].Exchange
		if x.Fault != "" || x.Partial || x.First <= 0 {
			continue
		}
		first, took = append(first, x.First), append(took, x.Took)
	}
	at := func(ds []time.Duration, percent int) int64 {
		if len(ds) == 0 {
			return 0
		}
		return ds[(len(ds)*percent+99)/100-1].Milliseconds()
	}
	slices.Sort(first)
	slices.Sort(took)
	return Waits{Of: len(first), FirstP50: at(first, 50), FirstP95: at(first, 95), TookP50: at(took, 50), TookP95: at(took, 95)}
}

// plus adds b to the sum a.
func plus(a, b UsageRow) UsageRow {
	return UsageRow{
		Group: a.Group, Requests: a.Requests + b.Requests, Failed: a.Failed + b.Failed, Partial: a.Partial + b.Partial, Estimated: a.Estimated + b.Estimated,
		Usage: a.Plus(b.Usage), Total: a.Total + b.Total, CostUSD: a.CostUSD + b.CostUSD, Unpriced: a.Unpriced + b.Unpriced,
	}
}

// overviewInput is the query of an overview.
type overviewInput struct {
	Since    time.Time `query:"since" doc:"Began at or after; a day before until if it is absent."`
	Until    time.Time `query:"until" doc:"Began before; now if it is absent."`
	Account  string    `query:"account" maxLength:"64"`
	Model    string    `query:"model" maxLength:"256"`
	Key      string    `query:"key" maxLength:"64"`
	Client   string    `query:"client" maxLength:"64"`
	Protocol string    `query:"protocol" enum:"openai-chat,openai-responses,anthropic,gemini"`
	Zone     string    `query:"zone" maxLength:"64" default:"UTC" doc:"The time zone of days, such as Europe/Berlin."`
}

func (a *api) overview() {
	handle(a, operation{
		id: "overview", method: http.MethodGet, path: "/api/overview", tag: "requests", summary: "A window of time: totals, what they are made of over time, and waits",
		more: "Buckets are minutes up to two hours, quarters of an hour up to a day, hours up to a week, else days.",
	}, func(ctx context.Context, in *overviewInput) (*out[Overview], error) {
		if in.Until.IsZero() {
			in.Until = time.Now()
		}
		if in.Since.IsZero() {
			in.Since = in.Until.Add(-24 * time.Hour)
		}
		window := in.Until.Sub(in.Since)
		if window <= 0 || window > maxWindow {
			return nil, wrong("query.since", "it is to be before until, by 400 days at most")
		}
		zone, err := time.LoadLocation(in.Zone)
		if err != nil || in.Zone == "Local" {
			return nil, wrong("query.zone", "it is none of the zones that this machine knows")
		}
		a.settled(ctx)
		by, step := grain(window)
		f := store.Filter{Since: in.Since, Until: in.Until, Account: in.Account, Model: in.Model, Key: in.Key, Client: in.Client, Protocol: in.Protocol}
		sums, err := a.o.Ledger.Usage(ctx, store.UsageQuery{Filter: f, By: []string{by}, Location: zone})
		if err != nil {
			return nil, err
		}
		o := Overview{Since: in.Since.UTC(), Until: in.Until.UTC(), StepS: int64(step / time.Second), Totals: UsageRow{Usage: llm.Usage{}}}
		for i := range sums {
			start, err := bucketStart(by, sums[i].Group[by], zone)
			if err != nil {
				return nil, err
			}
			row := usageRow(&sums[i])
			row.Group = nil
			o.Buckets = append(o.Buckets, UsageBucket{start.UTC(), row})
			o.Totals = plus(o.Totals, row)
		}
		f.Limit = store.MaxPage
		page, _, err := a.o.Ledger.Requests(ctx, f)
		if err != nil {
			return nil, err
		}
		o.Waits = waits(page)
		return &out[Overview]{o}, nil
	})
}
