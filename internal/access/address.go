package access

import (
	"net/netip"
	"slices"
	"strings"
)

// maxHops is how many addresses of a chain of proxies are looked at.
const maxHops = 16

// ClientOf is the address of the client whose request came from peer with
// those values of X-Forwarded-For. Anybody can write that header, so that only
// what proxies of the policy have added to it counts: it is read from the
// right, and the first address that is none of theirs is the client's (spec:
// security SEC-25).
func (p *Policy) ClientOf(peer netip.Addr, forwarded []string) netip.Addr {
	client := peer.Unmap()
	if len(p.proxies) == 0 || !p.trusts(client) {
		return client
	}
	hops := 0
	for _, f := range slices.Backward(forwarded) {
		for rest, more := f, true; more; {
			var hop string
			if at := strings.LastIndexByte(rest, ','); at >= 0 {
				rest, hop = rest[:at], rest[at+1:]
			} else {
				rest, hop, more = "", rest, false
			}
			a, ok := parseHop(strings.TrimSpace(hop))
			if hops++; !ok || hops > maxHops {
				return client // the last proxy that is known
			}
			if client = a; !p.trusts(client) {
				return client
			}
		}
	}
	return client
}

// parseHop reads an address as proxies write it: with a port or without.
func parseHop(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	if err != nil {
		ap, bad := netip.ParseAddrPort(s)
		if bad != nil {
			return netip.Addr{}, false
		}
		a = ap.Addr()
	}
	return a.Unmap().WithZone(""), true
}

func (p *Policy) trusts(a netip.Addr) bool {
	for _, x := range p.proxies {
		if x.Contains(a.WithZone("")) {
			return true
		}
	}
	return false
}
