package cli

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"portico/internal/admin"
)

type accountImport struct {
	File     string            `arg:"" help:"The file; - is standard input."`
	DryRun   bool              `name:"dry-run" help:"Say what would become of it, and add nothing."`
	NoTest   bool              `name:"no-test" help:"Add them without asking their upstreams first."`
	Client   string            `placeholder:"FILE" help:"The OAuth client of your own that the refresh tokens in the file were given to."`
	Provider string            `short:"p" default:"gemini" placeholder:"NAME" help:"What the accounts of refresh tokens are: gemini or vertex; gemini by default."`
	BaseURL  string            `name:"base-url" placeholder:"URL" help:"Where those accounts live; the vendor's own by default."`
	Option   map[string]string `placeholder:"NAME=VALUE" help:"A setting of those accounts, such as project=my-project; may be repeated."`
	JSON     bool              `name:"json" help:"Print JSON."`
}

// Help says which files are taken.
func (*accountImport) Help() string {
	return `Files that are taken: exports of Portico; refresh tokens, as lines or JSON; documents of Google's; .env files with the variables of vendors' tools; the files of Antigravity Manager, CLIProxyAPI, cc-switch, one-api, new-api, Claude Code, Codex and Gemini CLI. Logins that vendors reserve for their own programs are refused, and the reason is told. Accounts that are there already are left alone.

Upstreams are asked before anything is stored, of 100 accounts at most.

Examples:
  portico account import accounts.json --dry-run
  portico account import tokens.txt --client client.json
  portico account import ~/.cc-switch/config.json
  portico account import - --no-test`
}

// maxImport bounds a file in bytes.
const maxImport = 8 << 20

// Run imports a file. It is exit code 1 if something of it was not taken.
func (c *accountImport) Run(g *globals) error {
	in := admin.NewImport{Preview: c.DryRun, Test: !c.NoTest, Account: &admin.Draft{Provider: c.Provider, BaseURL: c.BaseURL, Options: c.Option, Weight: 1}}
	var err error
	if in.File, err = readFile(g, c.File, maxImport); err != nil {
		return err
	}
	if c.Client != "" {
		if in.Client, err = readSecret(g, c.Client); err != nil {
			return err
		}
	}
	return g.with(func(k *client) error {
		var out admin.ImportResult
		if err := k.call(g.ctx, http.MethodPost, "/api/accounts/import", in, &out); err != nil {
			return err
		}
		if c.JSON {
			err = printJSON(g.out, out)
		} else {
			err = table(g.out, "NAME\tPROVIDER\tKEY\tFROM\tVERDICT\tWHY", importRows(out.Items))
		}
		return errors.Join(err, c.sum(g, out.Items))
	})
}

func importRows(items []admin.Imported) (rows [][]string) {
	for _, x := range items {
		provider := x.Provider
		if x.Preset != "" {
			provider += "/" + x.Preset
		}
		why := x.Why
		if len(x.Lost) > 0 {
			why = strings.TrimSpace(why + " Left out: " + strings.Join(x.Lost, ", ") + ".")
		}
		rows = append(rows, []string{x.Name, provider, x.Key, x.From, x.Verdict, why})
	}
	return rows
}

// sum says how many came to what.
func (c *accountImport) sum(g *globals, items []admin.Imported) error {
	n := map[string]int{}
	for _, x := range items {
		n[x.Verdict]++
	}
	if c.DryRun {
		fmt.Fprintf(g.err, "%d would be added, %d are there already, %d are refused\n", n["add"], n["duplicate"], n["refused"])
		return nil
	}
	fmt.Fprintf(g.err, "%d added, %d are there already, %d refused, %d would not serve\n", n["added"], n["duplicate"], n["refused"], n["failed"])
	if n["refused"]+n["failed"] > 0 {
		return &failure{exitError, "not all accounts of the file were added", ""}
	}
	return nil
}

// readFile reads a file, or standard input for "-", of limit bytes at most.
func readFile(g *globals, name string, limit int) (string, error) {
	in := g.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, int64(limit)+1))
	if err != nil {
		return "", err
	}
	if len(b) > limit {
		return "", &failure{exitUsage, fmt.Sprintf("%s has more than %d bytes", name, limit), ""}
	}
	return string(b), nil
}
