package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"portico/internal/admin"
)

type accountCmd struct {
	Add     accountAdd    `cmd:"" help:"Add an account and test it."`
	List    accountList   `cmd:"" help:"List accounts and how they are doing."`
	Test    accountTest   `cmd:"" help:"Ask an account's upstream whether it would serve."`
	Heal    accountHeal   `cmd:"" help:"Forget an account's faults, so that it is tried at once."`
	Remove  accountRemove `cmd:"" help:"Remove an account and its credential."`
	Enable  accountSwitch `cmd:"" help:"Let an account serve again."`
	Disable accountSwitch `cmd:"" help:"Let an account rest without removing it."`
}

type accountAdd struct {
	Name      string            `arg:"" help:"What the account is called; unique."`
	Provider  string            `required:"" short:"p" placeholder:"NAME" help:"openai, anthropic, gemini, openai-compatible, anthropic-compatible, ollama or simulator."`
	Preset    string            `placeholder:"NAME" help:"The vendor behind a compatible provider, such as openrouter, deepseek or groq; a wrong one lists all."`
	BaseURL   string            `name:"base-url" placeholder:"URL" help:"Where it lives, as the vendor's SDK takes it; the vendor's own by default."`
	KeyFile   string            `name:"key-file" placeholder:"FILE" help:"Read the key from a file; - is standard input. Without it the key is asked for."`
	KeyEnv    string            `name:"key-env" placeholder:"NAME" help:"Read the key from an environment variable."`
	NoKey     bool              `name:"no-key" help:"The upstream needs no key."`
	Protocols []string          `placeholder:"NAME,..." help:"What it speaks, best first, if not all that its provider does: openai-chat, openai-responses, anthropic, gemini."`
	Models    []string          `placeholder:"GLOB,..." help:"Models that it serves; all by default."`
	Priority  int               `placeholder:"NUMBER" help:"Accounts of a lower number are tried first; 0 by default."`
	Weight    int               `default:"1" placeholder:"NUMBER" help:"Share of the requests among accounts of one priority; 1 by default."`
	RPM       int               `name:"rpm" placeholder:"NUMBER" help:"Requests a minute; 0, the default, is no limit."`
	TPM       int               `name:"tpm" placeholder:"NUMBER" help:"Tokens a minute; 0, the default, is no limit."`
	Parallel  int               `name:"concurrency" placeholder:"NUMBER" help:"Requests at one time; 0, the default, is no limit."`
	Proxy     string            `placeholder:"URL" help:"An outbound proxy of its own: http, https, socks5 or socks5h."`
	Option    map[string]string `placeholder:"NAME=VALUE" help:"A setting of the provider's own; may be repeated."`
	JSON      bool              `name:"json" help:"Print JSON."`
}

// Help shows how to add accounts.
func (*accountAdd) Help() string {
	return `The key is never taken from the command line, where everybody on the machine could read it. It is asked for, or read from standard input, a file or the environment, and kept sealed in the data folder.

The account is added even if its test fails; exit code 1 then says so.

Examples:
  portico account add work --provider openai
  portico account add claude -p anthropic --key-env ANTHROPIC_API_KEY
  portico account add router -p openai-compatible --preset openrouter --key-file key.txt
  portico account add local -p ollama --no-key
  portico account add lab -p openai-compatible --base-url https://lab.example/v1 --models 'llama-*,qwen-*' --concurrency 4`
}

// Run adds the account and says what the upstream said of it.
func (c *accountAdd) Run(g *globals) error {
	key, err := c.key(g)
	if err != nil {
		return err
	}
	in := admin.NewAccount{
		Name: c.Name, Provider: c.Provider, Preset: c.Preset, BaseURL: c.BaseURL, APIKey: key, Protocols: c.Protocols, Models: c.Models,
		Priority: c.Priority, Weight: c.Weight, Proxy: c.Proxy, Options: c.Option,
	}
	if c.RPM > 0 || c.TPM > 0 || c.Parallel > 0 {
		in.Limits = &admin.Limits{RPM: c.RPM, TPM: c.TPM, Concurrency: c.Parallel}
	}
	return g.with(func(k *client) error {
		if err := k.call(g.ctx, http.MethodPost, "/api/accounts", in, nil); err != nil {
			return err
		}
		fmt.Fprintf(g.err, "added %s\n", printable(c.Name))
		t, err := test(g, k, c.Name)
		if err != nil {
			return err
		}
		return report(g, t, c.JSON)
	})
}

// maxKey bounds what is read as a key.
const maxKey = 16 << 10

func (c *accountAdd) key(g *globals) (string, error) {
	switch {
	case c.NoKey || c.Provider == "simulator":
		return "", nil
	case c.KeyEnv != "":
		for _, v := range g.env {
			if value, ok := strings.CutPrefix(v, c.KeyEnv+"="); ok {
				return strings.TrimSpace(value), nil
			}
		}
		return "", &failure{exitUsage, "the environment has no " + c.KeyEnv, ""}
	case c.KeyFile == "-":
		b, err := io.ReadAll(io.LimitReader(g.in, maxKey))
		return strings.TrimSpace(string(b)), err
	case c.KeyFile != "":
		f, err := os.Open(c.KeyFile)
		if err != nil {
			return "", err
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, maxKey))
		return strings.TrimSpace(string(b)), err
	}
	return ask(g)
}

// ask reads a key from the terminal without showing it, or a line from
// whatever else standard input is.
func ask(g *globals) (string, error) {
	if f, ok := g.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(g.err, "API key: ")
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(g.err)
		return strings.TrimSpace(string(b)), err
	}
	line, err := bufio.NewReader(io.LimitReader(g.in, maxKey)).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if line = strings.TrimSpace(line); line == "" && err == nil {
		return "", &failure{exitUsage, "no key was given", "pass it on standard input, by --key-file or --key-env; --no-key for upstreams without"}
	}
	return line, err
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
