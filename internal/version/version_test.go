package version

import (
	"runtime/debug"
	"testing"
)

func TestOf(t *testing.T) {
	for want, info := range map[string]*debug.BuildInfo{
		"devel":  {},
		"v1.2.3": {Main: debug.Module{Version: "v1.2.3"}},
		"devel-0123456789ab-dirty": {Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"},
		}},
	} {
		if got := of(info); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
