package cli

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"portico/internal/admin"
)

type statusCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help says what the exit code means.
func (*statusCmd) Help() string {
	return `Exit code 1 means that no gateway runs on the data folder.

Examples:
  portico status
  portico status --json`
}

// Run says how the gateway is doing. Exit code 1 means that none runs.
func (c *statusCmd) Run(g *globals) error {
	return g.with(func(k *client) error {
		var s admin.Status
		if err := k.call(g.ctx, http.MethodGet, "/api/status", nil, &s); err != nil {
			return err
		}
		var l admin.List[admin.Account]
		if err := k.call(g.ctx, http.MethodGet, "/api/accounts", nil, &l); err != nil {
			return err
		}
		running := k.running != nil
		if c.JSON {
			quotas := []accountQuota{}
			for i := range l.Items {
				quotas = append(quotas, accountQuota{l.Items[i].Name, l.Items[i].Quota})
			}
			if err := printJSON(g.out, struct {
				Running bool `json:"running"`
				admin.Status
				Quotas []accountQuota `json:"quotas"`
			}{running, s, quotas}); err != nil {
				return err
			}
		} else {
			c.tell(g, &s, running)
			tellQuotas(g.out, l.Items, time.Now())
		}
		if !running {
			return &failure{exitError, "no gateway runs on " + s.DataDir, "portico serve"}
		}
		return nil
	})
}

func (c *statusCmd) tell(g *globals, s *admin.Status, running bool) {
	if running {
		fmt.Fprintf(g.out, "Portico %s listens on http://%s since %s (%s).\n", s.Version, s.Address, s.Started.Format(time.DateTime), (time.Duration(s.UptimeS) * time.Second).String())
		key := "AI clients need a key (portico key show)."
		if s.Auth == "off" {
			key = "AI clients need no key."
		}
		where := "It is reached from this machine only."
		if s.LAN {
			where = "It is reached from the network."
		}
		fmt.Fprintln(g.out, where, key)
	}
	a := s.Accounts
	var parts []string
	for _, x := range []struct {
		n    int
		what string
	}{{a.Ready, "ready"}, {a.Cooling, "cooling"}, {a.Trial, "on trial"}, {a.Down, "need attention"}, {a.NeedsLogin, "need a login"}, {a.Refreshing, "refreshing"}, {a.Off, "off"}} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", x.n, x.what))
		}
	}
	if a.Total == 0 {
		parts = []string{"none"}
	}
	fmt.Fprintf(g.out, "Accounts: %s.\n", strings.Join(parts, ", "))
	fmt.Fprintf(g.out, "Data folder: %s\n", s.DataDir)
	if x := s.Secrets; x != nil {
		where := map[string]string{"file": "a key in " + x.Path, "keychain": "a key in the system's keychain", "none": "a key that is made when the first is added"}[x.Store]
		fmt.Fprintf(g.out, "Credentials are sealed with %s.\n", where)
		if x.Why != "" {
			fmt.Fprintf(g.out, "The key does not lie where secret_store wants it: %s.\n", printable(x.Why))
		}
	}
	if s.InFlight != nil {
		fmt.Fprintf(g.out, "Serving now: %d requests, %d of them streams.\n", s.InFlight.Requests, s.InFlight.Streams)
	}
}

// An accountQuota is what is left of an account; nothing is known of one that
// has none.
type accountQuota struct {
	Account string        `json:"account"`
	Quota   []admin.Quota `json:"quota"`
}

// maxTold is of how many accounts the status tells what is left, those with the
// least first.
const maxTold = 20

// tellQuotas writes what is left of accounts, when that is over, and of how many
// nobody knows.
func tellQuotas(w io.Writer, as []admin.Account, now time.Time) {
	type line struct {
		least float64
		text  string
	}
	var lines []line
	for i := range as {
		for j := range as[i].Quota {
			q := &as[i].Quota[j]
			x := line{100, printable(as[i].Name) + ": " + printable(q.Window) + ", " + share(q) + " left"}
			if q.LeftPercent != nil {
				x.least = *q.LeftPercent
			} else {
				x.text += " (of how much nobody knows)"
			}
			if !q.Resets.IsZero() {
				x.text += ", resets in " + until(q.Resets, now)
			}
			if !q.RunsDry.IsZero() {
				x.text += ", dry in " + until(q.RunsDry, now)
			}
			if q.Protected {
				x.text += ", kept out"
			}
			lines = append(lines, x)
		}
	}
	unknown := 0
	for i := range as {
		if len(as[i].Quota) == 0 {
			unknown++
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.least, b.least) })
	for _, x := range lines[:min(len(lines), maxTold)] {
		fmt.Fprintf(w, "Quota of %s.\n", x.text)
	}
	if more := len(lines) - maxTold; more > 0 {
		fmt.Fprintf(w, "Of %d more quotas there is more left (portico quota).\n", more)
	}
	if unknown > 0 && len(as) > 0 {
		fmt.Fprintf(w, "Quota unknown: %d of %d accounts.\n", unknown, len(as))
	}
}
