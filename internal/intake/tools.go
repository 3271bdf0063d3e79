package intake

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"strings"

	"portico/internal/config"
	"portico/internal/credential"
	"portico/internal/secret"
)

// Providers, as package provider's implementations call themselves.
const (
	openAI         = "openai"
	anthropic      = "anthropic"
	gemini         = "gemini"
	vertex         = "vertex"
	openAILike     = "openai-compatible"
	anthropicLike  = "anthropic-compatible"
	refreshTokens  = "a list of refresh tokens"
	portico        = "Portico"
	cliProxyAPI    = "CLIProxyAPI"
	ccSwitch       = "cc-switch"
	googleDocument = "Google Cloud"
)

// ours reads an account as the operator's API takes it.
func (r *reader) ours(t tree) {
	a := config.Account{
		Name: t.text("name"), Provider: t.text("provider"), Preset: t.text("preset"), Protocols: t.texts("protocols"), BaseURL: t.text("base_url"),
		APIKey: secret.Of(t.text("api_key")), Models: t.texts("models"), Priority: t.number("priority"), Weight: t.number("weight"), Proxy: t.text("proxy"),
		Label: t.text("label"), Tags: t.texts("tags"),
		Headers: t.pairs("headers"), Options: t.pairs("options"),
		Limits: config.AccountLimits{RPM: t.in("limits").number("rpm"), TPM: t.in("limits").number("tpm"), Concurrency: t.in("limits").number("concurrency")},
	}
	a.Disabled, _ = t["disabled"].(bool)
	i := Item{From: portico, Account: a}
	if strings.HasPrefix(a.APIKey.Reveal(), "env:") {
		i.Refused = "Its key stands in a variable of the environment, and not in the file."
	}
	r.add(i)
}

// token reads a refresh token by itself.
func (r *reader) token(text, email string) {
	if !isToken(text) {
		r.refuse(refreshTokens, email, "It is no refresh token.")
		return
	}
	r.add(Item{From: refreshTokens, Account: config.Account{Name: email}, Refresh: secret.Of(text)})
}

// isToken reports whether s has the form of a refresh token.
func isToken(s string) bool {
	return len(s) >= 16 && len(s) <= 4096 && strings.IndexFunc(s, func(c rune) bool { return c <= ' ' || c > '~' }) < 0
}

// single reads an object that is about one account: a document of Google's, or
// what a tool keeps of one login.
func (r *reader) single(t tree) {
	name := t.text("email", "name", "account")
	switch kind := t.text("type"); {
	case kind == string(credential.User) || kind == string(credential.Service):
		r.document(t, name, "")
	case kind == "external_account" || kind == "impersonated_service_account" || kind == "external_account_authorized_user":
		r.refuse(googleDocument, name, fmt.Sprintf("Credentials of type %s are not taken; use a service account's key or a login of your own.", kind))
	case t.has("claudeAiOauth"):
		r.reserved(credential.ClaudeCode, name)
	case t.has("primaryApiKey"):
		r.key(credential.ClaudeCode, "claude-code", anthropic, "", t.text("primaryApiKey"))
	case t.has("OPENAI_API_KEY") || t.has("tokens"):
		r.codex(t)
	case t.has("env"):
		r.claudeEnv(credential.ClaudeCode, "claude-code", t.in("env"))
	case kind == "vertex" && t.has("service_account"):
		r.document(t.in("service_account"), name, t.text("location"))
	case kind == "claude":
		r.reserved(credential.ClaudeCode, name)
	case kind == "codex":
		r.reserved(credential.Codex, name)
	case kind == "gemini" || kind == "gemini-cli":
		r.reserved(credential.GeminiCLI, name)
	case kind == "antigravity":
		r.reserved(credential.Antigravity, name)
	case kind != "" && (t.has("access_token") || t.has("refresh_token") || t.has("token")):
		r.refuse(cliProxyAPI, name, "It is a login that another vendor's program has made; Portico signs in by itself, with a client of your own, or takes keys.")
	case t.has("access_token") && t.has("refresh_token") && (t.has("expiry_date") || t.has("scope")):
		r.reserved(credential.GeminiCLI, name)
	case t.has("refresh_token"):
		r.token(t.text("refresh_token"), name)
	case t.in("token").has("refresh_token"): // Antigravity Manager's own record of an account
		r.reserved(credential.Antigravity, name)
	}
}

// document reads the key of a service account, or what gcloud writes.
func (r *reader) document(t tree, name, location string) {
	b, err := json.Marshal(map[string]any(t), json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return // what was read can be written
	}
	a := config.Account{Name: name, Provider: vertex, APIKey: secret.Of(string(b))}
	switch {
	case t.text("client_email") != "":
		a.Name = t.text("client_email")
	case t.text("quota_project_id") == "" && t.text("type") == string(credential.User):
		a.Provider = gemini // Vertex AI needs a project
	}
	if location != "" {
		a.Options = map[string]string{"location": location}
	}
	r.add(Item{From: googleDocument, Account: a})
}

// key adds an account with a key, at an address of its own if base is not empty.
func (r *reader) key(from, name, provider, base, key string, lost ...string) {
	i := Item{From: from, Account: config.Account{Name: name, Provider: provider, BaseURL: base, APIKey: secret.Of(key)}, Lost: lost}
	switch {
	case key == "":
		i.Refused = "The file has no key of it."
	case strings.HasPrefix(key, "sk-ant-oat"):
		i.Refused = credential.Reserved(credential.ClaudeCode).Refusal()
	}
	r.add(i)
}

// codex reads Codex's auth.json.
func (r *reader) codex(t tree) {
	if key := t.text("OPENAI_API_KEY"); key != "" {
		r.key(credential.Codex, "codex", openAI, "", key)
	}
	if t.in("tokens") != nil || t.text("OPENAI_API_KEY") == "" {
		r.reserved(credential.Codex, "codex")
	}
}

// claudeEnv reads the variables with which Claude Code is set up.
func (r *reader) claudeEnv(from, name string, env tree) {
	base, token, key := env.text("ANTHROPIC_BASE_URL"), env.text("ANTHROPIC_AUTH_TOKEN"), env.text("ANTHROPIC_API_KEY")
	if token == "" && key == "" {
		if base != "" || from == ccSwitch {
			r.refuse(from, name, "The file has no key of it; a login of Claude's is not in it, and would not be taken.")
		}
		return
	}
	provider := anthropic
	if base = strings.TrimSuffix(base, "/"); base != "" && base != "https://api.anthropic.com" {
		provider = anthropicLike
	} else {
		base = ""
	}
	var lost []string
	for _, model := range []string{"ANTHROPIC_MODEL", "ANTHROPIC_SMALL_FAST_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL", "ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_HAIKU_MODEL"} {
		if env.text(model) != "" {
			lost = append(lost, model)
		}
	}
	r.key(from, name, provider, base, first(token, key), lost...)
	switch last := &r.items[len(r.items)-1]; {
	case token != "" && provider == anthropic:
		last.Account.Options = map[string]string{"auth": "bearer"}
	case token == "" && provider == anthropicLike:
		last.Account.Options = map[string]string{"auth": "x-api-key"}
	}
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
