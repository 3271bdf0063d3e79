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

type keyCmd struct {
	Show   keyShow   `cmd:"" help:"Print the key that AI clients use."`
	Rotate keyRotate `cmd:"" help:"Make a new key; the old one ends at once."`
}

// names are the keys that may be shown and renewed.
var names = map[bool]string{false: "api_key", true: "admin_token"}

type keyShow struct {
	Admin bool `help:"The admin token instead of the clients' key."`
}

// Help shows how a script takes the key.
func (*keyShow) Help() string {
	return `Only the key is printed.

Examples:
  portico key show
  export OPENAI_API_KEY="$(portico key show)"
  portico key show --admin`
}

// Run prints the key alone, so that scripts can take it.
func (c *keyShow) Run(g *globals) error {
	k, _, err := g.load()
	if err != nil {
		return err
	}
	s := k.APIKey
	if c.Admin {
		s = k.AdminToken
	}
	if s.IsZero() {
		return &failure{exitUnknown, "there is no " + names[c.Admin] + " yet", "it is made when the gateway first starts: portico serve"}
	}
	_, err = fmt.Fprintln(g.out, s.Reveal())
	return err
}

type keyRotate struct {
	Admin bool `help:"The admin token instead of the clients' key."`
}

// Help says what follows.
func (keyRotate) Help() string {
	return `The new key is written into the configuration file that decided the old one. A running gateway takes it over within a second.

Examples:
  portico key rotate
  portico key rotate --admin`
}

// Run renews a key and prints the new one alone.
func (c *keyRotate) Run(g *globals) error {
	o := g.options()
	o.Providers, o.CheckAccount = app.Providers()
	s, file, err := config.Rotate(o, names[c.Admin])
	if err != nil {
		return err
	}
	fmt.Fprintf(g.err, "%s was renewed in %s\n", strings.ReplaceAll(names[c.Admin], "_", " "), file)
	_, err = fmt.Fprintln(g.out, s.Reveal())
	return err
}
