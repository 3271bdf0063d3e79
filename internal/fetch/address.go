package fetch

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"portico/internal/egress"
)

// check reads an address and refuses what is never asked, whatever it resolves
// to. The fragment is dropped: no server sees it.
func check(address string) (*url.URL, error) {
	if len(address) > MaxAddress {
		return nil, &Error{Why: "its address is longer than " + strconv.Itoa(MaxAddress) + " bytes"}
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Opaque != "" || u.Hostname() == "" {
		return nil, &Error{Why: "its address is no URL such as https://example.com/picture.png"}
	}
	u.Fragment, u.RawFragment = "", ""
	return u, sound(u)
}

// sound says what is wrong with u, nil for nothing. It is asked of every hop.
func sound(u *url.URL) error {
	bad := func(why string) error { return &Error{Host: u.Host, Why: why} }
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return &Error{Why: "its address is neither http nor https"}
	case u.User != nil:
		return bad("its address holds a user name or a password")
	case strings.ContainsAny(u.Host, " \t\r\n\x00\\@%"):
		return bad("its host has no sound name")
	}
	// What listens below 1024 on another port than the web's is no web server,
	// and may take a request for a command of its own.
	if port := u.Port(); port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n < 1024 && n != 80 && n != 443 {
			return bad("its port is none of a web server")
		}
	}
	return nil
}

// allows reports whether a file may be fetched from a: it is public, or in a
// network that the operator allowed, and it is not this machine under a public
// name, where servers may listen that no stranger can reach.
func allows(p *Policy, a netip.Addr) bool {
	a = a.Unmap()
	for _, n := range p.Networks {
		if n.Contains(a) {
			return egress.Allowed(a, true)
		}
	}
	return egress.Public(a) && !own(a)
}

// own reports whether a is an address of this machine. If they cannot be
// listed, every address is taken for one.
func own(a netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, x := range all {
		if n, ok := x.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && ip.Unmap() == a {
				return true
			}
		}
	}
	return false
}
