package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"portico/internal/admin"
	"portico/internal/app"
	"portico/internal/config"
)

type keyCmd struct {
	Show    keyShow   `cmd:"" help:"Print the api_key, or what a client key may do and has used."`
	Rotate  keyRotate `cmd:"" help:"Make a new key; the old one ends at once."`
	Add     keyAdd    `cmd:"" help:"Make a client key with limits of its own."`
	List    keyList   `cmd:"" help:"List the client keys and what they have used."`
	Limit   keyLimit  `cmd:"" help:"Change what a client key may do."`
	Revoke  keyRevoke `cmd:"" help:"End a client key for good."`
	Enable  keySwitch `cmd:"" help:"Let a client key be used again."`
	Disable keySwitch `cmd:"" help:"Let nobody use a client key for now."`
}

// names are the keys that may be shown and renewed.
var names = map[bool]string{false: "api_key", true: "admin_token"}

type keyShow struct {
	Name  string `arg:"" optional:"" help:"A client key; without it the api_key is printed."`
	Admin bool   `help:"The admin token instead of the api_key."`
	JSON  bool   `name:"json" help:"Print JSON; for a client key."`
}

// Help shows how a script takes the key.
func (*keyShow) Help() string {
	return `Without a name, the api_key of the configuration is printed and nothing else. Of a client key that has a name, nobody knows the key; what it may do and what it has used is printed.

Examples:
  portico key show
  export OPENAI_API_KEY="$(portico key show)"
  portico key show --admin
  portico key show ci`
}

// Run prints the key alone, so that scripts can take it.
func (c *keyShow) Run(g *globals) error {
	if c.Name != "" {
		return g.with(func(k *client) error {
			var one admin.ClientKey
			if err := k.call(g.ctx, http.MethodGet, keyPath(c.Name), nil, &one); err != nil {
				return err
			}
			if c.JSON {
				return printJSON(g.out, one)
			}
			return describeKey(g.out, &one)
		})
	}
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
	Name  string `arg:"" optional:"" help:"A client key; without it the api_key is renewed."`
	Admin bool   `help:"The admin token instead of the api_key."`
}

// Help says what follows.
func (keyRotate) Help() string {
	return `Without a name, the new key is written into the configuration file that decided the old one, and a running gateway takes it over within a second. A client key that has a name ends at once, and the new one is printed this once.

Examples:
  portico key rotate
  portico key rotate --admin
  portico key rotate ci`
}

