package tokens

import (
	"strings"

	"portico/internal/catalog/modelid"
)

// A family is models whose tokenizers are alike.
type family struct {
	text    float64 // tokens for one of o200k_base
	media   float64 // tokens for an image of unknown size, or a page
	request float64 // tokens around a conversation
}

// The factors are measured on recorded prompts of 800 tokens and more, against
// the usage that upstreams reported for them, and agree with what their users
// report. Media are counted as a screenshot is: an image of about 1,500 by 1,000
// pixels at its vendor's rule (OpenAI: 85 + 170 for each tile of 512; Claude: a
// token for 750 pixels, at most about 1,600 up to 4.6 and 4,780 after; Gemini:
// 1,120 at its default resolution).
var (
	openAI   = family{1.00, 1100, 7}
	claude   = family{1.18, 1600, 8} // 3 to 4.6
	claude47 = family{1.40, 2800, 8} // Opus 4.7 and all of 5: a new tokenizer
	gemini   = family{1.05, 1120, 2}
	llama    = family{1.05, 1100, 8}
	mistral  = family{1.10, 1100, 8}
	qwen     = family{1.10, 1100, 10}
	grok     = family{1.05, 1100, 8}
	other    = family{1.05, 1100, 8} // DeepSeek, GLM, Kimi and all that are not known
)

// makers maps how a model's name begins to its family; the first that fits
// counts.
var makers = [...]struct {
	prefix string
	is     family
}{
	{"gpt-", openAI},
	{"chatgpt-", openAI},
	{"o1", openAI},
	{"o3", openAI},
	{"o4-", openAI},
	{"codex", openAI},
	{"openai", openAI},
	{"claude-opus-4-7", claude47},
	{"claude-opus-4-8", claude47},
	{"claude-opus-4-9", claude47},
	{"claude", claude},
	{"anthropic", claude},
	{"gemini", gemini},
	{"gemma", gemini},
	{"google", gemini},
	{"llama", llama},
	{"meta-llama", llama},
	{"mistral", mistral},
	{"ministral", mistral},
	{"magistral", mistral},
	{"codestral", mistral},
	{"devstral", mistral},
	{"pixtral", mistral},
	{"mixtral", mistral},
	{"qwen", qwen},
	{"qwq", qwen},
	{"grok", grok},
}

// familyOf tells the family from a model's name.
func familyOf(model string) family {
	base := modelid.Base(model)
	for _, m := range makers {
		if !strings.HasPrefix(base, m.prefix) {
			continue
		}
		if m.is == claude && generation(base) >= 5 {
			return claude47
		}
		return m.is
	}
	return other
}

// generation is the first number in the base form of a name of Claude's:
// "claude-sonnet-5-5" is of generation 5, "claude-3-opus" of 3.
func generation(base string) int {
	i := strings.IndexAny(base, "0123456789")
	if i < 0 {
		return 0
	}
	n := 0
	for ; i < len(base) && '0' <= base[i] && base[i] <= '9' && n < 100; i++ {
		n = n*10 + int(base[i]-'0')
	}
	return n
}
