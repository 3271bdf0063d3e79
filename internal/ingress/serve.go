package ingress

import (
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"portico/internal/access"
	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/protocol/gemini"
	"portico/internal/relay"
)

// A visit is one request on its way in.
type visit struct {
	w        http.ResponseWriter
	r        *http.Request
	st       *state
	m        match
	call     relay.Call
	codec    Codec
	gate     access.Visit
	peer     string // the client's address
	grant    *access.Grant
	required bool      // the plane needs a key here
	judged   judgement // of the page that the request comes from
}

const idHeader = "X-Portico-Request-Id"

// Values that every answer shares; nobody changes them.
var (
	nosniff    = []string{"nosniff"}
	sameOrigin = []string{"same-origin"}
	jsonType   = []string{"application/json"}
	closing    = []string{"close"}
)

// ServeHTTP is the way in.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, now, h := s.newID(), s.now(), w.Header()
	h[idHeader] = []string{id}
	h["X-Content-Type-Options"] = nosniff
	h["Cross-Origin-Resource-Policy"] = sameOrigin
	if r.ContentLength != 0 {
		// Whoever reads the body moves the limit on; until then it bounds how
		// long the server waits for a body that nobody wants.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(paceEvery))
	}
	if len(r.TransferEncoding) > 0 {
		// With a chunked body there may have been a Content-Length, which
		// net/http drops without a word. A proxy before this server that
		// believed it would take what follows for another client's request,
		// so nothing follows (RFC 9112 §6.1, SEC-40).
		h["Connection"] = closing
	}
	st := s.state.Load()
	if st == nil {
		constant(w, http.StatusServiceUnavailable, bodyStarting)
		return
	}
	local := localAddr(r)
	if r.URL.Host != "" || r.URL.Opaque != "" || !st.serves(r.Host, local) {
		s.blocks.report(BlockHost, r.Host, now)
		constant(w, http.StatusMisdirectedRequest, bodyHost)
		return
	}
	slashed, ok := soundPath(r.URL)
	if !ok {
		constant(w, http.StatusBadRequest, bodyPath)
		return
	}
	if r.Method == http.MethodTrace || r.Method == http.MethodConnect {
		constant(w, http.StatusMethodNotAllowed, bodyMethod)
		return
	}

	v := s.visits.Get().(*visit)
	v.w, v.r, v.st = w, r, st
	v.m = matchPath(r.Method, r.URL.EscapedPath(), r.Header, r.URL.RawQuery)
	if slashed && !v.m.id {
		constant(w, http.StatusBadRequest, bodyPath)
	} else {
		v.call.ID, v.call.Start = id, now
		v.gate.Plane, v.gate.Loopback = v.m.plane, local.Addr().IsLoopback()
		s.serve(v)
	}
	*v = visit{}
	s.visits.Put(v)
}

// serve takes v past the guard and to whoever answers it.
func (s *Server) serve(v *visit) {
	v.peer = peerOf(v.r.RemoteAddr)
	if peer, err := netip.ParseAddrPort(v.r.RemoteAddr); err == nil {
		v.gate.Peer = v.st.Policy.ClientOf(peer.Addr(), v.r.Header["X-Forwarded-For"])
		if v.gate.Peer != peer.Addr().Unmap() {
			v.peer = v.gate.Peer.String()
		}
	}
	if s.outside(v) {
		constant(v.w, http.StatusForbidden, bodyAddress)
		return
	}
	if v.m.plane == access.Data || v.m.plane == access.Health {
		v.gate.Keys = access.Extract(v.r.Header, v.r.URL.RawQuery)
		v.required = v.st.Policy.Requires(v.m.plane, v.gate.Loopback)
	}
	v.judged = v.st.judge(v.r, &v.m, v.required, v.gate.Keys.Header)
	switch v.judged {
	case preflight:
		answerPreflight(v.w.Header(), v.r.Header, v.st.origins[strings.ToLower(v.r.Header.Get("Origin"))])
		v.w.WriteHeader(http.StatusNoContent)
		return
	case foreign:
		s.reportOrigin(v)
		constant(v.w, http.StatusForbidden, bodyOrigin)
		return
	case simple:
		s.blocks.report(BlockForm, mediaType(v.r.Header), v.call.Start)
		constant(v.w, http.StatusUnsupportedMediaType, bodyForm)
		return
	}
	switch v.m.kind {
	case toAdmin:
		if v.r.ContentLength != 0 {
			v.r.Body = &pacedBody{v.r.Body, newPace(v.w)}
		}
		s.admin.ServeHTTP(v.w, v.r)
	case hello, health, ready:
		s.serveFixed(v)
	default:
		s.serveData(v)
	}
}

