package cli

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/goccy/go-yaml"

	"portico/internal/admin"
	"portico/internal/schedule"
	"portico/internal/simulate"
)

type simulateCmd struct {
	Strategy []string      `name:"strategy" placeholder:"NAME" help:"Strategies to compare; all by default."`
	File     string        `name:"file" placeholder:"FILE" help:"YAML with the accounts to play: a list under accounts."`
	Accounts int           `name:"accounts" default:"8" placeholder:"N" help:"How many accounts to draw where no file names them; 8 by default."`
	RPM      float64       `name:"rpm" default:"240" placeholder:"N" help:"Requests a minute of a drawn account, about; 240 by default."`
	Faults   bool          `name:"faults" help:"Have six of the drawn accounts be in trouble."`
	Past     bool          `name:"past" help:"Play the latest requests of the ledger in place of a drawn load."`
	Own      bool          `name:"own" help:"Play the accounts of the gateway, with the limits that you gave them, in place of drawn ones."`
	Load     float64       `name:"load" default:"0.85" placeholder:"SHARE" help:"Requests, as a share of what the accounts take; 0.85 by default."`
	Rate     float64       `name:"rate" placeholder:"N" help:"Requests a second, in place of --load."`
	Length   time.Duration `name:"length" default:"1m" placeholder:"TIME" help:"How long requests come; a minute by default."`
	Chats    int           `name:"conversations" default:"60" placeholder:"N" help:"Conversations that they belong to; 60 by default."`
	Tokens   int64         `name:"tokens" default:"4000" placeholder:"N" help:"Tokens of a request, about; 4000 by default."`
	MaxWait  time.Duration `name:"max-wait" default:"8s" placeholder:"TIME" help:"Longest wait of a request for an account; 8s by default."`
	Attempts int           `name:"attempts" default:"4" placeholder:"N" help:"Tries for a request; 4 by default."`
	Prefer   string        `name:"prefer" placeholder:"ACCOUNT" help:"The account that the strategy fixed takes; the first by default."`
	Seed     uint64        `name:"seed" default:"1" placeholder:"N" help:"Another seed draws other limits and another load; 1 by default."`
	JSON     bool          `name:"json" help:"Print JSON."`
}

// Help shows what can be played.
func (*simulateCmd) Help() string {
	return `The accounts are made up, a clock is turned, and nobody is asked anything. What is played is the scheduler that serves.

Examples:
  portico simulate
  portico simulate --faults --load 0.6 --strategy cache_first,balance
  portico simulate --file accounts.yaml --past --json
  portico simulate --own --past`
}

// Run plays the same load under each strategy, and compares.
func (c *simulateCmd) Run(g *globals) error {
	names := c.Strategy
	if len(names) == 0 {
		names = schedule.Names()
	}
	for _, s := range names {
		if !slices.Contains(schedule.Names(), s) {
			return &failure{exitUsage, fmt.Sprintf("there is no strategy %q", s), "portico simulate --help"}
		}
	}
	lab, err := c.lab(g)
	if err != nil {
		return err
	}
	prefer := c.Prefer
	if prefer == "" && len(lab.Accounts) > 0 {
		prefer = lab.Accounts[0].Name
	}
	results := make([]*simulate.Result, 0, len(names))
	for _, s := range names {
		r, err := lab.Run(s, prefer)
		if err != nil {
			return &failure{exitUsage, err.Error(), "portico simulate --help"}
		}
		results = append(results, r)
	}
	if c.JSON {
		return printJSON(g.out, results)
	}
	return c.print(g, lab, results)
}

// lab is what is played.
func (c *simulateCmd) lab(g *globals) (*simulate.Lab, error) {
	usage := func(format string, args ...any) error {
		return &failure{exitUsage, fmt.Sprintf(format, args...), "portico simulate --help"}
	}
	switch {
	case c.Accounts < 1 || c.Accounts > simulate.MaxAccounts:
		return nil, usage("--accounts is from 1 to %d", simulate.MaxAccounts)
	case c.Length <= 0 || c.Length > 24*time.Hour:
		return nil, usage("--length is more than 0 and at most 24h")
	case !(c.RPM > 0 && c.RPM <= 1e6), !(c.Load > 0 && c.Load <= 100), !(c.Rate >= 0 && c.Rate <= 1e5):
		return nil, usage("--rpm, --load and --rate are positive numbers")
	case c.Tokens < 1 || c.Tokens > 10_000_000 || c.Chats < 1 || c.Attempts < 1:
		return nil, usage("--tokens, --conversations and --attempts are at least 1, and --tokens at most 10000000")
	case c.MaxWait < 0:
		return nil, usage("--max-wait is not negative")
	}
	l := &simulate.Lab{MaxWait: c.MaxWait, Attempts: c.Attempts, Seed: c.Seed}
	if c.Own && c.File != "" {
		return nil, usage("--own and --file name two sets of accounts")
	}
	if c.Own {
		if err := g.with(func(k *client) (err error) {
			l.Accounts, err = own(g, k)
			return err
		}); err != nil {
			return nil, err
		}
	} else if c.File == "" {
		l.Accounts = simulate.Some(c.Accounts, c.RPM, c.Length, c.Faults, c.Seed)
	} else if err := readLab(c.File, l); err != nil {
		return nil, err
	}
	if c.Past {
		err := g.with(func(k *client) (err error) {
			l.Requests, err = past(g, k)
			return err
		})
		return l, err
	}
	load := simulate.Load{Rate: c.Rate, Length: c.Length, Conversations: c.Chats, Tokens: c.Tokens, Keys: 1}
	if load.Rate == 0 {
		if load.Rate = c.Load * simulate.Capacity(l.Accounts, c.Tokens); load.Rate == 0 {
			return nil, usage("an account has no limit, or all are revoked, so there is no share of what they take: say --rate")
		}
	}
	l.Requests = load.Requests(c.Seed)
	return l, nil
}

