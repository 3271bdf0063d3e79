package config

import (
	"strings"
	"testing"
)

func TestLabels(t *testing.T) {
	for s, want := range map[string]bool{
		"": true, "Büro, 2. Stock": true, "名前": true, strings.Repeat("é", 128): true, strings.Repeat("a", 129): false, "a\nb": false, "\x1b[1m": false, "a\u202eb": false, "\xff": false,
	} {
		if got, err := CheckLabel(s); (err == nil) != want || err == nil && got != s {
			t.Errorf("the label %q: %q, %v", s, got, err)
		}
	}
	for s, want := range map[string]bool{
		"team:a": true, "prod": true, "v1.2_x-y": true, "büro": true, "": false, "a b": false, "a,b": false, "<b>": false, strings.Repeat("é", 32): true, strings.Repeat("a", 33): false,
	} {
		if got, err := CheckTag(s); (err == nil) != want || err == nil && got != s {
			t.Errorf("the tag %q: %q, %v", s, got, err)
		}
	}
}
