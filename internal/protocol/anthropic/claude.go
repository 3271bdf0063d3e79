package anthropic

import (
	"strconv"
	"strings"

	"portico/internal/catalog/modelid"
	"portico/internal/protocol"
)

// A claude is what the name of a model tells: "claude-opus-4-5-20251101" is an
// opus of version 45. Version 0: the name does not tell it, or it is another
// maker's model.
type claude struct {
	family  string
	version int // the major number times ten, and the minor one
}

// claudeOf reads a model's name in any reseller's spelling.
func claudeOf(model string) (c claude) {
	_, name, ok := strings.Cut(modelid.Base(model), "claude-")
	if !ok {
		return c
	}
	words := strings.Split(name, "-")
	for i, w := range words {
		n, err := strconv.Atoi(w)
		switch {
		case err != nil:
			if c.family == "" {
				c.family = w
			}
		case len(w) <= 2 && c.version == 0:
			c.version = 10 * n
			if i+1 < len(words) && len(words[i+1]) == 1 {
				minor, _ := strconv.Atoi(words[i+1])
				c.version += minor
			}
		}
	}
	return c
}

// abilities are what an upstream takes beside the protocol's plain core (spec:
// upstreams §0.1, §1C.5).
type abilities struct {
	// sure: the name says which Claude it is. Else a client of this protocol
	// is believed, who may know better.
	sure bool

	adaptive bool     // thinking as the model sees fit
	budget   bool     // thinking up to a number of tokens
	between  bool     // thinking between calls only
	off      bool     // thinking can be switched off
	offUpTo  string   // … at an effort no higher than this; "": at any
	on       bool     // it thinks unless it is told not to
	efforts  []string // levels of effort, nil: it knows none
	display  bool     // how thinking is shown can be chosen

	sampling bool // temperature, top_p and top_k
	oneKnob  bool // … but not temperature and top_p at a time
	forced   bool // a tool may be forced
	strict   bool // tools may be strict
	prefill  bool // the last message may be the model's own
	midway   bool // instructions in mid-conversation
	format   bool // a schema for the answer

	maxOutput int64 // tokens of an answer at most, 0: unknown
}

var (
	allEfforts = []string{"low", "medium", "high", "xhigh", "max"}
	efforts46  = []string{"low", "medium", "high", "max"}
	efforts45  = []string{"low", "medium", "high"}

	// newest is what a model gets that nobody has heard of: nothing that any
	// recent one refuses.
	newest = abilities{adaptive: true, on: true, efforts: allEfforts, display: true, strict: true, midway: true, format: true, maxOutput: 128_000}
	// copied is what the vendors take who copied the protocol, for models of
	// their own.
	copied = abilities{budget: true, off: true, sampling: true, forced: true, prefill: true}
)

// abilitiesOf is what the upstream of fit takes.
func abilitiesOf(fit *protocol.Fit) abilities {
	c := claudeOf(fit.Model)
	a := c.abilities()
	switch {
	case c.version == 0 && !fit.Native:
		a = copied
	case !fit.Native: // Claude behind another's copy of the protocol
		a.midway, a.format, a.strict = false, false, false
	}
	if len(fit.Efforts) > 0 && len(a.efforts) > 0 {
		a.efforts = fit.Efforts
	}
	if fit.MaxOutput > 0 {
		a.maxOutput = fit.MaxOutput
	}
	if fit.Known && !fit.Reasoning {
		a.adaptive, a.budget, a.between, a.on = false, false, false, false
	}
	return a
}

func (c claude) abilities() abilities {
	v := c.version
	a := abilities{sure: true, sampling: true, forced: true, prefill: true}
	switch {
	case v == 0:
		a = newest
		a.forced = c.family == "" // another's name for a model is no sign of the newest one
		return a
	case v < 35:
		a.maxOutput = 4096
	case v < 37:
		a.maxOutput = 8192
	case v < 46:
		a.budget, a.off, a.maxOutput = true, true, 64_000
		a.display, a.oneKnob = v >= 40, v >= 41
		a.format, a.strict = v >= 45, v >= 45
		if c.family == "opus" {
			if v < 45 {
				a.maxOutput = 32_000
			} else {
				a.efforts = efforts45
			}
		}
	case v == 46:
		a.budget, a.adaptive, a.off, a.efforts = true, true, true, efforts46
		a.display, a.oneKnob, a.format, a.strict, a.maxOutput = true, true, true, true, 128_000
		a.prefill = c.family != "opus"
	default:
		a = newest
		a.sure, a.on, a.off, a.forced = true, v >= 50, true, true
		c.newer(&a)
	}
	return a
}

// newer sets what the families of Claude 5 do not have in common.
func (c claude) newer(a *abilities) {
	switch {
	case c.version < 50:
	case c.family == "sonnet" && c.version >= 55:
		a.off, a.between = false, true
	case c.family == "haiku":
		a.offUpTo, a.maxOutput = "high", 64_000
	case c.family == "opus" && c.version < 55:
		a.offUpTo = "high"
	case c.family == "sonnet":
	default:
		a.off = false
		a.forced = c.family != "opus" && c.version < 51
	}
}

// TakesSchema reports whether the upstream of fit takes a schema for the
// answer, so that nobody has to emulate it.
func (*Codec) TakesSchema(fit *protocol.Fit) bool { return abilitiesOf(fit).format }
