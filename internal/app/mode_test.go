package app

import (
	"slices"
	"strings"
	"testing"

	"portico/internal/config"
	"portico/internal/schedule"
)

// TestModes: what the configuration takes as a mode is what there is.
func TestModes(t *testing.T) {
	keys := config.Keys()
	i := slices.IndexFunc(keys, func(k config.Key) bool { return k.Name == "scheduling.mode" })
	if want := strings.Join(schedule.Names(), ", "); !strings.HasSuffix(keys[i].Type, want) || keys[i].Default != schedule.Names()[0] {
		t.Errorf("the configuration takes %q, by default %s; there are %s", keys[i].Type, keys[i].Default, want)
	}
}
