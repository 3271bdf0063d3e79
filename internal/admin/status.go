package admin

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"portico/internal/pool"
	"portico/internal/secret"
)

// A Status is how the gateway is doing.
type Status struct {
	Name       string    `json:"name"`
	Version    string    `json:"version"`
	Address    string    `json:"address" doc:"Host and port that the server listens on."`
	Started    time.Time `json:"started"`
	UptimeS    int64     `json:"uptime_s"`
	AuthMode   string    `json:"auth_mode" doc:"As the configuration has it."`
	Auth       string    `json:"auth" enum:"off,strict,all_except_health" doc:"What holds for AI clients, auto resolved."`
	LAN        bool      `json:"lan" doc:"The server listens on all addresses."`
	Simulator  bool      `json:"simulator"`
	DataDir    string    `json:"data_dir"`
	ConfigFile string    `json:"config_file,omitzero" doc:"The file that was read; absent if there is none."`
	Accounts   Counts    `json:"accounts"`
	InFlight   *Flying   `json:"in_flight,omitzero"`
	Journal    *Journal  `json:"journal,omitzero"`
	Secrets    *Secrets  `json:"secrets,omitzero"`
}

// Secrets say where the key lies that seals credentials on the disk.
type Secrets struct {
	Store string `json:"store" enum:"file,keychain,none" doc:"none: nothing was sealed yet."`
	Path  string `json:"path" doc:"The key file; with keychain it says which entry has the key."`
	Why   string `json:"why,omitzero" doc:"Why the key does not lie where secret_store wants it, or cannot be told."`
}

func secrets(p secret.Place) *Secrets { return &Secrets{cmp.Or(p.In, "none"), p.Path, p.Why} }

// Counts say how many accounts are in which state. Each is in one.
type Counts struct {
	Total   int `json:"total"`
	Ready   int `json:"ready"`
	Cooling int `json:"cooling" doc:"They wait until a moment that is known."`
	Trial   int `json:"trial" doc:"Their wait is over and nobody has tried since."`
	Down    int `json:"down" doc:"A person must act."`
	// States of accounts that show access tokens.
	Refreshing int `json:"refreshing" doc:"Their access token is over and the next is being fetched."`
	NeedsLogin int `json:"needs_login" doc:"A person must sign in again."`
	Off        int `json:"off" doc:"Switched off by the operator."`
}

// Flying is what is being served now.
type Flying struct {
	Requests int `json:"requests"`
	Streams  int `json:"streams"`
}

// A Journal is how the journal is doing.
type Journal struct {
	Files   int   `json:"files"`
	Bytes   int64 `json:"bytes"`
	Backlog int   `json:"backlog" doc:"Requests that wait in memory because the disk takes none."`
	Lost    int64 `json:"lost" doc:"Requests that could not be recorded, since the start."`
	Kept    int64 `json:"kept" doc:"Requests that the database has taken over, since the start."`
}

// off is the state of an account that is switched off; the others are those
// of pool.State.
const off = "off"

// state is the state that an account is shown with.
func state(v *pool.View) string {
	if v.Disabled {
		return off
	}
	return v.Health.State.String()
}

// CountStates says how many accounts are in which state, by its name. All
// states are there.
func CountStates(views []pool.View) map[string]int {
	n := map[string]int{off: 0}
	for s := range pool.States {
		n[s.String()] = 0
	}
	for i := range views {
		n[state(&views[i])]++
	}
	return n
}

func (a *api) status() {
	handle(a, operation{
		id: "status", method: http.MethodGet, path: "/api/status", tag: "gateway", summary: "How the gateway is doing",
	}, func(context.Context, *struct{}) (*out[Status], error) {
		return &out[Status]{a.statusNow(time.Now())}, nil
	})
}

func (a *api) statusNow(now time.Time) Status {
	c, n := a.o.Config(), CountStates(a.o.Accounts.Views())
	s := Status{
		Name: "portico", Version: a.o.Version, Address: a.o.Address, Started: a.o.Started.UTC(), UptimeS: int64(now.Sub(a.o.Started) / time.Second),
		AuthMode: string(c.AuthMode), Auth: string(c.Resolve()), LAN: c.AllowLAN, Simulator: c.Simulator, DataDir: c.DataDir, ConfigFile: c.File,
		Accounts: Counts{
			Ready: n[pool.Ready.String()], Cooling: n[pool.Cooling.String()], Trial: n[pool.Trial.String()], Down: n[pool.Down.String()],
			Refreshing: n[pool.Refreshing.String()], NeedsLogin: n[pool.NeedsLogin.String()], Off: n[off],
		},
	}
	for _, k := range n {
		s.Accounts.Total += k
	}
	if a.o.Flying != nil {
		requests, streams := a.o.Flying()
		s.InFlight = &Flying{requests, streams}
	}
	if a.o.Secrets != nil {
		s.Secrets = secrets(a.o.Secrets())
	}
	if a.o.Journal != nil {
		j := a.o.Journal()
		s.Journal = &Journal{Files: j.Segments, Bytes: j.Bytes, Backlog: j.Backlog, Lost: j.Lost, Kept: j.Kept}
	}
	return s
}
