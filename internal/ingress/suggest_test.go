package ingress

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b  string
		limit int
		want  int
	}{
		{"", "", 5, 0},
		{"abc", "abc", 5, 0},
		{"abc", "ABC", 5, 0},
		{"abc", "abd", 5, 1},
		{"abc", "bc", 5, 1},
		{"abc", "xabc", 5, 1},
		{"kitten", "sitting", 9, 3},
		{"kitten", "sitting", 3, 3},
		{"kitten", "sitting", 2, 2},
		{"a", strings.Repeat("b", 48), 5, 5},
		{"abcdef", "uvwxyz", 4, 4},
	} {
		if got := distance(tt.a, tt.b, tt.limit); got != tt.want {
			t.Errorf("distance(%q, %q, %d) = %d, want %d", tt.a, tt.b, tt.limit, got, tt.want)
		}
	}
}

func TestSuggest(t *testing.T) {
	for in, want := range map[string]string{
		"/mesages": "/messages", "/embedding": "/embeddings", "/x": "", "": "", "/": "", "/models2": "/models",
		"/vector_store": "/vector_stores", strings.Repeat("/responses", 5): "",
	} {
		if got := suggest(in); got != want {
			t.Errorf("suggest(%q) = %q, want %q", in, got, want)
		}
	}
	for i := range entries { // so that suggest finds all of them
		if len(entries[i].path) > maxPath {
			t.Errorf("%s is longer than maxPath", entries[i].path)
		}
	}
}
