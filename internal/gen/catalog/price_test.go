package main

import (
	"slices"
	"testing"

	"charm.land/catwalk/pkg/catwalk"
)

func TestCachePrices(t *testing.T) {
	tests := []struct {
		name                    string
		in, inCached, outCached float64
		read, write             float64
	}{
		{"none", 5, 0, 0, -1, -1},
		{"written by hand: write, read", 4, 5, 0.2, 0.2, 5},
		{"read only", 2.5, 0, 1.25, 1.25, -1},
		{"the other way round", 0.14, 0.0028, 0, 0.0028, -1},
		{"read in both", 1.25, 0.125, 0.125, 0.125, -1},
		{"write only", 4, 5, 0, -1, 5},
		{"the output's price copied", 0.3, 0.03, 2.5, 0.03, -1},
		{"another model's write", 0.6, 0.375, 0.06, 0.06, -1},
		{"too dear to be a read", 1.5, 0, 1, -1, -1},
	}
	for _, tt := range tests {
		if read, write := cachePrices(tt.in, tt.inCached, tt.outCached); read != tt.read || write != tt.write {
			t.Errorf("%s: read %v, write %v; want %v, %v", tt.name, read, write, tt.read, tt.write)
		}
	}
}

func TestTable(t *testing.T) {
	got := table([]catwalk.Provider{
		{ID: "aihubmix", Models: []catwalk.Model{{ID: "claude-x-4-5", CostPer1MIn: 9, CostPer1MOut: 9}, {ID: "own", ContextWindow: 10, DefaultMaxTokens: 20}}},
		{ID: "copilot", Models: []catwalk.Model{{ID: "claude-x-4.5", ContextWindow: 1}}},
		{ID: "openrouter", Models: []catwalk.Model{
			{ID: "anthropic/claude-x-4.5", Name: "Anthropic:  Claude\tX", ContextWindow: 1000, DefaultMaxTokens: 10},
			{ID: "z/y:free", Name: "Y"},
		}},
		{ID: "anthropic", Models: []catwalk.Model{{ID: "claude-x-4-5-20250929", ContextWindow: 1000, DefaultMaxTokens: 100, CostPer1MIn: 1, CostPer1MOut: 5, CanReason: true, SupportsImages: true}}},
		{ID: "openai", Models: []catwalk.Model{{ID: "GPT", Name: "GPT", ContextWindow: 1_050_000, CostPer1MIn: 0.39999999999999997, CostPer1MOut: 2}}},
	})
	want := []string{
		"anthropic/claude-x-4.5\tAnthropic: Claude X\t1000\t100\t1\t5\t\t\t\t",
		"claude-x-4-5\t=claude-x-4-5-20250929",
		"claude-x-4-5-20250929\t\t1000\t100\t1\t5\t\t\tri\t",
		"gpt\t\t1050000\t0\t0.4\t2\t\t\t\t272000:0.8:3::",
		"own\t\t10\t10\t\t\t\t\t\t",
		"y\t=z/y:free",
		"z/y:free\tY\t0\t0\t0\t0\t\t\t\t",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
