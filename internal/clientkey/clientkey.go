// Package clientkey is about the keys that the operator hands out to AI
// clients: what is known of each, and what each may do.
//
// All decisions are pure functions of a key, a moment and what a request is
// like. The key itself is nowhere: what is known of it is the SHA-256 of its
// text, which has 160 random bits, so that nobody finds it by its digest.
package clientkey

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"portico/internal/budget"
	"portico/internal/fault"
	"portico/internal/glob"
)

// A Digest is the SHA-256 of a key.
type Digest = [sha256.Size]byte

// DigestOf is the digest of a key's text.
func DigestOf(key string) Digest { return sha256.Sum256([]byte(key)) }

// Settings are what an operator decides about a key.
type Settings struct {
	Note     string    `json:"note,omitzero"` // for the operator, at most 1 KiB
	Disabled bool      `json:"disabled,omitzero"`
	Expires  time.Time `json:"expires,omitzero"` // zero: never
	// Models are globs of the names that clients ask for; none: all.
	Models []string `json:"models,omitzero"`
	// Routes are globs of "protocol/operation", such as anthropic/chat or
	// */embed; none: all.
	Routes    []string `json:"routes,omitzero"`
	Addresses []string `json:"addresses,omitzero"` // of clients, IPv4 or IPv6, with or without a prefix length; none: all
	Hours     []string `json:"hours,omitzero"`     // such as "mon-fri 08:00-18:00"; none: always
	Zone      string   `json:"zone,omitzero"`      // of hours, days and months; "": UTC
	Strict    bool     `json:"strict,omitzero"`    // requests that cannot be carried without a loss are refused
	// Prefer are globs of the names of accounts that serve the key before others
	// do, as long as they are able.
	Prefer []string `json:"prefer,omitzero"`

	RPM         int64  `json:"rpm,omitzero"` // requests a minute, as the three below 0 is no limit
	TPM         int64  `json:"tpm,omitzero"`
	Concurrency int64  `json:"concurrency,omitzero"`
	Day         Budget `json:"day,omitzero"`
	Month       Budget `json:"month,omitzero"`
}

// A Budget is what a key may use in a day or a month; 0 is no limit.
type Budget struct {
	Tokens int64 `json:"tokens,omitzero"`
	Nanos  int64 `json:"nanos,omitzero"` // billionths of a US dollar at list price
}

// A Record is all that is kept of a key.
type Record struct {
	ID               string // does not change
	Name             string // unique and as lasting; the ledger has it
	Hint             string // enough to tell two keys apart, such as sk-…ab12
	Digest           Digest
	Version          int64 // goes up by one with every change
	Created, Updated time.Time
	Settings
}

// A Key is a record that is ready to be asked. It is not changed.
type Key struct {
	Record
	Limits budget.Limits

	models, routes glob.Set
	prefer         glob.Set
	addresses      []netip.Prefix
	hours          hours
}

// Bounds of settings.
const (
	maxNote    = 1 << 10
	maxList    = 1000
	maxHours   = 64
	maxPrefer  = 16
	maxMinute  = 1_000_000_000
	maxAtOnce  = 1_000_000
	maxTokens  = 1 << 50
	maxNanos   = 1 << 60 // about a billion dollars
	maxNameLen = 64
)

// New reads r's settings, or says what is wrong with them.
func New(r Record) (*Key, error) {
	k := &Key{Record: r}
	if err := CheckName(r.Name); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(r.Zone)
	if err != nil || r.Zone == "Local" {
		return nil, fmt.Errorf("zone: %q is no time zone that is known; write one such as Europe/Berlin", clip(r.Zone))
	}
	if len(r.Note) > maxNote {
		return nil, fmt.Errorf("note: it has %d bytes; at most %d are kept", len(r.Note), maxNote)
	}
	for _, l := range [...]struct {
		name string
		list []string
		most int
	}{{"models", r.Models, maxList}, {"routes", r.Routes, maxList}, {"prefer", r.Prefer, maxPrefer}, {"addresses", r.Addresses, maxList}, {"hours", r.Hours, maxHours}} {
		if len(l.list) > l.most {
			return nil, fmt.Errorf("%s: there are %d; at most %d are taken", l.name, len(l.list), l.most)
		}
	}
	for _, n := range [...]struct {
		name  string
		value int64
		most  int64
	}{
		{"rpm", r.RPM, maxMinute},
		{"tpm", r.TPM, maxMinute},
		{"concurrency", r.Concurrency, maxAtOnce},
		{"day.tokens", r.Day.Tokens, maxTokens},
		{"month.tokens", r.Month.Tokens, maxTokens},
		{"day.usd", r.Day.Nanos, maxNanos},
		{"month.usd", r.Month.Nanos, maxNanos},
	} {
		if n.value < 0 || n.value > n.most {
			return nil, fmt.Errorf("%s: it must be between 0 and a limit that nobody reaches", n.name)
		}
	}
	if k.models, err = glob.CompileAll(r.Models); err != nil {
		return nil, fmt.Errorf("models: %w", err)
	}
	if k.routes, err = glob.CompileAll(r.Routes); err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	if k.prefer, err = glob.CompileAll(r.Prefer); err != nil {
		return nil, fmt.Errorf("prefer: %w", err)
	}
	for _, a := range r.Addresses {
		p, err := ParsePrefix(a)
		if err != nil {
			return nil, fmt.Errorf("addresses: %w", err)
		}
		k.addresses = append(k.addresses, p)
	}
	if k.hours, err = parseHours(r.Hours, zone); err != nil {
		return nil, fmt.Errorf("hours: %w", err)
	}
	k.Limits = budget.Limits{
		RPM: r.RPM, TPM: r.TPM, Concurrency: r.Concurrency,
		Day: budget.Amount(r.Day), Month: budget.Amount(r.Month), Zone: zone,
	}
	return k, nil
}

