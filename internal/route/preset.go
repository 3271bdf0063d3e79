package route

import "slices"

// A Preset is a set of rules that many want, but for the model that they lead
// to, which the operator names.
type Preset struct {
	Name  string
	About string // what it is for, a sentence
	match string
	when  When
}

// presets are data: what they match, and what they ask of a request. Those with
// conditions stand before those for names alone, so that both can be on. Names
// of models are as the clients ask for them, spec: clients §1, parity §4.2.
var presets = []Preset{
	{"background", "Titles, topics and probes, which clients send beside a conversation, go to a cheap model.", "*", When{Background: Any}},
	{"summaries", "Conversations that are made short go to a model of their own.", "*", When{Background: Summary}},
	{"long", "Requests of more than 150,000 tokens go to a model with a large window.", "*", When{Over: 150_000}},
	{"vision", "Requests with pictures go to a model that sees.", "*", When{Needs: Vision}},
	{"thinking", "Requests that ask for thinking go to a model that thinks.", "*", When{Needs: Thinking}},
	{"claude-haiku", "Claude Code's small model, for quick work, is another one.", "claude-*haiku*", When{}},
	{"claude-opus", "Claude Code's large model is another one.", "claude-*opus*", When{}},
	{"claude-code", "All that Claude Code asks for, and all else by the name of a Claude model, goes to one model.", "claude-*", When{}},
	{"codex", "All that Codex asks for, and all else by the name of a GPT model, goes to one model.", "gpt-*", When{}},
	{"gemini-cli", "All that Gemini CLI asks for, and all else by the name of a Gemini model, goes to one model.", "gemini-*", When{}},
}

// Presets lists the presets, in the order in which they are looked at.
func Presets() []Preset { return slices.Clone(presets) }

// Rule is p, leading to model.
func (p *Preset) Rule(model string) Rule {
	return Rule{Match: p.match, To: []string{model}, When: p.when}
}

// Condition is what p asks of a request, for people.
func (p *Preset) Condition() string {
	if s := p.when.text(); s != "" {
		return p.match + " (" + s + ")"
	}
	return p.match
}

// FromPresets returns the rules of the presets in on, a table from their names to
// models, in their order; unknown is a name that is none.
func FromPresets(on map[string]string) (rules []Rule, unknown string) {
	known := 0
	for i := range presets {
		if model, ok := on[presets[i].Name]; ok {
			rules = append(rules, presets[i].Rule(model))
			known++
		}
	}
	for name := range on {
		if known < len(on) && !slices.ContainsFunc(presets, func(p Preset) bool { return p.Name == name }) {
			return nil, name
		}
	}
	return rules, ""
}
