package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"portico/internal/admin"
)

type accountCmd struct {
	Add     accountAdd    `cmd:"" help:"Test an account and add it."`
	Login   accountLogin  `cmd:"" help:"Sign in again for an account that needs it."`
	Import  accountImport `cmd:"" help:"Add the accounts that a file has: refresh tokens, an export, another tool's file."`
	List    accountList   `cmd:"" help:"List accounts and how they are doing."`
	Test    accountTest   `cmd:"" help:"Ask an account's upstream whether it would serve."`
	Heal    accountHeal   `cmd:"" help:"Forget an account's faults, so that it is tried at once."`
	Remove  accountRemove `cmd:"" help:"Remove an account and its credential."`
	Reveal  accountReveal `cmd:"" help:"Print the secrets of an account that was added here."`
	Enable  accountSwitch `cmd:"" help:"Let an account serve again."`
	Disable accountSwitch `cmd:"" help:"Let an account rest without removing it."`
}

type accountList struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help says what the columns mean.
func (*accountList) Help() string {
	return `The state is ready, cooling (it waits by itself until the time in AGAIN IN), trial (its wait is over and the next request tries it), down (the vendor rejected it and you should act) or off. Where only some models of an account have to wait, the first of them is named. SERVED counts since the gateway's start. LEFT is what the vendor says is left of windows of hours or days, and when that runs dry if it goes on like this; a vendor who says nothing has none.

Examples:
  portico account list
  portico account list --json`
}

// Run lists accounts.
func (c *accountList) Run(g *globals) error {
	now := time.Now()
	return listing(g, "/api/accounts", c.JSON, "There is no account yet. Add one with: portico account add NAME --provider openai",
		"NAME\tPROVIDER\tPROTOCOLS\tKEY\tSTATE\tAGAIN IN\tSERVED\tLEFT\tFROM", func(a *admin.Account) []string {
			state, again := condition(a)
			provider := a.Provider
			if a.Preset != "" {
				provider += "/" + a.Preset
			}
			return []string{a.Name, provider, strings.Join(a.Protocols, ","), a.Key, state, until(again, now), strconv.FormatUint(a.Served, 10), left(a.Quota, now), a.Origin}
		})
}

// condition is an account's state with its reason and, where only models of it
// have to wait, with one of them; again is when the first wait ends.
func condition(a *admin.Account) (state string, again time.Time) {
	state, again = a.State, a.Until
	if a.Why != "" {
		state += " (" + a.Why + ")"
	}
	if a.State != "ready" {
		return state, again
	}
	waiting := 0
	for _, t := range a.Trouble {
		if t.Until.IsZero() {
			continue
		}
		if waiting++; again.IsZero() || t.Until.Before(again) {
			again = t.Until
		}
		if waiting == 1 {
			state += "; " + t.Model + ": " + t.State + " (" + t.Why + ")"
		}
	}
	if waiting > 1 {
		state += fmt.Sprintf(" and %d more", waiting-1)
	}
	return state, again
}

type accountTest struct {
	Name string `arg:"" help:"The account."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Help says what a test is.
func (*accountTest) Help() string {
	return `The account is asked for its list of models, or for one token where that proves nothing. Its state does not change.

Examples:
  portico account test work
  portico account test work --json`
}

// Run tests an account. An account that would not serve is exit code 1.
func (c *accountTest) Run(g *globals) error {
	return g.with(func(k *client) error {
		t, err := test(g, k, c.Name)
		if err != nil {
			return err
		}
		return report(g, t, c.JSON)
	})
}

func test(g *globals, k *client, name string) (admin.Tested, error) {
	var t admin.Tested
	err := k.call(g.ctx, http.MethodPost, "/api/accounts/"+url.PathEscape(name)+"/test", nil, &t)
	return t, err
}

func report(g *globals, t admin.Tested, asJSON bool) error {
	if asJSON {
		if err := printJSON(g.out, t); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(g.out, printable(t.Text))
		if !strings.Contains(t.Text, t.Message) {
			fmt.Fprintln(g.out, "The vendor says:", printable(t.Message))
		}
	}
	if !t.OK {
		return &failure{exitError, "the account would not serve now", ""}
	}
	return nil
}

type accountRemove struct {
	Name string `arg:"" help:"The account."`
}

// Help says which accounts can be removed.
func (*accountRemove) Help() string {
	return `Accounts that the configuration file declares are removed there.

Examples:
  portico account remove work`
}

// Run removes an account.
func (c *accountRemove) Run(g *globals) error {
	return g.with(func(k *client) error {
		if err := k.call(g.ctx, http.MethodDelete, "/api/accounts/"+url.PathEscape(c.Name), nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintln(g.out, "removed", printable(c.Name))
		return err
	})
}

type accountSwitch struct {
	Name string `arg:"" help:"The account."`
}

// Help says what a switch does.
func (*accountSwitch) Help() string {
	return `What an account serves at the moment goes on. Accounts that the configuration file declares are switched there, by disabled.

Examples:
  portico account disable work
  portico account enable work`
}

// Run switches an account on or off, by the command's own name.
func (c *accountSwitch) Run(g *globals) error {
	off := g.command == "account disable <name>"
	return g.with(func(k *client) error {
		if err := k.call(g.ctx, http.MethodPatch, "/api/accounts/"+url.PathEscape(c.Name), admin.AccountChange{Disabled: &off}, nil); err != nil {
			return err
		}
		did := "enabled"
		if off {
			did = "disabled"
		}
		_, err := fmt.Fprintln(g.out, did, printable(c.Name))
		return err
	})
}

type accountHeal struct {
	Name string `arg:"" help:"The account."`
}

// Help says when to heal an account.
func (*accountHeal) Help() string {
	return `Every pause ends by itself; this ends it now, after you have mended at the vendor's what was wrong.

Examples:
  portico account heal work`
}

// Run heals an account.
func (c *accountHeal) Run(g *globals) error {
	return g.with(func(k *client) error {
		if k.running == nil {
			return &failure{exitError, "no gateway runs, and one that starts has forgotten all faults", "portico serve"}
		}
		if err := k.call(g.ctx, http.MethodPost, "/api/accounts/"+url.PathEscape(c.Name)+"/heal", nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintln(g.out, "healed", printable(c.Name))
		return err
	})
}
