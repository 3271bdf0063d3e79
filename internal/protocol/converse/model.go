package converse

import "strings"

// A family is what the makers of models have in common, where Bedrock's
// protocol does not: fields of their own, and what they take (spec: upstreams
// §1E, §2.7).
type family uint8

const (
	others family = iota
	claude
	nova
	gptOSS
)

func familyOf(model string) family {
	switch {
	case strings.Contains(model, "claude"):
		return claude
	case strings.Contains(model, "amazon.nova"):
		return nova
	case strings.Contains(model, "openai.gpt-oss"):
		return gptOSS
	}
	return others
}

// caches reports whether the models take marks of what is to be cached; others
// refuse a request that has one.
func (f family) caches() bool { return f == claude || f == nova }
