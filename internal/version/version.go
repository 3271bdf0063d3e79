// Package version says which build this is.
package version

import (
	"runtime/debug"
	"strings"
)

// Version is set by the linker:
//
//	go build -ldflags "-X portico/internal/version.Version=v1.2.3"
var Version string

// String is the stamped version; else that of the module, if it was installed
// as one; else "devel" and the commit it was built from.
func String() string {
	if Version != "" {
		return Version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	return of(info)
}

func of(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	var out strings.Builder
	out.WriteString("devel")
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && s.Value != "":
			out.WriteString("-" + s.Value[:min(12, len(s.Value))])
		case s.Key == "vcs.modified" && s.Value == "true":
			out.WriteString("-dirty")
		}
	}
	return out.String()
}
