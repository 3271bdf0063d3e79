// Package route turns the model name that a client asks for into the names
// that accounts are asked for.
package route

import (
	"fmt"

	"portico/internal/glob"
)

// A Plan says what to ask for, in order.
type Plan struct {
	Rule   string   // the rule that decided, "" if none did
	Models []string // at least one
}

// A Rule maps names.
type Rule struct {
	Match string   // a glob, or /regex/
	To    []string // a chain
}

// A Table is a list of rules, of which the first that matches decides. The
// nil Table passes every name on as it is.
type Table struct {
	rules []compiled
}

type compiled struct {
	glob glob.Glob
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
		if len(r.To) == 0 {
			return nil, fmt.Errorf("route %d (%q): it leads nowhere", i+1, r.Match)
		}
		t.rules[i] = compiled{g, Plan{Rule: r.Match, Models: r.To}}
	}
	return t, nil
}

// Plan says what to ask for when a client asks for model.
func (t *Table) Plan(model string) Plan {
	if t != nil && model != "" {
		for i := range t.rules {
			if t.rules[i].glob.Match(model) {
				return t.rules[i].plan
			}
		}
	}
	return Plan{Models: []string{model}}
}
