package llm

import "testing"

// TestUsage: counts are summed one by one, and taken away again.
func TestUsage(t *testing.T) {
	var u Usage
	n := int64(1)
	for _, p := range append([]*int64{&u.Input, &u.CacheRead, &u.CacheWrite, &u.Output, &u.Reasoning, &u.CacheHour}, details(&u)...) {
		*p = n
		n *= 3
	}
	if got := u.Plus(u).Minus(u); got != u {
		t.Errorf("%+v, want %+v", got, u)
	}
	if got := u.Minus(u); got != (Usage{}) {
		t.Errorf("%+v is left", got)
	}
	if u.Total() != 1+3+9+27+81 || u.Read() != 1+3+9 {
		t.Errorf("%d in all, %d read", u.Total(), u.Read())
	}
}

func details(u *Usage) []*int64 {
	all := u.Details()
	return all[:]
}

// TestFitted: no part is larger than what it is a part of.
func TestFitted(t *testing.T) {
	for _, tt := range []struct{ in, want Usage }{
		{Usage{Input: 5, Output: 3}, Usage{Input: 5, Output: 3}},
		{Usage{Input: 5, CacheWrite: 4, CacheHour: 3, CacheHalfDay: 9}, Usage{Input: 5, CacheWrite: 4, CacheHour: 3, CacheHalfDay: 1}},
		{Usage{Input: 5, CacheRead: 2, AudioIn: 6, ImageIn: 9}, Usage{Input: 5, CacheRead: 2, AudioIn: 6, ImageIn: 1}},
		{Usage{Output: 5, Reasoning: 9, AudioOut: 2, ImageOut: 9}, Usage{Output: 5, Reasoning: 9, AudioOut: 2, ImageOut: 3}},
		{Usage{AudioIn: -1, ImageOut: -1, Searches: -2, Fetches: 3}, Usage{Fetches: 3}},
	} {
		if got := tt.in.Fitted(); got != tt.want {
			t.Errorf("%+v: %+v, want %+v", tt.in, got, tt.want)
		}
	}
}
