package cli

import (
	"fmt"
	"net/http"
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
		running := k.running != nil
		if c.JSON {
			if err := printJSON(g.out, struct {
				Running bool `json:"running"`
				admin.Status
			}{running, s}); err != nil {
				return err
			}
		} else {
			c.tell(g, &s, running)
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
