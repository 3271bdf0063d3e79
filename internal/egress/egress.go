// Package egress is the way out: transports, proxies, timeouts, and the guard
// at the dial that keeps credentials and requests away from addresses where no
// upstream can be.
package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/http/httpproxy"

	"portico/internal/socket"
)

// An Out makes transports. One serves all accounts with the same proxy and the
// same reach, so that connections are shared. It is safe for concurrent use.
type Out struct {
	connect time.Duration
	roots   *x509.CertPool
	pool    pool
	mu      sync.Mutex
	made    map[key]*http.Transport
}

type key struct {
	proxy string
	local bool
}

// New returns an Out whose connections (TCP, then TLS) are up within connect
// each or fail. Certificates are checked against roots, nil for the system's;
// see [Roots].
func New(connect time.Duration, roots *x509.CertPool) *Out {
	return &Out{connect: connect, roots: roots, made: map[key]*http.Transport{}}
}

// maxTransports bounds how many distinct ways out there are beside those of the
// pool.
const maxTransports = 256

// Direct is the proxy of who wants none.
const Direct = "direct"

// Transport returns the way out through proxy: a http, https, socks5 or
// socks5h URL, Direct for none, or "" for what the environment says. With
// local, private and loopback addresses may be dialled; link-local ones, where
// clouds serve their metadata, never.
func (o *Out) Transport(proxy string, local bool) (http.RoundTripper, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := key{proxy, local}
	if t := o.made[k]; t != nil {
		return t, nil
	}
	if len(o.made) >= maxTransports {
		return nil, fmt.Errorf("more than %d different outbound proxies", maxTransports)
	}
	t := o.transport(local)
	switch proxy {
	case Direct:
	case "":
		o.byEnvironment(t, local)
	default:
		u, err := ParseProxy(proxy)
		if err != nil {
			return nil, err
		}
		o.through(t, u, local)
	}
	o.made[k] = t
	return t, nil
}

// transport is a way out without a proxy.
func (o *Out) transport(local bool) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Transport{
		DialContext:            socket.Dialing(o.dialer(local).DialContext),
		TLSClientConfig:        &tls.Config{RootCAs: o.roots},
		TLSHandshakeTimeout:    o.connect,
		Protocols:              protocols,
		DisableCompression:     true, // bytes pass as they are
		MaxIdleConns:           2048,
		MaxIdleConnsPerHost:    512,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		ReadBufferSize:         4 << 10,
		WriteBufferSize:        2 << 10, // a head and a small body; it lies idle while an answer streams
		ExpectContinueTimeout:  time.Second,
	}
}

func (o *Out) dialer(local bool) *net.Dialer {
	return &net.Dialer{Timeout: o.connect, KeepAlive: 30 * time.Second, Control: refuse(local)}
}

// byEnvironment has t go out as HTTPS_PROXY and its kin say.
func (o *Out) byEnvironment(t *http.Transport, local bool) {
	t.Proxy = func(r *http.Request) (*url.URL, error) {
		u, err := http.ProxyFromEnvironment(r)
		if err == nil && u != nil {
			err = mayName(r.URL.Hostname(), local)
		}
		return u, err
	}
	guarded, chosen := o.dialer(local), o.dialer(true)
	proxies := environment()
	t.DialContext = socket.Dialing(func(ctx context.Context, network, addr string) (net.Conn, error) {
		if slices.Contains(proxies, addr) { // the operator chose the proxy, wherever it is
			return chosen.DialContext(ctx, network, addr)
		}
		return guarded.DialContext(ctx, network, addr)
	})
}

// environment are the host:port forms under which the proxies of the environment
// are dialled.
func environment() (out []string) {
	env := httpproxy.FromEnvironment()
	for _, s := range []string{env.HTTPProxy, env.HTTPSProxy} {
		if s != "" && !strings.Contains(s, "://") {
			s = "http://" + s
		}
		if u, err := url.Parse(s); err == nil && u.Host != "" {
			out = append(out, address(u))
		}
	}
	return out
}

// CloseIdle closes connections that carry nothing.
func (o *Out) CloseIdle() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, t := range o.made {
		t.CloseIdleConnections()
	}
	o.pool.closeIdle()
}

// A RefusedError is a dial that the guard stopped.
type RefusedError struct{ Addr netip.Addr }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the address %s is not one where an upstream of this account may be", e.Addr)
}

// refuse is the guard at the dial, where the name is resolved already, so that
// a name cannot resolve to one address for the check and another for the call.
func refuse(local bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if a := ap.Addr().Unmap(); !Allowed(a, local) {
			return &RefusedError{a}
		}
		return nil
	}
}

var (
	shared    = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598
	awsV6     = netip.MustParseAddr("fd00:ec2::254")   // the metadata service of AWS
	alibaba   = netip.MustParseAddr("100.100.100.200") // the metadata service of Alibaba Cloud
	thisHost  = netip.MustParsePrefix("0.0.0.0/8")     // RFC 1122
	reserved4 = netip.MustParsePrefix("240.0.0.0/4")   // RFC 1112
	nat64     = netip.MustParsePrefix("64:ff9b::/96")  // RFC 6052: an IPv4 address in disguise
)

// Allowed reports whether a may be dialled for an account, which is local if
// the operator pointed it at a private address.
func Allowed(a netip.Addr, local bool) bool {
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		return Allowed(netip.AddrFrom4([4]byte(b[12:])), local)
	}
	switch {
	case !a.IsValid(), a.IsUnspecified(), a.IsMulticast(), a.IsLinkLocalUnicast(), a == awsV6, a == alibaba, thisHost.Contains(a), reserved4.Contains(a):
		return false
	case a.IsLoopback(), a.IsPrivate(), shared.Contains(a):
		return local
	}
	return true
}

// Local reports whether host, as an operator wrote it into a base URL, points
// at a private place: a loopback or private literal, localhost, a name without
// a dot, or one under .local, .lan, .internal or .home.arpa.
func Local(host string) bool {
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return !Allowed(a, false) && Allowed(a, true)
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !strings.Contains(host, ".") {
		return true
	}
	for _, s := range []string{".localhost", ".local", ".lan", ".internal", ".home.arpa"} {
		if strings.HasSuffix(host, s) {
			return host != "metadata.google.internal"
		}
	}
	return false
}

// IsDial reports whether err happened before a connection was up, when nothing
// can have been sent.
func IsDial(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	if _, ok := errors.AsType[*ProxyError](err); ok {
		return true
	}
	var refused *RefusedError
	var dns *net.DNSError
	return errors.As(err, &refused) || errors.As(err, &dns)
}

// IsTimeout reports whether err is a time limit of the network layer.
func IsTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}
