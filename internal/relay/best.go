package relay

import (
	"slices"

	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/protocol/candidates"
	"portico/internal/protocol/completions"
	"portico/internal/provider"
)

// A text completion may ask for the best of several choices (spec: upstreams
// §1A.5). Upstreams that tell how likely their tokens were are asked for all of
// them, and the likeliest are told, see completions.Best.

// What is lost of a wish for the best.
const (
	lostBest = "best_of=dropped: the upstream does not tell how likely an answer is, so that there is nothing to choose by"
	lostOdds = "best_of=approximated: the upstream did not tell how likely its answers are, so the first are told"
)

// tellsOdds reports whether the upstream of an account tells how likely the
// tokens of its answers were, as far as it is known.
func tellsOdds(to *pool.Account, proto string) bool {
	return proto != protocol.Anthropic && !slices.Contains(provider.QuirksOf(to.By, to.Account).Lacks, "logprobs")
}

// bestOf is what is to be chosen among candidates that are asked for one by one
// of the upstream of an account, zero: nothing. No more are made than of any
// other request.
func (a *answer) bestOf(to *pool.Account, proto string) completions.Best {
	if a.c.Op != protocol.Complete {
		return completions.Best{}
	}
	b, ok := completions.BestOf(a.c.Body)
	if !ok || b.N >= candidates.Most || !tellsOdds(to, proto) {
		return completions.Best{}
	}
	b.Of = min(b.Of, candidates.Most)
	return b
}

// pick is the merged answer with the best of its candidates.
func (x *fan) pick(answer []byte) ([]byte, error) {
	if x.best.Of == 0 {
		return answer, nil
	}
	out, judged, err := x.best.Pick(answer)
	if err == nil && !judged {
		x.a.lost = append(slices.Clip(x.a.lost), lostOdds)
		if x.a.c.strict() {
			return nil, lossy(x.a.lost)
		}
	}
	return out, err
}
