package relay

import (
	"context"

	"portico/internal/pool"
	"portico/internal/route"
)

// A Target is what would become of a call at one model of its route.
type Target struct {
	Model string
	// Abroad: no account that speaks the client's protocol is able, so that
	// others are looked at, too.
	Abroad bool
	pool.Foresight
}

// Foresee says what would become of c if it came now and were like what is
// assumed of it, whatever its body: the route that decides,
// and the models of its chain up to the first that somebody would serve or
// wait for. Nobody is asked anything.
func (r *Relay) Foresee(c *Call, assumed route.Facts) (rule string, targets []Target) {
	a := newAnswer()
	a.r, a.ctx, a.c = r, context.Background(), c
	a.plan = c.Settings.Routes.Plan(c.Model, func() route.Facts { return assumed })
	a.query.Session, a.query.Tokens = conversation(c), assumed.Tokens
	if c.Session == "" && c.Begins == 0 {
		a.query.Session = 0
	}
	a.findForms()
	for i, model := range a.plan.Models {
		a.model = i
		a.newTarget()
		t := Target{Model: model}
		for {
			w := a.want(model)
			if a.model < len(a.plan.Models)-1 {
				w.Max = min(w.Max, onwardWait)
			}
			t.Foresight = r.pool.Foresee(w)
			if t.Taken != "" || !a.farther(&t.None) {
				break
			}
			t.Abroad = true
		}
		targets = append(targets, t)
		if t.Taken != "" || !t.Refused {
			break
		}
	}
	return a.plan.Rule, targets
}
