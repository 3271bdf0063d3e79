package admin

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"portico/internal/access"
	"portico/internal/fault"
	"portico/internal/session"
)

// An Operator is who sent a request.
type Operator struct {
	Who     string // for the audit log: token, or the session
	Session string // the session's id, "" for the token
}

// Doors are the ways in for operators: the admin token, and the sessions of
// browsers.
type Doors struct {
	Book   *session.Book
	Gate   *access.Gate
	Policy func() *access.Policy
	// Cookie is the cookie's name. Browsers send a cookie to every port of a
	// host, so that two gateways on one machine need two names.
	Cookie string
}

// CSRFHeader is a header that a page of another origin cannot set without
// being asked for leave, which this server never gives. Requests that change
// something and show a session must have it, with any value.
const CSRFHeader = "X-Portico-CSRF"

// maxCookies is how many cookies of the name are looked at: a page on another
// port of the host can put its own beside the right one.
const maxCookies = 4

// Authorise is for [Options].Authorise. A token in the header counts before a
// cookie.
func (d *Doors) Authorise(r *http.Request) (Operator, *fault.Fault) {
	cookies := r.CookiesNamed(d.Cookie)
	if len(r.Header["Authorization"]) > 0 || len(cookies) == 0 {
		return ByToken(d.Gate, d.Policy)(r)
	}
	for _, c := range cookies[:min(len(cookies), maxCookies)] {
		s, ok := d.Book.Find(c.Value, r.Host)
		if !ok {
			continue
		}
		if foreign(r) || mayChange(r.Method) && r.Header.Get(CSRFHeader) == "" {
			return Operator{}, otherPage
		}
		return Operator{Who: "session " + s.ID, Session: s.ID}, nil
	}
	return Operator{}, sessionOver
}

var (
	sessionOver = &fault.Fault{Class: fault.Unauthorized, Code: CodeUnauthorised, Msg: "the session is over; sign in again"}
	otherPage   = &fault.Fault{
		Class: fault.Forbidden, Code: CodeForbidden,
		Msg: "a session is good for the gateway's own page only, which sends the header " + CSRFHeader + " with every change",
	}
)

func mayChange(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

// foreign reports whether a page of another origin sent r, as far as a browser
// says so. The way in has looked already; a session does not rely on it.
func foreign(r *http.Request) bool {
	for _, s := range r.Header["Sec-Fetch-Site"] {
		if s != "same-origin" && s != "none" {
			return true
		}
	}
	for _, o := range r.Header["Origin"] {
		_, host, ok := strings.Cut(o, "://")
		if !ok || !strings.EqualFold(host, r.Host) {
			return true
		}
	}
	return false
}

// A Proof shows who somebody is in this very call.
type Proof struct {
	Password string `json:"password,omitzero" maxLength:"1024"`
	Token    string `json:"token,omitzero" maxLength:"1024" doc:"The admin token."`
}

// check says why p proves nothing, nil if it does. Trying a password is
// expensive: of one address as many tries are heard as of keys, one at a time,
// and no others are made.
func (d *Doors) check(p *Proof, s *sender) error {
	now := time.Now()
	switch {
	case p.Password != "" && p.Token != "":
		return problem(http.StatusBadRequest, CodeMalformed, "show one of password and token")
	case p.Token != "":
		if f := d.token(p.Token, s, now); f != nil {
			return refusal(f)
		}
		return nil
	case p.Password == "":
		return problem(http.StatusUnauthorized, CodeUnauthorised, "this needs the password or the admin token")
	case !d.Book.HasPassword():
		return problem(http.StatusUnauthorized, CodeNoPassword, "there is no password; open the page with portico open, or set one with portico password set")
	}
	right, err := d.Book.Try(p.Password, func() error {
		if wait := d.Gate.Wait(s.addr, now); wait > 0 {
			return tooMany(wait)
		}
		return nil
	}, func(right bool) {
		if !right {
			d.Gate.Missed(s.addr, p.Password, now)
			d.Gate.Log.Note(now, s.addr, "", "admin_wrong_password", s.path)
		}
	})
	switch {
	case errors.Is(err, session.ErrBusy):
		p := problem(http.StatusTooManyRequests, CodeTooMany, "%s", err)
		p.after = time.Second
		return p
	case err != nil:
		return err
	case !right:
		return problem(http.StatusUnauthorized, CodeWrongPassword, "this is not the password")
	}
	return nil
}

func tooMany(wait time.Duration) *Problem {
	p := problem(http.StatusTooManyRequests, CodeTooMany, "too many wrong passwords or keys came from this address; wait a moment and send the right one")
	p.after = wait
	return p
}

// token says why the admin plane does not take token, nil if it does.
func (d *Doors) token(token string, s *sender, now time.Time) *fault.Fault {
	caller, f := d.Gate.Admit(d.Policy(), &access.Visit{Plane: access.Admin, Keys: access.Keys{Key: token, Header: true}, Peer: s.addr}, now)
	if f != nil {
		d.Gate.Log.Note(now, s.addr, "", "admin_"+f.Code, s.path)
	}
	switch {
	case f != nil && f.Class == fault.Unauthorized:
		return wrongToken
	case f == nil && !caller.Admin:
		return noToken
	}
	return f
}
