package completions

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"portico/internal/jsonedit"
	"portico/internal/protocol/wire"
)

// MaxBest is how many choices may be made of which the best are told, which is
// OpenAI's own limit.
const MaxBest = 20

// A Best says that more choices are made of each prompt than the client is
// told: N of Of, those whose tokens are the likeliest. Log probabilities tell
// that, so they are asked for even if the client does not want them.
//
// The zero Best chooses nothing.
type Best struct {
	N, Of    int  // of each prompt; Of is more than N
	Logprobs bool // the client wants the log probabilities told, too
}

// BestOf is what the completion request body asks for, zero if nothing is to be
// chosen. ok is false if nothing can be, since a stream is told as it comes.
func BestOf(body []byte) (b Best, ok bool) {
	n, _ := jsonedit.Int(jsonedit.Get(body, "n"))
	of, _ := jsonedit.Int(jsonedit.Get(body, "best_of"))
	n = max(n, 1)
	if of <= n || of > MaxBest {
		return Best{}, false
	}
	logprobs := jsonedit.Get(body, "logprobs")
	b = Best{N: int(n), Of: int(of), Logprobs: logprobs != nil && !wire.Null(logprobs)}
	return b, string(jsonedit.Get(body, "stream")) != "true"
}

// LostStreamed is the loss of a wish for the best of choices that are streamed.
const LostStreamed = "best_of=dropped: what is streamed is told before it can be compared"

// A made choice is one of those that were made.
type made struct {
	prompt int
	score  float64
	v      []byte
}

// Pick is answer, a whole completion, with the best N of the Of choices of
// each prompt, best first. judged is false if the upstream told no
// probabilities of one of the choices; such a one comes after all others.
func (b Best) Pick(answer []byte) (out []byte, judged bool, err error) {
	list := jsonedit.Get(answer, "choices")
	if len(list) == 0 || list[0] != '[' {
		return answer, false, nil
	}
	var all []made
	judged = true
	for v, err := range jsonedit.Elements(list) {
		if err != nil {
			return nil, false, err
		}
		if v[0] != '{' {
			continue
		}
		i, _ := jsonedit.Int(jsonedit.Get(v, "index"))
		score, ok := mean(jsonedit.Path(v, "logprobs", "token_logprobs"))
		judged = judged && ok
		all = append(all, made{int(i) / b.Of, score, v})
	}
	slices.SortStableFunc(all, func(p, q made) int {
		return cmp.Or(cmp.Compare(p.prompt, q.prompt), cmp.Compare(q.score, p.score))
	})
	told := []byte{'['}
	prompt, k := -1, 0
	for _, m := range all {
		if m.prompt != prompt {
			prompt, k = m.prompt, 0
		}
		if k == b.N {
			continue
		}
		if m.v, err = b.tell(m.v, prompt*b.N+k); err != nil {
			return nil, false, err
		}
		if len(told) > 1 {
			told = append(told, ',')
		}
		told = append(told, m.v...)
		k++
	}
	out, err = jsonedit.Set(answer, "choices", append(told, ']'))
	return out, judged, err
}

// tell is the choice v as the client gets it.
func (b Best) tell(v []byte, index int) ([]byte, error) {
	v, err := jsonedit.Set(v, "index", strconv.AppendInt(nil, int64(index), 10))
	if err != nil || b.Logprobs {
		return v, err
	}
	return jsonedit.Set(v, "logprobs", []byte("null"))
}

// mean is the mean of a list of numbers. Of what says nothing it is less than
// any other; ok is false if that is no list at all.
func mean(list []byte) (m float64, ok bool) {
	if len(list) == 0 || list[0] != '[' {
		return math.Inf(-1), false
	}
	sum, n := 0.0, 0
	for v, err := range jsonedit.Elements(list) {
		if err != nil {
			break
		}
		if f, err := strconv.ParseFloat(string(v), 64); err == nil { // the first of an echo is null
			sum, n = sum+f, n+1
		}
	}
	if n == 0 {
		return math.Inf(-1), true
	}
	return sum / float64(n), true
}
