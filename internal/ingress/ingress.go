// Package ingress is the way in: everything that a client sends passes here
// first, and nothing else looks at a request before it did.
//
// A request meets, in this order, the guard (which Host names and which
// browser origins may speak to this server, whatever auth_mode says), the
// routes (what the path means, in whose dialect), the gate of package access
// (who may), and the body (how big, in which encoding, for which model). What
// is left goes to the relay, or to the operator's own handler.
//
// Everything that happens before a caller is admitted costs constant memory
// and bounded time.
package ingress

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/access"
	"portico/internal/fault"
	"portico/internal/journal"
	"portico/internal/protocol"
	"portico/internal/relay"
	"portico/internal/responses"
)

// A Relay answers requests. *relay.Relay is one.
type Relay interface {
	// Do answers c. It keeps neither c nor c.Body after it returns.
	Do(ctx context.Context, w http.ResponseWriter, c *relay.Call)
	// Refuse tells the client f in its own dialect and records that.
	Refuse(w http.ResponseWriter, c *relay.Call, f *fault.Fault)
}

var _ Relay = (*relay.Relay)(nil)

// Models are the models that clients may name.
type Models interface {
	// List returns what the clients of a protocol are shown, sorted by ID.
	// The slice is not changed.
	List(protocolName string) []protocol.Model
	// Find returns one of them.
	Find(protocolName, id string) (protocol.Model, bool)
}

// A Codec reads requests, and writes refusals and lists of models.
type Codec interface {
	protocol.Codec
	protocol.Lister
}

// Options are what a server is made of. Relay, Codecs, Gate and Models
// are needed.
type Options struct {
	Relay  Relay
	Codecs map[string]Codec // by name, all four protocols
	Gate   *access.Gate
	Models Models
	// Admin serves every path that is not the data plane's. It authorises
	// its requests itself; the guard has let them pass.
	Admin http.Handler
	// Ready says whether /readyz answers 200; nil: always.
	Ready func() bool
	// NewID makes the id of a request; nil: journal.NewID.
	NewID func() string
	Log   *slog.Logger
	Now   func() time.Time
	// Blocked is told what the guard refused: kind is one of the Block
	// constants, what is the host or origin, at most 128 bytes of printable
	// ASCII. The same is told at most once a minute. It must not block.
	Blocked func(kind, what string)
}

// Settings are what the operator decides about the way in. They are immutable;
// a request keeps those that it began with.
type Settings struct {
	Policy *access.Policy
	Port   int  // the port that is listened on, as clients see it
	LAN    bool // the addresses of the machine are Host names too
	// Hosts are further Host names, without port, in lower case. They are
	// taken with any port, since a proxy or a container may map it.
	Hosts []string
	// Origins are browser origins that may call the data plane.
	Origins  []string
	Body     int64 // bytes of a request's body
	InFlight int   // requests at the relay at one time, 0: no limit
	Relay    *relay.Settings
}

// A Server is the way in. It is safe for concurrent use.
type Server struct {
	relay  Relay
	codecs [dialects]Codec
	gate   *access.Gate
	models Models
	admin  http.Handler
	ready  func() bool
	newID  func() string
	now    func() time.Time
	blocks blocks

	state    atomic.Pointer[state]
	inFlight atomic.Int64
	sockets  sockets
	frames   frames
	memory   *responses.Store // what was said on sockets, by the name of each
	visits   sync.Pool
}

// New returns a server that answers 503 until Set was called. It panics if a
// codec is missing, which is a defect of the caller.
func New(o Options) *Server {
	s := &Server{relay: o.Relay, gate: o.Gate, models: o.Models, admin: o.Admin, ready: o.Ready, newID: o.NewID, now: o.Now}
	for d, name := range dialectNames {
		c, ok := o.Codecs[name]
		if !ok {
			panic("ingress: there is no codec for " + name)
		}
		s.codecs[d] = c
	}
	if s.admin == nil {
		s.admin = http.NotFoundHandler()
	}
	if s.ready == nil {
		s.ready = func() bool { return true }
	}
	if s.newID == nil {
		s.newID = journal.NewID
	}
	if s.now == nil {
		s.now = time.Now
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s.blocks.tell = func(kind, what string) {
		log.Warn("request blocked", "kind", kind, "what", what)
		if o.Blocked != nil {
			o.Blocked(kind, what)
		}
	}
	s.sockets.init()
	s.memory = responses.New(responses.Limits{Entries: socketAnswers, Bytes: socketMemory}, s.now)
	s.visits.New = func() any { return new(visit) }
	return s
}

// Set puts x in force for every request that comes in from now on.
func (s *Server) Set(x *Settings) { s.state.Store(newState(x)) }

// HTTPServer returns an http.Server with the limits that h, a Server or what
// wraps one, relies on. There is no write timeout, since an answer may stream
// for hours; the relay gives up on clients that take nothing. There is no read
// timeout either: a body may take as long as it keeps coming.
func HTTPServer(h http.Handler) *http.Server {
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		Protocols:         &http1,
		// "OPTIONS *" would be answered before the guard saw it.
		DisableGeneralOptionsHandler: true,
	}
}
