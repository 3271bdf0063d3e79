package cli

import (
	"fmt"
	"strings"

	"portico/internal/app"
	"portico/internal/config"
)

type configCmd struct {
	Check configCheck `cmd:"" help:"Say whether the configuration is sound."`
	Show  configShow  `cmd:"" help:"Print every key, its value and where it comes from; secrets are masked."`
	Keys  configKeys  `cmd:"" help:"List every key that can be set, and what it means."`
}

// load reads the configuration without a server and without writing.
func (g *globals) load() (*config.Config, []config.Problem, error) {
	o := g.options()
	o.Providers, o.CheckAccount = app.Providers()
	return config.Load(o)
}

type configCheck struct{}

// Run checks the configuration. Exit code 3 means that it is wrong.
func (*configCheck) Run(g *globals) error {
	c, warnings, err := g.load()
	for _, w := range warnings {
		fmt.Fprintln(g.err, "warning:", w)
	}
	if err != nil {
		return err
	}
	where := c.File
	if where == "" {
		where = "no file; defaults and the environment"
	}
	_, err = fmt.Fprintln(g.out, "the configuration is sound:", where)
	return err
}

// Help says what is checked.
func (*configCheck) Help() string {
	return `The file, the environment and the accounts that the file declares are read as portico serve would read them. Nothing is written and nobody is asked. Exit code 3 means that something is wrong, told in one line each.

Examples:
  portico config check
  portico config check --config new.yaml`
}

type configShow struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help shows how to print it.
func (*configShow) Help() string {
	return `Examples:
  portico config show
  portico config show --json`
}

// Run prints the configuration.
func (c *configShow) Run(g *globals) error {
	k, _, err := g.load()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(g.out, k.Show())
	}
	return k.Masked(g.out)
}

type configKeys struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help shows how to print them.
func (*configKeys) Help() string {
	return `A key of the file is also the environment variable, and mostly a flag of portico serve, that is named with it. What is in a list, such as accounts, stands in the file only.

Examples:
  portico config keys
  portico config keys --json`
}

// Run lists the keys.
func (c *configKeys) Run(g *globals) error {
	keys := config.Keys()
	if c.JSON {
		return printJSON(g.out, keys)
	}
	for _, k := range keys {
		names := []string{k.Name}
		if e := k.Env(); e != "" {
			names = append(names, e)
		}
		if f := k.Flag(); f != "" {
			names = append(names, "--"+f)
		}
		says := k.Type
		if k.Default != "" {
			says += "; default " + k.Default
		}
		if k.Required {
			says += "; required"
		}
		if k.Restart {
			says += "; takes effect at the next start"
		}
		if _, err := fmt.Fprintf(g.out, "%s\n    %s\n    %s.\n", strings.Join(names, ", "), k.Doc, strings.ToUpper(says[:1])+says[1:]); err != nil {
			return err
		}
	}
	return nil
}
