package cli

import (
	"fmt"
	"net/http"

	"portico/internal/admin"
)

type accountAdd struct {
	Name      string            `arg:"" help:"What the account is called; unique."`
	Provider  string            `required:"" short:"p" placeholder:"NAME" help:"openai, anthropic, gemini, vertex, bedrock, azure, openai-compatible, anthropic-compatible, ollama or simulator."`
	Preset    string            `placeholder:"NAME" help:"The vendor behind a compatible provider, such as openrouter, deepseek or groq; a wrong one lists all."`
	BaseURL   string            `name:"base-url" placeholder:"URL" help:"Where it lives, as the vendor's SDK takes it; the vendor's own by default."`
	Secret    credentialFlags   `embed:""`
	Sign      loginFlags        `embed:""`
	Protocols []string          `placeholder:"NAME,..." help:"What it speaks, best first, if not all that its provider does: openai-chat, openai-responses, anthropic, gemini."`
	Models    []string          `placeholder:"GLOB,..." help:"Models that it serves; all by default."`
	Priority  int               `placeholder:"NUMBER" help:"Accounts of a lower number are tried first; 0 by default."`
	Weight    int               `default:"1" placeholder:"NUMBER" help:"Share of the requests among accounts of one priority; 1 by default."`
	RPM       int               `name:"rpm" placeholder:"NUMBER" help:"Requests a minute; 0, the default, is no limit."`
	TPM       int               `name:"tpm" placeholder:"NUMBER" help:"Tokens a minute; 0, the default, is no limit."`
	Parallel  int               `name:"concurrency" placeholder:"NUMBER" help:"Requests at one time; 0, the default, is no limit."`
	Proxy     string            `placeholder:"URL" help:"An outbound proxy of its own: http, https, socks5 or socks5h."`
	Option    map[string]string `placeholder:"NAME=VALUE" help:"A setting of the provider's own; may be repeated."`
	Label     string            `placeholder:"TEXT" help:"What it is, for people."`
	Tag       []string          `placeholder:"TAG,..." help:"Words by which several accounts are chosen at a time."`
	NoTest    bool              `name:"no-test" help:"Add it without asking its upstream first."`
	JSON      bool              `name:"json" help:"Print JSON."`
}

// Help shows how to add accounts.
func (*accountAdd) Help() string {
	return `The key is never taken from the command line, where everybody on the machine could read it. It is asked for, or read from standard input, a file or the environment, and kept sealed in the data folder.

The upstream is asked before the account is stored. One that would not serve is not added; exit code 1 then says why, and --no-test adds it nevertheless.

Accounts of Google (gemini, vertex) may sign in instead, with an OAuth client of your own: --login by a browser on this machine, --paste by a browser elsewhere (over SSH, in a container), --device by a code on another device. Or they take a refresh token, a service account's key, or what "gcloud auth application-default login" has written (--adc).

Examples:
  portico account add work --provider openai
  portico account add claude -p anthropic --key env:ANTHROPIC_API_KEY
  portico account add router -p openai-compatible --preset openrouter --key-file key.txt
  portico account add local -p ollama --no-key
  portico account add lab -p openai-compatible --base-url https://lab.example/v1 --models 'llama-*,qwen-*' --concurrency 4
  portico account add mine -p gemini --login --client client.json
  portico account add cloud -p vertex --paste --client client.json --option project=my-project
  portico account add robot -p vertex --service-account key.json --option location=europe-west4
  portico account add me -p vertex --adc`
}

// Run tests the account, adds it, and says what was found.
func (c *accountAdd) Run(g *globals) error {
	in := admin.NewAccount{
		Name: c.Name, Provider: c.Provider, Preset: c.Preset, BaseURL: c.BaseURL, Protocols: c.Protocols, Models: c.Models,
		Priority: c.Priority, Weight: c.Weight, Proxy: c.Proxy, Options: c.Option, Label: c.Label, Tags: c.Tag,
	}
	if c.RPM > 0 || c.TPM > 0 || c.Parallel > 0 {
		in.Limits = &admin.Limits{RPM: c.RPM, TPM: c.TPM, Concurrency: c.Parallel}
	}
	test := !c.NoTest
	if c.Sign.wanted() {
		file, err := c.Sign.client(g)
		if err != nil {
			return err
		}
		return g.with(func(k *client) error {
			return signIn(g, k, admin.NewLogin{Name: c.Name, Account: &in.Draft, Client: file, Test: &test}, &c.Sign, c.JSON)
		})
	}
	if err := c.Secret.read(g, &c.Sign, &in.Draft); err != nil {
		return err
	}
	return g.with(func(k *client) error {
		var out admin.AddedAccount
		body := struct {
			admin.NewAccount
			Test bool `json:"test"`
		}{in, test}
		if err := k.call(g.ctx, http.MethodPost, "/api/accounts", body, &out); err != nil {
			return err
		}
		fmt.Fprintf(g.err, "added %s\n", printable(c.Name))
		switch {
		case out.Tested != nil:
			return report(g, *out.Tested, c.JSON)
		case c.JSON:
			return printJSON(g.out, out.Account)
		}
		_, err := fmt.Fprintln(g.out, "It was not tested.")
		return err
	})
}
