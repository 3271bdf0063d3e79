package app

import (
	"context"
	"net/http"

	"portico/internal/admin"
	"portico/internal/explain"
	"portico/internal/protocol"
	"portico/internal/relay"
	"portico/internal/route"
)

// foresee says what would happen to a request that came now.
func (a *App) foresee(_ context.Context, q admin.Question) explain.Outlook {
	s := a.path.Load()
	c := &relay.Call{Settings: s, Op: protocol.Chat, Model: q.Model, Key: q.Key, Method: http.MethodPost, Header: http.Header{}}
	c.Codec = a.codecs[q.Protocol]
	for op := protocol.Other; op <= protocol.Embed; op++ {
		if op.String() == q.Op {
			c.Op = op
		}
	}
	if g := a.gate.Keys.Grants()[q.Key]; g != nil {
		c.Prefer = g.Key.Prefers()
	}
	if c.Session = q.Session; q.Session != "" && q.Key != "" {
		c.Session = q.Key + "/" + q.Session // as the way in names it
	}
	o := explain.Outlook{Asked: q.Model, Protocol: q.Protocol}
	needs, _ := route.ParseNeeds(q.Needs) // what is none was refused
	rule, targets := a.relay.Foresee(c, route.Facts{Tokens: q.Tokens, Output: q.Output, Needs: needs, Background: q.Background})
	o.Rule = rule
	for i := range targets {
		o.Targets = append(o.Targets, target(&targets[i]))
	}
	explain.Ahead(&o)
	return o
}

func target(t *relay.Target) explain.Target {
	out := explain.Target{
		Model: t.Model, More: t.More, Taken: t.Taken, Why: t.Why.String(), Of: t.Of, WaitMS: t.Wait.Milliseconds(),
		Refused: t.Refused, Abroad: t.Abroad, Accounts: t.None.Accounts, Mute: t.None.Mute,
	}
	if t.Taken == "" {
		out.Why = ""
	}
	for _, x := range t.Foresight.Accounts {
		c := explain.Candidate{
			Account: x.Account, Verdict: "able", Why: x.Why, Until: x.Until, Protocol: x.Way.Protocol, Home: x.Home,
			InFlight: x.InFlight, PerSecond: x.Rate, FirstMS: x.First.Milliseconds(), Failing: x.Errors,
		}
		if !x.Able {
			c.Verdict, c.Class = "passed", explain.ClassName(x.Class)
		}
		if x.Account == t.Taken {
			if c.Verdict = "taken"; t.Wait > 0 {
				c.Verdict = "waits"
			}
		}
		out.Candidates = append(out.Candidates, c)
	}
	return out
}
