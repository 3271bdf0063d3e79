package egress

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A relayer is a proxy on loopback that takes down whom it was asked for, and
// wants the user u and the password p.
type relayer struct {
	scheme string
	URL    *url.URL
	cert   *x509.Certificate // of a https one
	close  func()
	mu     sync.Mutex
	asked  []string
}

const userinfo = "u:CANARY-p4ss"

func (x *relayer) ask(target string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.asked = append(x.asked, target)
}

func (x *relayer) targets() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.asked)
}

// startProxy starts a proxy of a scheme.
func startProxy(t *testing.T, scheme string) *relayer {
	t.Helper()
	x := &relayer{scheme: scheme}
	var at string
	if strings.HasPrefix(scheme, "socks") {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go x.socks(c)
			}
		}()
		at, x.close = l.Addr().String(), func() { _ = l.Close() }
	} else {
		s := httptest.NewUnstartedServer(http.HandlerFunc(x.connect))
		if scheme == "https" {
			s.StartTLS()
			x.cert = s.Certificate()
		} else {
			s.Start()
		}
		at, x.close = s.Listener.Addr().String(), s.Close
	}
	t.Cleanup(x.close)
	x.URL = &url.URL{Scheme: scheme, Host: at, User: url.UserPassword("u", "CANARY-p4ss")}
	return x
}

