package oauth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"html"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"portico/internal/credential"
	"portico/internal/secret"
)

const (
	callback = "/oauth2callback"
	// maxAnswer bounds an address that is pasted, in bytes.
	maxAnswer = 8 << 10
)

// browser begins a login in a browser. What it returns waits for its end.
func (l *login) browser() (rest func(context.Context) error, err error) {
	at, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it takes no time
	if err != nil {
		return nil, fmt.Errorf("no port of this machine can be listened on: %w", err)
	}
	verifier := oauth2.GenerateVerifier() // never leaves memory
	l.state = rand.Text()
	redirect := "http://" + at.Addr().String() + callback
	c := l.ask.Client.config(redirect, l.ask.Client.login.Scopes)
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier)}
	params := l.ask.Client.login.Params
	for _, name := range slices.Sorted(maps.Keys(params)) {
		options = append(options, oauth2.SetAuthURLParam(name, params[name]))
	}
	if l.ask.Email != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", l.ask.Email))
	}
	if u, err := url.Parse(c.Endpoint.AuthURL); err == nil {
		l.issuer = u.Scheme + "://" + u.Host
	}
	if c.Endpoint.AuthURL == "" {
		return nil, errors.Join(errors.New("the client names no address at which people agree (auth_uri)"), at.Close())
	}
	l.status.URL, l.status.Redirect, l.status.Until = c.AuthCodeURL(l.state, options...), redirect, time.Now().Add(l.patience)
	server := &http.Server{Handler: l, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(at) }()
	return func(ctx context.Context) error {
		var a answer
		select {
		case a = <-l.answer:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), server.Close())
		}
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := server.Shutdown(end); err != nil { // the page has been sent before it returns
			_ = server.Close()
		}
		if a.err != nil {
			return a.err
		}
		return l.exchange(context.WithoutCancel(ctx), c, a.code, verifier)
	}, nil
}

// ServeHTTP is the listener to which the issuer sends the browser back. Only
// the first visit with the login's own state counts; all else harms nothing.
func (l *login) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	redirect, err := url.Parse(l.now().Redirect)
	switch {
	case err != nil || r.Host != redirect.Host:
		page(w, http.StatusMisdirectedRequest, "This is not the address that was asked for.")
		return
	case r.URL.Path != callback || r.Method != http.MethodGet:
		page(w, http.StatusNotFound, "There is nothing here.")
		return
	}
	a, err := l.readQuery(r.URL.Query(), true)
	if err != nil {
		page(w, http.StatusBadRequest, sentence(err))
		return
	}
	if err := l.take(a); err != nil {
		page(w, http.StatusGone, "This login has had its answer.")
		return
	}
	if a.err != nil {
		page(w, http.StatusOK, sentence(a.err)+" You may close this window.")
		return
	}
	page(w, http.StatusOK, "Portico has the answer. You may close this window and go back to where you began.")
}

func page(w http.ResponseWriter, status int, text string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `<!doctype html><html lang="en"><meta charset="utf-8"><title>Portico</title><body style="font:1.1rem system-ui;margin:4rem auto;max-width:36rem"><p>`+
		html.EscapeString(text)+"</p></body></html>\n")
}

// read reads an answer that was pasted.
func (l *login) read(text string) (answer, error) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxAnswer {
		return answer{}, errors.New("paste the address that the browser ended at, or the code in it")
	}
	if !strings.Contains(text, "://") && !strings.Contains(text, "code=") {
		// A code alone. That it belongs to this login is proved by the verifier.
		if strings.ContainsAny(text, " \t\r\n&") {
			return answer{}, errors.New("that is neither an address nor a code")
		}
		if code, err := url.QueryUnescape(text); err == nil {
			text = code
		}
		return answer{code: text}, nil
	}
	_, query, found := strings.Cut(text, "?")
	if !found {
		query = text
	}
	query, _, _ = strings.Cut(query, "#")
	q, err := url.ParseQuery(query)
	if err != nil {
		return answer{}, errors.New("the address cannot be read; copy all of it")
	}
	return l.readQuery(q, strings.Contains(text, "://"))
}

// readQuery reads an issuer's answer (RFC 6749 §4.1.2). strict: it must have
// the login's state.
func (l *login) readQuery(q url.Values, strict bool) (answer, error) {
	state := q.Get("state")
	if strict || state != "" {
		if subtle.ConstantTimeCompare([]byte(state), []byte(l.state)) != 1 {
			return answer{}, errors.New("this answer belongs to another login")
		}
	}
	if iss := q.Get("iss"); iss != "" && strings.TrimSuffix(iss, "/") != l.issuer {
		return answer{}, errors.New("this answer is of another issuer (RFC 9207)")
	}
	if e := q.Get("error"); e != "" {
		if e == "access_denied" {
			return answer{err: errors.New("what was asked for was refused at " + l.ask.Client.login.Issuer)}, nil
		}
		says := credential.Line(e)
		if d := credential.Line(q.Get("error_description")); d != "" {
			says += ": " + d
		}
		return answer{err: errors.New(l.ask.Client.login.Issuer + " says " + says)}, nil
	}
	code := q.Get("code")
	if code == "" || len(code) > maxAnswer {
		return answer{}, errors.New("this answer has no code")
	}
	return answer{code: code}, nil
}

// exchange turns a code into tokens (RFC 6749 §4.1.3, RFC 7636).
func (l *login) exchange(ctx context.Context, c *oauth2.Config, code, verifier string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client := credential.Client(l.ask.Way)
	t, err := c.Exchange(context.WithValue(ctx, oauth2.HTTPClient, client), code, oauth2.VerifierOption(verifier))
	if err != nil {
		return errors.New(credential.Explain(err, secret.Of(code), l.ask.Client.secret, secret.Of(verifier)))
	}
	return l.finish(ctx, client, t, c.Scopes)
}
