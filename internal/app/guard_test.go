package app

import (
	"testing"

	"portico/internal/config"
)

// TestGuardOf: what is kept of shares and what of money are apart.
func TestGuardOf(t *testing.T) {
	usd := map[string]float64{"USD": 2}
	for _, tt := range []struct {
		name  string
		p     config.Protect
		share float64
		money float64
		none  bool
	}{
		{"nothing", config.Protect{Percent: 10}, 0, 0, true},
		{"shares", config.Protect{Enabled: true, Percent: 10}, .1, 0, false},
		{"money alone", config.Protect{Percent: 10, Balance: usd}, 0, 2, false},
		{"both", config.Protect{Enabled: true, Percent: 10, Balance: usd}, .1, 2, false},
	} {
		g, err := guardOf(&tt.p)
		if err != nil || (g == nil) != tt.none {
			t.Fatalf("%s: %+v, %v", tt.name, g, err)
		}
		if g != nil && (g.Else != tt.share || g.Money["USD"] != tt.money) {
			t.Errorf("%s: %+v", tt.name, g)
		}
	}
}
