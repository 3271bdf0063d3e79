// Package web holds what a browser is shown: a page that is built from web/ui
// and put into the binary, compressed.
//
// The page is the same for everybody and holds nothing secret. What it shows it
// asks the admin API for, which wants to know who asks.
//
// A binary that was built without Node has no page. It says so, and how to make
// one.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed absent.html
var absent []byte

// built is what `make build` made of web/ui: index.html as it is, all else
// twice, as .br and as .gz, under names that change with what is in them.
//
//go:embed all:dist
var built embed.FS

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

// Paths are those of the page: each shows another part of it.
var Paths = []string{"/", "/accounts", "/proxy", "/monitor", "/stats", "/security", "/settings"}

// types are the media types of what there is.
var types = map[string]string{
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".html": "text/html; charset=utf-8",
}

// assets is where files lie whose names change with what is in them.
const assets = "/assets/"

// Handler serves the page and its files. Nothing is read before it is asked for.
func Handler(i Info) (http.Handler, error) {
	dist, err := fs.Sub(built, "dist")
	if err != nil {
		return nil, err
	}
	return newHandler(dist, i), nil
}

// newHandler serves what lies in dist.
func newHandler(dist fs.FS, i Info) *handler {
	page, err := fs.ReadFile(dist, "index.html")
	if err != nil {
		page = absent
	}
	fill := strings.NewReplacer("{{version}}", html.EscapeString(i.Version), "{{address}}", html.EscapeString(i.Address), "{{model}}", html.EscapeString(i.Model))
	h := &handler{dist: dist, page: []byte(fill.Replace(string(page)))}
	sum := sha256.Sum256(h.page)
	h.tag = `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return h
}

type handler struct {
	dist fs.FS
	page []byte // index.html
	tag  string // its ETag
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", Policy)
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Cache-Control", "no-cache") // kept, but asked for anew: a new version shows at once
	serve := h.find(r.URL.Path)
	switch {
	case serve == nil:
		say(w, r, http.StatusNotFound, "There is nothing here. The page is at /, the endpoints for AI clients are at /v1 and /v1beta.\n")
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		head.Set("Allow", "GET, HEAD")
		say(w, r, http.StatusMethodNotAllowed, "This takes GET and HEAD only.\n")
	default:
		serve(w, r)
	}
}

// find returns what serves a path, or nil.
func (h *handler) find(p string) http.HandlerFunc {
	if slices.Contains(Paths, p) {
		return h.servePage
	}
	name, ok := strings.CutPrefix(p, "/")
	if !ok || !strings.HasPrefix(p, assets) || !fs.ValidPath(name) || types[path.Ext(name)] == "" {
		return nil
	}
	if _, err := fs.Stat(h.dist, name+".gz"); err != nil {
		return nil
	}
	return func(w http.ResponseWriter, r *http.Request) { h.serveAsset(w, r, name) }
}

func (h *handler) servePage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", h.tag)
	if matches(r.Header.Get("If-None-Match"), h.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", types[".html"])
	send(w, r, http.StatusOK, h.page)
}

// serveAsset sends a file in the best form that the client takes. It never
// changes under its name, so it is never asked for twice.
func (h *handler) serveAsset(w http.ResponseWriter, r *http.Request, name string) {
	head, encoding := w.Header(), encodingFor(r.Header.Get("Accept-Encoding"))
	file, err := fs.ReadFile(h.dist, name+suffixes[encoding])
	if err != nil {
		say(w, r, http.StatusNotFound, "There is nothing here.\n")
		return
	}
	head.Set("Cache-Control", "public, max-age=31536000, immutable")
	head.Set("Vary", "Accept-Encoding")
	head.Set("Content-Type", types[path.Ext(name)])
	if encoding != "" {
		head.Set("Content-Encoding", encoding)
		send(w, r, http.StatusOK, file)
		return
	}
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	if plain, err := gzip.NewReader(bytes.NewReader(file)); err == nil {
		_, _ = io.Copy(w, plain)
	}
}

// suffixes are those of the files of each encoding. Without one, what is sent
// is made of the gzip file.
var suffixes = map[string]string{"br": ".br", "gzip": ".gz", "": ".gz"}

// encodingFor returns br or gzip if an Accept-Encoding takes it, or "".
func encodingFor(header string) string {
	best := ""
	for part := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(part, ";")
		if q, ok := strings.CutPrefix(strings.TrimSpace(weight), "q="); ok {
			if n, err := strconv.ParseFloat(q, 64); err != nil || n == 0 {
				continue
			}
		}
		switch name = strings.ToLower(strings.TrimSpace(name)); {
		case name == "br":
			return name
		case name == "gzip":
			best = name
		}
	}
	return best
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
