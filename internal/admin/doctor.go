package admin

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"portico/internal/config"
	"portico/internal/explain"
	"portico/internal/journal"
	"portico/internal/pool"
	"portico/internal/store"
)

// A Check is one thing that was looked at.
type Check struct {
	Name  string `json:"name" doc:"What was looked at, for programs."`
	State string `json:"state" enum:"ok,warn,fail"`
	Text  string `json:"text" doc:"What was found, as a sentence."`
	Fix   string `json:"fix,omitzero" doc:"What to do about it."`
}

// The states of a check.
const (
	OK   = "ok"
	Warn = "warn"
	Fail = "fail"
)

func (a *api) doctor() {
	handle(a, operation{
		id: "doctor", method: http.MethodGet, path: "/api/doctor", tag: "gateway", summary: "Look whether all is well, and say what to do where it is not",
	}, func(ctx context.Context, _ *struct{}) (*out[List[Check]], error) {
		var j journal.Stats
		if a.o.Journal != nil {
			j = a.o.Journal()
		}
		checks := diagnose(a.o.Config(), a.o.Accounts.Views(), j)
		checks = append(checks, a.checkLedger(ctx))
		if a.o.Doctor != nil {
			checks = append(checks, a.o.Doctor(ctx)...)
		}
		return &out[List[Check]]{List[Check]{Items: checks}}, nil
	})
}

// checkLedger asks the ledger for one request.
func (a *api) checkLedger(ctx context.Context) Check {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, _, err := a.o.Ledger.Requests(ctx, store.Filter{Limit: 1}); err != nil {
		return Check{"ledger", Fail, fmt.Sprintf("The ledger does not answer: %v.", err), "Look at the disk of the data folder."}
	}
	return Check{"ledger", OK, "The ledger answers.", ""}
}

// diagnose checks what can be told from the configuration, the accounts and
// the journal. It is pure.
func diagnose(c *config.Config, views []pool.View, j journal.Stats) []Check {
	checks := []Check{exposure(c), {"admin_token", OK, "The admin API needs the admin token.", ""}}
	if c.Metrics.Public {
		checks = append(checks, Check{"metrics", Warn, "Everybody who can connect may read the metrics.", "Set metrics.public to false if that is not meant."})
	} else {
		checks = append(checks, Check{"metrics", OK, "The metrics need the admin token.", ""})
	}
	checks = append(checks, count(c, views))
	for i := range views {
		v := &views[i]
		if v.Disabled || v.Health.State != pool.Down && v.Health.State != pool.NeedsLogin {
			continue
		}
		fix := fmt.Sprintf("Mend it at the vendor's or give it a new key, then test it (portico account test %s).", v.Name)
		switch {
		case v.Health.State == pool.NeedsLogin:
			fix = fmt.Sprintf("Sign in again (portico account login %s); a service account is given a new key.", v.Name)
		case v.Health.Link != "":
			fix = "Mend it at " + v.Health.Link + ", then test it."
		}
		checks = append(checks, Check{"account:" + v.Name, Fail, fmt.Sprintf("The account %s needs you: %s.", v.Name, explain.Reason(v.Health.Why)), fix})
	}
	switch {
	case j.Lost > 0:
		checks = append(checks, Check{"journal", Fail, fmt.Sprintf("%d requests could not be recorded since the start.", j.Lost), "Make room on the disk of the data folder."})
	case j.Backlog > 0:
		checks = append(checks, Check{"journal", Warn, fmt.Sprintf("%d requests wait in memory because the disk takes none.", j.Backlog), "Make room on the disk of the data folder."})
	default:
		checks = append(checks, Check{"journal", OK, "The journal takes every request.", ""})
	}
	return checks
}

// exposure says who can reach the gateway.
func exposure(c *config.Config) Check {
	key := "they need the api_key"
	if c.Resolve() == config.AuthOff {
		key = "they need no key"
	}
	if c.AllowLAN {
		return Check{"exposure", Warn, "Everybody on the network can connect; " + key + ".", "Set allow_lan_access to false if only this machine is meant."}
	}
	return Check{"exposure", OK, "Only programs on this machine can connect; " + key + ".", ""}
}

// count says whether anybody can serve.
func count(c *config.Config, views []pool.View) Check {
	n := CountStates(views)
	able, on := n[pool.Ready.String()]+n[pool.Trial.String()], len(views)-n[off]
	switch {
	case on == 0 && c.Simulator:
		return Check{"accounts", Warn, "There is no account; only the simulator answers.", "Add an account (portico account add)."}
	case on == 0:
		return Check{"accounts", Fail, "There is no account, so nothing can be served.", "Add an account (portico account add)."}
	case able == 0:
		return Check{"accounts", Fail, fmt.Sprintf("None of %d accounts can serve now.", on), "See portico account list for why, and until when."}
	case able < on:
		return Check{"accounts", Warn, fmt.Sprintf("%d of %d accounts can serve now.", able, on), "See portico account list for the others."}
	}
	return Check{"accounts", OK, fmt.Sprintf("All accounts (%d) can serve.", on), ""}
}
