package anthropic

import (
	"slices"
	"strconv"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// A plan is how a request says how hard to think (spec: upstreams §2.3).
type plan struct {
	kind   string // thinking.type, or "": nothing is said
	budget int64  // of "enabled"
	effort string // output_config.effort, or ""
	losses []llm.Loss
}

// thinks reports whether the model is asked to think.
func (p *plan) thinks() bool {
	return p.kind == "enabled" || p.kind == "adaptive" || p.kind == "between_tools"
}

func (p *plan) lose(path, why string) { p.losses = append(p.losses, llm.Loss{Path: path, Why: why}) }

const (
	// minBudget is the smallest budget that Anthropic takes, in tokens.
	minBudget = 1024
	// minRoom is what a budget leaves of the answer for what can be seen.
	minRoom = 1024
)

// planOf plans the thinking of a request that asks for q from a model that can
// a and may write limit tokens. forced: a tool is forced, which does not go
// with a budget; the tool wins (spec: translation-traps A32).
func planOf(q *llm.Reason, a abilities, limit int64, forced bool) (p plan) {
	switch {
	case q.Mode == llm.ReasonUnset || q.Mode == llm.ReasonBudget && q.Budget == 0:
		if q.Mode == llm.ReasonBudget {
			p.switchOff(a, q.Effort)
		} else {
			p.silent(q, a)
		}
	case q.Mode == llm.ReasonOff:
		p.switchOff(a, q.Effort)
	case !a.adaptive && !a.budget && !a.between:
		p.lose("reasoning", "dropped: the model does not think")
	case wire.Text(jsonedit.Get(object(q.Extra), "type")) == "between_tools" && a.between:
		p.kind = "between_tools"
		p.level(q.Effort, a)
	case q.Mode == llm.ReasonBudget && q.Budget > 0 && a.budget:
		p.spend(q.Budget, limit)
		p.level(q.Effort, a)
	case a.adaptive:
		p.adapt(q, a, limit)
	case a.budget:
		p.guess(q, a, limit)
	default:
		p.kind = "between_tools"
	}
	if forced && p.kind == "enabled" {
		p.kind = ""
		p.lose("reasoning", "dropped: the model does not think when a tool is forced")
	}
	return p
}

// silent is for a client that says nothing of thinking, or only how hard to
// work: then nothing is switched on (spec: translation-traps B10, B11).
func (p *plan) silent(q *llm.Reason, a abilities) {
	p.level(q.Effort, a)
	if q.Show != llm.ShowUnset && a.on && a.adaptive {
		p.kind = "adaptive"
	}
}

// level sets the effort to the nearest that the model has.
func (p *plan) level(want string, a abilities) {
	if want == "" {
		return
	}
	if len(a.efforts) == 0 {
		p.lose("reasoning.effort", "dropped: the model has no levels of effort")
		return
	}
	p.effort = openaiwire.Nearest(want, a.efforts)
	if p.effort != want {
		p.lose("reasoning.effort", "approximated: "+want+" as "+p.effort)
	}
}

func (p *plan) switchOff(a abilities, effort string) {
	p.level(effort, a)
	switch {
	case a.off:
		p.kind = "disabled"
		if i := slices.Index(allEfforts, a.offUpTo); i >= 0 && slices.Index(allEfforts, p.effort) > i {
			p.lose("reasoning.effort", "approximated: "+p.effort+" as "+a.offUpTo+", the highest without thinking")
			p.effort = a.offUpTo
		}
	case a.between:
		p.kind = "between_tools"
		p.lose("reasoning", "approximated: the model always thinks, here between calls only")
	case a.adaptive:
		p.kind, p.effort = "adaptive", openaiwire.Nearest("low", a.efforts)
		p.lose("reasoning", "approximated: the model always thinks, here at its lowest effort")
	}
}

// spend sets a budget that leaves room for an answer of limit tokens.
func (p *plan) spend(want, limit int64) {
	p.kind, p.budget = "enabled", max(want, minBudget)
	if limit > 0 && p.budget >= limit {
		p.budget = limit - minRoom
	}
	switch {
	case p.budget < minBudget:
		p.cramped(limit)
	case p.budget != want:
		p.lose("reasoning.budget", "approximated: "+strconv.FormatInt(want, 10)+" tokens as "+strconv.FormatInt(p.budget, 10))
	}
}

func (p *plan) cramped(limit int64) {
	p.kind = ""
	p.lose("reasoning", "dropped: the limit of "+strconv.FormatInt(limit, 10)+" tokens leaves no room to think")
}

// adapt leaves it to the model, at an effort that stands for what was asked.
func (p *plan) adapt(q *llm.Reason, a abilities, limit int64) {
	p.kind = "adaptive"
	effort := q.Effort
	if effort == "" && q.Mode == llm.ReasonBudget && q.Budget > 0 {
		effort = openaiwire.OfBudget(q.Budget)
		if limit > 0 && q.Budget > limit/10*9 { // nearly all of it: one step more
			if i := slices.Index(allEfforts, effort); i >= 0 && i+1 < len(allEfforts) {
				effort = allEfforts[i+1]
			}
		}
		if effort = openaiwire.Nearest(effort, a.efforts); effort != "" {
			p.lose("reasoning.budget", "approximated: "+strconv.FormatInt(q.Budget, 10)+" tokens as effort "+effort)
		}
	}
	p.level(effort, a)
}

// shares are how much of the limit an effort may spend, in percent, and the
// most in tokens; spec: upstreams §2.3.1.
var shares = map[string]struct{ percent, most int64 }{
	"minimal": {0, minBudget}, "low": {20, 4096}, "medium": {50, 16384}, "high": {80, 32000}, "xhigh": {90, 48000}, "max": {95, 1 << 40},
}

// guess makes a budget of an effort, or of the model's own choice.
func (p *plan) guess(q *llm.Reason, a abilities, limit int64) {
	effort := q.Effort
	if effort == "" {
		effort = "medium"
	}
	s, ok := shares[effort]
	if !ok {
		s = shares["medium"]
	}
	if limit > 0 && limit < minBudget+minRoom {
		p.cramped(limit)
		return
	}
	p.spend(max(min(s.percent*limit/100, s.most, limit-minRoom), minBudget), limit)
	switch {
	case q.Effort != "":
		p.lose("reasoning.effort", "approximated: "+q.Effort+" as "+strconv.FormatInt(p.budget, 10)+" tokens")
	default:
		p.lose("reasoning", "approximated: as the model sees fit as "+strconv.FormatInt(p.budget, 10)+" tokens")
	}
}

// append appends the thinking member, with how it is to be shown and, for
// Anthropic itself, what it alone knows of it.
func (p *plan) append(dst []byte, q *llm.Reason, a abilities, native bool) []byte {
	own := q.Extra.Protocol == protocol.Anthropic && native
	if p.kind == "" && (!own || q.Mode != llm.ReasonUnset) {
		return dst
	}
	dst = append(jsonw.Name(dst, "thinking"), '{')
	if p.kind != "" {
		dst = jsonw.String(dst, "type", p.kind)
	}
	if p.kind == "enabled" {
		dst = jsonw.Int(dst, "budget_tokens", p.budget)
	}
	if display := displayOf(q, a); display != "" && (p.kind == "enabled" || p.kind == "adaptive") {
		dst = jsonw.String(dst, "display", display)
	}
	if own {
		for m := range members(q.Extra) {
			if string(m.Name) != "type" || p.kind == "" {
				dst = jsonw.Raw(dst, string(m.Name), m.Value)
			}
		}
	}
	return append(dst, '}')
}

func displayOf(q *llm.Reason, a abilities) string {
	switch {
	case !a.display || jsonedit.Get(object(q.Extra), "display") != nil:
		return ""
	case q.Show == llm.ShowNone:
		return "omitted"
	case q.Show == llm.ShowSummary || q.Show == llm.ShowAll:
		return "summarized"
	}
	return ""
}
