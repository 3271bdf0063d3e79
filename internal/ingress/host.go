package ingress

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// A state is Settings made ready for use.
type state struct {
	*Settings
	hosts   map[string]bool // whole Host headers
	names   map[string]bool // Host names that are taken with any port
	origins map[string]bool
}

// ownNames are the names of this machine that an attacker cannot make point
// here: loopback literals, and the names by which containers reach their host,
// which lie in a reserved top-level domain (spec: security I11).
var ownNames = [...]string{"127.0.0.1", "localhost", "[::1]", "host.docker.internal", "host.containers.internal"}

func newState(x *Settings) *state {
	st := &state{Settings: x, hosts: map[string]bool{}, names: map[string]bool{}, origins: map[string]bool{}}
	for _, n := range ownNames {
		st.hosts[n+":"+strconv.Itoa(x.Port)] = true
		if x.Port == 80 { // clients leave out the port that is meant anyway
			st.hosts[n] = true
		}
	}
	for _, n := range x.Hosts {
		st.names[strings.ToLower(strings.Trim(n, "[]"))] = true
	}
	for _, o := range x.Origins {
		st.origins[strings.ToLower(o)] = true
	}
	return st
}

// serves reports whether host, the Host header, is one of this server's names.
// local is the address on which the connection was accepted: with LAN access
// it is a name of the server too. Everything else may be a name that somebody
// else made point here (DNS rebinding).
func (st *state) serves(host string, local netip.AddrPort) bool {
	if st.hosts[host] {
		return true
	}
	if len(host) > 255+len(":65535") { // no name is longer
		return false
	}
	host = strings.ToLower(host)
	if st.hosts[host] {
		return true
	}
	name, port, ok := splitHost(host)
	if !ok {
		return false
	}
	if st.names[name] {
		return true
	}
	if !st.LAN || !local.IsValid() || port != st.Port && (port != 0 || st.Port != 80) {
		return false
	}
	a, err := netip.ParseAddr(name)
	return err == nil && a == local.Addr().Unmap().WithZone("")
}

// splitHost parts "name", "name:port" and "[v6]:port"; a port that is left out
// is 0. The name comes without brackets.
func splitHost(host string) (name string, port int, ok bool) {
	name, digits := host, ""
	if strings.HasPrefix(host, "[") {
		if name, digits, ok = strings.Cut(host[1:], "]"); !ok || digits != "" && digits[0] != ':' {
			return "", 0, false
		}
		if !strings.Contains(name, ":") {
			return "", 0, false
		}
	} else if i := strings.LastIndexByte(host, ':'); i >= 0 {
		if name, digits = host[:i], host[i:]; strings.Contains(name, ":") {
			return "", 0, false
		}
	}
	if digits != "" {
		if port = portNumber(digits[1:]); port == 0 {
			return "", 0, false
		}
	}
	return name, port, name != ""
}

// portNumber reads a port as clients write it, without sign or leading zeros;
// 0 if it is none.
func portNumber(s string) int {
	if s == "" || len(s) > 5 || s[0] == '0' {
		return 0
	}
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	if n > 65535 {
		return 0
	}
	return n
}

// localAddr is the address on which r's connection was accepted, invalid if
// that is unknown.
func localAddr(r *http.Request) netip.AddrPort {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}