// CheckName says what is wrong with the name of a key: it has 1 to 64 letters,
// digits, dots, dashes and underscores, and begins with a letter or a digit.
// "default" is the name of the configuration's api_key.
func CheckName(name string) error {
	if name == "default" {
		return errors.New("name: default is the api_key of the configuration")
	}
	if len(name) == 0 || len(name) > maxNameLen {
		return fmt.Errorf("name: it must have 1 to %d letters", maxNameLen)
	}
	for i := range len(name) {
		c := name[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || c != '.' && c != '-' && c != '_') {
			return errors.New("name: it may hold letters, digits, dots, dashes and underscores, and begins with a letter or a digit")
		}
	}
	return nil
}

// ParsePrefix reads an address, or a range such as 10.0.0.0/8 or 2001:db8::/32.
// An IPv4 address in IPv6's spelling is the IPv4 address.
func ParsePrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, bad := netip.ParseAddr(s)
		if bad != nil || a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q is no address and no range of addresses such as 10.0.0.0/8 or 2001:db8::/32", clip(s))
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, fmt.Errorf("%q holds both IPv4 and IPv6; write two ranges", clip(s))
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// clip bounds foreign text in a message.
func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// Admit says why a client at peer may not use k at now, whatever it asks for;
// nil if it may.
func (k *Key) Admit(peer netip.Addr, now time.Time) *fault.Fault {
	switch {
	case k.Disabled:
		return &fault.Fault{Class: fault.Unauthorized, Code: "key_disabled", Msg: "the key " + k.Name + " is switched off"}
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return &fault.Fault{Class: fault.Unauthorized, Code: "key_expired", Msg: "the key " + k.Name + " expired at " + stamp(k.Expires)}
	case !k.from(peer):
		return &fault.Fault{Class: fault.Forbidden, Code: "address_not_allowed", Msg: "the key " + k.Name + " may not be used from " + peer.String()}
	case !k.hours.open(now):
		f := &fault.Fault{Class: fault.Forbidden, Code: "outside_hours", Msg: "the key " + k.Name + " may not be used at this hour"}
		if next := k.hours.next(now); !next.IsZero() {
			f.Msg += "; it may be from " + stamp(next)
		}
		return f
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// from reports whether peer is one of the key's addresses.
func (k *Key) from(peer netip.Addr) bool {
	if len(k.addresses) == 0 {
		return true
	}
	peer = peer.Unmap().WithZone("")
	for _, p := range k.addresses {
		if p.Contains(peer) {
			return true
		}
	}
	return false
}

// Serves says why k may not be used for what is asked; nil if it may. route is
// "protocol/operation"; model is the name that the client asks for, "" if the
// operation has none.
func (k *Key) Serves(route, model string) *fault.Fault {
	switch {
	case !k.routes.Match(route):
		return &fault.Fault{Class: fault.Forbidden, Code: "route_not_allowed", Msg: "the key " + k.Name + " may not be used for " + route}
	case model != "" && !k.models.Match(model):
		return &fault.Fault{Class: fault.Forbidden, Code: "model_not_allowed", Param: "model", Msg: fmt.Sprintf("the key %s may not be used for the model %q", k.Name, clip(model))}
	case model == "" && len(k.models) > 0:
		return &fault.Fault{Class: fault.Forbidden, Code: "model_not_allowed", Msg: "the key " + k.Name + " may be used for some models only, and this request names none"}
	}
	return nil
}

// Shows reports whether clients of k are told of a model.
func (k *Key) Shows(model string) bool { return k.models.Match(model) }

// Picky reports whether k is for some routes or models only.
func (k *Key) Picky() bool { return len(k.routes) > 0 || len(k.models) > 0 }

// Prefers are the accounts that serve the key before others do.
func (k *Key) Prefers() glob.Set { return k.prefer }
