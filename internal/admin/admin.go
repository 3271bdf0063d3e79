// Package admin is the operator's side: the API under /api/, the metrics, the
// profiles and the page in the browser.
//
// The API is typed and described by an OpenAPI document; errors are problem
// documents (RFC 9457) with a code that stays. All of it but the page needs the
// admin token, whatever auth_mode says for AI clients. What the package shows
// and changes belongs to others and comes in by the interfaces of [Options].
package admin

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"portico/internal/catalog"
	"portico/internal/config"
	"portico/internal/explain"
	"portico/internal/fault"
	"portico/internal/journal"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/secret"
)

// Accounts are the accounts of the pool and what an operator does with them.
// Errors that are one of ErrNotFound, ErrTaken or [Invalid] are told as such.
type Accounts interface {
	// Views lists the accounts, those that are switched off included.
	Views() []pool.View
	// Stored returns the account called name if an operator added it here.
	Stored(name string) (config.Account, bool)
	// Add keeps an account and puts it in the pool.
	Add(ctx context.Context, a config.Account) error
	// Versions are those of the accounts that an operator added here, by name.
	// They go up with every change.
	Versions() map[string]int64
	// Replace puts each of as in the place of the stored account of its name: all
	// of them, or none. versions, where it has one, is what a change was made for.
	Replace(ctx context.Context, as []config.Account, versions map[string]int64) error
	// Remove forgets stored accounts and their credentials: all, or none. versions
	// is as in Replace.
	Remove(ctx context.Context, names []string, versions map[string]int64) error
	// Restore puts back what Remove removed within the last ten seconds: all, or
	// none.
	Restore(ctx context.Context, names []string) error
	// Order has stored accounts come first, in this order.
	Order(ctx context.Context, names []string) error
	// Heal forgets all faults of an account.
	Heal(name string)
	// Test asks the account's upstream whether it would serve, without cost
	// where the vendor permits. The error is for what is no answer of the
	// account, such as an unknown name.
	Test(ctx context.Context, name string) (Tested, error)
	// Probe is Test of an account that is not there. The error is an Invalid if
	// it can be none.
	Probe(ctx context.Context, a config.Account) (Tested, error)
	// Document is what an account of a provider signs in with, made of a refresh
	// token and the OAuth client that it was given to, a JSON file.
	Document(providerName string, refresh, client secret.Text) (secret.Text, error)
	// Import reads accounts out of a file, and adds those that can be, all or
	// none.
	Import(ctx context.Context, i Import) ([]Imported, error)
}

// Models are the models that clients may name.
type Models interface {
	// List returns what the clients of a protocol are shown, sorted by ID.
	List(protocolName string) []protocol.Model
}

// Options are what the handler is made of. Authorise, Config, Accounts, Ledger,
// Models and Feed are needed; what else is nil is left out.
type Options struct {
	Version string
	Address string // host and port that the server listens on, as a browser here would name them
	Started time.Time

	// Authorise says who the sender of a request is, or why it is no operator. It
	// is asked for every request but those for the page and of somebody who signs
	// in, and of a live feed once a second, so that a token that is renewed or a
	// session that is ended ends the feed. See [Doors] and [ByToken].
	Authorise func(*http.Request) (Operator, *fault.Fault)
	// Doors are where operators sign in, nil: nobody can.
	Doors *Doors
	// ClientOf is the address that a request came from, nil: nobody knows.
	ClientOf func(*http.Request) netip.Addr

	Config   func() *config.Config
	Accounts Accounts
	Logins   Logins  // nil: nobody can sign in
	Keys     Keys    // of AI clients; nil: none are handed out
	Access   Access  // nil: there are no rules on addresses
	Acts     Acts    // nil: what operators do is not kept
	Proxies  Proxies // nil: there is no pool of outbound proxies
	Backups  Backups
	File     File            // the configuration's
	Vendors  func() []Vendor // whom an account can be at; nil: nobody says
	Ledger   Ledger
	Models   Models
	Feed     *Feed

	Catalog func() *catalog.Catalog                         // prices; nil: none
	Settle  func(context.Context) error                     // brings what has ended into the ledger, see journal.Flush
	Reload  func(context.Context) ([]config.Problem, error) // reads the configuration anew; the problems are warnings
	Doctor  func(context.Context) []Check                   // checks beyond those of this package
	Flying  func() (requests, streams int)                  // being served now
	Secrets func() secret.Place                             // where the key lies that seals credentials
	Journal func() journal.Stats
	Foresee func(context.Context, Question) explain.Outlook // what would happen to a request now
	Metrics func(io.Writer) error
	Page    http.Handler // serves /
	Log     *slog.Logger
}

