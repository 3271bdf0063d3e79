package journal

import (
	"testing"

	"portico/internal/llm"
)

// TestCost: what attempts used that share an answer is priced for their models,
// and the rest for the model that served.
func TestCost(t *testing.T) {
	prices := map[string]float64{"a": 1, "b": 10}
	price := func(model string, u llm.Usage) (float64, bool) {
		p, ok := prices[model]
		return p * float64(u.Total()), ok
	}
	u := func(n int64) llm.Usage { return llm.Usage{Input: n, Output: n} }
	for _, tt := range []struct {
		name  string
		x     Exchange
		usd   float64
		known bool
	}{
		{"nothing", Exchange{Served: "x"}, 0, true},
		{"one attempt", Exchange{Served: "a", Usage: u(2), Attempts: []Attempt{{Model: "b"}, {Model: "a"}}}, 4, true},
		{"only asked for", Exchange{Asked: "a", Usage: u(2)}, 4, true},
		{"no price", Exchange{Served: "x", Usage: u(2)}, 0, false},
		{"two models", Exchange{Served: "a", Usage: u(5), Attempts: []Attempt{{Model: "a", Usage: u(2)}, {Model: "b", Usage: u(3)}}}, 64, true},
		{"a rest", Exchange{Served: "a", Usage: u(5), Attempts: []Attempt{{Model: "a"}, {Model: "b", Usage: u(3)}}}, 64, true},
		{"no price of one", Exchange{Served: "a", Usage: u(5), Attempts: []Attempt{{Model: "a", Usage: u(2)}, {Model: "x", Usage: u(3)}}}, 4, false},
	} {
		if usd, known := tt.x.Cost(price); usd != tt.usd || known != tt.known {
			t.Errorf("%s: %v, %t, want %v, %t", tt.name, usd, known, tt.usd, tt.known)
		}
	}
}
