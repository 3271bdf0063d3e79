// Package access decides who may call what: it finds the key that a request
// shows, looks for it among those that are known, and slows down guessing.
//
// The decisions are pure functions of a [Policy], which is a snapshot of the
// configuration, and of a [Keyring], which holds the keys that the operator has
// handed out; the only other state is the [Limiter]'s.
package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/netip"
	"time"

	"portico/internal/clientkey"
	"portico/internal/config"
	"portico/internal/fault"
)

// A Plane is a part of the surface with a rule of its own about keys.
type Plane uint8

// The planes.
const (
	Data   Plane = iota // what AI clients call: the api_key, by auth_mode
	Health              // /healthz and /readyz: the api_key in strict mode only
	Admin               // the operator's: a session or the admin_token, always
	Open                // holds nothing worth a key: the UI's shell, a client's probe
)

// A Caller is who a request was recognised as.
type Caller struct {
	Name  string // name of the key that was shown, "" for none
	Admin bool   // the admin_token was shown
	Grant *Grant // of a client key; nil for the api_key, which may do everything
}

// DefaultKey is the name of the configuration's api_key.
const DefaultKey = "default"

// A digest is the SHA-256 of a key.
type digest = [sha256.Size]byte

// A Policy is what the configuration says about keys. It is immutable, so a
// reload swaps the whole.
type Policy struct {
	mode        config.AuthMode
	data, admin credential
	proxies     []netip.Prefix
	listed      bool
}

// A credential is a key as it is compared: by its SHA-256, so that the time of
// a comparison tells neither length nor prefix.
type credential struct {
	sum    digest
	set    bool
	strong bool
}

// NewPolicy reads a policy from c.
func NewPolicy(c *config.Config) *Policy {
	p := &Policy{mode: c.Resolve(), data: newCredential(c.APIKey.Reveal()), admin: newCredential(c.AdminToken.Reveal()), listed: c.OnlyListed}
	for _, s := range c.TrustedProxies {
		// One that cannot be read is trusted by nobody; the configuration
		// takes none.
		if x, err := clientkey.ParsePrefix(s); err == nil {
			p.proxies = append(p.proxies, x)
		}
	}
	return p
}

func newCredential(key string) credential {
	if key == "" {
		return credential{}
	}
	return credential{sum: sha256.Sum256([]byte(key)), set: true, strong: strong(key)}
}

// strong reports whether key is beyond guessing at any rate: at least 32 bytes
// of which 12 differ, as every generated key is.
func strong(key string) bool {
	var seen [256]bool
	distinct := 0
	for i := range len(key) {
		if !seen[key[i]] {
			seen[key[i]] = true
			distinct++
		}
	}
	return len(key) >= 32 && distinct >= 12
}

func (c *credential) fits(sum *digest) bool {
	return subtle.ConstantTimeCompare(c.sum[:], sum[:]) == 1 && c.set
}

// Requires reports whether plane p needs the api_key. Off loopback it does
// whatever the mode says: a listener on the network is never open, not even in
// the instant in which a reload switches the mode.
func (p *Policy) Requires(plane Plane, loopback bool) bool {
	switch plane {
	case Data:
		return p.mode != config.AuthOff || !loopback
	case Health:
		return p.mode == config.AuthStrict
	default:
		return false
	}
}

// Listed reports whether only addresses with a rule that lets them in may call.
func (p *Policy) Listed() bool { return p.listed }

// A Gate admits requests. It is safe for concurrent use; its zero value is
// ready.
type Gate struct {
	guesses Limiter
	Keys    Keyring
	Rules   Rules
	Log     Log
}

// A Visit is what the gate looks at.
type Visit struct {
	Plane    Plane
	Keys     Keys
	Peer     netip.Addr // the client's, see Policy.ClientOf
	Loopback bool       // the connection was accepted on a loopback address
}

// Admit names the caller, or says why the visit is refused: Malformed for two
// different keys, Unauthorized for a missing or wrong one, or one that is over,
// Forbidden for a client key at the wrong place or time, RateLimited with After
// for a guesser. A client key that is known is held to what it may do whether
// or not one is asked for.
//
// On the admin plane a missing key is no refusal, since the caller may hold a
// session; whoever serves the plane must ask for that unless Caller.Admin.
func (g *Gate) Admit(p *Policy, v *Visit, now time.Time) (Caller, *fault.Fault) {
	if v.Plane == Open {
		return Caller{}, nil
	}
	if v.Keys.Conflict {
		return Caller{}, &fault.Fault{
			Class: fault.Malformed, Code: "conflicting_keys",
			Msg: "the request shows two different keys; send the same one everywhere, or one only",
		}
	}
	required := p.Requires(v.Plane, v.Loopback)
	want := &p.data
	if v.Plane == Admin {
		want = &p.admin
	}
	if v.Keys.Key == "" {
		if required {
			return Caller{}, noKey
		}
		return Caller{}, nil
	}
	sum := sumOf(v.Keys.Key)
	right := want.fits(&sum)
	if !right && v.Plane != Admin {
		if grant := g.Keys.find(&sum); grant != nil {
			if f := grant.Key.Admit(v.Peer, now); f != nil {
				return Caller{Name: grant.Key.Name}, f
			}
			grant.touch(now)
			return Caller{Name: grant.Key.Name, Grant: grant}, nil
		}
	}
	switch {
	case right && (want.strong || !required && v.Plane != Admin):
	case right:
		// A key that could be guessed must not be confirmed faster than
		// guesses are allowed.
		if wait := g.guesses.Wait(v.Peer, now); wait > 0 {
			return Caller{}, tooMany(wait)
		}
	case required || v.Plane == Admin:
		if wait := g.guesses.Guess(v.Peer, sum, now); wait > 0 {
			return Caller{}, tooMany(wait)
		}
		return Caller{}, wrongKey
	default: // no key is needed, and the client's own is nobody's business
		return Caller{}, nil
	}
	if v.Plane == Admin {
		return Caller{Admin: true}, nil
	}
	return Caller{Name: DefaultKey}, nil
}

// Wait says how long peer has to wait before another guess of a password is
// heard, 0 if it need not. Guesses of keys and of passwords count together.
func (g *Gate) Wait(peer netip.Addr, now time.Time) time.Duration { return g.guesses.Wait(peer, now) }

// Missed counts a wrong password of peer.
func (g *Gate) Missed(peer netip.Addr, password string, now time.Time) {
	g.guesses.Guess(peer, sumOf(password), now)
}

// sumOf is the digest of key, for which those of common length need no memory.
func sumOf(key string) digest {
	var room [128]byte
	return sha256.Sum256(append(room[:0], key...))
}

// The refusals that are always the same.
var (
	noKey = &fault.Fault{
		Class: fault.Unauthorized, Code: "missing_key",
		Msg: "a key is needed: send one of the gateway's as Authorization: Bearer, x-api-key or x-goog-api-key (portico key show prints it)",
	}
	wrongKey = &fault.Fault{
		Class: fault.Unauthorized, Code: "invalid_key",
		Msg: "the key is not this gateway's (portico key show prints the right one)",
	}
)

func tooMany(wait time.Duration) *fault.Fault {
	return &fault.Fault{
		Class: fault.RateLimited, Code: "too_many_guesses", After: wait,
		Msg: "too many wrong keys came from this address; wait a moment and send the right one",
	}
}
