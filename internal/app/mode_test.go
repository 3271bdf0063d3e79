package app

import (
	"slices"
	"strings"
	"testing"

	"portico/internal/config"
	"portico/internal/route"
	"portico/internal/schedule"
)

// TestPresetNames: what the configuration takes as a preset is what there is.
func TestPresetNames(t *testing.T) {
	var names []string
	for _, p := range route.Presets() {
		names = append(names, p.Name)
	}
	for _, k := range config.Keys() {
		if k.Name == "routing.presets" {
			if !strings.Contains(k.Doc, ": "+strings.Join(names, ", ")+".") {
				t.Errorf("there are %v; the configuration knows: %s", names, k.Doc)
			}
			return
		}
	}
	t.Error("there is no key routing.presets")
}

// TestPresetRules: presets come after the operator's routes and before the
// aliases.
func TestPresetRules(t *testing.T) {
	c := config.Default()
	c.Routes = []config.Route{{Match: "claude-x", To: []string{"own"}}}
	c.Aliases = map[string]string{"claude-*": "alias", "fast": "alias"}
	c.Routing.Presets = map[string]string{"claude-code": "preset"}
	rules, err := rulesOf(c)
	if err != nil {
		t.Fatal(err)
	}
	table, err := route.New(rules)
	if err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]string{"claude-x": "own", "claude-y": "preset", "fast": "alias", "other": "other"} {
		if p := table.Plan(model, nil); p.Models[0] != want {
			t.Errorf("%s goes to %v, want %s", model, p.Models, want)
		}
	}
	c.Routing.Presets = map[string]string{"none": "m"}
	if _, err := rulesOf(c); err == nil {
		t.Error("a preset that is none is taken")
	}
}

// TestModes: what the configuration takes as a mode is what there is.
func TestModes(t *testing.T) {
	keys := config.Keys()
	i := slices.IndexFunc(keys, func(k config.Key) bool { return k.Name == "scheduling.mode" })
	if want := strings.Join(schedule.Names(), ", "); !strings.HasSuffix(keys[i].Type, want) || keys[i].Default != schedule.Names()[0] {
		t.Errorf("the configuration takes %q, by default %s; there are %s", keys[i].Type, keys[i].Default, want)
	}
}
