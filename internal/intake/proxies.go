package intake

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"portico/internal/config"
	"portico/internal/credential"
	"portico/internal/secret"
)

// cliProxyKeys are the lists of keys in CLIProxyAPI's configuration.
var cliProxyKeys = []struct{ list, provider, other string }{
	{"gemini-api-key", gemini, gemini},
	{"claude-api-key", anthropic, anthropicLike},
	{"codex-api-key", openAI, openAILike},
	{"xai-api-key", openAILike, openAILike},
	{"vertex-api-key", vertex, vertex},
}

// cliProxy reads CLIProxyAPI's configuration, if t is one. Its keys for clients
// are none of accounts.
func (r *reader) cliProxy(t tree) (is bool) {
	for _, k := range cliProxyKeys {
		is = is || t.has(k.list)
		for n, x := range t.list(k.list) {
			e := treeOf(x)
			if e == nil || r.err != nil {
				continue
			}
			base := strings.TrimSuffix(e.text("base-url"), "/")
			provider := k.provider
			if base != "" {
				provider = k.other
			}
			a := config.Account{Name: numbered(strings.TrimSuffix(k.list, "-api-key"), n), Provider: provider, BaseURL: base}
			switch {
			case k.list == "xai-api-key":
				a.Preset, a.BaseURL = "xai", ""
			case provider == gemini && base != "":
				a.BaseURL = base + "/v1beta"
			}
			r.proxied(e, a, e.text("api-key"), e.text("proxy-url"))
		}
	}
	is = is || t.has("openai-compatibility")
	for n, x := range t.list("openai-compatibility") {
		e := treeOf(x)
		if e == nil || r.err != nil {
			continue
		}
		name := first(e.text("name"), numbered("openai-compatible", n))
		for m, y := range e.list("api-key-entries") {
			k := treeOf(y)
			if k != nil && r.err == nil {
				r.proxied(e, config.Account{Name: numbered(name, m), Provider: openAILike, BaseURL: e.text("base-url")}, k.text("api-key"), k.text("proxy-url"))
			}
		}
	}
	return is
}

// proxied adds a with what else stands in e, its entry.
func (r *reader) proxied(e tree, a config.Account, key, proxy string) {
	i := Item{From: cliProxyAPI, Account: a}
	i.Account.APIKey, i.Account.Weight = secret.Of(key), e.number("weight")
	if proxy != "" && proxy != "direct" && proxy != "none" {
		i.Account.Proxy = proxy
	}
	for name, value := range e.pairs("headers") {
		if strings.HasPrefix(value, "$") { // of the client's request
			i.Lost = append(i.Lost, "the header "+name)
			continue
		}
		if i.Account.Headers == nil {
			i.Account.Headers = map[string]string{}
		}
		i.Account.Headers[name] = value
	}
	for _, m := range e.list("models") {
		if m := treeOf(m); m.text("name") != "" {
			i.Account.Models = append(i.Account.Models, m.text("name"))
			if m.text("alias") != "" {
				i.Lost = append(i.Lost, "the alias "+m.text("alias"))
			}
		}
	}
	if e.has("excluded-models") {
		i.Lost = append(i.Lost, "the models that are left out")
	}
	slices.Sort(i.Lost)
	if key == "" {
		i.Refused = "The file has no key of it."
	}
	if strings.HasPrefix(key, "sk-ant-oat") {
		i.Refused = credential.Reserved(credential.ClaudeCode).Refusal()
	}
	r.add(i)
}

// numbered tells the n-th of a name apart from the first.
func numbered(name string, n int) string {
	if n == 0 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, n+1)
}

// ccSwitchApps reads cc-switch's own file, which has providers for each
// program.
func (r *reader) ccSwitchApps(t tree) {
	for _, app := range []string{"claude", "codex", "gemini"} {
		r.ccSwitchProviders(app, t.in(app)["providers"])
	}
}

