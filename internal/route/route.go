// Package route turns the model name that a client asks for into the names
// that accounts are asked for.
//
// A route is for names: one, a glob or a regular expression. It may ask more of
// a request: how long it is, how long its answer may become, what the model
// must be able to do, what kind of background work it is. What a request is
// like is looked at once, and only if a route wants to know.
package route

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"portico/internal/glob"
)

// A Plan says what to ask for, in order.
type Plan struct {
	Rule   string   // the rule that decided, "" if none did
	Models []string // at least one
	// On names the classes of faults after which the next model is asked, also
	// where another account, or nobody, would be asked otherwise.
	On []string
	// Prefer are accounts that come before others, whatever their priority, as
	// long as they are able: globs of their names, or of tag:TAG.
	Prefer glob.Set
}

// GoesOn reports whether a fault of that class leads to the next model.
func (p *Plan) GoesOn(class string) bool { return len(p.On) > 0 && slices.Contains(p.On, class) }

// A Rule maps names.
type Rule struct {
	Match string   // a glob, or /regex/
	To    []string // a chain; none: what is asked for, if Prefer is there
	On    []string // classes of faults, see Plan
	When  When
	// Prefer are globs of names of accounts, see Plan.
	Prefer []string
}

// A When is what else must hold of a request. The zero When holds of all.
type When struct {
	Over, Under int64  // estimated input tokens: more than, less than; 0: any
	OutputOver  int64  // the longest answer that the client asks for: more than; 0: any
	Needs       Need   // all of these
	Background  string // the kind of background work, or "any"; "": also none
}

// A Need is a set of what a model has to be able to do.
type Need uint8

// The needs.
const (
	Vision    Need = 1 << iota // pictures or films in the conversation
	Audio                      // sounds in it
	Documents                  // documents in it that are not plain text
	Tools                      // tools are offered
	Thinking                   // the client asks for thinking
	Schema                     // the answer must fit a schema
)

// needs are the names of needs, in the order of their bits.
var needs = []string{"vision", "audio", "documents", "tools", "thinking", "schema"}

// Needs lists the names that ParseNeeds takes.
func Needs() []string { return slices.Clone(needs) }

// ParseNeeds is the set of the needs of these names, or the name that is none.
func ParseNeeds(names []string) (n Need, unknown string) {
	for _, s := range names {
		i := slices.Index(needs, s)
		if i < 0 {
			return 0, s
		}
		n |= 1 << i
	}
	return n, ""
}

// String is the set as a rule's reason tells it.
func (n Need) String() string {
	var out []string
	for i, s := range needs {
		if n&(1<<i) != 0 {
			out = append(out, s)
		}
	}
	return strings.Join(out, "+")
}

// Facts are what a route may want to know of a request.
type Facts struct {
	Tokens     int64 // estimated, of the input
	Output     int64 // the longest answer that is asked for, 0: not said
	Needs      Need
	Background string // the kind of background work, "": none
}

// holds reports whether w holds of f.
func (w *When) holds(f *Facts) bool {
	return (w.Over == 0 || f.Tokens > w.Over) && (w.Under == 0 || f.Tokens < w.Under) &&
		(w.OutputOver == 0 || f.Output > w.OutputOver) && f.Needs&w.Needs == w.Needs &&
		(w.Background == "" || w.Background == f.Background || w.Background == Any && f.Background != "" && f.Background != Summary)
}

// The kinds of background work that clients send beside a conversation, to the
// same model.
const (
	Title   = "title"   // a name for a conversation
	Topic   = "topic"   // whether a message begins another subject
	Probe   = "probe"   // whether the model can be reached at all
	Summary = "summary" // a conversation made short, with which its client then goes on
	Any     = "any"     // all but a summary, on whose quality the conversation depends
)

// text is w as a rule's name goes on, "" for the zero When.
func (w *When) text() string {
	var out []string
	say := func(unless bool, format string, v any) {
		if !unless {
			out = append(out, fmt.Sprintf(format, v))
		}
	}
	say(w.Background == "", "background %s", w.Background)
	say(w.Over == 0, "over %d tokens", w.Over)
	say(w.Under == 0, "under %d tokens", w.Under)
	say(w.OutputOver == 0, "answers over %d tokens", w.OutputOver)
	say(w.Needs == 0, "with %s", w.Needs)
	return strings.Join(out, ", ")
}

// A Table is a list of rules, of which the first that matches decides. The
// nil Table passes every name on as it is.
type Table struct {
	rules []compiled
}

type compiled struct {
	glob glob.Glob
	when When
	bare bool // there is no When
	plan Plan
}

// New compiles rules. The error names the rule.
func New(rules []Rule) (*Table, error) {
	t := &Table{rules: make([]compiled, len(rules))}
	for i, r := range rules {
		g, err := glob.Compile(r.Match)
		if err != nil {
			return nil, fmt.Errorf("route %d (%q): %w", i+1, r.Match, err)
		}
		var prefer glob.Set
		if len(r.Prefer) > 0 {
			if prefer, err = glob.CompileAll(r.Prefer); err != nil {
				return nil, fmt.Errorf("route %d (%q): prefer: %w", i+1, r.Match, err)
			}
		}
		if len(r.To) == 0 && len(prefer) == 0 {
			return nil, fmt.Errorf("route %d (%q): it leads nowhere", i+1, r.Match)
		}
		name := r.Match
		if s := r.When.text(); s != "" {
			name += " (" + s + ")"
		}
		t.rules[i] = compiled{g, r.When, r.When == (When{}), Plan{Rule: name, Models: r.To, On: r.On, Prefer: prefer}}
	}
	return t, nil
}

// Plan says what to ask for when a client asks for model. look tells of the
// request; it is called at most once, and not if the name alone decides. With
// a nil look only rules without a When match.
func (t *Table) Plan(model string, look func() Facts) Plan {
	if t == nil || model == "" {
		return Plan{Models: []string{model}}
	}
	var facts Facts
	looked := false
	for i := range t.rules {
		r := &t.rules[i]
		switch {
		case !r.bare && look == nil, !r.glob.Match(model):
			continue
		case !r.bare && !looked:
			facts, looked = look(), true
		}
		if r.bare || r.when.holds(&facts) {
			p := r.plan
			if len(p.Models) == 0 {
				p.Models = []string{model}
			}
			if r.when.Background == Any { // of which kind it is was found out
				p.Rule = strings.Replace(p.Rule, "background "+Any, "background "+facts.Background, 1)
			}
			return p
		}
	}
	return Plan{Models: []string{model}}
}

// Specific sorts rules so that the most specific of those that match comes
// first: a name before a glob, a glob with more characters that stand for
// themselves before one with fewer, and both before a regular expression. Among
// equals one with conditions precedes one without, and else the order stays.
func Specific(rules []Rule) {
	weights := make(map[string]int, len(rules))
	for _, r := range rules {
		if g, err := glob.Compile(r.Match); err == nil { // or New tells it
			weights[r.Match] = g.Weight()
		}
	}
	slices.SortStableFunc(rules, func(a, b Rule) int {
		if c := cmp.Compare(weights[b.Match], weights[a.Match]); c != 0 {
			return c
		}
		switch one, other := a.When == (When{}), b.When == (When{}); {
		case one == other:
			return 0
		case one:
			return 1
		}
		return -1
	})
}
