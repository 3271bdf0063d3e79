package openaiwire

import (
	"slices"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/wire"
)

// efforts is the scale, from little to much; spec: upstreams §2.3.1.
var efforts = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// Effort is the effort that q asks for, "" for the model's own choice. exact is
// false if it was made of a budget in tokens.
func Effort(q *llm.Reason) (effort string, exact bool) {
	switch q.Mode {
	case llm.ReasonOff:
		return "none", true
	case llm.ReasonBudget:
		return OfBudget(q.Budget), false
	}
	return q.Effort, true
}

// OfBudget is the effort that a budget of tokens stands for; spec: upstreams
// §2.3.2. A negative budget leaves it to the model.
func OfBudget(n int64) string {
	switch {
	case n < 0:
		return ""
	case n == 0:
		return "none"
	case n < 1536:
		return "minimal"
	case n < 6144:
		return "low"
	case n < 16384:
		return "medium"
	case n < 32768:
		return "high"
	case n < 65536:
		return "xhigh"
	}
	return "max"
}

// Nearest is the effort of levels that is nearest to want: the next lower one,
// else the lowest. Who wants some thinking does not get none. Without levels it
// is want.
func Nearest(want string, levels []string) string {
	i := slices.Index(efforts, want)
	if len(levels) == 0 || i < 0 || slices.Contains(levels, want) {
		return want
	}
	for j := i - 1; j >= 0; j-- {
		if efforts[j] != "none" && slices.Contains(levels, efforts[j]) {
			return efforts[j]
		}
	}
	for _, level := range append(efforts[1:len(efforts):len(efforts)], efforts[0]) {
		if slices.Contains(levels, level) {
			return level
		}
	}
	return want
}

// Parameters is schema as OpenAI takes it for a function: an object with
// properties (spec: translation-traps A14).
func Parameters(schema []byte) []byte {
	if wire.Empty(schema) || schema[0] != '{' {
		return []byte(`{"type":"object","properties":{}}`)
	}
	if wire.Text(jsonedit.Get(schema, "type")) == "object" && jsonedit.Get(schema, "properties") == nil &&
		jsonedit.Get(schema, "$ref") == nil && jsonedit.Get(schema, "anyOf") == nil && jsonedit.Get(schema, "oneOf") == nil && jsonedit.Get(schema, "allOf") == nil {
		return append(append([]byte(nil), schema[:len(schema)-1]...), `,"properties":{}}`...)
	}
	return schema
}
