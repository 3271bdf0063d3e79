// Package candidates makes one answer with several candidates out of several
// answers with one each, for upstreams that give one answer at a time (spec:
// upstreams §2.2).
//
// It works on the client's own dialect, so that whatever stands in an answer
// stays as it is: what is changed are the candidates' numbers, what has to be
// the same in all pieces of a stream, and the usage, which is summed up. OpenAI
// calls the candidates choices, in chats and in text completions alike.
//
// Several pictures are made one answer likewise.
package candidates

import (
	"slices"
	"strconv"

	"portico/internal/jsonedit"
)

// Most is how many answers are made one, but for pictures. Spec: upstreams §2.2.
const Most = 8

// A Dialect is a protocol in which clients ask for several candidates.
type Dialect struct {
	Noun string // what the client calls one of them
	Most int    // how many answers are made one

	// What a request says: how many candidates are wanted, and everything
	// that says so, below the member within, which has two spellings.
	within []string
	wanted []string
	drop   []string

	// What an answer says.
	list  string   // the member that holds the candidates
	usage string   // what they took
	same  []string // members that are the same in all pieces of a stream
	done  bool     // the usage has a piece of its own at the end, and [DONE] follows
	bare  bool     // the candidates have no numbers: those of a stream come one after the other
}

// The dialects.
var (
	OpenAI = &Dialect{
		Noun: "candidate", Most: Most,
		wanted: []string{"n"}, drop: []string{"n", "best_of"},
		list: "choices", usage: "usage", same: []string{"id", "object", "created", "model"}, done: true,
	}
	Gemini = &Dialect{
		Noun: "candidate", Most: Most,
		within: []string{"generationConfig", "generation_config"},
		wanted: []string{"candidateCount", "candidate_count"}, drop: []string{"candidateCount", "candidate_count"},
		list: "candidates", usage: "usageMetadata", same: []string{"responseId", "modelVersion"},
	}
	// Pictures is OpenAI's API for them, where requests may be forms: nothing
	// is read of them or changed in them.
	Pictures = &Dialect{Noun: "picture", Most: 10, list: "data", usage: "usage", bare: true}
)

// Wanted is how many candidates body asks for, 0 if it does not say.
func (d *Dialect) Wanted(body []byte) int {
	if d.bare {
		return 0
	}
	v := body
	if d.within != nil {
		v = firstOf(body, d.within)
	}
	n, _ := jsonedit.Int(firstOf(v, d.wanted))
	return int(max(min(n, 1<<16), 0))
}

// Blames reports whether param, of a refusal, is what asks for candidates.
func (d *Dialect) Blames(param string) bool {
	return slices.Contains(d.wanted, param)
}

func firstOf(doc []byte, names []string) []byte {
	if len(doc) == 0 || doc[0] != '{' {
		return nil
	}
	for _, name := range names {
		if v := jsonedit.Get(doc, name); v != nil {
			return v
		}
	}
	return nil
}

// Seeded reports whether body names a seed. The candidates of one answer are
// different ones, so each request gets a seed of its own, see One.
func (d *Dialect) Seeded(body []byte) bool {
	if d.bare {
		return false
	}
	if d.within != nil {
		body = firstOf(body, d.within)
	}
	_, ok := jsonedit.Int(firstOf(body, []string{"seed"}))
	return ok
}

// One is body as the request for the candidate i, from 0, alone. A seed is i
// higher than the client's. All else stays, so that an upstream's prompt cache
// knows the prompt again.
func (d *Dialect) One(body []byte, i int) ([]byte, error) {
	if d.bare {
		return body, nil
	}
	if d.within == nil {
		return d.one(body, i)
	}
	out := body
	for _, name := range d.within {
		v := jsonedit.Get(body, name)
		if len(v) == 0 || v[0] != '{' {
			continue
		}
		v, err := d.one(v, i)
		if err != nil {
			return nil, err
		}
		if out, err = jsonedit.Set(out, name, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (d *Dialect) one(v []byte, i int) (out []byte, err error) {
	out = v
	for _, name := range d.drop {
		if jsonedit.Get(out, name) == nil {
			continue
		}
		if out, err = jsonedit.Drop(out, name); err != nil {
			return nil, err
		}
	}
	seed, ok := jsonedit.Int(jsonedit.Get(out, "seed"))
	if !ok || i == 0 {
		return out, nil
	}
	if seed > maxSeed-Most { // Google's have 32 bits
		seed -= 2 * Most
	}
	return jsonedit.Set(out, "seed", strconv.AppendInt(nil, seed+int64(i), 10))
}

const maxSeed = 1<<31 - 1

// number is the candidate v of one of n answers, as the client counts them. An
// answer to several prompts has a candidate for each of them.
func number(v []byte, at, leg, n int) (out []byte, index int, err error) {
	if i, ok := jsonedit.Int(jsonedit.Get(v, "index")); ok && i >= 0 && i < 1<<16 {
		at = int(i)
	}
	index = at*n + leg
	out, err = jsonedit.Set(v, "index", strconv.AppendInt(nil, int64(index), 10))
	return out, index, err
}