// Run renews a key and prints the new one alone.
func (c *keyRotate) Run(g *globals) error {
	if c.Name != "" {
		return g.with(func(k *client) error {
			var made admin.MadeKey
			if err := k.call(g.ctx, http.MethodPost, keyPath(c.Name)+"/rotate", nil, &made); err != nil {
				return err
			}
			fmt.Fprintf(g.err, "%s was renewed\n", printable(c.Name))
			_, err := fmt.Fprintln(g.out, made.Key)
			return err
		})
	}
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

func keyPath(name string) string { return "/api/keys/" + url.PathEscape(name) }

// keyFlags are the flags of what a key may do. What is not given stays as it
// is.
type keyFlags struct {
	Note        *string   `placeholder:"TEXT" help:"A note for yourself."`
	Expires     *string   `placeholder:"WHEN" help:"A date or moment such as 2027-01-31 or 2027-01-31T18:00:00Z, a time from now such as 30d or 12h, or never."`
	Models      *[]string `placeholder:"GLOB,..." help:"Models that clients may ask for; '' is all."`
	Routes      *[]string `placeholder:"GLOB,..." help:"protocol/operation that the key is for, such as anthropic/chat or */embed; '' is all."`
	Addresses   *[]string `placeholder:"RANGE,..." help:"Where clients may call from, such as 10.0.0.0/8 or 2001:db8::/32; '' is anywhere."`
	Hours       *[]string `sep:";" placeholder:"HOURS;..." help:"When clients may call, such as 'mon-fri 08:00-18:00'; '' is always."`
	Prefer      *[]string `placeholder:"ACCOUNT,..." help:"Accounts, or tag:TAG, that serve the key before others do, as long as they are able; '' is none."`
	Zone        *string   `placeholder:"ZONE" help:"Time zone of hours, days and months, such as Europe/Berlin; UTC by default."`
	Strict      *bool     `negatable:"" help:"Refuse requests that cannot be carried without a loss."`
	RPM         *int64    `name:"rpm" placeholder:"NUMBER" help:"Requests a minute; 0 is no limit."`
	TPM         *int64    `name:"tpm" placeholder:"NUMBER" help:"Tokens a minute; 0 is no limit."`
	Concurrency *int64    `placeholder:"NUMBER" help:"Requests at one time; 0 is no limit."`
	DayTokens   *int64    `name:"day-tokens" placeholder:"NUMBER" help:"Tokens a day; 0 is no limit."`
	DayUSD      *float64  `name:"day-usd" placeholder:"DOLLARS" help:"Money a day, at list prices; 0 is no limit."`
	MonthTokens *int64    `name:"month-tokens" placeholder:"NUMBER" help:"Tokens a month; 0 is no limit."`
	MonthUSD    *float64  `name:"month-usd" placeholder:"DOLLARS" help:"Money a month, at list prices; 0 is no limit."`
}

// change is what the flags ask for.
func (f *keyFlags) change(now time.Time) (admin.KeyChange, error) {
	c := admin.KeyChange{
		Note: f.Note, Models: listed(f.Models), Routes: listed(f.Routes), Addresses: listed(f.Addresses), Hours: listed(f.Hours),
		Prefer: listed(f.Prefer), Zone: f.Zone, Strict: f.Strict, RPM: f.RPM, TPM: f.TPM, Concurrency: f.Concurrency,
	}
	if f.DayTokens != nil || f.DayUSD != nil {
		c.Day = &admin.BudgetChange{Tokens: f.DayTokens, USD: f.DayUSD}
	}
	if f.MonthTokens != nil || f.MonthUSD != nil {
		c.Month = &admin.BudgetChange{Tokens: f.MonthTokens, USD: f.MonthUSD}
	}
	if f.Expires == nil {
		return c, nil
	}
	when, err := moment(*f.Expires, now)
	c.Expires = &when
	return c, err
}

// listed is a list of a flag; the empty text stands for the empty list.
func listed(l *[]string) *[]string {
	if l == nil || len(*l) != 1 || (*l)[0] != "" {
		return l
	}
	return &[]string{}
}

// moment reads when something ends, and returns it as the API takes it. A date
// ends with its last second, in the time zone of this machine.
func moment(s string, now time.Time) (string, error) {
	if s == "never" || s == "" {
		return "never", nil
	}
	if _, err := time.Parse(time.RFC3339, s); err == nil {
		return s, nil
	}
	if d, err := time.ParseInLocation(time.DateOnly, s, now.Location()); err == nil {
		return d.AddDate(0, 0, 1).Format(time.RFC3339), nil
	}
	days := 0
	rest := s
	if head, tail, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(head, 10, 16)
		if err != nil {
			return "", &failure{exitUsage, "the moment " + strconv.Quote(s) + " cannot be read", "write 2027-01-31, 30d, 12h or never"}
		}
		days, rest = int(n), tail
	}
	var d time.Duration
	if rest != "" {
		var err error
		if d, err = time.ParseDuration(rest); err != nil || d < 0 {
			return "", &failure{exitUsage, "the moment " + strconv.Quote(s) + " cannot be read", "write 2027-01-31, 30d, 12h or never"}
		}
	}
	return now.AddDate(0, 0, days).Add(d).Format(time.RFC3339), nil
}

type keyAdd struct {
	Name string `arg:"" help:"What the key is called in the ledger; unique, and it stays."`
	keyFlags
	JSON bool `name:"json" help:"Print JSON."`
}

// Help says what a client key is.
func (*keyAdd) Help() string {
	return `The key is printed this once, and kept as a digest only. A key without limits may do everything that the api_key may.

Examples:
  portico key add ci --expires 90d --models 'gpt-*,claude-*' --rpm 60
  portico key add team --day-usd 5 --month-usd 50 --zone Europe/Berlin
  portico key add kiosk --addresses 10.0.0.0/8 --hours 08:00-18:00 --concurrency 2`
}

// Run makes a key and prints it alone.
func (c *keyAdd) Run(g *globals) error {
	change, err := c.change(time.Now())
	if err != nil {
		return err
	}
	return g.with(func(k *client) error {
		var made admin.MadeKey
		if err := k.call(g.ctx, http.MethodPost, "/api/keys", admin.NewKey{Name: c.Name, KeyChange: change}, &made); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(g.out, made)
		}
		fmt.Fprintf(g.err, "added %s; the key is shown this once:\n", printable(c.Name))
		_, err := fmt.Fprintln(g.out, made.Key)
		return err
	})
}

type keyLimit struct {
	Name string `arg:"" help:"The client key."`
	keyFlags
}

// Help shows changes.
func (*keyLimit) Help() string {
	return `What is not given stays as it is. The change holds for every request that comes from then on.

Examples:
  portico key limit ci --rpm 120 --expires never
  portico key limit team --day-usd 10 --day-tokens 0
  portico key limit kiosk --models ''`
}

