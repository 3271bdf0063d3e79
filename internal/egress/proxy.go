package egress

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/proxy"

	"portico/internal/socket"
)

// ParseProxy checks a proxy's URL. The error does not repeat its credentials.
func ParseProxy(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return nil, errors.New("the proxy is not a URL such as socks5://127.0.0.1:1080")
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
		return u, nil
	}
	return nil, fmt.Errorf("the proxy's scheme %q is not http, https, socks5 or socks5h", u.Scheme)
}

// ports are where proxies listen whose URL names no port.
var ports = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

// address is where u is dialled, as host:port.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// Shown is a proxy's URL as people are shown it: without user and password.
func Shown(u *url.URL) string { return u.Scheme + "://" + address(u) }

// A ProxyError is a failure at a proxy, before anything was sent to an
// upstream.
type ProxyError struct {
	Proxy string // as Shown has it, or the name of one of the pool
	Err   error
}

func (e *ProxyError) Error() string { return "the proxy " + e.Proxy + ": " + e.Err.Error() }

// Unwrap returns what went wrong.
func (e *ProxyError) Unwrap() error { return e.Err }

// Timeout reports whether the proxy did not answer in time.
func (e *ProxyError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// through has t go out through the proxy u, which the operator chose, wherever
// it is. It never goes out past it.
func (o *Out) through(t *http.Transport, u *url.URL, local bool) {
	if strings.HasPrefix(u.Scheme, "socks5") {
		t.DialContext = socket.Dialing(func(ctx context.Context, _, addr string) (net.Conn, error) { return o.socks(ctx, u, addr, local) })
		return
	}
	t.Proxy = func(r *http.Request) (*url.URL, error) { return u, mayName(r.URL.Hostname(), local) }
	t.DialContext = socket.Dialing(func(ctx context.Context, _, _ string) (net.Conn, error) { return o.dial(ctx, u) })
	t.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
		return connected(u, resp.StatusCode)
	}
}

// dial connects to the proxy u.
func (o *Out) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	c, err := o.dialer(true).DialContext(ctx, "tcp", address(u))
	if err != nil {
		return nil, &ProxyError{Shown(u), err}
	}
	return c, nil
}

// connected says what the status means with which u answers a CONNECT.
func connected(u *url.URL, status int) error {
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusProxyAuthRequired:
		return &ProxyError{Shown(u), errors.New("it wants another user or password")}
	}
	return &ProxyError{Shown(u), fmt.Errorf("it refuses to connect (HTTP %d)", status)}
}

// socks connects to addr through the proxy u (RFC 1928, RFC 1929). With the
// scheme socks5 the name is resolved here and its address guarded; with socks5h
// the proxy resolves it.
func (o *Out) socks(ctx context.Context, u *url.URL, addr string, local bool) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if err := mayName(host, local); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*o.connect)
	defer cancel()
	if u.Scheme == "socks5" {
		ip, err := resolve(ctx, host, local)
		if err != nil {
			return nil, err
		}
		addr = net.JoinHostPort(ip.String(), port)
	}
	c, err := o.dial(ctx, u)
	if err != nil {
		return nil, err
	}
	if err := shake(ctx, c, u, addr); err != nil {
		_ = c.Close()
		return nil, &ProxyError{Shown(u), err}
	}
	return c, nil
}

// shake has the SOCKS proxy at the other end of c connect to addr.
func shake(ctx context.Context, c net.Conn, u *url.URL, addr string) error {
	var auth *proxy.Auth
	if u.User != nil {
		password, _ := u.User.Password()
		auth = &proxy.Auth{User: u.User.Username(), Password: password}
	}
	d, err := proxy.SOCKS5("tcp", address(u), auth, nil)
	if err != nil {
		return err
	}
	by, ok := d.(interface {
		DialWithConn(ctx context.Context, c net.Conn, network, address string) (net.Addr, error)
	})
	if !ok {
		return errors.New("the handshake of SOCKS is not available")
	}
	_, err = by.DialWithConn(ctx, c, "tcp", addr)
	return err
}

// resolve is the first address of host that may be dialled, of IPv4 if there is
// one: not every proxy has IPv6.
func resolve(ctx context.Context, host string, local bool) (netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a, nil // mayName has looked at it
	}
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, err
	}
	var first, refused netip.Addr
	for _, a := range all {
		switch a = a.Unmap(); {
		case !Allowed(a, local):
			refused = a
		case a.Is4():
			return a, nil
		case !first.IsValid():
			first = a
		}
	}
	if !first.IsValid() {
		return first, &RefusedError{refused}
	}
	return first, nil
}

// mayName is the guard for hosts that a proxy resolves: it refuses what can be
// told by the name alone. An address in digits must be allowed; what ends in
// digits and is no address in the usual form would become one at a proxy that
// reads old forms (2852039166, 0xa9.254.169.254); and names under which clouds
// serve their metadata are never asked for.
func mayName(host string, local bool) error {
	host = strings.ToLower(strings.Trim(strings.TrimSuffix(host, "."), "[]"))
	if a, err := netip.ParseAddr(host); err == nil {
		if !Allowed(a, local) {
			return &RefusedError{a}
		}
		return nil
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	digits := strings.Trim(last, "0123456789") == ""
	if last == "" || digits || strings.HasPrefix(last, "0x") && strings.Trim(last[2:], "0123456789abcdef") == "" {
		return &NameError{host}
	}
	switch host {
	case "metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal":
		return &NameError{host}
	}
	return nil
}

// A NameError is a host that is asked of no proxy.
type NameError struct{ Host string }

func (e *NameError) Error() string {
	return fmt.Sprintf("the host %q is not one where an upstream may be", e.Host)
}

// try connects through u to target, a host:port, or if that is "" to u alone, and
// hangs up. Nothing is sent to the target.
func (o *Out) try(ctx context.Context, u *url.URL, target string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*o.connect)
	defer cancel()
	if strings.HasPrefix(u.Scheme, "socks5") && target != "" {
		c, err := o.socks(ctx, u, target, true)
		if err == nil {
			err = c.Close()
		}
		return err
	}
	c, err := o.dial(ctx, u)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	deadline, _ := ctx.Deadline()
	if err := c.SetDeadline(deadline); err != nil {
		return err
	}
	if u.Scheme == "https" {
		t := tls.Client(c, &tls.Config{RootCAs: o.roots, ServerName: u.Hostname()})
		if err := t.HandshakeContext(ctx); err != nil {
			return &ProxyError{Shown(u), err}
		}
		c = t
	}
	if target == "" {
		return nil
	}
	return ask(c, u, target)
}

// ask asks the HTTP proxy u at the other end of c for a tunnel to target.
func ask(c net.Conn, u *url.URL, target string) error {
	r := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: target}, Host: target, Header: http.Header{}}
	if u.User != nil {
		password, _ := u.User.Password()
		r.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)))
	}
	if err := r.Write(c); err != nil {
		return &ProxyError{Shown(u), err}
	}
	resp, err := http.ReadResponse(bufio.NewReader(&bounded{c, 64 << 10}), r)
	if err != nil {
		return &ProxyError{Shown(u), err}
	}
	_ = resp.Body.Close()
	return connected(u, resp.StatusCode)
}

// bounded reads at most n bytes of a connection.
type bounded struct {
	net.Conn
	n int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.n <= 0 {
		return 0, errors.New("its answer is too long")
	}
	n, err := b.Conn.Read(p[:min(len(p), b.n)])
	b.n -= n
	return n, err
}
