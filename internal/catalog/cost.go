package catalog

import "portico/internal/llm"

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
	if r.CacheWrite < 0 {
		r.CacheWrite = r.In
	}
	const million = 1e6
	return (float64(u.Input)*r.In +
		float64(u.CacheRead)*r.CacheRead +
		float64(u.CacheWrite)*r.CacheWrite +
		float64(u.Output+u.Reasoning)*r.Out) / million, true
}