// ccSwitchProviders reads providers of one program: a list, or an object.
func (r *reader) ccSwitchProviders(app string, v any) {
	list, _ := v.([]any)
	if m := treeOf(v); m != nil {
		for _, id := range slices.Sorted(maps.Keys(m)) {
			list = append(list, m[id])
		}
	}
	for _, x := range list {
		if p := treeOf(x); p != nil && r.err == nil {
			r.ccSwitch(app, p)
		}
	}
}

// baseURL finds the address of a provider in Codex's configuration, which is
// TOML, and wireAPI the protocol.
var (
	baseURL = regexp.MustCompile(`(?m)^\s*base_url\s*=\s*["']([^"'\n]+)["']`)
	wireAPI = regexp.MustCompile(`(?m)^\s*wire_api\s*=\s*["']([a-z]+)["']`)
)

// ccSwitch reads one provider.
func (r *reader) ccSwitch(app string, p tree) {
	name, c := first(p.text("name"), p.text("id")), p.in("settingsConfig")
	env := c.in("env")
	switch {
	case app == "codex" || c.has("auth"):
		key, toml := c.in("auth").text("OPENAI_API_KEY"), c.text("config")
		if key == "" {
			r.reserved(credential.Codex, name)
			return
		}
		a := config.Account{Name: name, Provider: openAI, APIKey: secret.Of(key)}
		if m := baseURL.FindStringSubmatch(toml); m != nil && m[1] != "https://api.openai.com/v1" {
			a.Provider, a.BaseURL, a.Protocols = openAILike, m[1], []string{"openai-chat"}
			if w := wireAPI.FindStringSubmatch(toml); w != nil && w[1] == "responses" {
				a.Protocols = []string{"openai-responses"}
			}
		}
		r.add(Item{From: ccSwitch, Account: a})
	case app == "gemini" || env.has("GEMINI_API_KEY"):
		key, base := env.text("GEMINI_API_KEY"), strings.TrimSuffix(env.text("GOOGLE_GEMINI_BASE_URL"), "/")
		if key == "" {
			r.reserved(credential.GeminiCLI, name)
			return
		}
		if base != "" {
			base += "/v1beta"
		}
		r.key(ccSwitch, name, gemini, base, key)
	case env != nil:
		r.claudeEnv(ccSwitch, name, env)
	default:
		r.refuse(ccSwitch, name, "The file has no key of it.")
	}
}

// A channelKind is what one-api or new-api mean by the number of a channel's
// type.
type channelKind struct {
	provider, preset string
	base             string // if the provider has none
}

// commonKinds are the same in both; newKinds and oneKinds differ. Sources: their
// own lists (constant/channel.go; relay/channeltype/define.go).
var (
	commonKinds = map[int]channelKind{
		1: {provider: openAI}, 3: {provider: "azure"}, 4: {provider: "ollama"}, 8: {provider: openAILike}, 14: {provider: anthropic},
		17: {openAILike, "dashscope-cn", ""}, 20: {openAILike, "openrouter", ""}, 24: {provider: gemini}, 25: {openAILike, "moonshot-cn", ""},
		33: {provider: "bedrock"},
	}
	newKinds = map[int]channelKind{
		26: {openAILike, "", "https://open.bigmodel.cn/api/paas/v4"}, 27: {openAILike, "perplexity", ""}, 31: {openAILike, "", "https://api.lingyiwanwu.com/v1"},
		35: {openAILike, "minimax-cn", ""}, 40: {openAILike, "", "https://api.siliconflow.cn/v1"}, 41: {provider: vertex}, 42: {openAILike, "mistral", ""},
		43: {openAILike, "deepseek", ""}, 45: {openAILike, "", "https://ark.cn-beijing.volces.com/api/v3"}, 48: {openAILike, "xai", ""},
	}
	oneKinds = map[int]channelKind{
		27: {openAILike, "minimax-cn", ""}, 28: {openAILike, "mistral", ""}, 29: {openAILike, "groq", ""}, 30: {provider: "ollama"},
		31: {openAILike, "", "https://api.lingyiwanwu.com/v1"}, 36: {openAILike, "deepseek", ""}, 39: {openAILike, "together", ""},
		40: {openAILike, "", "https://ark.cn-beijing.volces.com/api/v3"}, 42: {provider: vertex}, 44: {openAILike, "", "https://api.siliconflow.cn/v1"}, 45: {openAILike, "xai", ""},
	}
)

