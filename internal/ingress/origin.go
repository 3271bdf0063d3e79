package ingress

import (
	"net/http"
	"strings"

	"portico/internal/access"
)

// A judgement says whether the page that a request comes from may send it.
type judgement uint8

const (
	pass      judgement = iota // no browser, this server's own page, or a person at the address bar
	listed                     // an origin that the operator allows
	keyed                      // a foreign origin, but with a key of its own: the gate decides
	preflight                  // a browser's question whether it may: yes
	foreign                    // no
	simple                     // no: a form could have sent it, and a browser did
)

// judge is the whole of the rule on cross-site requests (spec: security I11,
// SEC-11 to 15). m is what the path means; required says that its plane needs
// a key here; inHeader, that the request shows one in a header.
//
// Browsers tell the origin of a page in Origin and Sec-Fetch-Site, neither of
// which a page can forge. Sec-Fetch-Mode is no sign of a browser: Node sends
// it too.
func (st *state) judge(r *http.Request, m *match, required, inHeader bool) judgement {
	h := r.Header
	origins, sites := h["Origin"], h["Sec-Fetch-Site"]
	if len(origins) == 0 && len(sites) == 0 {
		switch {
		case upgrades(h) && browser(h):
			return foreign
		case mayChange(r.Method) && browser(h) && formType(h) && !ownHeader(h):
			return simple
		}
		return pass
	}
	if own(origins, sites, r.Host) {
		if upgrades(h) && len(origins) == 0 {
			return foreign // a browser always names the origin of an upgrade
		}
		return pass
	}
	if m.page && visits(r) {
		return pass
	}
	if len(origins) != 1 || m.plane == access.Admin || m.plane == access.Open {
		return foreign
	}
	asks := r.Method == http.MethodOptions && len(h["Access-Control-Request-Method"]) > 0
	if st.origins[strings.ToLower(origins[0])] {
		if asks {
			return preflight
		}
		return listed
	}
	switch {
	case m.plane != access.Data || !required || upgrades(h):
		return foreign
	case asks && asksForKey(h):
		return preflight
	case !asks && inHeader:
		return keyed
	}
	return foreign
}

// own reports whether both headers say that a request comes from a page of
// this server at the very name host, which was checked before, or from no page
// at all.
func own(origins, sites []string, host string) bool {
	for _, s := range sites {
		if s != "same-origin" && s != "none" {
			return false
		}
	}
	for _, o := range origins {
		rest, ok := strings.CutPrefix(o, "http://")
		if !ok {
			if rest, ok = strings.CutPrefix(o, "https://"); !ok { // a proxy before this server may speak TLS
				return false
			}
		}
		if !strings.EqualFold(rest, host) {
			return false
		}
	}
	return len(origins) <= 1
}

// visits reports whether r is a person who follows a link to a page, which
// shows the page to nobody but that person.
func visits(r *http.Request) bool {
	h := r.Header
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && len(h["Origin"]) == 0 &&
		h.Get("Sec-Fetch-Mode") == "navigate" && h.Get("Sec-Fetch-Dest") == "document"
}

// keyHeaders are the headers that a page can only set if this server allows it.
var keyHeaders = [...]string{"authorization", "x-api-key", "x-goog-api-key"}

// ownHeader reports whether a request has a header that no page could have set
// without a preflight.
func ownHeader(h http.Header) bool {
	return len(h["Authorization"]) > 0 || len(h["X-Api-Key"]) > 0 || len(h["X-Goog-Api-Key"]) > 0
}

func asksForKey(h http.Header) bool {
	for _, v := range h["Access-Control-Request-Headers"] {
		for name := range strings.SplitSeq(v, ",") {
			name = strings.TrimSpace(name)
			for _, k := range keyHeaders {
				if strings.EqualFold(name, k) {
					return true
				}
			}
		}
	}
	return false
}

// upgrades reports whether a request asks for a WebSocket. Other upgrades may
// be ignored: Java's client asks for HTTP/2 with every first request.
func upgrades(h http.Header) bool {
	for _, v := range h["Upgrade"] {
		if strings.Contains(strings.ToLower(v), "websocket") {
			return true
		}
	}
	return false
}

// browser reports whether a request that names no origin looks as if a browser
// had sent it all the same: an old one, or one that hides where it comes from.
func browser(h http.Header) bool {
	return len(h["Sec-Fetch-Dest"]) > 0 || len(h["Referer"]) > 0 || len(h["Cookie"]) > 0 || strings.HasPrefix(h.Get("User-Agent"), "Mozilla/")
}

func mayChange(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

// formType reports whether the content type is one that a page can send to
// anybody without asking.
func formType(h http.Header) bool {
	switch mediaType(h) {
	case "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data":
		return true
	}
	return false
}

// mediaType is the content type without parameters, in lower case.
func mediaType(h http.Header) string {
	v := h["Content-Type"]
	if len(v) == 0 {
		return ""
	}
	if v[0] == "application/json" {
		return v[0]
	}
	t, _, _ := strings.Cut(v[0], ";")
	return strings.ToLower(strings.TrimSpace(t))
}

const (
	corsMethods = "GET, POST, PUT, PATCH, DELETE"
	corsAge     = "600" // seconds; browsers remember a preflight no longer than that
	corsExpose  = "x-portico-request-id, x-portico-loss, retry-after"
	maxAsked    = 2048 // bytes of the header names that a preflight may ask for
)

// answerPreflight says yes. The key itself is judged when the request comes.
func answerPreflight(h, asked http.Header, listed bool) {
	origin := asked["Origin"]
	h["Access-Control-Allow-Origin"] = origin
	h["Access-Control-Allow-Methods"] = []string{corsMethods}
	h["Access-Control-Max-Age"] = []string{corsAge}
	h["Vary"] = []string{"Origin, Access-Control-Request-Headers"}
	if names := strings.Join(asked["Access-Control-Request-Headers"], ", "); names != "" && len(names) <= maxAsked {
		h["Access-Control-Allow-Headers"] = []string{names}
	}
	// A public page may ask for a server on a private address only if the
	// operator wants it to.
	if listed && len(asked["Access-Control-Request-Private-Network"]) > 0 {
		h["Access-Control-Allow-Private-Network"] = []string{"true"}
	}
}

// allowOrigin lets the page that sent an admitted request read the answer.
func allowOrigin(h http.Header, origin []string) {
	h["Access-Control-Allow-Origin"] = origin
	h["Access-Control-Expose-Headers"] = exposed
	h["Vary"] = varyOrigin
}

// Values that every answer shares; nobody changes them.
var (
	exposed    = []string{corsExpose}
	varyOrigin = []string{"Origin"}
)
