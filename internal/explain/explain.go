// Package explain tells in plain words what happened to one request: what was
// asked, which route decided, which accounts were passed over or failed and
// why, what it cost, what the client was told and what to do about it.
//
// It is pure. The same exchange gives the same text, without a clock, and
// nothing that is not in the exchange is told.
package explain

import (
	"slices"
	"strings"
	"time"

	"portico/internal/fault"
	"portico/internal/journal"
	"portico/internal/llm"
)

// An Outcome says how a request ended.
type Outcome string

// The outcomes.
const (
	Served  Outcome = "served"  // the client got the whole answer
	Refused Outcome = "refused" // the request itself was not accepted, by Portico or by the provider
	Failed  Outcome = "failed"  // nobody was able to serve it
	Broken  Outcome = "broken"  // the answer began and did not come to its end
	Left    Outcome = "left"    // the client went away first
)

// A Cost is what a request costs at list price.
type Cost struct {
	USD   float64
	Known bool // USD is a price; if false, nothing is known of it
}

// An Explanation is one request told twice: as sentences for people and as
// data for programs, such as a UI in another language.
type Explanation struct {
	ID       string    `json:"id"`
	Outcome  Outcome   `json:"outcome"`
	Summary  string    `json:"summary" doc:"One sentence."`
	Advice   string    `json:"advice,omitzero" doc:"What to do about it; absent if nothing is wrong."`
	Client   Client    `json:"client"`
	Model    Model     `json:"model"`
	Passed   []Passed  `json:"passed" doc:"Accounts that were not tried, in the order in which they were looked at."`
	Attempts []Attempt `json:"attempts" doc:"Tries at accounts, in order."`
	Edits    []string  `json:"edits,omitzero" doc:"What the operator's settings changed in the request, as what=how."`
	Losses   []Loss    `json:"losses" doc:"What the translation could not carry."`
	Usage    Usage     `json:"usage"`
	Told     Told      `json:"told"`
	// Sentences are the whole story, one fact in each.
	Sentences []Sentence `json:"sentences"`
}

// A Sentence is one fact of the story, in plain words without a line end.
type Sentence struct {
	About string `json:"about" enum:"asked,route,changed,passed,chosen,attempt,way,losses,told,usage,advice"`
	Text  string `json:"text"`
}

// A Client is who asked, and how.
type Client struct {
	Key      string `json:"key,omitzero" doc:"The name of the client key that was shown, never the key."`
	Name     string `json:"name,omitzero" doc:"The client's product token."`
	Peer     string `json:"peer,omitzero"`
	Protocol string `json:"protocol"`
	Stream   bool   `json:"stream"`
}

// A Model is what was asked for, and what came of the name.
type Model struct {
	Asked  string   `json:"asked,omitzero"`
	Rule   string   `json:"rule,omitzero" doc:"The route that matched; absent if none did."`
	Tried  []string `json:"tried" doc:"The names that accounts were asked for, in order."`
	Served string   `json:"served,omitzero"`
}

// Passed is an account that was not tried.
type Passed struct {
	Account string `json:"account"`
	Why     string `json:"why"`
}

// An Attempt is one try at one account.
type Attempt struct {
	N       int    `json:"n" doc:"From 1."`
	Account string `json:"account"`
	Model   string `json:"model,omitzero"`
	StartMS int64  `json:"start_ms" doc:"Since the request came in."`
	TookMS  int64  `json:"took_ms"`
	Status  int    `json:"status,omitzero" doc:"The provider's HTTP status."`
	Class   string `json:"class,omitzero" doc:"What went wrong; absent if it went well."`
	Code    string `json:"code,omitzero" doc:"The provider's own code."`
	Message string `json:"message,omitzero" doc:"The provider's own words."`
	WaitMS  int64  `json:"wait_ms,omitzero" doc:"How long the provider asked to wait."`
	Step    string `json:"step,omitzero" doc:"What came next: served, give_up, another, again, onward; outrun: another account's answer began first, so that this one was stopped."`
	Why     string `json:"why,omitzero" doc:"Why this account: only, picked, home, moved, last_hope, preferred, reserve; hedge: beside another one that had not begun to answer in time."`
	Of      int    `json:"of,omitzero" doc:"How many accounts were able; absent if it was not looked at others."`
	QueueMS int64  `json:"queue_ms,omitzero" doc:"How long the request waited for an account before the attempt."`
	Leg     int    `json:"leg,omitzero" doc:"Which of several requests that make one answer it was for, from 1."`
	Usage   *Usage `json:"usage,omitzero" doc:"What it used of the whole; absent if that is nothing, or all."`
	Text    string `json:"text" doc:"The same as a sentence."`
}

