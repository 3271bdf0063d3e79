package translate

import (
	"portico/internal/catalog"
	"portico/internal/protocol"
	"portico/internal/provider"
)

// vendors are the providers that made the protocols they speak, or serve them
// for those who did.
var vendors = map[string]bool{
	"openai": true, "azure": true, "anthropic": true, "gemini": true, "vertex": true, "bedrock": true, "code-assist": true, "simulator": true,
}

// FitOf is what is known of model at an account of a provider: by the
// catalogue, which may be nil, and by the quirks of the account's upstream.
func FitOf(c *catalog.Catalog, model string, a *provider.Account, q *provider.Quirks) *protocol.Fit {
	fit := &protocol.Fit{Model: model, Vendor: a.Preset, Native: vendors[a.Provider], Efforts: q.Efforts, Lacks: q.Lacks, Required: q.Required}
	if fit.Vendor == "" {
		fit.Vendor = a.Provider
	}
	m, _ := c.Lookup(model)
	// What the operator says of a model that nobody else knows is not all
	// there is to know of it.
	_, fit.Known = (*catalog.Catalog)(nil).Lookup(model)
	fit.Context, fit.MaxOutput, fit.Reasoning, fit.Images = m.Context, m.MaxOutput, m.Reasoning, m.Images
	if levels := m.Efforts.Levels(); len(q.Efforts) == 0 && len(levels) > 0 {
		fit.Efforts = levels
	}
	return fit
}
