package ingress

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"portico/internal/access"
	"portico/internal/protocol"
	"portico/internal/protocol/gemini"
)

// A kind is what is done with a request.
type kind uint8

// The kinds.
const (
	toAdmin kind = iota // the operator's handler
	carry               // to the relay
	list                // the list of models
	look                // one model
	unknown             // a path of the data plane that there is not
	health
	ready
	hello
)

// A match is what a path means.
type match struct {
	kind  kind
	plane access.Plane
	page  bool // a page for people
	id    bool // the path ends in an id, in which an escaped slash may stand
	in    dialect
	op    protocol.Op
	take  methods
	// path is what goes to the relay, see provider.Target; for a look-up it
	// is the model's id, unescaped.
	path   string
	model  string // Gemini names it in the path
	stream bool
}

// matchPath finds what path, which is escaped, means for a request with
// method, headers and query. It is a pure function.
func matchPath(method, path string, h http.Header, query string) match {
	if f, ok := fixedPaths[path]; ok {
		return match{kind: f.kind, plane: f.plane, take: get | head}
	}
	if under(path, "/upload/v1beta") || under(path, "/upload/v1") {
		return match{kind: carry, in: asGemini, take: post | put, path: path}
	}
	path = tidy(path)
	at, versioned := version(path)
	rest := path[at:]
	if !versioned && (!bare[segment(rest)] || wantsPage(method, h)) {
		return match{
			kind: toAdmin, plane: access.Admin,
			page: !under(path, "/api") && !under(path, "/metrics") && !under(path, "/debug"),
		}
	}
	m := match{in: familyOf(path[:at], h, query)}
	if strings.HasPrefix(rest, "/models/") {
		matchModels(&m, method, rest)
	} else if !m.find(method, rest) {
		m.kind = unknown
		if segment(rest) == "messages" {
			m.in = asAnthropic
		}
	}
	if m.in == asAnthropic && m.kind == carry {
		if strings.HasSuffix(path[:at], "/v1") {
			m.path = path[at-len("/v1"):]
		} else {
			m.path = "/v1" + rest
		}
	}
	return m
}

// socket reports whether the path is one to which a WebSocket can be opened
// with method: Codex and OpenAI's SDKs do that with Responses (spec: upstreams
// §1B.6).
func (m *match) socket(method string) bool {
	return m.kind == carry && m.in == asResponses && m.path == "/responses" && method == http.MethodGet
}

// find looks rest up in the entries: the whole, then what it may lie below.
func (m *match) find(method, rest string) bool {
	e, below := byPath[rest], false
	for p := rest; e == nil || below && e.more == 0; below = true {
		i := strings.LastIndexByte(p, '/')
		if i <= 0 {
			return false
		}
		p = p[:i]
		e = byPath[p]
	}
	m.kind, m.path, m.take = carry, rest, e.take
	if below {
		m.take = e.more
	}
	if e.in != byHeader {
		m.in = e.in
	}
	switch {
	case m.take == 0:
		return false
	case e.path == "/models":
		m.kind = list
	case method != http.MethodPost:
	case !below:
		m.op = e.op
	case e.in == asGemini:
		m.verb(rest)
	}
	return true
}

// matchModels matches what lies below /models: a look-up, or what only Gemini
// has there. An OpenAI model may have a colon in its name too, so that what
// looks like a method of Gemini's is one only in a POST.
func matchModels(m *match, method, rest string) {
	id := rest[len("/models/"):]
	m.id = true
	switch isMethod := m.verb(rest); {
	case strings.Contains(id, "/operations/"):
		m.kind, m.in, m.path, m.take = carry, asGemini, rest, get|post|del
		return
	case isMethod && (method == http.MethodPost || m.in == asGemini):
		m.kind, m.in, m.path, m.take = carry, asGemini, rest, post
		return
	}
	m.op, m.model, m.stream = protocol.Other, "", false
	m.kind, m.take = look, get|head
	if m.in == asChat {
		m.take |= del // a fine-tuned model
		if method == http.MethodDelete {
			m.kind, m.path = carry, rest
			return
		}
	}
	if s, err := url.PathUnescape(id); err == nil {
		id = s
	}
	m.path = strings.TrimPrefix(id, "models/")
}

