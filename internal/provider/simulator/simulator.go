package simulator

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/provider"
)

// Name is what the configuration calls the simulator.
const Name = "simulator"

// origin is where the simulator pretends to live. The top-level domain is
// reserved for names that never resolve (RFC 2606), so that a request which
// misses the in-process transport goes nowhere.
const origin = "http://simulator.invalid"

// accountHeader carries the account's name from Address to the transport.
const accountHeader = "X-Portico-Simulator-Account"

// speaks lists the protocols, in the order of an account that names none.
var speaks = []string{protocol.OpenAIChat, protocol.OpenAIResponses, protocol.Anthropic, protocol.Gemini}

// A Simulator is the provider. It remembers a bounded number of its answers
// (see shelf) and of faults played (see tally), and is safe for concurrent use.
type Simulator struct {
	shelf *shelf
	tally *tally
	now   func() time.Time
	id    func(prefix string) string
}

var (
	_ provider.Provider    = (*Simulator)(nil)
	_ provider.Transporter = (*Simulator)(nil)
)

// New returns a simulator.
func New() *Simulator {
	return &Simulator{
		shelf: newShelf(shelfEntries, shelfBytes),
		tally: newTally(tallyEntries),
		now:   time.Now,
		id:    func(prefix string) string { return prefix + "sim" + strings.ToLower(rand.Text()[:20]) },
	}
}

// Name implements provider.Provider.
func (*Simulator) Name() string { return Name }

// Prepare implements provider.Provider. The simulator has no address and
// takes all protocols unless the account names some.
func (*Simulator) Prepare(a *provider.Account) error {
	if a.BaseURL != nil {
		return fmt.Errorf("base_url: the simulator runs in this process and has no address")
	}
	u, err := url.Parse(origin)
	if err != nil {
		return err
	}
	a.BaseURL = u
	if len(a.Protocols) == 0 {
		a.Protocols = slices.Clone(speaks)
	}
	for _, p := range a.Protocols {
		if !slices.Contains(speaks, p) {
			return fmt.Errorf("protocols: the simulator does not speak %q; it speaks %s", p, strings.Join(speaks, ", "))
		}
	}
	return nil
}

// Speaks implements provider.Provider: each protocol has what its vendor has.
func (*Simulator) Speaks(a *provider.Account, op protocol.Op, _ string) []string {
	var without []string
	switch op {
	case protocol.Complete:
		return nil // a text completion is put on top of a chat
	case protocol.Count:
		without = []string{protocol.OpenAIChat}
	case protocol.Embed:
		without = []string{protocol.OpenAIResponses, protocol.Anthropic}
	case protocol.Draw:
		without = []string{protocol.OpenAIChat, protocol.OpenAIResponses, protocol.Anthropic}
	default:
		return a.Protocols
	}
	return slices.DeleteFunc(slices.Clone(a.Protocols), func(p string) bool { return slices.Contains(without, p) })
}

// quirks are what Quirks returns: beside responses, which can be asked for again,
// the gateway does everything itself.
var quirks = provider.Quirks{Bare: true}

// Quirks implements provider.Tuner.
func (*Simulator) Quirks(*provider.Account) *provider.Quirks { return &quirks }

// forwards is what Forwards lists.
var forwards = []string{Header}

// Forwards lists the headers of the client's that mean something to the
// simulator alone, so that no other upstream gets them.
func (*Simulator) Forwards() []string { return forwards }

// Address implements provider.Provider. The URL is only understood by
// Transport.
func (*Simulator) Address(out *http.Request, a *provider.Account, to provider.Target) error {
	u, err := url.Parse(origin + "/" + to.Protocol + to.Path)
	if err != nil {
		return fmt.Errorf("simulator: the path %q is no path: %w", to.Path, err)
	}
	u.RawQuery = to.Query
	out.URL = u
	out.Header.Set(accountHeader, a.Name)
	return nil
}

// Rules implements provider.Provider. The accounts of a simulator share no
// endpoint that could be down, so every failure is told of one account only:
// a fault that is played at one account must not keep another from serving.
func (*Simulator) Rules() fault.Rules { return rules }

// rules name the types and codes that failure.go writes. They stand in an
// error body as well as in a stream, where no status tells anything.
var rules = fault.Rules{
	{Code: codeAbsent, Class: fault.BadRequest, Scope: fault.Request},
	{Code: "insufficient_quota", Class: fault.QuotaSpent, Scope: fault.Account},
	{Type: "overloaded_error", Class: fault.Overloaded, Scope: fault.Model},
	{Code: "server_is_overloaded", Class: fault.Overloaded, Scope: fault.Model},
	{Type: "UNAVAILABLE", Class: fault.Overloaded, Scope: fault.Model},
	{Type: "rate_limit_error", Class: fault.RateLimited, Scope: fault.Model},
	{Code: "rate_limit_exceeded", Class: fault.RateLimited, Scope: fault.Model},
	{Type: "RESOURCE_EXHAUSTED", Class: fault.RateLimited, Scope: fault.Model},
	{Status: 408, Class: fault.Timeout, Scope: fault.Account},
	{Status: 499, Class: fault.Network, Scope: fault.Account},
	{Status: 504, Class: fault.Timeout, Scope: fault.Account},
	{Type: "timeout_error", Class: fault.Timeout, Scope: fault.Account},
	{Type: "DEADLINE_EXCEEDED", Class: fault.Timeout, Scope: fault.Account},
	{Status: 503, Class: fault.Overloaded, Scope: fault.Model},
	{Type: "server_error", Class: fault.Broken, Scope: fault.Account},
	{Code: "server_error", Class: fault.Broken, Scope: fault.Account},
	{Type: "api_error", Class: fault.Broken, Scope: fault.Account},
	{Type: "INTERNAL", Class: fault.Broken, Scope: fault.Account},
}