// Run changes a key.
func (c *keyLimit) Run(g *globals) error {
	change, err := c.change(time.Now())
	if err != nil {
		return err
	}
	return g.with(func(k *client) error {
		var one admin.ClientKey
		if err := k.call(g.ctx, http.MethodPatch, keyPath(c.Name), change, &one); err != nil {
			return err
		}
		return describeKey(g.out, &one)
	})
}

type keyRevoke struct {
	Name string `arg:"" help:"The client key."`
}

// Help says what becomes of its requests.
func (*keyRevoke) Help() string {
	return `New requests with the key are refused at once. Answers that are under way go on, and the ledger keeps what the key has used.

Examples:
  portico key revoke ci`
}

// Run revokes a key.
func (c *keyRevoke) Run(g *globals) error {
	return g.with(func(k *client) error {
		if err := k.call(g.ctx, http.MethodDelete, keyPath(c.Name), nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintln(g.out, "revoked", printable(c.Name))
		return err
	})
}

type keySwitch struct {
	Name string `arg:"" help:"The client key."`
}

// Help says what a switch does.
func (*keySwitch) Help() string {
	return `New requests with a key that is switched off are refused at once; answers that are under way go on.

Examples:
  portico key disable ci
  portico key enable ci`
}

// Run switches a key on or off, by the command's own name.
func (c *keySwitch) Run(g *globals) error {
	off := g.command == "key disable <name>"
	return g.turn(c.Name, off, keyPath(c.Name), admin.KeyChange{Disabled: &off})
}

// turn switches what is called name on or off by a change of what is at path.
func (g *globals) turn(name string, off bool, path string, change any) error {
	return g.with(func(k *client) error {
		if err := k.call(g.ctx, http.MethodPatch, path, change, nil); err != nil {
			return err
		}
		did := "enabled"
		if off {
			did = "disabled"
		}
		_, err := fmt.Fprintln(g.out, did, printable(name))
		return err
	})
}

type keyList struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help says what the columns mean.
func (*keyList) Help() string {
	return `TODAY and MONTH are what was used, and of how much, in the key's time zone; they are counted for keys with limits. portico key show prints all of one key.

Examples:
  portico key list
  portico key list --json`
}

// Run lists keys.
func (c *keyList) Run(g *globals) error {
	return listing(g, "/api/keys", c.JSON, "There is no client key beside the api_key. Add one with: portico key add NAME",
		"NAME\tKEY\tSTATE\tEXPIRES\tLAST USED\tTODAY\tMONTH\tNOTE", func(k *admin.ClientKey) []string {
			return []string{k.Name, k.Hint, k.State, stamp(k.Expires), stamp(k.LastUsed), used(&k.Day), used(&k.Month), k.Note}
		})
}

// stamp is a moment in the time zone of this machine, "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

// used says how much of a budget is used.
func used(b *admin.KeyBudget) string {
	tokens, money := strconv.FormatInt(b.SpentTokens, 10), dollars(b.SpentUSD)
	if b.Tokens > 0 {
		tokens += "/" + strconv.FormatInt(b.Tokens, 10)
	}
	if b.USD > 0 {
		money += "/" + dollars(b.USD)
	}
	return tokens + " tokens, " + money
}

func dollars(usd float64) string {
	s := strings.TrimRight(strconv.FormatFloat(usd, 'f', 6, 64), "0")
	return "$" + strings.TrimSuffix(s, ".")
}

// describeKey writes all of a key, a line for each of what is set.
func describeKey(w io.Writer, k *admin.ClientKey) error {
	number := func(n int64, what string) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10) + " " + what
	}
	strict := ""
	if k.Strict {
		strict = "refuses losses"
	}
	for _, line := range [][2]string{
		{"name", k.Name},
		{"key", k.Hint},
		{"state", k.State},
		{"note", k.Note},
		{"created", stamp(k.Created)},
		{"expires", stamp(k.Expires)},
		{"last used", stamp(k.LastUsed)},
		{"models", strings.Join(k.Models, ", ")},
		{"routes", strings.Join(k.Routes, ", ")},
		{"addresses", strings.Join(k.Addresses, ", ")},
		{"hours", strings.Join(k.Hours, "; ")},
		{"prefers", strings.Join(k.Prefer, ", ")},
		{"zone", k.Zone},
		{"strict", strict},
		{"requests", number(k.RPM, "a minute")},
		{"tokens", number(k.TPM, "a minute")},
		{"at once", number(k.Concurrency, "requests")},
		{"today", used(&k.Day)},
		{"this month", used(&k.Month)},
	} {
		if line[1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%-11s %s\n", line[0], printable(line[1])); err != nil {
			return err
		}
	}
	return nil
}
