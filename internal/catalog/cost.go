package catalog

import "portico/internal/llm"

// hourRate is how many times the price of what is cached for five minutes is
// that of what is cached for an hour: twice the price of input to one and a
// quarter (spec: upstreams §1C.6).
const hourRate = 2 / 1.25

// Cost is what u costs at m's list price, in US dollars; known is false, and
// usd is 0, if m has no price. Reasoning is billed as output, as all vendors do
// it. Discounts and surcharges for how a request is served (batch, priority,
// region) are not in it.
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
	const million = 1e6
	return (float64(u.Input)*r.In +
		float64(u.CacheRead)*r.CacheRead +
		float64(u.CacheWrite-u.CacheHour)*r.CacheWrite +
		float64(u.CacheHour)*hour +
		float64(u.Output+u.Reasoning)*r.Out) / million, true
}