func (s *Server) reportOrigin(v *visit) {
	what := v.r.Header.Get("Origin")
	if what == "" {
		what = "unnamed"
	}
	s.blocks.report(BlockOrigin, what, v.call.Start)
}

// serveFixed answers the paths that tell nothing.
func (s *Server) serveFixed(v *visit) {
	v.codec = s.codecs[asChat]
	if !s.admit(v) {
		return
	}
	switch {
	case methodBits[v.r.Method]&v.m.take == 0:
		s.methodNotAllowed(v)
	case v.m.kind == hello:
		constant(v.w, http.StatusOK, bodyHello)
	case v.m.kind == ready && !s.ready():
		constant(v.w, http.StatusServiceUnavailable, bodyNotReady)
	default:
		constant(v.w, http.StatusOK, bodyOK)
	}
}

// outside reports whether the rules on addresses refuse the client, and notes
// that.
func (s *Server) outside(v *visit) bool {
	_, refused := s.gate.Rules.Refuses(v.gate.Peer, v.st.Policy.Listed(), v.call.Start)
	if refused {
		s.gate.Log.Note(v.call.Start, v.gate.Peer, "", "address_refused", place(v.r.URL.EscapedPath()))
	}
	return refused
}

// admit asks the gate and tells the client what it said.
func (s *Server) admit(v *visit) bool {
	v.call.Peer = v.peer
	caller, f := s.gate.Admit(v.st.Policy, &v.gate, v.call.Start)
	if f != nil {
		s.gate.Log.Note(v.call.Start, v.gate.Peer, caller.Name, f.Code, place(v.r.URL.EscapedPath()))
		if v.judged == keyed {
			s.reportOrigin(v)
		}
		if f.Class == fault.Unauthorized {
			v.w.Header()["Www-Authenticate"] = challenge
		}
		v.tell(f, 0)
		return false
	}
	if v.judged == keyed || v.judged == listed {
		allowOrigin(v.w.Header(), v.r.Header["Origin"])
	}
	v.call.Key, v.grant = caller.Name, caller.Grant
	if v.grant != nil {
		v.call.Meter, v.call.Strict, v.call.Prefer = v.grant.Meter(), v.grant.Key.Strict, v.grant.Key.Prefers()
	}
	return true
}

var challenge = []string{`Bearer realm="portico"`}

// serveData answers what AI clients call.
func (s *Server) serveData(v *visit) {
	v.codec = s.codecs[v.m.in]
	if !s.admit(v) {
		return
	}
	r, c := v.r, &v.call
	if v.m.in == asGemini && v.m.stream && !gemini.SSE(r.URL.RawQuery) {
		v.codec = inArray
	}
	c.Settings, c.Codec, c.Op = v.st.Relay, v.codec, v.m.op
	c.Method, c.Path, c.Query, c.Header = r.Method, v.m.path, access.StripKey(r.URL.RawQuery), r.Header
	c.Model, c.Stream = v.m.model, v.m.stream
	c.Client = product(r.Header.Get("User-Agent"))
	switch {
	case v.m.kind == unknown:
		s.notFound(v)
	case upgrades(r.Header) && v.m.socket(r.Method) && handshake(r.Header):
		s.serveSocket(v)
	case upgrades(r.Header):
		h := v.w.Header()
		h["Upgrade"], h["Connection"] = []string{"HTTP/1.1"}, []string{"Upgrade"}
		v.tell(&fault.Fault{
			Class: fault.Unsupported, Code: "websocket_unsupported",
			Msg: "WebSockets are opened at /v1/responses only, with the headers of RFC 6455; send the request by POST",
		}, http.StatusUpgradeRequired)
	case methodBits[r.Method]&v.m.take == 0:
		s.methodNotAllowed(v)
	case v.m.kind == list:
		s.listModels(v)
	case v.m.kind == look:
		s.lookUp(v)
	default:
		s.carry(v)
	}
}

// inArray is Gemini's protocol for those who want a stream as a JSON array.
var inArray Codec = gemini.NewArray()

// carry reads the body and hands the call to the relay.
func (s *Server) carry(v *visit) {
	defer s.inFlight.Add(-1)
	if !s.room(v) {
		return
	}
	buffer, f, status := v.read()
	if f == nil {
		f = v.peek()
	}
	if f == nil {
		f = s.permit(v)
	}
	switch {
	case f == nil:
		s.relay.Do(v.r.Context(), v.w, &v.call)
	case status != 0:
		v.tell(f, status)
	default:
		s.relay.Refuse(v.w, &v.call, f)
	}
	v.call.Body = nil
	putBuffer(buffer)
}

