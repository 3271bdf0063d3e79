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
	Heal    accountHeal   `cmd:"" help:"Forget accounts' faults, so that they are tried at once."`
	Set     accountSet    `cmd:"" help:"Change label, tags, priority, weight, limits or proxy of accounts."`
	Enable  accountSwitch `cmd:"" help:"Let accounts serve again."`
	Disable accountSwitch `cmd:"" help:"Let accounts rest without removing them."`
	Order   accountOrder  `cmd:"" help:"Put accounts into an order."`
	Remove  accountRemove `cmd:"" help:"Remove accounts and their credentials."`
	Restore accountUndo   `cmd:"" help:"Undo the removal of accounts, for ten seconds."`
	Reveal  accountReveal `cmd:"" help:"Print the secrets of an account that was added here."`
	Export  accountExport `cmd:"" help:"Write accounts into a file, without their secrets."`
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
		"NAME\tPROVIDER\tPROTOCOLS\tKEY\tSTATE\tAGAIN IN\tSERVED\tLEFT\tTAGS\tFROM", func(a *admin.Account) []string {
			state, again := condition(a)
			provider := a.Provider
			if a.Preset != "" {
				provider += "/" + a.Preset
			}
			return []string{a.Name, provider, strings.Join(a.Protocols, ","), a.Key, state, until(again, now), strconv.FormatUint(a.Served, 10), left(a.Quota, now), strings.Join(a.Tags, ","), a.Origin}
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
