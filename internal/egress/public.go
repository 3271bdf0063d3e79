package egress

import (
	"net/netip"
	"slices"
)

// special are blocks in which no public server is, beyond those of Allowed: they
// are reserved, or hold an IPv4 address in disguise that may be a private one
// (the IANA registries of special-purpose addresses).
var special = []netip.Prefix{
	netip.MustParsePrefix("192.0.0.0/24"),    // RFC 6890
	netip.MustParsePrefix("192.0.2.0/24"),    // RFC 5737, for documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // RFC 7526, once relays of 6to4
	netip.MustParsePrefix("198.18.0.0/15"),   // RFC 2544, for benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // RFC 5737
	netip.MustParsePrefix("203.0.113.0/24"),  // RFC 5737
	netip.MustParsePrefix("::/96"),           // RFC 4291: IPv4, deprecated
	netip.MustParsePrefix("64:ff9b:1::/48"),  // RFC 8215: NAT64 of one network's own
	netip.MustParsePrefix("100::/64"),        // RFC 6666, discards
	netip.MustParsePrefix("2001::/23"),       // RFC 2928: Teredo, benchmarks, ORCHID
	netip.MustParsePrefix("2001:db8::/32"),   // RFC 3849, for documentation
	netip.MustParsePrefix("2002::/16"),       // RFC 3056: 6to4
	netip.MustParsePrefix("3fff::/20"),       // RFC 9637, for documentation
	netip.MustParsePrefix("5f00::/16"),       // RFC 9602, segment routing
	netip.MustParsePrefix("fec0::/10"),       // RFC 3879, once the sites' own
}

// Public reports whether a is the address of a server that everybody may reach.
// It is stricter than Allowed: it is for addresses that clients name, and not
// the operator.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		return Public(netip.AddrFrom4([4]byte(b[12:])))
	}
	return Allowed(a, false) && a.Zone() == "" && !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}
