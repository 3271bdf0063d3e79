package admin

import (
	"net/http"
	"net/http/pprof"
	"strings"
)

// serveProfile serves the profiles of Go's runtime below /debug/pprof/. The
// import registers them with http.DefaultServeMux too, which nobody serves.
func serveProfile(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, "/debug/pprof/")
	if !ok {
		notFound(r).write(w, r)
		return
	}
	if name != "symbol" && !reads(w, r) {
		return
	}
	switch name {
	case "cmdline":
		pprof.Cmdline(w, r)
	case "profile":
		pprof.Profile(w, r)
	case "symbol":
		pprof.Symbol(w, r)
	case "trace":
		pprof.Trace(w, r)
	default:
		pprof.Index(w, r)
	}
}
