package cli

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"portico/internal/app"
	"portico/internal/config"
	"portico/internal/journal"
	"portico/internal/lock"
)

// A client asks the admin API: that of the server that holds the data folder,
// or, where none runs, one that is opened for the command alone.
type client struct {
	base  string
	token string
	http  http.Client
	close func() error
	// running is the server's holder, nil if the folder was opened here.
	running *lock.Holder
}

// dial finds the server, or opens the folder.
func (g *globals) dial() (*client, error) {
	dir, err := config.Dir(g.DataDir, g.env)
	if err != nil {
		return nil, err
	}
	holder, ok, err := lock.Find(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if !ok {
		return g.open()
	}
	names, check := app.Providers()
	o := g.options()
	o.Providers, o.CheckAccount = names, check
	c, _, err := config.Load(o)
	if err != nil {
		return nil, err
	}
	if holder.Address == "" {
		return nil, &failure{exitError, fmt.Sprintf("the gateway (process %d) has not finished starting", holder.PID), "try again in a moment"}
	}
	return &client{base: holder.Address, token: c.AdminToken.Reveal(), running: &holder, close: func() error { return nil }}, nil
}

// open opens the folder for this command.
func (g *globals) open() (*client, error) {
	a, err := app.Open(g.options(), quiet{g.err})
	if err != nil {
		return nil, err
	}
	return &client{
		base: "http://127.0.0.1", token: a.Config().AdminToken.Reveal(),
		http:  http.Client{Transport: within{a.Admin()}},
		close: a.Close,
	}, nil
}

// quiet lets errors of the log through and nothing else: a command prints its
// own answer.
type quiet struct{ w io.Writer }

func (q quiet) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("ERROR")) {
		return q.w.Write(b)
	}
	return len(b), nil
}

// within serves requests by a handler in this process.
type within struct{ http.Handler }

// RoundTrip implements http.RoundTripper.
func (t within) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &answer{header: http.Header{}, status: http.StatusOK}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	t.ServeHTTP(w, r)
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), Request: r, ContentLength: int64(w.body.Len()),
	}, nil
}

type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// problem is an error as the API tells it.
type problem struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Errors []struct {
		Where string `json:"where"`
		Text  string `json:"text"`
	} `json:"errors"`
}

// maxAnswer bounds an answer that is read whole.
const maxAnswer = 64 << 20

// call asks the API and reads the answer into out, which may be nil. The
// error is a *refusal with the API's own words.
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	resp, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	return taken(resp, out)
}

// taken reads an answer of the gateway into out, unless that is nil or there is
// nothing, and closes it.
func taken(resp *http.Response, out any) error {
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the gateway's answer: %w", err)
	}
	if resp.StatusCode >= 300 {
		return refused(resp.StatusCode, b)
	}
	if out == nil || len(b) == 0 {
		return nil
	}
	if err := json.Unmarshal(b, out, journal.JSON); err != nil {
		return fmt.Errorf("read the gateway's answer: %w", err)
	}
	return nil
}

func (c *client) send(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	return c.sendAs(ctx, method, path, "application/json", body)
}

// sendAs sends a body, if there is one, of a media type.
func (c *client) sendAs(ctx context.Context, method, path, kind string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		r.Header.Set("Content-Type", kind)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return nil, &failure{exitError, fmt.Sprintf("the gateway at %s does not answer: %v", c.base, err), "portico doctor"}
	}
	return resp, nil
}

// refused makes an error of the API's problem.
func refused(status int, body []byte) error {
	var p problem
	if err := json.Unmarshal(body, &p); err != nil || p.Detail == "" {
		return &failure{exitError, fmt.Sprintf("the gateway answered with HTTP %d", status), ""}
	}
	f := &refusal{failure{exitError, p.Detail, ""}, p.Code}
	for _, e := range p.Errors {
		f.text += fmt.Sprintf("\n  %s: %s", strings.TrimPrefix(e.Where, "body."), e.Text)
	}
	switch p.Code {
	case "account_not_found":
		f.code, f.hint = exitUnknown, "portico account list"
	case "key_not_found":
		f.code, f.hint = exitUnknown, "portico key list"
	case "rule_not_found":
		f.code, f.hint = exitUnknown, "portico access list"
	case "would_lock_out":
		f.hint = "--force makes the change all the same"
	case "session_not_found":
		f.code, f.hint = exitUnknown, "portico sessions list"
	case "request_not_found":
		f.code, f.hint = exitUnknown, "portico logs"
	case "test_failed":
		f.hint = "mend it, or add the account with --no-test"
	case "unauthorized":
		f.hint = "the admin_token in the configuration is not the running server's; restart it or reload it"
	}
	return f
}

// with calls f with a client and closes it.
func (g *globals) with(f func(c *client) error) error {
	c, err := g.dial()
	if err != nil {
		return err
	}
	err = f(c)
	return errors.Join(err, c.close())
}
