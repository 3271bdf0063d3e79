// Package web holds what a browser is shown: one page that says how the gateway
// is doing and how to connect to it.
//
// The page is the same for everybody and holds nothing secret. What needs the
// admin token it asks the admin API for, once somebody has typed the token,
// and it keeps the token in memory only.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html"
	"net/http"
	"strconv"
	"strings"
)

//go:embed static
var static embed.FS

// Policy is the Content-Security-Policy of the page: nothing from elsewhere,
// nothing inline, no frame around it, and no text that becomes code.
const Policy = "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; " +
	"form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// Info is what the page says of the gateway to everybody.
type Info struct {
	Version string
	Address string // host and port
	Model   string // a model that answers everybody, for the examples; "" if there is none
}

// types are the media types of what there is.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// A file is what one path serves.
type file struct {
	kind, tag string
	body      []byte
}

// Handler serves the page at / and its files beside it. They are made once;
// a request costs a look-up in a map of a few names.
func Handler(i Info) (http.Handler, error) {
	entries, err := static.ReadDir("static")
	if err != nil {
		return nil, err
	}
	fill := strings.NewReplacer("{{version}}", html.EscapeString(i.Version), "{{address}}", html.EscapeString(i.Address), "{{model}}", html.EscapeString(i.Model))
	files := make(map[string]file, len(entries))
	for _, e := range entries {
		body, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, err
		}
		path, kind := "/"+e.Name(), types[e.Name()[strings.LastIndexByte(e.Name(), '.'):]]
		if e.Name() == "index.html" {
			path, body = "/", []byte(fill.Replace(string(body)))
		}
		sum := sha256.Sum256(body)
		files[path] = file{kind: kind, tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, body: bytes.Clone(body)}
	}
	return handler(files), nil
}

type handler map[string]file

// ServeHTTP implements http.Handler.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", Policy)
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Cache-Control", "no-cache") // kept, but asked for anew: a new version shows at once
	f, ok := h[r.URL.Path]
	switch {
	case !ok:
		say(w, r, http.StatusNotFound, "There is nothing here. The page is at /, the endpoints for AI clients are at /v1 and /v1beta.\n")
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		head.Set("Allow", "GET, HEAD")
		say(w, r, http.StatusMethodNotAllowed, "This takes GET and HEAD only.\n")
		return
	}
	head.Set("ETag", f.tag)
	if matches(r.Header.Get("If-None-Match"), f.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	head.Set("Content-Type", f.kind)
	send(w, r, http.StatusOK, f.body)
}

func say(w http.ResponseWriter, r *http.Request, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	send(w, r, status, []byte(text))
}

func send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a browser that has left misses nothing
	}
}

// matches reports whether tag is among those of an If-None-Match.
func matches(header, tag string) bool {
	for t := range strings.SplitSeq(header, ",") {
		if t = strings.TrimPrefix(strings.TrimSpace(t), "W/"); t == tag || t == "*" {
			return true
		}
	}
	return false
}
