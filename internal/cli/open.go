package cli

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"portico/internal/admin"
	"portico/internal/config"
)

type openCmd struct {
	Print bool `help:"Print the link and open nothing."`
}

// Help says what the link is worth.
func (*openCmd) Help() string {
	return `The link signs a browser on this machine in, once and within a minute. What follows the # is sent to nobody: the page reads it and shows it to the gateway.

Examples:
  portico open
  portico open --print`
}

// launchFile is the page below the data folder that leads a browser to the
// link. Everybody on the machine can read the command line of a browser, and
// only the operator can read the file.
const launchFile = "launch.html"

// Run opens the page, or prints the link where no browser can be started.
func (c *openCmd) Run(g *globals) error {
	return g.with(func(k *client) error {
		if k.running == nil {
			return &failure{exitError, "no gateway runs on the data folder", "portico serve"}
		}
		var l admin.Launch
		if err := k.call(g.ctx, http.MethodPost, "/api/launch", nil, &l); err != nil {
			return err
		}
		if !c.Print {
			dir, err := config.Dir(g.DataDir, g.env)
			if err != nil {
				return err
			}
			if err = browse(g.ctx, filepath.Join(dir, launchFile), l.URL); err == nil {
				_, err = fmt.Fprintln(g.out, "opened the page at", k.base)
				return err
			}
			fmt.Fprintf(g.err, "no browser can be started here (%v); open this within a minute:\n", err)
		}
		_, err := fmt.Fprintln(g.out, l.URL)
		return err
	})
}

// browse has a browser open file, which leads it to link.
func browse(ctx context.Context, file, link string) error {
	name, args := opener(runtime.GOOS)
	path, err := exec.LookPath(name)
	if err != nil {
		return err
	}
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		return err
	}
	page := `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>Portico</title>` +
		`<meta http-equiv="refresh" content="0; url=` + html.EscapeString(link) + `">`
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		return err
	}
	// Some browsers end only when they are closed, so nobody waits.
	return exec.CommandContext(context.WithoutCancel(ctx), path, append(args, file)...).Start()
}

// opener is the program that opens a file with what the user likes best.
func opener(system string) (name string, args []string) {
	switch system {
	case "windows":
		return "rundll32", []string{"url.dll,FileProtocolHandler"}
	case "darwin":
		return "open", nil
	}
	return "xdg-open", nil
}