// Handler is the operator's side of the server.
type Handler struct {
	o    Options
	api  func() *api
	page http.Handler
}

// New returns the handler. The API itself is made when it is first asked for:
// its types and their schemas take a megabyte and some milliseconds that a
// start has no use for.
func New(o Options) *Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &Handler{o: o, page: o.Page}
	h.api = sync.OnceValue(func() *api { return newAPI(&h.o) })
	if h.page == nil {
		h.page = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { notFound(r).write(w, r) })
	}
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Referrer-Policy", "no-referrer")
	var serve http.Handler
	open := false
	switch p := r.URL.Path; {
	case under(p, "/api"):
		serve = http.HandlerFunc(h.serveAPI)
	case p == "/metrics" && h.o.Metrics != nil:
		serve, open = http.HandlerFunc(h.serveMetrics), h.o.Config().Metrics.Public
	case under(p, "/debug"):
		serve = http.HandlerFunc(serveProfile)
	default:
		h.page.ServeHTTP(w, r)
		return
	}
	// What follows is for the operator's eyes: nobody keeps or frames it.
	head.Set("Cache-Control", "no-store")
	head.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if !open {
		s := &sender{host: r.Host, agent: r.UserAgent(), path: r.URL.Path}
		if h.o.ClientOf != nil {
			s.addr = h.o.ClientOf(r)
		}
		var f *fault.Fault
		switch {
		case !h.signsIn(r):
			s.Operator, f = h.o.Authorise(r)
		case foreign(r):
			f = otherPage
		}
		if f != nil {
			refusal(f).write(w, r)
			return
		}
		r = withSender(r, s)
	}
	serve.ServeHTTP(w, r)
}

// signsIn reports whether r is for the one operation that judges its sender
// itself.
func (h *Handler) signsIn(r *http.Request) bool {
	return h.o.Doors != nil && r.Method == http.MethodPost && r.URL.Path == sessionPath && len(r.Header["Authorization"]) == 0
}

func under(path, folder string) bool {
	return strings.HasPrefix(path, folder) && (len(path) == len(folder) || path[len(folder)] == '/')
}

func (h *Handler) serveAPI(w http.ResponseWriter, r *http.Request) {
	mux := h.api().mux
	serve, pattern := mux.Handler(r)
	if pattern != "" {
		mux.ServeHTTP(w, r)
		return
	}
	// The mux knows whether another method would have done, and says so in
	// plain text; it is told here as a problem.
	var p probe
	serve.ServeHTTP(&p, r)
	if p.status == http.StatusMethodNotAllowed {
		allow := p.Header().Get("Allow")
		w.Header().Set("Allow", allow)
		problem(http.StatusMethodNotAllowed, CodeMethod, "%s does not take %s; it takes %s", r.URL.Path, r.Method, allow).write(w, r)
		return
	}
	notFound(r).write(w, r)
}

func notFound(r *http.Request) *Problem {
	p := problem(http.StatusNotFound, CodeNotFound, "there is nothing at %s", r.URL.Path)
	if under(r.URL.Path, "/api") {
		p.Detail += "; /api/openapi.json lists what there is"
	}
	return p
}

// A probe takes down what a handler answers and sends nothing.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header {
	if p.header == nil {
		p.header = http.Header{}
	}
	return p.header
}

func (p *probe) WriteHeader(status int) { p.status = status }

func (p *probe) Write(b []byte) (int, error) { return len(b), nil }

func (h *Handler) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if !reads(w, r) {
		return
	}
	w.Header().Set("Content-Type", metricsType)
	if err := h.o.Metrics(w); err != nil {
		h.o.Log.Debug("metrics were not taken", "error", err)
	}
}

// metricsType is the media type of Prometheus's text format.
const metricsType = "text/plain; version=0.0.4; charset=utf-8"

// reads answers all methods but GET and HEAD.
func reads(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	problem(http.StatusMethodNotAllowed, CodeMethod, "%s takes only GET and HEAD", r.URL.Path).write(w, r)
	return false
}
