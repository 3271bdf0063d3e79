package route

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlan(t *testing.T) {
	table, err := New([]Rule{
		{Match: "claude-*-haiku*", To: []string{"gemini-flash", "gpt-mini"}, On: []string{"overloaded"}},
		{Match: "/^o[0-9]/", To: []string{"big"}},
		{Match: "claude-*", To: []string{"mid"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]Plan{
		"claude-3-haiku-x": {Rule: "claude-*-haiku*", Models: []string{"gemini-flash", "gpt-mini"}, On: []string{"overloaded"}},
		"claude-opus":      {Rule: "claude-*", Models: []string{"mid"}},
		"o3-mini":          {Rule: "/^o[0-9]/", Models: []string{"big"}},
		"other":            {Models: []string{"other"}},
		"":                 {Models: []string{""}},
	} {
		got := table.Plan(model, func() Facts { t.Error("a name that decides alone was looked behind"); return Facts{} })
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q: (-want +got)\n%s", model, d)
		}
	}
	var none *Table
	if d := cmp.Diff(Plan{Models: []string{"m"}}, none.Plan("m", nil)); d != "" {
		t.Errorf("the nil table: (-want +got)\n%s", d)
	}
}

func TestPlanWhen(t *testing.T) {
	table, err := New([]Rule{
		{Match: "*", To: []string{"cheap"}, When: When{Background: "title"}},
		{Match: "*", To: []string{"errands"}, When: When{Background: Any}},
		{Match: "m", To: []string{"eyes"}, When: When{Needs: Vision | Tools}},
		{Match: "m", To: []string{"long"}, When: When{Over: 1000}},
		{Match: "m", To: []string{"short"}, When: When{Under: 10}},
		{Match: "m", To: []string{"writer"}, When: When{OutputOver: 500}},
		{Match: "m", To: []string{"rest"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		model string
		facts Facts
		want  string
		rule  string
	}{
		{"m", Facts{Tokens: 100}, "rest", "m"},
		{"m", Facts{Tokens: 1000}, "rest", "m"},
		{"m", Facts{Tokens: 1001}, "long", "m (over 1000 tokens)"},
		{"m", Facts{Tokens: 9}, "short", "m (under 10 tokens)"},
		{"m", Facts{Tokens: 10}, "rest", "m"},
		{"m", Facts{Tokens: 100, Output: 500}, "rest", "m"},
		{"m", Facts{Tokens: 100, Output: 501}, "writer", "m (answers over 500 tokens)"},
		{"m", Facts{Tokens: 2000, Needs: Vision | Tools | Schema}, "eyes", "m (with vision+tools)"},
		{"m", Facts{Tokens: 100, Needs: Vision}, "rest", "m"},
		{"m", Facts{Tokens: 100, Background: "title"}, "cheap", "* (background title)"},
		{"m", Facts{Tokens: 100, Background: "topic"}, "errands", "* (background topic)"},
		{"m", Facts{Tokens: 100, Background: "summary"}, "rest", "m"},
		{"n", Facts{Tokens: 2000}, "n", ""},
	} {
		looks := 0
		got := table.Plan(c.model, func() Facts { looks++; return c.facts })
		if got.Models[0] != c.want || got.Rule != c.rule || looks != 1 {
			t.Errorf("%s with %+v: %v by %q after %d looks, want %s by %q after one", c.model, c.facts, got.Models, got.Rule, looks, c.want, c.rule)
		}
	}
	if got := table.Plan("m", nil); got.Models[0] != "rest" {
		t.Errorf("of a name alone: %v, want rest", got.Models)
	}
}

func TestSpecific(t *testing.T) {
	rules := []Rule{
		{Match: "/haiku/"},
		{Match: "claude-*"},
		{Match: "*"},
		{Match: "claude-*-haiku*"},
		{Match: "claude-opus"},
		{Match: "claude-?"},
		{Match: "claude-*", When: When{Over: 1}},
		{Match: "/opus/"},
	}
	Specific(rules)
	var got []string
	for i := range rules {
		got = append(got, strings.TrimSpace(rules[i].Match+" "+rules[i].When.text()))
	}
	want := []string{"claude-opus", "claude-*-haiku*", "claude-* over 1 tokens", "claude-*", "claude-?", "*", "/haiku/", "/opus/"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestParseNeeds(t *testing.T) {
	n, bad := ParseNeeds([]string{"tools", "vision"})
	if n != Vision|Tools || bad != "" {
		t.Errorf("got %v, %q", n, bad)
	}
	if _, bad := ParseNeeds([]string{"tools", "speed"}); bad != "speed" {
		t.Errorf("got %q, want speed", bad)
	}
	if n, _ := ParseNeeds(Needs()); n != Vision|Audio|Documents|Tools|Thinking|Schema {
		t.Errorf("all of them are %v", n)
	}
}

func TestNewSaysWhichRule(t *testing.T) {
	for name, c := range map[string]struct {
		rule Rule
		says string
	}{
		"a broken expression": {Rule{Match: "/(/", To: []string{"x"}}, `route 2 ("/(/")`},
		"no target":           {Rule{Match: "x"}, "it leads nowhere"},
	} {
		_, err := New([]Rule{{Match: "a", To: []string{"b"}}, c.rule})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestPrefer: a route may prefer accounts, with or without another model.
func TestPrefer(t *testing.T) {
	table, err := New([]Rule{{Match: "a*", Prefer: []string{"work", "eu-*"}}, {Match: "b", To: []string{"c"}, Prefer: []string{"home"}}})
	if err != nil {
		t.Fatal(err)
	}
	if p := table.Plan("abc", nil); p.Rule != "a*" || !slices.Equal(p.Models, []string{"abc"}) || !p.Prefer.Match("eu-1") || p.Prefer.Match("us-1") {
		t.Errorf("%+v", p)
	}
	if p := table.Plan("b", nil); !slices.Equal(p.Models, []string{"c"}) || !p.Prefer.Match("home") {
		t.Errorf("%+v", p)
	}
	if p := table.Plan("x", nil); len(p.Prefer) > 0 {
		t.Errorf("%+v", p)
	}
	for _, r := range []Rule{{Match: "a"}, {Match: "a", Prefer: []string{"/(/"}}} {
		if _, err := New([]Rule{r}); err == nil {
			t.Errorf("%+v is taken", r)
		}
	}
}
