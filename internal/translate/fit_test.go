package translate

import (
	"slices"
	"testing"

	"portico/internal/catalog"
	"portico/internal/config"
	"portico/internal/provider"
)

func TestFitOf(t *testing.T) {
	openai := &provider.Account{Provider: "openai"}
	groq := &provider.Account{Provider: "openai-compatible", Preset: "groq"}
	fit := FitOf(nil, "gpt-5.5", openai, &provider.None)
	if !fit.Native || !fit.Known || !fit.Reasoning || !fit.Images || fit.Vendor != "openai" || fit.MaxOutput != 128_000 || !slices.Equal(fit.Efforts, []string{"low", "medium", "high", "xhigh"}) {
		t.Errorf("a model of its maker: %+v", fit)
	}
	fit = FitOf(nil, "nobody-knows", openai, &provider.None)
	if fit.Known || fit.Reasoning || fit.MaxOutput != 0 || fit.Efforts != nil {
		t.Errorf("a model that nobody knows: %+v", fit)
	}
	// What the vendor's endpoint knows counts for more than what the model does.
	own := []string{"none", "default", "low"}
	if fit = FitOf(nil, "openai/gpt-oss-120b", groq, &provider.Quirks{Efforts: own}); fit.Native || fit.Vendor != "groq" || !slices.Equal(fit.Efforts, own) {
		t.Errorf("a vendor with levels of its own: %+v", fit)
	}
	c := catalog.New([]config.Model{{ID: "mine", MaxOutput: 7, PriceIn: -1, PriceOut: -1, PriceCacheRead: -1, PriceCacheWrite: -1}})
	if fit = FitOf(c, "mine", groq, &provider.None); fit.Known || fit.MaxOutput != 7 {
		t.Errorf("the operator's word: %+v", fit)
	}
}
