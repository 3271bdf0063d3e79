package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"portico/internal/session"
)

const sessionPath = "/api/session"

// A SignIn is how somebody shows that they are the operator: one of the three.
type SignIn struct {
	Password string `json:"password,omitzero" maxLength:"1024"`
	Token    string `json:"token,omitzero" maxLength:"1024" doc:"The admin token."`
	Launch   string `json:"launch,omitzero" maxLength:"128" doc:"The code of a link that portico open made, which stands behind #launch= in the address."`
}

// A Session is a browser of the operator's.
type Session struct {
	ID       string    `json:"id"`
	Way      string    `json:"way" enum:"password,token,launch" doc:"How it was begun."`
	Address  string    `json:"address,omitzero" doc:"Where from."`
	Agent    string    `json:"agent,omitzero" doc:"What the browser calls itself."`
	Created  time.Time `json:"created"`
	LastSeen time.Time `json:"last_seen"`
	Expires  time.Time `json:"expires" doc:"When it ends if nobody uses it until then."`
	Current  bool      `json:"current" doc:"It is the one that asks."`
}

// A Self is who asks.
type Self struct {
	Who      string   `json:"who" doc:"token, or session and its id, as in the audit log."`
	Session  *Session `json:"session,omitzero" doc:"Absent for the admin token."`
	Password bool     `json:"password" doc:"A password is set."`
}

// A Launch opens one session in a browser.
type Launch struct {
	Code    string    `json:"code" doc:"For POST /api/session, once."`
	URL     string    `json:"url" doc:"The page, with the code behind #launch=, which no browser sends or tells others."`
	Expires time.Time `json:"expires"`
}

// A NewPassword is the password that is to be.
type NewPassword struct {
	Password string `json:"password" maxLength:"1024" doc:"At least 12 letters; empty: there is none from then on."`
	Current  string `json:"current,omitzero" maxLength:"1024" doc:"The password until now. A session has to show it, or the admin token, if there is one."`
	Token    string `json:"token,omitzero" maxLength:"1024" doc:"The admin token."`
}

func shownSession(r *session.Record, current string) Session {
	return Session{
		ID: r.ID, Way: r.Way, Address: r.Address, Agent: r.Agent, Created: r.Created, LastSeen: r.Seen, Expires: r.Expires(), Current: r.ID == current,
	}
}

// cookie carries token, and lets the browser forget it without one.
func (d *Doors) cookie(token string) http.Cookie {
	c := http.Cookie{Name: d.Cookie, Value: token, Path: "/api", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(session.MaxAge / time.Second)}
	if token == "" {
		c.MaxAge = -1
	}
	return c
}

// enter finds out by what in shows that its sender is the operator.
func (d *Doors) enter(in *SignIn, s *sender) (way string, err error) {
	switch {
	case s.Who != "": // by the token in the header
		return byToken, nil
	case in.Launch != "" && in.Password == "" && in.Token == "":
		// A link is for a browser on this machine (spec: security SEC-30).
		if (!s.addr.IsValid() || s.addr.IsLoopback()) && d.Book.Redeem(in.Launch) {
			return "launch", nil
		}
		d.Gate.Log.Note(time.Now(), s.addr, "", "admin_wrong_launch", s.path)
		return "", problem(http.StatusUnauthorized, CodeLaunch, "the link was used already, is older than a minute, or was made for a browser on the gateway's own machine; make another one with portico open")
	case in.Launch != "":
		return "", problem(http.StatusBadRequest, CodeMalformed, "show one of password, token and launch")
	}
	if err := d.check(&Proof{in.Password, in.Token}, s); err != nil {
		return "", err
	}
	if in.Token != "" {
		return byToken, nil
	}
	return "password", nil
}

