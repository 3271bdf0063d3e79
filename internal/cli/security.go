package cli

import (
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"portico/internal/admin"
	"portico/internal/config"
	"portico/internal/journal"
	"portico/internal/provider/endpoint"
)

// unseen is the state of an invariant that only a running gateway could show.
const unseen = "-"

// A sight is what the gateway shows of itself.
type sight struct {
	status   admin.Status
	config   admin.Configuration
	accounts admin.List[admin.Account]
	health   []admin.Check
	leaks    string // where a credential of the gateway was seen, "" for nowhere
}

// look asks the gateway for what security needs. The secrets must not be in
// any of it.
func (c *client) look(ctx context.Context, health []admin.Check, secrets ...string) (sight, error) {
	s := sight{health: health}
	for _, x := range []struct {
		path string
		into any
	}{{"/api/status", &s.status}, {"/api/config", &s.config}, {"/api/accounts", &s.accounts}} {
		var raw jsontext.Value
		if err := c.call(ctx, http.MethodGet, x.path, nil, &raw); err != nil {
			return s, err
		}
		if err := json.Unmarshal(raw, x.into, journal.JSON); err != nil {
			return s, fmt.Errorf("read the gateway's answer: %w", err)
		}
		for _, secret := range secrets {
			if secret != "" && strings.Contains(string(raw), secret) {
				s.leaks = x.path
			}
		}
	}
	return s, nil
}

// security looks at the invariants, in their order; docs/operations.md tells
// them.
func (c *client) security(ctx context.Context, s *sight) []admin.Check {
	return []admin.Check{
		c.refuses(ctx, "I1", "The admin API answers nobody without the admin token", probe{path: "/api/status"}, http.StatusUnauthorized),
		c.refuses(ctx, "I2", "A name that is not this machine's is refused as Host", probe{path: "/healthz", host: "portico-doctor.invalid"}, http.StatusMisdirectedRequest),
		exposed(&s.status),
		bound(s.accounts.Items),
		writeOnly(s.leaks),
		c.keyed(ctx, &s.status),
		c.refuses(ctx, "I7", "Headers that are too large are refused before they are kept",
			probe{path: "/healthz", header: http.Header{"X-Padding": {strings.Repeat("x", 80<<10)}}}, http.StatusRequestHeaderFieldsTooLarge),
		bounded(s.config.Keys),
		recorded(s.health),
		{Name: "I10", State: admin.OK, Text: "Portico downloads no programs and does not change itself; there is nothing in it that could."},
		c.refuses(ctx, "I11", "A web page of another origin is refused, a container on this machine is not",
			probe{path: "/v1/models", header: http.Header{"Origin": {"https://portico-doctor.invalid"}}}, http.StatusForbidden,
			probe{path: "/healthz", host: "host.docker.internal" + c.port()}),
	}
}

// port is the port of the gateway's address, with its colon.
func (c *client) port() string { return c.base[strings.LastIndexByte(c.base, ':'):] }

// A probe is a request that no account hears of.
type probe struct {
	path   string
	host   string // "": the gateway's own
	header http.Header
}

