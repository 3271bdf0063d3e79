package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"golang.org/x/term"

	"portico/internal/admin"
)

type passwordCmd struct {
	Set    passwordSet    `cmd:"" help:"Set or change the password of the page; all sessions end."`
	Remove passwordRemove `cmd:"" help:"Remove the password of the page; all sessions end."`
}

type passwordSet struct {
	File string `placeholder:"FILE" help:"Read the password from a file; - is standard input. Without it, it is asked for."`
}

// Help says what a password is for.
func (*passwordSet) Help() string {
	return `The password opens the page in a browser, beside the admin token and the links of portico open. It needs at least 12 letters and is kept as a slow hash (argon2id) only. All sessions end when it changes.

Examples:
  portico password set
  portico password set --file password.txt`
}

// maxPassword bounds what is read as a password, in bytes.
const maxPassword = 4 << 10

// Run sets the password.
func (c *passwordSet) Run(g *globals) error {
	password, err := c.password(g)
	if err != nil {
		return err
	}
	if password == "" {
		return &failure{exitUsage, "no password was given", "portico password remove removes the one there is"}
	}
	return g.with(func(k *client) error {
		if err := k.call(g.ctx, http.MethodPut, "/api/password", admin.NewPassword{Password: password}, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintln(g.out, "the password is set; all sessions have ended")
		return err
	})
}

func (c *passwordSet) password(g *globals) (string, error) {
	switch c.File {
	case "":
		return askTwice(g, "Password")
	case "-":
		return firstLine(g.in)
	}
	f, err := os.Open(c.File)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return firstLine(f)
}

// firstLine is the first line of r without its end.
func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxPassword)).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return strings.TrimRight(line, "\r\n"), err
}

// askTwice reads a secret that is being chosen from the terminal, twice and
// without showing it, or a line from whatever else standard input is.
func askTwice(g *globals, what string) (string, error) {
	first, again, err := askHidden(g, what)
	if err != nil || !again {
		return first, err
	}
	second, _, err := askHidden(g, what+" again")
	if err == nil && first != second {
		err = &failure{exitUsage, "the two differ; nothing was changed", ""}
	}
	return first, err
}

// askHidden reads a secret, and says whether somebody typed it.
func askHidden(g *globals, what string) (text string, typed bool, err error) {
	f, ok := g.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		text, err = firstLine(g.in)
		return text, false, err
	}
	fmt.Fprint(g.err, what+": ")
	b, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(g.err)
	return string(b), true, err
}

type passwordRemove struct{}

// Help says what is left.
func (*passwordRemove) Help() string {
	return `The page can then be opened with the admin token and by portico open. All sessions end.

Examples:
  portico password remove`
}

// Run removes the password.
func (*passwordRemove) Run(g *globals) error {
	return g.with(func(k *client) error {
		if err := k.call(g.ctx, http.MethodPut, "/api/password", admin.NewPassword{}, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintln(g.out, "there is no password; all sessions have ended")
		return err
	})
}

type sessionsCmd struct {
	List sessionsList `cmd:"" help:"List the browsers that are signed in."`
	End  sessionsEnd  `cmd:"" help:"Sign a browser out."`
}

type sessionsList struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help says when sessions end.
func (*sessionsList) Help() string {
	return `A session ends after a day without a request, after thirty days, when it is ended, and when the password changes.

Examples:
  portico sessions list
  portico sessions list --json`
}

// Run lists sessions.
func (c *sessionsList) Run(g *globals) error {
	return listing(g, "/api/sessions", c.JSON, "No browser is signed in. Open the page with: portico open",
		"SESSION\tBY\tADDRESS\tBEGAN\tLAST SEEN\tBROWSER", func(s *admin.Session) []string {
			return []string{s.ID, s.Way, s.Address, stamp(s.Created), stamp(s.LastSeen), s.Agent}
		})
}

type sessionsEnd struct {
	ID string `arg:"" help:"The session, or all."`
}

// Help shows both.
func (*sessionsEnd) Help() string {
	return `The browser's next request is refused; a live feed that it has open ends within a second.

Examples:
  portico sessions end k3x9w0a2bc
  portico sessions end all`
}

// Run ends a session.
func (c *sessionsEnd) Run(g *globals) error {
	return g.with(func(k *client) error {
		if err := k.call(g.ctx, http.MethodDelete, "/api/sessions/"+url.PathEscape(c.ID), nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintln(g.out, "ended", printable(c.ID))
		return err
	})
}
