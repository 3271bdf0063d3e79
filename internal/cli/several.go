package cli

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"portico/internal/admin"
)

// selection says which accounts a command is about.
type selection struct {
	Names []string `arg:"" optional:"" name:"name" help:"The accounts."`
	Of    []string `name:"tagged" placeholder:"TAG,..." help:"Those that have all of these tags."`
	At    string   `name:"of" placeholder:"PROVIDER" help:"Those of a provider."`
	State string   `placeholder:"STATE" help:"Those in a state, such as needs_login or off."`
	Match string   `placeholder:"TEXT" help:"Those with a text in their name or label."`
	All   bool     `help:"All of them."`
}

// selected is what the API calls it.
func (s *selection) selected() (admin.Selection, error) {
	if len(s.Names)+len(s.Of) == 0 && s.At+s.State+s.Match == "" && !s.All {
		return admin.Selection{}, &failure{exitUsage, "no accounts are named", "name some, or choose them by --tagged, --of, --state, --match or --all"}
	}
	return admin.Selection{Names: s.Names, Tags: s.Of, Provider: s.At, State: s.State, Text: s.Match, All: s.All}, nil
}

// act has the gateway do b with the accounts, and says did of each.
func (s *selection) act(g *globals, b admin.Bulk, did string) error {
	var err error
	if b.Select, err = s.selected(); err != nil {
		return err
	}
	return g.with(func(k *client) error {
		if b.Heal && k.running == nil {
			return &failure{exitError, "no gateway runs, and one that starts has forgotten all faults", "portico serve"}
		}
		var r admin.BulkResult
		if err := k.call(g.ctx, http.MethodPost, "/api/accounts/bulk", b, &r); err != nil {
			return err
		}
		for _, name := range r.Done {
			fmt.Fprintln(g.out, did, printable(name))
		}
		if len(r.Kept) > 0 {
			fmt.Fprintln(g.err, "left alone, for they are not of the store:", printable(strings.Join(r.Kept, ", ")))
		}
		switch {
		case len(r.Done) == 0 && len(r.Kept) == 0:
			return &failure{exitUnknown, "there are no such accounts", "portico account list"}
		case len(r.Done) == 0:
			return &failure{exitError, "accounts that the configuration file declares are changed there", ""}
		}
		if b.Remove && k.running != nil {
			fmt.Fprintln(g.err, "portico account restore NAME undoes it for ten seconds")
		}
		return nil
	})
}

type accountRemove struct{ selection }

// Help says which accounts can be removed.
func (*accountRemove) Help() string {
	return `Accounts that the configuration file declares are removed there. While a gateway runs a removal can be undone for ten seconds; nothing of the accounts lies on the disk meanwhile.

Examples:
  portico account remove work
  portico account remove --tagged old --state needs_login`
}

// Run removes accounts.
func (c *accountRemove) Run(g *globals) error {
	return c.act(g, admin.Bulk{Remove: true}, "removed")
}

type accountUndo struct {
	Names []string `arg:"" name:"name" help:"The accounts."`
}

// Help says for how long it can be undone.
func (*accountUndo) Help() string {
	return `A removal can be undone for ten seconds, while the gateway runs that did it. The accounts are as they were: their credentials, their place in the order, and logins whose refresh tokens were replaced.

Examples:
  portico account restore work`
}

