// Package cli is the command line. It decides nothing: it reads what the
// operator wants, asks the server (or, where none runs, the data folder) over
// the same admin API that the web page uses, and prints the answer.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"portico/internal/config"
	"portico/internal/lock"
	"portico/internal/version"
)

// The exit codes. They are part of the surface: scripts rely on them.
const (
	exitOK      = 0
	exitError   = 1 // what was asked failed
	exitUsage   = 2 // the command line is wrong
	exitConfig  = 3 // the configuration is wrong
	exitHeld    = 4 // another server holds the data folder
	exitUnknown = 5 // the account, request or key that was named does not exist
)

// globals are the flags of every command, and what commands work with.
type globals struct {
	DataDir string `name:"data-dir" placeholder:"DIR" help:"Data folder; by default $PORTICO_HOME, else the folder portico in your configuration folder."`
	Config  string `name:"config" placeholder:"FILE" help:"Configuration file; portico.yaml in the data folder by default."`

	ctx    context.Context
	env    []string
	in     io.Reader
	out    io.Writer
	err    io.Writer
	parser *kong.Kong
	// command is the path of the command that was chosen, as kong tells it.
	command string
}

// options is where the configuration comes from.
func (g *globals) options() config.Options {
	return config.Options{DataDir: g.DataDir, File: g.Config, Env: g.env}
}

// grammar is the whole command line.
type grammar struct {
	serving

	Account    accountCmd    `cmd:"" help:"Add, list, test and remove accounts at providers."`
	Key        keyCmd        `cmd:"" help:"Hand out keys to AI clients, with limits and budgets, and renew them."`
	Backup     backupCmd     `cmd:"" help:"Back everything up into an encrypted file, and restore it."`
	Access     accessCmd     `cmd:"" help:"Rules on addresses, who was refused, and what operators did."`
	Proxy      proxyCmd      `cmd:"" help:"Keep a pool of outbound proxies for accounts."`
	Open       openCmd       `cmd:"" help:"Open the page in a browser, signed in."`
	Password   passwordCmd   `cmd:"" help:"Set or remove the password of the page."`
	Sessions   sessionsCmd   `cmd:"" help:"List the browsers that are signed in, and sign them out."`
	Status     statusCmd     `cmd:"" help:"Say how the gateway and its accounts are doing."`
	Quota      quotaCmd      `cmd:"" help:"Say what is left of the accounts' quotas."`
	Route      routeCmd      `cmd:"" help:"Tell which presets of routes there are."`
	Logs       logsCmd       `cmd:"" help:"List finished requests, or follow them."`
	Explain    explainCmd    `cmd:"" help:"Tell what happened to one request, and why."`
	Doctor     doctorCmd     `cmd:"" help:"Check the installation and say what to mend."`
	Simulate   simulateCmd   `cmd:"" help:"Compare the strategies on made-up accounts."`
	Conf       configCmd     `cmd:"" name:"config" help:"Check or show the configuration."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
	Completion completionCmd `cmd:"" help:"Print a completion script for a shell."`
	Man        manCmd        `cmd:"" help:"Print the manual page."`
}

// serving is the part of the grammar that the server needs. A grammar is read
// from the structs by reflection, and the whole of it would be half of what the
// server allocates until it serves.
type serving struct {
	globals

	Serve serveCmd `cmd:"" help:"Run the gateway."`
}

const description = `A local AI gateway: one address for every AI client, many accounts behind it.

Begin with "portico serve --simulator", add an account with "portico account add", and point a client at the address that serve prints. All commands but serve speak to the gateway that runs on the data folder, or open the folder where none runs.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 wrong configuration, 4 another server holds the data folder, 5 no such account, key or request.`

// Run carries out args, which is without the program's name, and returns the
// exit code.
func Run(args, env []string, in io.Reader, out, errw io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	all := &grammar{ctx: ctx, env: env, in: in, out: out, err: errw}
	g := &all.globals
	var commands any = all
	if len(args) > 0 && args[0] == "serve" {
		commands = &all.serving
	}
	leave := -1
	parser, err := all.newParser(commands, func(code int) { leave = code })
	if err != nil {
		fmt.Fprintln(errw, "portico:", err)
		return exitError
	}
	g.parser = parser
	if len(args) == 0 {
		args = []string{"--help"}
	}
	cmd, err := parser.Parse(args)
	if leave >= 0 { // --help was printed
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(errw, "portico: %s\n", err)
		fmt.Fprintf(errw, "hint: portico %s--help\n", commandOf(err))
		return exitUsage
	}
	g.command = cmd.Command()
	return g.report(cmd.Run(g))
}

// newParser makes the parser of commands, which are all of g's or the part that
// serves. leave is called when the help was printed.
func (g *grammar) newParser(commands any, leave func(code int)) (*kong.Kong, error) {
	g.Serve.Plugins = kong.Plugins{settings()}
	return kong.New(commands,
		kong.Name("portico"), kong.Description(description), kong.UsageOnError(), kong.Writers(g.out, g.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Exit(leave), kong.Bind(&g.globals))
}

// commandOf is the command in which a parse error happened, with a space
// behind it, or "".
func commandOf(err error) string {
	var p *kong.ParseError
	if !errors.As(err, &p) || p.Context == nil {
		return ""
	}
	if n := p.Context.Selected(); n != nil {
		return strings.TrimPrefix(n.FullPath(), "portico ") + " "
	}
	return ""
}

// report prints err and returns the exit code it stands for.
func (g *globals) report(err error) int {
	if err == nil || errors.Is(err, context.Canceled) && g.ctx.Err() != nil {
		return exitOK
	}
	if wrong, ok := errors.AsType[*config.Error](err); ok { // one line for each problem, each with its place
		for _, p := range wrong.Problems {
			fmt.Fprintln(g.err, p)
		}
		return exitConfig
	}
	fmt.Fprintln(g.err, "portico:", err)
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) && hinted.Hint() != "" {
		fmt.Fprintln(g.err, "hint:", hinted.Hint())
	}
	var held *lock.HeldError
	var coded interface{ ExitCode() int }
	switch {
	case errors.As(err, &held):
		return exitHeld
	case errors.As(err, &coded):
		return coded.ExitCode()
	}
	return exitError
}

// A failure is an error with a hint and an exit code.
type failure struct {
	code int
	text string
	hint string
}

// A refusal is a failure of which the gateway's API says that it is one, by a
// code of its own.
type refusal struct {
	failure
	problem string
}

func (f *failure) Error() string { return f.text }
func (f *failure) Hint() string  { return f.hint }
func (f *failure) ExitCode() int { return f.code }

type versionCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help shows how to print it.
func (*versionCmd) Help() string {
	return `Examples:
  portico version
  portico version --json`
}

// Run prints the version.
func (c *versionCmd) Run(g *globals) error {
	if c.JSON {
		return printJSON(g.out, map[string]string{"version": version.String()})
	}
	_, err := fmt.Fprintln(g.out, "portico", version.String())
	return err
}
