package route

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlan(t *testing.T) {
	table, err := New([]Rule{
		{Match: "claude-*-haiku*", To: []string{"gemini-flash", "gpt-mini"}},
		{Match: "/^o[0-9]/", To: []string{"big"}},
		{Match: "claude-*", To: []string{"mid"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]Plan{
		"claude-3-haiku-x": {"claude-*-haiku*", []string{"gemini-flash", "gpt-mini"}},
		"claude-opus":      {"claude-*", []string{"mid"}},
		"o3-mini":          {"/^o[0-9]/", []string{"big"}},
		"other":            {"", []string{"other"}},
		"":                 {"", []string{""}},
	} {
		if d := cmp.Diff(want, table.Plan(model)); d != "" {
			t.Errorf("%q: (-want +got)\n%s", model, d)
		}
	}
	var none *Table
	if d := cmp.Diff(Plan{Models: []string{"m"}}, none.Plan("m")); d != "" {
		t.Errorf("the nil table: (-want +got)\n%s", d)
	}
}

func TestNewSaysWhichRule(t *testing.T) {
	for name, c := range map[string]struct {
		rule Rule
		says string
	}{
		"a broken expression": {Rule{"/(/", []string{"x"}}, `route 2 ("/(/")`},
		"no target":           {Rule{"x", nil}, "it leads nowhere"},
	} {
		_, err := New([]Rule{{"a", []string{"b"}}, c.rule})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
