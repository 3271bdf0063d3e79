package main

import (
	"strconv"
	"strings"

	"charm.land/catwalk/pkg/catwalk"

	"portico/internal/catalog/modelid"
)

// rates are US dollars for a million tokens. A negative cache rate is unknown.
type rates struct {
	known                bool
	in, out, read, write float64
}

// corrections are cache-read prices that catwalk has wrong, in a way no rule
// can tell: gemini-3.5-flash costs 0.15 (catwalk v0.52.86 says 1).
var corrections = map[string]float64{"gemini-3-5-flash": 0.15}

// priceOf reads the prices of m. A model for which catwalk has no price, which
// it writes as zeros, has an unknown one, unless its name says that it is free.
func priceOf(m catwalk.Model) rates {
	in, out := m.CostPer1MIn, m.CostPer1MOut
	if in < 0 || out < 0 || in == 0 && out == 0 {
		free := modelid.Free(strings.ToLower(m.ID))
		return rates{known: free, read: -1, write: -1}
	}
	r := rates{known: true, in: in, out: out}
	r.read, r.write = cachePrices(in, m.CostPer1MInCached, m.CostPer1MOutCached)
	if read, ok := corrections[modelid.Base(m.ID)]; ok {
		r.read = read
	}
	return r
}

// cachePrices tells which of catwalk's two cache prices is which. Its files do
// not agree: where they were written by hand for OpenAI, Anthropic and Google,
// inCached is what writing costs and outCached what reading costs; for DeepSeek,
// z.ai, Moonshot and the older rows inCached is what reading costs. What tells
// them apart is that no vendor sells a cached token for more than half the
// price of input, or writes one for less than that price. A number that is
// neither is dropped. -1 is unknown; such tokens are billed as input.
func cachePrices(in, inCached, outCached float64) (read, write float64) {
	reads := func(p float64) bool { return p > 0 && p <= in/2 }
	read, write = -1, -1
	switch {
	case reads(outCached):
		read = outCached
	case reads(inCached):
		read = inCached
	}
	if inCached > 0 && inCached >= in {
		write = inCached
	}
	return read, write
}

// A tier says by what a prompt beyond some size multiplies the prices.
type tier struct {
	above   int64 // tokens of prompt
	in, out float64
}

// catwalk knows no tiers. These are the vendors' published ones: Google's Pro
// models beyond 200,000 tokens, and all of OpenAI's with a window of 1,050,000
// beyond 272,000 (see makersTier): twice the price of input, cached or not, and
// one and a half of output, for the whole request.
var (
	longPrompts = map[string]tier{
		"gemini-2-5-pro":                     {200_000, 2, 1.5},
		"gemini-3-pro-preview":               {200_000, 2, 1.5},
		"gemini-3-1-pro-preview":             {200_000, 2, 1.5},
		"gemini-3-1-pro-preview-customtools": {200_000, 2, 1.5},
	}
	openAILong = tier{272_000, 2, 1.5}
)

func makersTier(provider catwalk.InferenceProvider, m catwalk.Model) (tier, bool) {
	return openAILong, provider == catwalk.InferenceProviderOpenAI && m.ContextWindow == 1_050_000
}

// longRates are the rates beyond a size; the zero value is none.
type longRates struct {
	above int64
	rates
}

func (t tier) of(r rates) longRates {
	times := func(p, by float64) float64 {
		if p < 0 {
			return p
		}
		return p * by
	}
	return longRates{t.above, rates{r.known, times(r.in, t.in), times(r.out, t.out), times(r.read, t.in), times(r.write, t.in)}}
}

func (l longRates) String() string {
	if l.above == 0 {
		return ""
	}
	return strconv.FormatInt(l.above, 10) + ":" + l.fields(":")
}

// fields writes the four prices; unknown ones are empty.
func (r rates) fields(sep string) string {
	price := func(p float64) string {
		if !r.known || p < 0 {
			return ""
		}
		// catwalk holds products of floats: 0.39999999999999997. A millionth
		// of a dollar for a million tokens is finer than any price.
		s := strconv.FormatFloat(p, 'f', 6, 64)
		return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return strings.Join([]string{price(r.in), price(r.out), price(r.read), price(r.write)}, sep)
}
