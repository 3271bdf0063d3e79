package intake

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// variables are those in which vendors' own tools look for keys.
var variables = map[string]struct{ provider, preset string }{
	"OPENAI_API_KEY": {openAI, ""}, "GEMINI_API_KEY": {gemini, ""}, "GOOGLE_API_KEY": {gemini, ""},
	"OPENROUTER_API_KEY": {openAILike, "openrouter"}, "DEEPSEEK_API_KEY": {openAILike, "deepseek"}, "GROQ_API_KEY": {openAILike, "groq"},
	"MISTRAL_API_KEY": {openAILike, "mistral"}, "XAI_API_KEY": {openAILike, "xai"}, "TOGETHER_API_KEY": {openAILike, "together"},
	"FIREWORKS_API_KEY": {openAILike, "fireworks"}, "CEREBRAS_API_KEY": {openAILike, "cerebras"}, "MOONSHOT_API_KEY": {openAILike, "moonshot"},
	"DASHSCOPE_API_KEY": {openAILike, "dashscope"}, "ZAI_API_KEY": {openAILike, "zai"}, "PERPLEXITY_API_KEY": {openAILike, "perplexity"},
	"MINIMAX_API_KEY": {openAILike, "minimax"}, "NVIDIA_API_KEY": {openAILike, "nvidia"},
}

var (
	assignment = regexp.MustCompile(`^(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=\s*(.*)$`)
	// googleToken is a refresh token of Google's, wherever it stands in a line.
	googleToken = regexp.MustCompile(`1//[0-9A-Za-z_-]{16,512}`)
	address     = regexp.MustCompile(`[^\s,;:|"'@]+@[0-9A-Za-z.-]*[0-9A-Za-z]`)
)

// lines reads lines: variables as in a .env file, or refresh tokens with or
// without the address of whose they are.
func (r *reader) lines(text string) {
	env := tree{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if r.err != nil || line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if m := assignment.FindStringSubmatch(line); m != nil {
			env[m[1]] = strings.Trim(strings.TrimSpace(m[2]), `"'`)
			continue
		}
		tokens := googleToken.FindAllString(line, 2)
		if len(tokens) != 1 {
			r.refuse(refreshTokens, fmt.Sprintf("line %d", n), fmt.Sprintf("Line %d has no refresh token and no variable with a key, or more than one.", n))
			continue
		}
		r.token(tokens[0], address.FindString(strings.Replace(line, tokens[0], " ", 1)))
	}
	r.env(env)
}

// env reads variables.
func (r *reader) env(env tree) {
	if env.has("ANTHROPIC_API_KEY") || env.has("ANTHROPIC_AUTH_TOKEN") {
		r.claudeEnv("a file of variables", "anthropic", env)
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		v, ok := variables[name]
		if !ok || r.err != nil {
			continue
		}
		base := ""
		switch name {
		case "OPENAI_API_KEY":
			base = first(env.text("OPENAI_BASE_URL"), env.text("OPENAI_API_BASE"))
		case "GEMINI_API_KEY", "GOOGLE_API_KEY":
			if base = strings.TrimSuffix(env.text("GOOGLE_GEMINI_BASE_URL"), "/"); base != "" {
				base += "/v1beta"
			}
		}
		provider := v.provider
		if provider == openAI && base != "" && base != "https://api.openai.com/v1" {
			provider = openAILike
		}
		r.key("a file of variables", strings.ToLower(strings.TrimSuffix(name, "_API_KEY")), provider, base, env.text(name))
		r.items[len(r.items)-1].Account.Preset = v.preset
	}
}