// verb reads the model and the method that Gemini has in a path, if there is a
// method in it.
func (m *match) verb(path string) bool {
	p, ok := gemini.ParsePath(path)
	if !ok {
		return false
	}
	m.op, m.model, m.stream = p.Op, p.Model, p.Stream
	return p.Method != ""
}

// version is where the version prefix of path ends. A client whose base URL
// names the version that it adds itself doubles it; the last one counts.
func version(path string) (end int, ok bool) {
	for range 3 {
		n := 0
		for _, v := range [...]string{"/v1beta", "/v1alpha", "/v1", "/openai"} {
			// Google's address for OpenAI's clients is /v1beta/openai.
			if under(path[end:], v) && (v != "/openai" || ok) {
				n = len(v)
				break
			}
		}
		if n == 0 {
			break
		}
		end, ok = end+n, true
	}
	return end, ok
}

// under reports whether path is prefix or lies below it.
func under(path, prefix string) bool {
	return strings.HasPrefix(path, prefix) && (len(path) == len(prefix) || path[len(prefix)] == '/')
}

// segment is the first segment of path.
func segment(path string) string {
	s := strings.TrimPrefix(path, "/")
	if i := strings.IndexByte(s, '/'); i >= 0 {
		s = s[:i]
	}
	return s
}

// place is what of an escaped path is the gateway's own and not the client's,
// who may have put anything there, a key too: its version and the longest path
// that there is.
func place(path string) string {
	path = tidy(path)
	if _, ok := fixedPaths[path]; ok {
		return path
	}
	at, versioned := version(path)
	rest := path[at:]
	if !versioned && !bare[segment(rest)] {
		for _, p := range [...]string{"/api", "/metrics", "/debug", "/upload"} {
			if under(path, p) {
				return p
			}
		}
		return "/"
	}
	for p := rest; p != ""; p = p[:strings.LastIndexByte(p, '/')] {
		if byPath[p] != nil {
			return path[:at] + p
		}
	}
	return path[:at]
}

// tidy drops the slashes that a base URL with a slash at its end leaves.
func tidy(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}

// familyOf is whose dialect a client expects on a path that several vendors
// have (spec: clients §2.6).
func familyOf(prefix string, h http.Header, query string) dialect {
	switch {
	case len(h["X-Goog-Api-Key"]) > 0 || len(h["X-Goog-Api-Client"]) > 0:
		return asGemini
	case len(h["Anthropic-Version"]) > 0:
		return asAnthropic
	case strings.HasSuffix(prefix, "/v1beta") || strings.HasSuffix(prefix, "/v1alpha"):
		return asGemini
	case strings.Contains(query, "key=") && access.StripKey(query) != query:
		return asGemini
	}
	return asChat
}

// wantsPage reports whether a browser asks for a page of the UI, which may
// have the name of a path of the data plane.
func wantsPage(method string, h http.Header) bool {
	return method == http.MethodGet && strings.Contains(h.Get("Accept"), "text/html")
}

// soundPath reports whether a path is one that an honest client sends: UTF-8
// without control characters, backslashes and dot segments, however they are
// escaped. slashed says that a slash is escaped in it.
func soundPath(u *url.URL) (slashed, ok bool) {
	p := u.Path
	if p == "" || p[0] != '/' {
		return false, false
	}
	odd, dots := false, false
	for i := range len(p) {
		switch c := p[i]; {
		case c < ' ' || c == '\\' || c == 0x7f:
			return false, false
		case c >= utf8.RuneSelf:
			odd = true
		case c == '.' && p[i-1] == '/':
			dots = true
		}
	}
	if odd && !utf8.ValidString(p) {
		return false, false
	}
	if dots {
		for s := range strings.SplitSeq(p, "/") {
			if s == "." || s == ".." {
				return false, false
			}
		}
	}
	if u.RawPath != "" {
		slashed = strings.Contains(u.RawPath, "%2f") || strings.Contains(u.RawPath, "%2F")
	}
	return slashed, true
}
