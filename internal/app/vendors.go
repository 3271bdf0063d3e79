package app

import (
	"cmp"
	"slices"
	"strings"

	"portico/internal/admin"
	"portico/internal/provider"
	"portico/internal/provider/compat"
	"portico/internal/secret"
)

// shelves are the providers in the order in which people look for them, and
// what people call them. The two compatible ones come last, after the vendors
// of the presets.
var shelves = []struct{ provider, title string }{
	{"openai", "OpenAI"},
	{"anthropic", "Anthropic"},
	{"gemini", "Google AI Studio"},
	{"vertex", "Google Vertex AI"},
	{"bedrock", "Amazon Bedrock"},
	{"azure", "Azure OpenAI"},
	{"ollama", "Ollama"},
	{"openai-compatible", "OpenAI-compatible"},
	{"anthropic-compatible", "Anthropic-compatible"},
}

// vendors lists whom an account can be at.
func (a *App) vendors() []admin.Vendor {
	var list []admin.Vendor
	for _, s := range shelves {
		if v, ok := a.vendor(s.provider, "", s.title); ok {
			list = append(list, v)
		}
	}
	split := slices.IndexFunc(list, func(v admin.Vendor) bool { return strings.HasSuffix(v.Provider, "-compatible") })
	if split < 0 {
		return list
	}
	var named []admin.Vendor
	for _, preset := range compat.Presets() {
		if preset == "ollama" {
			continue // it is a provider of its own
		}
		v, ok := a.vendor("openai-compatible", preset, compat.Title(preset))
		if !ok {
			v, ok = a.vendor("anthropic-compatible", preset, compat.Title(preset))
		}
		if ok {
			named = append(named, v)
		}
	}
	slices.SortFunc(named, func(x, y admin.Vendor) int {
		return cmp.Compare(strings.ToLower(x.Title), strings.ToLower(y.Title))
	})
	return slices.Insert(list, split, named...)
}

// vendor is that of a provider and a preset: what an account comes out as that
// says nothing else. Some demand more of an account than can be guessed, such
// as a region; their base URL is left out. ok is false if there is no such
// provider, or it does not take the preset.
func (a *App) vendor(name, preset, title string) (v admin.Vendor, ok bool) {
	p := a.providers[name]
	if p == nil {
		return v, false
	}
	v = admin.Vendor{Title: title, Provider: name, Preset: preset}
	if s, signs := p.(provider.Signer); signs {
		v.Login = s.Login().Auth != "" // else programs sign in, and no person
	}
	bare := &provider.Account{Name: name, Provider: name, Preset: preset}
	v.Keyless = p.Prepare(bare) == nil
	keyed := &provider.Account{Name: name, Provider: name, Preset: preset, Key: secret.Of("sk-0123456789abcdef")}
	switch err := p.Prepare(keyed); {
	case err == nil && keyed.BaseURL != nil:
		v.BaseURL = keyed.BaseURL.String()
	case err != nil && preset != "":
		return v, false
	}
	return v, true
}