// status sends p and returns what the gateway answers.
func (c *client) status(ctx context.Context, p probe) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+p.path, nil)
	if err != nil {
		return 0, err
	}
	r.Host = p.host
	if p.header != nil {
		r.Header = p.header
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// refuses checks that the gateway answers p with the status want, and what
// must get past the guard with another than 421 and 403.
func (c *client) refuses(ctx context.Context, name, text string, p probe, want int, passes ...probe) admin.Check {
	if c.running == nil {
		return admin.Check{Name: name, State: unseen, Text: text + ": not looked at, since no gateway runs."}
	}
	got, err := c.status(ctx, p)
	if err == nil && got != want {
		err = fmt.Errorf("it was answered with status %d instead of %d", got, want)
	}
	for _, p := range passes {
		if err == nil {
			if got, err = c.status(ctx, p); err == nil && (got == http.StatusMisdirectedRequest || got == http.StatusForbidden) {
				err = fmt.Errorf("%s was answered with status %d", p.host, got)
			}
		}
	}
	if err != nil {
		return admin.Check{Name: name, State: admin.Fail, Text: text + ", but not now: " + err.Error() + ".", Fix: "Look whether another program listens at " + c.base + "."}
	}
	return admin.Check{Name: name, State: admin.OK, Text: text + "."}
}

// exposed is about who can reach the gateway: nobody on the network does
// without a key.
func exposed(s *admin.Status) admin.Check {
	switch {
	case !s.LAN:
		return admin.Check{Name: "I3", State: admin.OK, Text: "It listens on this machine alone."}
	case s.Auth == string(config.AuthOff): // the configuration is not taken like that
		return admin.Check{Name: "I3", State: admin.Fail, Text: "It listens on the network and asks for no key.", Fix: "Set auth_mode to auto or strict."}
	}
	return admin.Check{Name: "I3", State: admin.OK, Text: "It listens on the network, and asks for the key there (auth_mode " + s.Auth + ")."}
}

// bound is about the way of an account's key: to its own origin, and there in
// secret.
func bound(accounts []admin.Account) admin.Check {
	var clear []string
	for _, a := range accounts {
		if u, err := url.Parse(a.BaseURL); err == nil && a.Key != "" && u.Scheme == "http" && !endpoint.Loopback(u.Hostname()) {
			clear = append(clear, a.Name)
		}
	}
	if len(clear) > 0 {
		return admin.Check{Name: "I4", State: admin.Warn, Text: "Each account's key goes to its own origin only, but without encryption for " + strings.Join(clear, ", ") + ".", Fix: "Use an https base_url."}
	}
	return admin.Check{Name: "I4", State: admin.OK, Text: "Each account's key goes to its own origin only, encrypted wherever it leaves this machine; redirects are not followed."}
}

// writeOnly is about the gateway's own credentials in what the API shows.
func writeOnly(leaks string) admin.Check {
	if leaks != "" {
		return admin.Check{Name: "I5", State: admin.Fail, Text: "The API shows a credential at " + leaks + ".", Fix: "Please report this; SECURITY.md says how."}
	}
	return admin.Check{Name: "I5", State: admin.OK, Text: "The API takes credentials and never shows one."}
}

// keyed checks that the one gate asks for the key where auth_mode says so.
func (c *client) keyed(ctx context.Context, s *admin.Status) admin.Check {
	if s.Auth == string(config.AuthOff) {
		return admin.Check{Name: "I6", State: admin.OK, Text: "Programs on this machine need no key (auth_mode off); one gate decides that for every path."}
	}
	return c.refuses(ctx, "I6", "AI clients without the key are refused; one gate decides that for every path", probe{path: "/v1/models"}, http.StatusUnauthorized)
}

// bounded is about what grows: all of it has a bound but what the operator
// unbinds.
func bounded(keys []config.Shown) admin.Check {
	free := 0
	for _, k := range keys {
		if strings.HasPrefix(k.Key, "retention.") && strings.Trim(fmt.Sprint(k.Value), "0s") == "" {
			free++
		}
	}
	if free == 3 {
		return admin.Check{Name: "I8", State: admin.Warn, Text: "The ledger grows without a bound.", Fix: "Set one of retention.age, retention.rows and retention.bytes."}
	}
	return admin.Check{Name: "I8", State: admin.OK, Text: "Whatever grows has a bound, the ledger among it."}
}

// recorded is what the doctor says of the journal.
func recorded(health []admin.Check) admin.Check {
	i := slices.IndexFunc(health, func(c admin.Check) bool { return c.Name == "journal" })
	if i < 0 {
		return admin.Check{Name: "I9", State: unseen, Text: "Requests are recorded before their answers end: not looked at."}
	}
	c := health[i]
	if c.State == admin.OK {
		c.Text = "Requests are recorded before their answers end."
	}
	c.Name = "I9"
	return c
}
