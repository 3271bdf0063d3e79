package openaiwire

import "testing"

func TestNearest(t *testing.T) {
	newest := []string{"none", "low", "medium", "high", "max"}
	for _, c := range []struct {
		want   string
		levels []string
		out    string
	}{
		{"high", nil, "high"},
		{"medium", newest, "medium"},
		{"xhigh", newest, "high"},
		{"minimal", newest, "low"},
		{"none", newest, "none"},
		{"none", []string{"minimal", "low"}, "minimal"},
		{"low", []string{"high"}, "high"},
		{"low", []string{"none"}, "none"},
		{"unheard", newest, "unheard"},
	} {
		if got := Nearest(c.want, c.levels); got != c.out {
			t.Errorf("%s of %v is %s, want %s", c.want, c.levels, got, c.out)
		}
	}
}
