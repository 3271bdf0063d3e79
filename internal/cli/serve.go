package cli

import (
	"fmt"

	"github.com/alecthomas/kong"

	"portico/internal/app"
	"portico/internal/version"
)

type serveCmd struct {
	kong.Plugins
}

// Help shows how to start.
func (*serveCmd) Help() string {
	return `The gateway runs until it is interrupted (Ctrl-C, SIGTERM); running requests may end before it does. It reads its configuration anew when the file changes and on SIGHUP. Log lines go to standard error.

Almost every key of the configuration is a flag here, and PORTICO_<KEY> in the environment ("portico config keys" lists all). A flag wins over the environment, and the environment over the file. Keys and tokens are no flags, since everybody on the machine can read a command line.

Examples:
  portico serve --simulator
  portico serve --port 9000 --data-dir ~/portico-test
  PORTICO_AUTH_MODE=strict portico serve`
}

// Run serves until a signal comes.
func (c *serveCmd) Run(g *globals) error {
	o := g.options()
	o.Flags = given(c.Plugins[0])
	a, err := app.Open(o, g.err)
	if err != nil {
		return err
	}
	err = a.Serve(g.ctx, func(address string) {
		fmt.Fprintf(g.out, "Portico %s is listening on %s\n", version.String(), address)
	})
	if closed := a.Close(); err == nil {
		err = closed
	}
	return err
}
