package admin

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"portico/internal/access"
	"portico/internal/fault"
)

// ByToken returns an Authorise that takes "Authorization: Bearer" with the
// admin_token of the policy that is in force. The comparison takes the same
// time for every wrong token, and the gate slows down guessing. No other
// carrier of a key counts: a token in a URL would stand in histories and logs.
func ByToken(gate *access.Gate, policy func() *access.Policy) func(*http.Request) (Operator, *fault.Fault) {
	d := &Doors{Gate: gate, Policy: policy}
	return func(r *http.Request) (Operator, *fault.Fault) {
		token, f := bearer(r.Header)
		if f != nil {
			return Operator{}, f
		}
		if f := d.token(token, &sender{addr: clientOf(policy(), r), path: r.URL.Path}, time.Now()); f != nil {
			return Operator{}, f
		}
		return Operator{Who: byToken}, nil
	}
}

// byToken is who shows the admin token, for the audit log.
const byToken = "token"

// ClientOf returns an [Options].ClientOf that knows the proxies of the policy in
// force.
func ClientOf(policy func() *access.Policy) func(*http.Request) netip.Addr {
	return func(r *http.Request) netip.Addr { return clientOf(policy(), r) }
}

// clientOf is the address of the client that sent r; it is not valid if r came
// from within this process.
func clientOf(p *access.Policy, r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return p.ClientOf(peer.Addr(), r.Header["X-Forwarded-For"])
}

var (
	noToken = &fault.Fault{
		Class: fault.Unauthorized, Code: CodeUnauthorised,
		Msg: "this needs the admin token: send it as Authorization: Bearer (it is the admin_token in the configuration file)",
	}
	wrongToken = &fault.Fault{
		Class: fault.Unauthorized, Code: CodeUnauthorised,
		Msg: "this is not the admin token (it is the admin_token in the configuration file; the api_key of AI clients does not do here)",
	}
	twoTokens = &fault.Fault{Class: fault.Malformed, Code: CodeMalformed, Msg: "the request has more than one Authorization header"}
)

// bearer is the token that the header shows.
func bearer(h http.Header) (string, *fault.Fault) {
	values := h["Authorization"]
	if len(values) > 1 {
		return "", twoTokens
	}
	if len(values) == 0 {
		return "", noToken
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(values[0]), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", noToken
	}
	return token, nil
}

// refusal is f as a problem.
func refusal(f *fault.Fault) *Problem {
	p := problem(http.StatusUnauthorized, CodeUnauthorised, "%s", f.Msg)
	switch f.Class {
	case fault.Malformed:
		p = problem(http.StatusBadRequest, CodeMalformed, "%s", f.Msg)
	case fault.Forbidden:
		p = problem(http.StatusForbidden, CodeForbidden, "%s", f.Msg)
	case fault.RateLimited:
		p = problem(http.StatusTooManyRequests, CodeTooMany, "%s", f.Msg)
	}
	p.after = f.After
	return p
}
