package cli

import (
	"fmt"
	"net/http"

	"portico/internal/admin"
)

type doctorCmd struct {
	Security bool `help:"Look at the security invariants instead; the running gateway is put to the test."`
	JSON     bool `name:"json" help:"Print JSON."`
}

// Help says what the exit code means.
func (*doctorCmd) Help() string {
	return `Exit code 1 means that a check failed. A warning is no failure.

With --security the invariants of docs/operations.md are looked at one by one: the running gateway gets a handful of requests that it must refuse, none of which reaches an account.

Examples:
  portico doctor
  portico doctor --security
  portico doctor --json`
}

// Run prints every check. Exit code 1 means that one failed.
func (c *doctorCmd) Run(g *globals) error {
	return g.with(func(k *client) error {
		checks, err := c.checks(g, k)
		if err != nil {
			return err
		}
		if c.JSON {
			if err := printJSON(g.out, checks); err != nil {
				return err
			}
		}
		failed := 0
		for _, x := range checks {
			if x.State == admin.Fail {
				failed++
			}
			if c.JSON {
				continue
			}
			name := ""
			if c.Security {
				name = fmt.Sprintf("%-4s", x.Name)
			}
			fmt.Fprintf(g.out, "%-5s %s%s\n", x.State, name, printable(x.Text))
			if x.Fix != "" {
				fmt.Fprintf(g.out, "      to mend it: %s\n", printable(x.Fix))
			}
		}
		if failed > 0 {
			return &failure{exitError, fmt.Sprintf("%d of %d checks failed", failed, len(checks)), ""}
		}
		return nil
	})
}

func (c *doctorCmd) checks(g *globals, k *client) ([]admin.Check, error) {
	var l admin.List[admin.Check]
	if err := k.call(g.ctx, http.MethodGet, "/api/doctor", nil, &l); err != nil {
		return nil, err
	}
	if !c.Security {
		return l.Items, nil
	}
	cfg, _, err := g.load()
	if err != nil {
		return nil, err
	}
	s, err := k.look(g.ctx, l.Items, cfg.APIKey.Reveal(), cfg.AdminToken.Reveal())
	if err != nil {
		return nil, err
	}
	return k.security(g.ctx, &s), nil
}
