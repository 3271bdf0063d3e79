package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"portico/internal/admin"
)

type proxyCmd struct {
	Add     proxyAdd    `cmd:"" help:"Add an outbound proxy to the pool and test it."`
	List    proxyList   `cmd:"" help:"List the pool and how each of it does."`
	Test    proxyTest   `cmd:"" help:"Connect through a proxy."`
	Enable  proxySwitch `cmd:"" help:"Let a proxy be used again."`
	Disable proxySwitch `cmd:"" help:"Let nobody use a proxy for now."`
	Remove  proxyRemove `cmd:"" help:"Remove a proxy."`
}

type proxyAdd struct {
	Name         string `arg:"" help:"What the proxy is called; accounts name it as pool:NAME."`
	URL          string `arg:"" help:"Where it is: http, https, socks5 or socks5h, without a password."`
	User         string `placeholder:"NAME" help:"The user that it is shown; its password is asked for, or read from where the next two say."`
	PasswordFile string `name:"password-file" placeholder:"FILE" xor:"password" help:"Read the password from a file; - is standard input."`
	PasswordEnv  string `name:"password-env" placeholder:"NAME" xor:"password" help:"Read the password from an environment variable."`
	NoTest       bool   `name:"no-test" help:"Add it without connecting through it."`
	JSON         bool   `name:"json" help:"Print JSON."`
}

// Help shows how accounts come to a proxy.
func (*proxyAdd) Help() string {
	return `An account takes the proxy with the setting proxy: pool:NAME, and with proxy: pool the one of the pool that its own name leads to; so may all accounts of a provider (provider_proxies), or all that there are (proxy). An account with a proxy never goes out without.

With socks5 names are resolved on this machine, with socks5h by the proxy.

Examples:
  portico proxy add berlin socks5h://berlin.example:1080
  portico proxy add office http://proxy.office.example:3128 --user me --password-env PROXY_PASSWORD
  portico account add work --provider openai --proxy pool:berlin`
}

// Run adds a proxy and says what the test found.
func (c *proxyAdd) Run(g *globals) error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "":
		return &failure{exitUsage, "that is not a URL such as socks5://proxy.example:1080", ""} // it may hold a password
	case u.User != nil:
		return &failure{exitUsage, "the URL holds a user or password, which everybody on this machine can read there", "give --user, and the password when it is asked for"}
	case c.User == "" && (c.PasswordEnv != "" || c.PasswordFile != ""):
		return &failure{exitUsage, "a password needs a user", "give --user too"}
	}
	if c.User != "" {
		password, err := c.password(g)
		if err != nil {
			return err
		}
		u.User = url.UserPassword(c.User, password)
	}
	return g.with(func(k *client) error {
		var p admin.Proxy
		if err := k.call(g.ctx, http.MethodPost, "/api/proxies", admin.NewProxy{Name: c.Name, URL: u.String()}, &p); err != nil {
			return err
		}
		if c.NoTest {
			if c.JSON {
				return printJSON(g.out, p)
			}
			_, err := fmt.Fprintln(g.out, "added", printable(c.Name))
			return err
		}
		return testProxy(g, k, c.Name, c.JSON)
	})
}

func (c *proxyAdd) password(g *globals) (string, error) {
	switch {
	case c.PasswordEnv != "":
		return g.variable(c.PasswordEnv)
	case c.PasswordFile != "":
		return readSecret(g, c.PasswordFile)
	}
	password, _, err := askHidden(g, "Password of the proxy")
	return password, err
}

func proxyPath(name string) string { return "/api/proxies/" + url.PathEscape(name) }

// testProxy connects through a proxy and fails if that does not work.
func testProxy(g *globals, k *client, name string, asJSON bool) error {
	var p admin.Proxy
	if err := k.call(g.ctx, http.MethodPost, proxyPath(name)+"/test", nil, &p); err != nil {
		return err
	}
	if asJSON {
		if err := printJSON(g.out, p); err != nil {
			return err
		}
	}
	if p.State == "dead" {
		return &failure{exitError, printable(name) + " does not work: " + printable(p.Message), "correct it, or remove it: portico proxy remove " + printable(name)}
	}
	if asJSON {
		return nil
	}
	_, err := fmt.Fprintf(g.out, "%s works: it connected in %d ms.\n", printable(name), p.LatencyMS)
	return err
}

type proxyTest struct {
	Name string `arg:"" help:"The proxy."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Help says what a test does.
func (*proxyTest) Help() string {
	return `The connection leads through the proxy to where an account goes that takes it, or if none does to the proxy alone. Nothing is sent at its end.

Examples:
  portico proxy test berlin`
}

// Run tests a proxy.
func (c *proxyTest) Run(g *globals) error {
	return g.with(func(k *client) error { return testProxy(g, k, c.Name, c.JSON) })
}

type proxyRemove struct {
	Name string `arg:"" help:"The proxy."`
}

// Help says what stands against it.
func (*proxyRemove) Help() string {
	return `A proxy that an account names is not removed, for the account would be served by nobody.

Examples:
  portico proxy remove berlin`
}

// Run removes a proxy.
func (c *proxyRemove) Run(g *globals) error {
	return g.with(func(k *client) error {
		if err := k.call(g.ctx, http.MethodDelete, proxyPath(c.Name), nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintln(g.out, "removed", printable(c.Name))
		return err
	})
}

type proxySwitch struct {
	Name string `arg:"" help:"The proxy."`
}

// Help says what becomes of its accounts.
func (*proxySwitch) Help() string {
	return `Accounts that take any of the pool go to another one; those that name a proxy which is off are not served.

Examples:
  portico proxy disable berlin
  portico proxy enable berlin`
}

// Run switches a proxy on or off, by the command's own name.
func (c *proxySwitch) Run(g *globals) error {
	off := g.command == "proxy disable <name>"
	return g.turn(c.Name, off, proxyPath(c.Name), admin.ProxyChange{Disabled: &off})
}

type proxyList struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help says what the columns mean.
func (*proxyList) Help() string {
	return `ACCOUNTS are those that name the proxy; accounts that take any of the pool are not counted.

Examples:
  portico proxy list
  portico proxy list --json`
}

// Run lists proxies.
func (c *proxyList) Run(g *globals) error {
	return listing(g, "/api/proxies", c.JSON, "There is no outbound proxy in the pool. Add one with: portico proxy add NAME URL",
		"NAME\tADDRESS\tSTATE\tFROM\tLATENCY\tACCOUNTS\tMESSAGE", func(p *admin.Proxy) []string {
			latency := ""
			if p.LatencyMS > 0 {
				latency = strconv.FormatInt(p.LatencyMS, 10) + " ms"
			}
			return []string{p.Name, p.Address, p.State, p.Origin, latency, strconv.Itoa(p.Accounts), p.Message}
		})
}
