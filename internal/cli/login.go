package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"portico/internal/admin"
)

// loginFlags say how somebody signs in.
type loginFlags struct {
	Login  bool   `xor:"credential" help:"Sign in by a browser on this machine."`
	Paste  bool   `xor:"credential" help:"Sign in by a browser elsewhere, and paste the address that it ends at."`
	Device bool   `xor:"credential" help:"Sign in by a code on another device, if the vendor offers that."`
	Open   bool   `help:"Open the address in a browser; it is printed in any case."`
	Client string `placeholder:"FILE" help:"An OAuth client of your own, as the JSON file of its issuer's console."`
}

func (f *loginFlags) wanted() bool { return f.Login || f.Paste || f.Device }

// client reads the client's file, "" if there is none.
func (f *loginFlags) client(g *globals) (string, error) {
	if f.Client == "" {
		return "", nil
	}
	return readSecret(g, f.Client)
}

type accountLogin struct {
	Name string `arg:"" help:"The account."`
	loginFlags
	JSON bool `name:"json" help:"Print JSON."`
}

// Help says when to sign in again.
func (*accountLogin) Help() string {
	return `An account needs a login (needs_login in the list) when its issuer takes its credential no more: it was revoked, has lapsed, or the password was changed. Sign in as the one whose account it is; anybody else is refused, and the account stays as it was.

Without a flag it is by a browser on this machine. The client is that of the last login unless you name another.

Examples:
  portico account login mine
  portico account login mine --paste
  portico account login mine --device --client client.json`
}

// Run signs in again.
func (c *accountLogin) Run(g *globals) error {
	file, err := c.client(g)
	if err != nil {
		return err
	}
	return g.with(func(k *client) error {
		return signIn(g, k, admin.NewLogin{Name: c.Name, Client: file}, &c.loginFlags, c.JSON)
	})
}

// lookFor is how long the gateway is asked to wait for the end of a login, each
// time.
const lookFor = 20 * time.Second

// signIn begins a login and waits for its end.
func signIn(g *globals, k *client, in admin.NewLogin, f *loginFlags, asJSON bool) error {
	in.Mode = "browser"
	if f.Device {
		in.Mode = "device"
	}
	var l admin.Login
	if err := k.call(g.ctx, http.MethodPost, "/api/logins", in, &l); err != nil {
		return err
	}
	path := "/api/logins/" + url.PathEscape(l.ID)
	invite(g, &l, f)
	err := error(nil)
	if f.Paste {
		err = paste(g, k, path)
	}
	for err == nil && (l.State == "waiting" || l.State == "busy") {
		err = k.call(g.ctx, http.MethodGet, fmt.Sprintf("%s?wait=%d", path, int(lookFor.Seconds())), nil, &l)
	}
	if err != nil { // given up here, so it is over there
		end, cancel := context.WithTimeout(context.WithoutCancel(g.ctx), 5*time.Second)
		defer cancel()
		_ = k.call(end, http.MethodDelete, path, nil, nil)
		return err
	}
	if asJSON {
		if err := printJSON(g.out, l); err != nil {
			return err
		}
	}
	if l.State == "failed" {
		return &failure{exitError, printable(l.Text), ""}
	}
	if !asJSON {
		fmt.Fprintln(g.out, printable(l.Text))
	}
	return nil
}

// invite says what the person has to do.
func invite(g *globals, l *admin.Login, f *loginFlags) {
	fmt.Fprintf(g.err, "Open this address in a browser, before %s:\n\n  %s\n\n", l.Expires.Local().Format("15:04:05"), printable(l.URL))
	switch {
	case l.UserCode != "":
		fmt.Fprintf(g.err, "Enter the code %s there.\n", printable(l.UserCode))
	case f.Paste:
		fmt.Fprintf(g.err, "At the end the browser is sent to a page of %s, which need not open. Copy its whole address.\n", printable(l.Redirect))
	default:
		fmt.Fprintln(g.err, "A browser on the gateway's machine ends the login by itself; from elsewhere use --paste.")
	}
	if !f.Open {
		return
	}
	if err := visit(g.ctx, l.URL); err != nil {
		fmt.Fprintln(g.err, "No browser could be opened:", printable(err.Error()))
	}
}

// maxPaste bounds an answer that is pasted, in bytes.
const maxPaste = 8 << 10

// paste reads the issuer's answer and brings it back. One that does not do is
// asked for again.
func paste(g *globals, k *client, path string) error {
	lines := bufio.NewReaderSize(g.in, maxPaste)
	for {
		fmt.Fprint(g.err, "The address that the browser ended at: ")
		line, long, err := lines.ReadLine()
		switch {
		case errors.Is(err, io.EOF):
			return &failure{exitUsage, "nothing was pasted", "the answer is read from standard input, one line"}
		case err != nil:
			return err
		case long:
			return &failure{exitError, fmt.Sprintf("the address has more than %d bytes", maxPaste), ""}
		}
		err = k.call(g.ctx, http.MethodPost, path+"/callback", map[string]string{"answer": string(line)}, nil)
		f, refused := errors.AsType[*refusal](err)
		if !refused || f.problem != "invalid" {
			return err
		}
		fmt.Fprintln(g.err, printable(f.text))
	}
}