// connect is CONNECT of HTTP.
func (x *relayer) connect(w http.ResponseWriter, r *http.Request) {
	r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
	if u, p, _ := r.BasicAuth(); u+":"+p != userinfo {
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	if r.Method != http.MethodConnect {
		w.WriteHeader(http.StatusNotImplemented)
		return
	}
	x.ask(r.Host)
	up, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	splice(c, up)
}

// socks is SOCKS5 with user and password.
func (x *relayer) socks(c net.Conn) {
	in := bufio.NewReader(c)
	read := func(n int) []byte {
		b := make([]byte, n)
		_, _ = io.ReadFull(in, b)
		return b
	}
	text := func() string { return string(read(int(read(1)[0]))) }
	read(1)
	if methods := text(); !strings.Contains(methods, "\x02") {
		_, _ = c.Write([]byte{5, 0xff})
		_ = c.Close()
		return
	}
	_, _ = c.Write([]byte{5, 2})
	read(1)
	if text()+":"+text() != userinfo {
		_, _ = c.Write([]byte{1, 1})
		_ = c.Close()
		return
	}
	_, _ = c.Write([]byte{1, 0})
	host := ""
	switch head := read(4); head[3] {
	case 1:
		host = net.IP(read(4)).String()
	case 3:
		host = text()
	case 4:
		host = net.IP(read(16)).String()
	}
	port := read(2)
	target := net.JoinHostPort(host, strconv.Itoa(int(port[0])<<8|int(port[1])))
	x.ask(target)
	up, err := net.Dial("tcp", target)
	if err != nil {
		_, _ = c.Write([]byte{5, 4, 0, 1, 0, 0, 0, 0, 0, 0})
		_ = c.Close()
		return
	}
	_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	splice(c, up)
}

func splice(a, b net.Conn) {
	go func() { _, _ = io.Copy(a, b); _ = a.Close() }()
	_, _ = io.Copy(b, a)
	_ = b.Close()
}

// private is an upstream with a certificate that no system trusts.
func private(t *testing.T) (*httptest.Server, string) {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	t.Cleanup(s.Close)
	return s, pemOf(s.Certificate())
}

func pemOf(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// get asks an address by a way out.
func get(t *testing.T, way http.RoundTripper, at string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := way.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

var schemes = []string{"http", "https", "socks5", "socks5h"}

// TestProxies: every kind of proxy is gone through, with user and password, and
// the certificate at the other end is checked. Without the right password, or
// when the proxy is gone, nothing goes out at all and no secret is told.
func TestProxies(t *testing.T) {
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			up, cert := private(t)
			x := startProxy(t, scheme)
			if x.cert != nil {
				cert += pemOf(x.cert)
			}
			roots, err := Roots([]byte(cert))
			if err != nil {
				t.Fatal(err)
			}
			out := New(5*time.Second, roots)
			defer out.CloseIdle()
			way, err := out.Transport(x.URL.String(), true)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := get(t, way, up.URL); got != "hello" {
				t.Errorf("%q, %v", got, err)
			}
			if got := x.targets(); !slices.Equal(got, []string{up.Listener.Addr().String()}) {
				t.Errorf("the proxy was asked for %q", got)
			}
			if err := out.try(t.Context(), x.URL, up.Listener.Addr().String()); err != nil {
				t.Errorf("a check: %v", err)
			}

			untrusting := New(5*time.Second, nil)
			way, _ = untrusting.Transport(x.URL.String(), true)
			if _, err := get(t, way, up.URL); err == nil || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("a certificate that nobody vouches for: %v", err)
			}

			wrong := *x.URL
			wrong.User = url.UserPassword("u", "CANARY-wrong")
			way, _ = out.Transport(wrong.String(), true)
			for name, err := range map[string]error{"a request": second(get(t, way, up.URL)), "a check": out.try(t.Context(), &wrong, up.Listener.Addr().String())} {
				if _, ok := errors.AsType[*ProxyError](err); !ok || !IsDial(err) || strings.Contains(err.Error(), "CANARY") {
					t.Errorf("a wrong password: %s: %v", name, err)
				}
			}

			way, _ = out.Transport(x.URL.String(), true)
			out.CloseIdle()
			x.close()
			before := len(x.targets())
			if got, err := get(t, way, up.URL); err == nil || !IsDial(err) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("a proxy that is gone: %q, %v", got, err)
			}
			if err := out.try(t.Context(), x.URL, ""); err == nil {
				t.Error("a proxy that is gone passes a check")
			}
			if len(x.targets()) != before {
				t.Error("it was asked nevertheless")
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

// TestGuardBeforeProxies: what can be told by its name to be no place for an
// upstream is asked of no proxy.
func TestGuardBeforeProxies(t *testing.T) {
	for _, scheme := range schemes {
		x := startProxy(t, scheme)
		roots := x509.NewCertPool()
		if x.cert != nil {
			roots.AddCert(x.cert)
		}
		out := New(5*time.Second, roots)
		for _, tt := range []struct {
			host  string
			local bool
		}{
			{"169.254.169.254", true},
			{"169.254.169.254", false},
			{"[fd00:ec2::254]", true},
			{"[::ffff:169.254.169.254]", true},
			{"127.0.0.1", false},
			{"10.0.0.8", false},
			{"2852039166", true},
			{"0xa9fea9fe", true},
			{"169.254.43518", true},
			{"metadata.google.internal", true},
			{"METADATA.google.internal.", true},
			{"instance-data", true},
		} {
			way, err := out.Transport(x.URL.String(), tt.local)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := get(t, way, "https://"+tt.host+"/latest/meta-data"); err == nil || len(x.targets()) > 0 {
				t.Errorf("%s: %s, local %t: %v, asked %q", scheme, tt.host, tt.local, err, x.targets())
			}
		}
		out.CloseIdle()
	}
}

// TestResolvedHere: with the scheme socks5 a name is resolved on this machine and
// its address is guarded, so that a name in disguise reaches nothing.
func TestResolvedHere(t *testing.T) {
	x := startProxy(t, "socks5")
	out := New(5*time.Second, nil)
	way, err := out.Transport(x.URL.String(), false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = get(t, way, "https://localhost:1/")
	if _, ok := errors.AsType[*RefusedError](err); !ok || len(x.targets()) > 0 {
		t.Errorf("%v, asked %q", err, x.targets())
	}
}

// TestMayName: names of upstreams pass.
func TestMayName(t *testing.T) {
	for host, want := range map[string]bool{
		"api.openai.com": true, "api.openai.com.": true, "8.8.8.8": true, "2606:4700::1111": true, "0x.example": true, "1.2.3.example": true, "x1": true,
		"": false, "1": false, "1.2.3": false, "0x7f.1": false, "a.0x1": false, "metadata": false,
	} {
		if err := mayName(host, false); (err == nil) != want {
			t.Errorf("%q: %v", host, err)
		}
	}
}

// TestRoots: certificates of one's own stand beside the system's.
func TestRoots(t *testing.T) {
	_, cert := private(t)
	own, err := Roots([]byte(cert))
	if err != nil {
		t.Fatal(err)
	}
	system, err := x509.SystemCertPool()
	if err != nil {
		t.Skip("the system has no certificates")
	}
	if own.Equal(system) {
		t.Error("the certificate is not there")
	}
	if block, _ := pem.Decode([]byte(cert)); block != nil {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		system.AddCert(c)
	}
	if !own.Equal(system) {
		t.Error("they are not the system's and the one")
	}
	if _, err := Roots([]byte("-----BEGIN NOTHING-----")); err == nil {
		t.Error("nothing is taken for a certificate")
	}
}

// TestAskBounds: a proxy cannot make us read without end.
func TestAskBounds(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	go func() {
		_, _ = http.ReadRequest(bufio.NewReader(b))
		line := []byte("X-Long: " + strings.Repeat("x", 1000) + "\r\n")
		_, err := io.WriteString(b, "HTTP/1.1 200 OK\r\n")
		for err == nil {
			_, err = b.Write(line)
		}
	}()
	if err := ask(a, &url.URL{Scheme: "http", Host: "p:1"}, "x:443"); err == nil {
		t.Error("it was taken")
	}
}