// subscription is the type of new-api's channels with a login of ChatGPT.
const subscription = 57

// channel reads a channel of one-api or new-api, whose several keys stand on
// lines of their own.
func (r *reader) channel(t tree) {
	number, from := t.number("type"), "one-api or new-api"
	kind, known := commonKinds[number]
	isNew := t.has("tag") || t.has("auto_ban") || t.has("setting") || t.has("channel_info") || t.has("param_override")
	switch {
	case isNew:
		from = "new-api"
		if !known {
			kind, known = newKinds[number]
		}
	case t.has("config") || t.has("system_prompt"):
		from = "one-api"
		if !known {
			kind, known = oneKinds[number]
		}
	}
	name := t.text("name")
	switch {
	case isNew && number == subscription:
		r.reserved(credential.Codex, name)
		return
	case !known:
		r.refuse(from, name, "Channels of type "+strconv.Itoa(number)+" are of no vendor that Portico can tell; add the account by hand.")
		return
	}
	a := config.Account{Name: name, Provider: kind.provider, Preset: kind.preset, BaseURL: kind.base, Models: t.texts("models"), Priority: -t.number("priority"), Weight: t.number("weight")}
	if s := t.number("status"); s > 1 {
		a.Disabled = true
	}
	if base := strings.TrimSuffix(t.text("base_url"), "/"); base != "" {
		a = elsewhere(a, base)
	}
	if a.Provider == "azure" && t.text("other") != "" {
		a.Options = map[string]string{"api_version": t.text("other")}
	}
	var lost []string
	if m := t.text("model_mapping"); m != "" && m != "{}" {
		lost = []string{"the names that it gives models"}
	}
	keys := []string{t.text("key")}
	if a.Provider != vertex { // whose key is JSON
		keys = strings.Split(keys[0], "\n")
	}
	for n, key := range keys {
		if r.err != nil {
			return
		}
		i := Item{From: from, Account: a, Lost: lost}
		i.Account.Name = numbered(name, n)
		key = strings.TrimSpace(key)
		if a.Provider == "bedrock" {
			key, i.Account.Options = awsKey(key)
		}
		i.Account.APIKey = secret.Of(key)
		if key == "" && a.Provider != "ollama" {
			i.Refused = "The file has no key of it; these tools leave keys out of what they list, so export the table of channels itself."
		}
		r.add(i)
	}
}

// awsKey reads ID|SECRET|REGION.
func awsKey(s string) (key string, options map[string]string) {
	part := strings.Split(s, "|")
	if len(part) != 3 {
		return s, nil
	}
	return part[0] + ":" + part[1], map[string]string{"region": part[2]}
}

// elsewhere is a at an address of its own, which these tools write without the
// version.
func elsewhere(a config.Account, base string) config.Account {
	a.BaseURL = base
	switch a.Provider {
	case openAI:
		if base == "https://api.openai.com" {
			a.BaseURL = ""
			return a
		}
		a.Provider, a.BaseURL = openAILike, base+"/v1"
	case openAILike, "ollama":
		if !strings.HasSuffix(base, "/v1") {
			a.BaseURL = base + "/v1"
		}
		if a.Preset != "" { // which knows its own address
			a.BaseURL = ""
		}
	case anthropic:
		if base == "https://api.anthropic.com" {
			a.BaseURL = ""
			return a
		}
		a.Provider = anthropicLike
	case gemini:
		if base == "https://generativelanguage.googleapis.com" {
			a.BaseURL = ""
			return a
		}
		a.BaseURL = base + "/v1beta"
	}
	return a
}