func (a *api) sessions() {
	d := a.o.Doors
	if d == nil {
		return
	}
	type entered struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
		Body      Session
	}
	type left struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
	}
	handle(a, operation{
		id: "begin-session", method: http.MethodPost, path: sessionPath, tag: "sessions", summary: "Sign in with a browser", status: http.StatusCreated, public: true,
		more: "The answer sets a cookie that scripts cannot read, that goes to no other site, and that is good for this host and port. Show the password, the admin token or a launch code. " +
			"Of one address ten wrong ones are heard a minute; passwords are tried one at a time, and who comes meanwhile is asked to come again (429).",
		errors: []int{http.StatusForbidden},
	}, func(ctx context.Context, in *struct {
		Body *SignIn `required:"false"`
	},
	) (*entered, error) {
		if in.Body == nil {
			in.Body = &SignIn{}
		}
		s := senderOf(ctx)
		way, err := d.enter(in.Body, s)
		if err != nil {
			return nil, err
		}
		v := session.Visitor{Host: s.host, Agent: s.agent, Way: way}
		if s.addr.IsValid() {
			v.Address = s.addr.String()
		}
		token, r, err := d.Book.Begin(ctx, v)
		if err != nil {
			return nil, err
		}
		s.Who, s.whom = way, r.ID
		return &entered{d.cookie(token), shownSession(&r, r.ID)}, nil
	})
	handle(a, operation{
		id: "get-session", method: http.MethodGet, path: sessionPath, tag: "sessions", summary: "Who asks",
	}, func(ctx context.Context, _ *struct{}) (*out[Self], error) {
		s := senderOf(ctx)
		self := Self{Who: s.Who, Password: d.Book.HasPassword()}
		for _, r := range d.Book.List() {
			if r.ID == s.Session {
				one := shownSession(&r, s.Session)
				self.Session = &one
			}
		}
		return &out[Self]{self}, nil
	})
	handle(a, operation{
		id: "end-session", method: http.MethodDelete, path: sessionPath, tag: "sessions", summary: "Sign out", status: http.StatusNoContent,
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, _ *struct{}) (*left, error) {
		s := senderOf(ctx)
		s.whom = s.Session
		return &left{d.cookie("")}, d.Book.End(ctx, s.Session)
	})
	handle(a, operation{
		id: "list-sessions", method: http.MethodGet, path: "/api/sessions", tag: "sessions", summary: "The sessions of all browsers, the latest first",
		more: "There are at most 64. One ends after a day without a request, and after thirty days.",
	}, func(ctx context.Context, _ *struct{}) (*out[List[Session]], error) {
		l := List[Session]{Items: []Session{}}
		for _, r := range d.Book.List() {
			l.Items = append(l.Items, shownSession(&r, senderOf(ctx).Session))
		}
		return &out[List[Session]]{l}, nil
	})
	handle(a, operation{
		id: "end-other-session", method: http.MethodDelete, path: "/api/sessions/{id}", tag: "sessions", summary: "End a session", status: http.StatusNoContent,
		more:   "The id all ends all of them.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"64"`
	},
	) (*struct{}, error) {
		if in.ID == "all" {
			_, err := d.Book.EndAll(ctx)
			return nil, err
		}
		return nil, d.Book.End(ctx, in.ID)
	})
	handle(a, operation{
		id: "set-password", method: http.MethodPut, path: "/api/password", tag: "sessions", summary: "Set, change or remove the password", status: http.StatusNoContent,
		more:   "All sessions end, the one that asks too.",
		errors: []int{http.StatusForbidden},
	}, func(ctx context.Context, in *struct{ Body NewPassword }) (*left, error) {
		b, s := &in.Body, senderOf(ctx)
		if s.Session != "" && d.Book.HasPassword() {
			if err := a.fresh(ctx, &Proof{b.Current, b.Token}); err != nil {
				return nil, err
			}
		}
		if b.Password == "" {
			return &left{d.cookie("")}, d.Book.RemovePassword(ctx)
		}
		err := d.Book.SetPassword(ctx, b.Password)
		if errors.Is(err, session.ErrShort) || errors.Is(err, session.ErrLong) {
			return nil, wrong("body.password", err.Error())
		}
		return &left{d.cookie("")}, err
	})
	handle(a, operation{
		id: "launch", method: http.MethodPost, path: "/api/launch", tag: "sessions", summary: "Make a link that opens the page signed in, once", status: http.StatusCreated,
		more: "It is good for a minute, for a browser on this machine.",
	}, func(context.Context, *struct{}) (*out[Launch], error) {
		code, ends := d.Book.Launch()
		return &out[Launch]{Launch{Code: code, URL: "http://" + a.o.Address + "/#launch=" + code, Expires: ends}}, nil
	})
}

// fresh says why p does not show that the sender of ctx's request is the
// operator now. The admin token in the header does; a session does not, since
// somebody may have found the browser open.
func (a *api) fresh(ctx context.Context, p *Proof) error {
	s := senderOf(ctx)
	switch {
	case s.Session == "":
		return nil
	case p.Password == "" && p.Token == "":
		return problem(http.StatusForbidden, CodeProof, "show the password or the admin token in the same request")
	}
	return a.o.Doors.check(p, s)
}