// maxLab bounds the file of a lab.
const maxLab = 1 << 20

func readLab(file string, l *simulate.Lab) error {
	in, err := os.Open(file)
	if err != nil {
		return &failure{exitUsage, err.Error(), ""}
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxLab+1))
	if err == nil && len(text) > maxLab {
		err = fmt.Errorf("%s has more than %d bytes", file, maxLab)
	}
	if err != nil {
		return &failure{exitUsage, err.Error(), ""}
	}
	var f struct {
		Accounts []simulate.Account `yaml:"accounts"`
	}
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		return &failure{exitUsage, file + ": " + yaml.FormatError(err, false, false), "portico simulate --help"}
	}
	l.Accounts = f.Accounts
	return nil
}

// own are the accounts of the gateway that are on. What their vendors allow
// beyond the operator's limits nobody knows.
func own(g *globals, k *client) (out []simulate.Account, err error) {
	var l admin.List[admin.Account]
	if err := k.call(g.ctx, http.MethodGet, "/api/accounts", nil, &l); err != nil {
		return nil, err
	}
	for i := range l.Items {
		a := &l.Items[i]
		if a.State == "off" || a.Origin == "built_in" {
			continue
		}
		out = append(out, simulate.Account{
			Name: a.Name, RPM: float64(a.Limits.RPM), TPM: float64(a.Limits.TPM), Concurrency: a.Limits.Concurrency,
			LatencyMS: float64(a.FirstMS), Priority: a.Priority, Weight: a.Weight, Revoked: a.State == "down" || a.State == "needs_login",
		})
	}
	return out, nil
}

// maxPast is how many requests of the ledger are played.
const maxPast = 20_000

// past are the latest requests of the ledger, as they came.
func past(g *globals, k *client) ([]simulate.Request, error) {
	var all []admin.Request
	for next := ""; len(all) < maxPast; {
		q := url.Values{"limit": {"500"}}
		if next != "" {
			q.Set("cursor", next)
		}
		var l admin.List[admin.Request]
		if err := k.call(g.ctx, http.MethodGet, "/api/requests?"+q.Encode(), nil, &l); err != nil {
			return nil, err
		}
		all = append(all, l.Items...)
		if next = l.Next; next == "" {
			break
		}
	}
	if len(all) == 0 {
		return nil, &failure{exitError, "the ledger has no request to play", "portico logs"}
	}
	slices.SortStableFunc(all, func(a, b admin.Request) int { return a.Start.Compare(b.Start) })
	out := make([]simulate.Request, 0, len(all))
	for i := range all {
		x := &all[i]
		r := simulate.Request{At: x.Start.Sub(all[0].Start), Tokens: max(x.Usage.Total(), 1), Key: x.Key}
		if x.Session != "" {
			r.Session = schedule.Hash(x.Session)
		}
		out = append(out, r)
	}
	return out, nil
}

// print is a table of the results.
func (c *simulateCmd) print(g *globals, l *simulate.Lab, results []*simulate.Result) error {
	r := results[0]
	span := l.Requests[len(l.Requests)-1].At.Round(time.Second)
	if _, err := fmt.Fprintf(g.out, "%d requests in %s on %d accounts; an oracle would serve %d of them.\n\n", r.Offered, span, len(l.Accounts), r.Oracle); err != nil {
		return err
	}
	rows := make([][]string, 0, len(results))
	for _, r := range results {
		rows = append(rows, []string{
			r.Strategy, strconv.Itoa(r.Served), percent(r.Goodput), strconv.Itoa(r.Refused), percent(r.Wasted), percent(r.Locality),
			"$" + strconv.FormatFloat(r.CostUSD, 'f', 2, 64), lapsed(r), brief(r.WaitMean), brief(r.WaitP99), brief(r.TookP50), brief(r.TookP99),
		})
	}
	return table(g.out, "STRATEGY\tSERVED\tOF ORACLE\tREFUSED\tWASTED CALLS\tAT HOME\tCOST\tLAPSED\tWAIT\tWAIT P99\tTOOK P50\tTOOK P99", rows)
}

// lapsed is the share of quotas that nobody used before their windows ended.
func lapsed(r *simulate.Result) string {
	if r.Lapsing == 0 {
		return "-"
	}
	return percent(r.Lapsed)
}

func percent(share float64) string {
	return strconv.FormatFloat(math.Round(share*1000)/10, 'f', 1, 64) + " %"
}

func brief(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}