// Run undoes a removal.
func (c *accountUndo) Run(g *globals) error {
	return g.with(func(k *client) error {
		if err := k.call(g.ctx, http.MethodPost, "/api/accounts/restore", admin.Names{Names: c.Names}, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintln(g.out, "restored", printable(strings.Join(c.Names, ", ")))
		return err
	})
}

type accountSwitch struct{ selection }

// Help says what a switch does.
func (*accountSwitch) Help() string {
	return `What an account serves at the moment goes on. Accounts that the configuration file declares are switched there, by disabled.

Examples:
  portico account disable work
  portico account enable work
  portico account disable --tagged team:a
  portico account enable --all`
}

// Run switches accounts on or off, by the command's own name.
func (c *accountSwitch) Run(g *globals) error {
	off, did := strings.HasPrefix(g.command, "account disable"), "enabled"
	if off {
		did = "disabled"
	}
	return c.act(g, admin.Bulk{Change: &admin.BulkChange{Disabled: &off}}, did)
}

type accountHeal struct{ selection }

// Help says when to heal an account.
func (*accountHeal) Help() string {
	return `Every pause ends by itself; this ends it now, after you have mended at the vendor's what was wrong.

Examples:
  portico account heal work
  portico account heal --state down`
}

// Run heals accounts.
func (c *accountHeal) Run(g *globals) error {
	return c.act(g, admin.Bulk{Heal: true}, "healed")
}

type accountSet struct {
	selection
	Label    *string  `placeholder:"TEXT" help:"What they are, for people."`
	Tag      []string `placeholder:"TAG,..." help:"Tags to add."`
	Untag    []string `placeholder:"TAG,..." help:"Tags to take away."`
	Models   []string `placeholder:"GLOB,..." help:"Models that they serve; '*' for all."`
	Priority *int     `placeholder:"NUMBER" help:"Accounts of a lower number are tried first."`
	Weight   *int     `placeholder:"NUMBER" help:"Share of the requests among accounts of one priority."`
	RPM      *int     `name:"rpm" placeholder:"NUMBER" help:"Requests a minute; 0 is no limit."`
	TPM      *int     `name:"tpm" placeholder:"NUMBER" help:"Tokens a minute; 0 is no limit."`
	Parallel *int     `name:"concurrency" placeholder:"NUMBER" help:"Requests at one time; 0 is no limit."`
	Proxy    *string  `placeholder:"URL" help:"An outbound proxy of their own; an empty one is none."`
}

// Help says what can be changed of several accounts.
func (*accountSet) Help() string {
	return `What is not named stays. All accounts that are meant are changed, or none; those that the configuration file declares are left alone and named.

Examples:
  portico account set work --label Office --tag team:a,prod
  portico account set --tagged team:a --priority 1 --weight 3
  portico account set --of openai --concurrency 8
  portico account set --all --untag old`
}

// Run changes accounts.
func (c *accountSet) Run(g *globals) error {
	b := &admin.BulkChange{Label: c.Label, AddTags: c.Tag, RemoveTags: c.Untag, Priority: c.Priority, Weight: c.Weight, Proxy: c.Proxy}
	if c.Models != nil {
		if len(c.Models) == 1 && c.Models[0] == "*" {
			c.Models = []string{}
		}
		b.Models = &c.Models
	}
	if c.RPM != nil || c.TPM != nil || c.Parallel != nil {
		b.Limits = &admin.LimitsChange{RPM: c.RPM, TPM: c.TPM, Concurrency: c.Parallel}
	}
	if b.Label == nil && b.Models == nil && b.Priority == nil && b.Weight == nil && b.Proxy == nil && b.Limits == nil && len(b.AddTags)+len(b.RemoveTags) == 0 {
		return &failure{exitUsage, "nothing to change is named", "portico account set --help"}
	}
	return c.act(g, admin.Bulk{Change: b}, "changed")
}

type accountOrder struct {
	Names []string `arg:"" name:"name" help:"The accounts, the first one first."`
}

// Help says what the order is for.
func (*accountOrder) Help() string {
	return `The accounts that are named come first, in this order; the others follow as they were. Lists have them in this order, and the strategy priority takes the first that is able. Accounts that the configuration file declares are before all others, in its order.

Examples:
  portico account order work spare
  portico account order spare`
}

// Run orders accounts.
func (c *accountOrder) Run(g *globals) error {
	return g.with(func(k *client) error {
		return k.call(g.ctx, http.MethodPost, "/api/accounts/order", admin.Names{Names: c.Names}, nil)
	})
}

type accountExport struct {
	selection
	Output string `short:"o" placeholder:"FILE" help:"Write into a file that only you may read; standard output by default."`
}

// Help says what is in the file.
func (*accountExport) Help() string {
	return `The file has all settings but those that may be secret: keys, logins, and the values of headers and options. Those are named as left out. Fill them in, and portico account import takes the file.

Examples:
  portico account export --all -o accounts.json
  portico account export --tagged team:a`
}

// Run writes accounts.
func (c *accountExport) Run(g *globals) error {
	s, err := c.selected()
	if err != nil {
		return err
	}
	return g.with(func(k *client) (err error) {
		var e admin.Export
		if err := k.call(g.ctx, http.MethodPost, "/api/accounts/export", map[string]admin.Selection{"select": s}, &e); err != nil {
			return err
		}
		if c.Output == "" {
			return printJSON(g.out, e)
		}
		f, err := os.OpenFile(c.Output, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		if err := printJSON(f, e); err != nil {
			return err
		}
		fmt.Fprintf(g.err, "wrote %d accounts\n", len(e.Accounts))
		return nil
	})
}
