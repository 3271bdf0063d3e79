package catalog

import "portico/internal/llm"

// hourRate is how many times the price of what is cached for five minutes is
// that of what is cached for an hour: twice the price of input to one and a
// quarter (spec: upstreams §1C.6).
const hourRate = 2 / 1.25

// Cost is what u costs at m's list price, in US dollars; known is false, and
// usd is 0, if m has no price. What has no price of its own costs as much as
// other tokens: reasoning is billed as output, as all vendors do it. Sound and
// pictures that were read count as read afresh as far as anything was, since
// nobody says which of them came from the cache. Discounts and surcharges for how
// a request is served (batch, priority, region) are not in it.
func Cost(u llm.Usage, m Model) (usd float64, known bool) {
	p := m.Price
	if !p.Known {
		return 0, false
	}
	r := p.Rates
	if p.Above > 0 && u.Input+u.CacheRead+u.CacheWrite > p.Above {
		r = p.Long
	}
	if r.CacheRead < 0 {
		r.CacheRead = r.In
	}
	hour := r.CacheWrite * hourRate
	if r.CacheWrite < 0 {
		r.CacheWrite, hour = r.In, r.In
	}
	const million, thousand = 1e6, 1e3
	return (split(u.Input, r.In, part{u.AudioIn, p.Own.AudioIn}, part{u.ImageIn, p.Own.ImageIn})+
		float64(u.CacheRead)*r.CacheRead+
		float64(u.CacheWrite-u.CacheHour)*r.CacheWrite+
		float64(u.CacheHour)*hour+
		split(u.Output, r.Out, part{u.AudioOut, p.Own.AudioOut}, part{u.ImageOut, p.Own.ImageOut})+
		split(u.Reasoning, r.Out, part{u.Reasoning, p.Own.Reasoning}))/million +
		float64(u.Searches)*p.Own.Search/thousand, true
}

// A part is some of a number of tokens that may have a price of its own.
type part struct {
	n    int64
	rate float64 // 0: none
}

// split is what n tokens cost of which some are parts: the parts at their own
// rates, what is left at rate.
func split(n int64, rate float64, parts ...part) (cost float64) {
	for _, p := range parts {
		if p.rate > 0 {
			of := min(p.n, n)
			cost += float64(of) * p.rate
			n -= of
		}
	}
	return cost + float64(n)*rate
}

// Dearest is m with the prices that a request may have at most, when nobody knows
// yet what its input holds and what its answer will be made of.
func Dearest(m Model) Model {
	own := m.Price.Own
	for _, r := range [...]*Rates{&m.Price.Rates, &m.Price.Long} {
		r.In = max(r.In, own.AudioIn, own.ImageIn)
		r.Out = max(r.Out, own.Reasoning, own.AudioOut, own.ImageOut)
	}
	return m
}