// A Loss is a part of the request or the answer that the other protocol has no
// place for.
type Loss struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Usage is what the request cost.
type Usage struct {
	llm.Usage
	Total     int64    `json:"total"`
	Estimated bool     `json:"estimated,omitzero" doc:"The provider did not tell; Portico counted."`
	CostUSD   *float64 `json:"cost_usd,omitzero" doc:"At list price; absent if there is none."`
}

// Told is what the client got to know.
type Told struct {
	Status  int    `json:"status"`
	Class   string `json:"class,omitzero"`
	Code    string `json:"code,omitzero"`
	Message string `json:"message,omitzero"`
}

// Of explains x. The sentences have at most 16 KiB together, whatever x holds.
func Of(x *journal.Exchange, cost Cost) Explanation {
	e := Explanation{
		ID:      x.ID,
		Outcome: outcome(x),
		Edits:   x.Edits,
		Client:  Client{Key: x.Key, Name: x.Client, Peer: x.Peer, Protocol: x.Inbound, Stream: x.Stream},
		Model:   Model{Asked: x.Asked, Rule: x.Rule, Tried: tried(x), Served: x.Served},
		Usage:   Usage{Usage: x.Usage, Total: x.Usage.Total(), Estimated: x.Estimated},
		Told:    Told{Status: x.Status, Class: x.Fault, Code: x.Code, Message: x.Error},
	}
	if cost.Known {
		e.Usage.CostUSD = &cost.USD
	}
	for _, p := range x.Passed {
		e.Passed = append(e.Passed, Passed{p.Account, why(p.Why)})
	}
	for i := range x.Attempts {
		a := &x.Attempts[i]
		e.Attempts = append(e.Attempts, Attempt{
			N: i + 1, Account: a.Account, Model: a.Model, StartMS: a.Start.Milliseconds(), TookMS: a.Took.Milliseconds(),
			Status: a.Status, Class: a.Fault, Code: a.Code, Message: a.Error, WaitMS: a.After.Milliseconds(), Step: a.Step,
			Why: a.Why, Of: a.Of, QueueMS: a.Waited.Milliseconds(), Leg: a.Leg,
			Text: attempt(x, i),
		})
		if u := a.Usage; u.Total() > 0 {
			e.Attempts[i].Usage = &Usage{Usage: u, Total: u.Total(), Estimated: a.Estimated}
		}
	}
	for _, l := range x.Losses {
		path, reason, _ := strings.Cut(l, "=")
		e.Losses = append(e.Losses, Loss{path, reason})
	}
	e.Summary, e.Advice = summary(x, e.Outcome), advice(x)
	e.tell(x, cost)
	return e
}

// Text is the story as lines, one sentence each.
func (e *Explanation) Text() string {
	var b strings.Builder
	for _, s := range e.Sentences {
		b.WriteString(s.Text)
		b.WriteByte('\n')
	}
	return b.String()
}

// outcome is how x ended.
func outcome(x *journal.Exchange) Outcome {
	class := fault.ParseClass(x.Fault)
	switch {
	case class == fault.Canceled || x.Status == 499:
		return Left
	case x.Partial:
		return Broken
	case x.Fault == "" && x.Status < 400:
		return Served
	case own(class) || requests(class):
		return Refused
	}
	return Failed
}

// own reports whether c is a refusal of Portico's own that says something
// about the request, not about its accounts.
func own(c fault.Class) bool {
	return c >= fault.Unauthorized && c <= fault.NoAccount
}

// requests reports whether c blames the request, so that every account would
// have said the same.
func requests(c fault.Class) bool { return c >= fault.BadRequest && c <= fault.SealMismatch }

// tried lists the models that were asked for, each once.
func tried(x *journal.Exchange) (out []string) {
	for _, a := range x.Attempts {
		if a.Model != "" && !slices.Contains(out, a.Model) {
			out = append(out, a.Model)
		}
	}
	if len(out) == 0 && x.Served != "" {
		out = append(out, x.Served)
	}
	return out
}

// first is when the answer of attempt i began, since the attempt's start; 0 if
// that is not known.
func first(x *journal.Exchange, i int) time.Duration {
	if d := x.First - x.Attempts[i].Start; x.First > 0 && d > 0 && (i == len(x.Attempts)-1 || x.Attempts[i].Step == "served") {
		return d
	}
	return 0
}