// permit says why the key may not be used for what is asked, nil if it may.
func (s *Server) permit(v *visit) *fault.Fault {
	if v.grant == nil || !v.grant.Key.Picky() {
		return nil
	}
	c := &v.call
	op := c.Op.String()
	if c.Op == protocol.Other { // what is carried as it is, by the first word of its path
		at, _ := version(c.Path)
		op = segment(c.Path[at:])
	}
	f := v.grant.Key.Serves(c.Codec.Name()+"/"+op, c.Model)
	if f != nil {
		s.gate.Log.Note(c.Start, v.gate.Peer, c.Key, f.Code, place(v.r.URL.EscapedPath()))
	}
	return f
}

// room counts one more request under way, and tells the client if there may be
// no more.
func (s *Server) room(v *visit) bool {
	n, limit := s.inFlight.Add(1), int64(v.st.InFlight)
	if limit <= 0 || n <= limit {
		return true
	}
	v.tell(&fault.Fault{
		Class: fault.Busy, Code: "overloaded", After: time.Second,
		Msg: "as many requests are under way as the operator allows (limits.in_flight); try again shortly",
	}, 0)
	return false
}

func (s *Server) notFound(v *visit) {
	path := tidy(v.r.URL.EscapedPath())
	at, _ := version(path)
	f := fault.New(fault.NotFound, "there is no %s here; %s", printable(path), hint(&v.m, path[at:]))
	f.Code = "unknown_url"
	s.relay.Refuse(v.w, &v.call, f)
}

func (s *Server) methodNotAllowed(v *visit) {
	v.w.Header()["Allow"] = []string{v.m.take.String()}
	if v.r.Method == http.MethodOptions {
		v.w.WriteHeader(http.StatusNoContent)
		return
	}
	v.tell(fault.New(fault.Method, "%s takes %s, not %s", printable(v.r.URL.Path), v.m.take, printable(v.r.Method)), 0)
}

// tell writes f in the client's dialect. status, unless 0, stands in for the
// dialect's own: where the protocol of the error is HTTP's, not the vendor's.
func (v *visit) tell(f *fault.Fault, status int) {
	own, body := v.codec.EncodeError(f, v.call.ID)
	if status == 0 {
		status = own
	}
	h := v.w.Header()
	h["Content-Type"] = jsonType
	// SDKs show the vendor's request id; of a refusal the only one is ours.
	h["X-Request-Id"], h["Request-Id"] = h[idHeader], h[idHeader]
	if f.After > 0 {
		h["Retry-After"] = []string{strconv.FormatInt(int64((f.After+time.Second-1)/time.Second), 10)}
	}
	v.w.WriteHeader(status)
	_, _ = v.w.Write(body)
}

// The answers that are always the same. They are read by every dialect's
// clients that show the message of an error.
const (
	bodyOK       = `{"status":"ok"}`
	bodyNotReady = `{"status":"not ready"}`
	bodyHello    = `{"message":"hello"}`
	bodyStarting = `{"type":"error","error":{"type":"overloaded_error","message":"Portico is starting."}}`
	bodyHost     = `{"type":"error","error":{"type":"misdirected_request","message":"Portico does not answer under this host name. Use 127.0.0.1 or localhost with its port, or add the name to allowed_hosts."}}`
	bodyPath     = `{"type":"error","error":{"type":"invalid_request_error","message":"The path is not one that a client would send."}}`
	bodyMethod   = `{"type":"error","error":{"type":"invalid_request_error","message":"This method is not served."}}`
	bodyOrigin   = `{"type":"error","error":{"type":"forbidden","message":"Portico refuses requests from pages of other origins. Add the origin to allowed_origins if it is yours."}}`
	bodyAddress  = `{"type":"error","error":{"type":"permission_error","code":"address_refused","message":"Portico does not take requests from your address."}}`
	bodyForm     = `{"type":"error","error":{"type":"invalid_request_error","message":"Send the body as application/json."}}`
)

func constant(w http.ResponseWriter, status int, body string) {
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// product is the product token of a User-Agent, at most 64 bytes.
func product(agent string) string {
	for i := range min(len(agent), 64) {
		if agent[i] <= ' ' || agent[i] > '~' {
			return agent[:i]
		}
	}
	return agent[:min(len(agent), 64)]
}

// peerOf is addr without its port.
func peerOf(addr string) string {
	if i := strings.LastIndexByte(addr, ':'); i >= 0 {
		addr = addr[:i]
	}
	return strings.Trim(addr, "[]")
}
