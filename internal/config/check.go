package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Checks of single values. Each returns the value as it is kept.

// anything takes any text on one line, at most 4 KiB.
func anything(s string) (string, error) {
	if len(s) > 4096 || strings.IndexFunc(s, unicode.IsControl) >= 0 {
		return "", fmt.Errorf("%s is too long or holds control characters", quote(s))
	}
	return s, nil
}

// accountName takes what can stand in a URL path, a log line and a table.
func accountName(s string) (string, error) {
	bad := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" ._@+-:", r)
	}
	if s == "" || len(s) > 64 || strings.IndexFunc(s, bad) >= 0 || strings.Trim(s, ".") == "" {
		return "", fmt.Errorf("%s is not a name: letters, digits, spaces and ._@+-: only, at most 64 bytes", quote(s))
	}
	return s, nil
}

// accountGlob takes a pattern over names of accounts, which may have spaces.
func accountGlob(s string) (string, error) {
	if s == "" || len(s) > 256 || strings.IndexFunc(s, unicode.IsControl) >= 0 {
		return "", fmt.Errorf("%s is not a pattern of accounts: 1 to 256 bytes", quote(s))
	}
	return s, nil
}

// glob takes a pattern over model names.
func glob(s string) (string, error) {
	if s == "" || len(s) > 256 || strings.IndexFunc(s, unicode.IsSpace) >= 0 || strings.IndexFunc(s, unicode.IsControl) >= 0 {
		return "", fmt.Errorf("%s is not a pattern of model names: 1 to 256 bytes without spaces", quote(s))
	}
	return s, nil
}

// pattern takes a glob, or a regular expression between slashes. Regular
// expressions are RE2, so none can take exponential time.
func pattern(s string) (string, error) {
	if len(s) > 1 && s[0] == '/' && s[len(s)-1] == '/' {
		if len(s) > 256 {
			return "", errors.New("is longer than 256 bytes")
		}
		if _, err := regexp.Compile(s[1 : len(s)-1]); err != nil {
			return "", fmt.Errorf("%s is not a regular expression: %s", quote(s), strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
		return s, nil
	}
	return glob(s)
}

// baseURL takes an address of an upstream, without a trailing slash.
func baseURL(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || len(s) > 2048 || u.Host == "" || u.Hostname() == "" || u.Opaque != "" || (u.Scheme != "http" && u.Scheme != "https"):
		return "", fmt.Errorf("%s is not a URL such as https://api.example.com/v1", quote(redact(s)))
	case u.User != nil:
		return "", errors.New("holds a user or password; put the credential into api_key")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return "", fmt.Errorf("%s holds a query or fragment; only scheme, host and path are taken", quote(s))
	}
	return strings.TrimRight(s, "/"), nil
}

var proxySchemes = []string{"http", "https", "socks5", "socks5h"}

// proxyURL takes the URL of an outbound proxy.
func proxyURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || len(s) > 2048 || u.Hostname() == "" || !slices.Contains(proxySchemes, u.Scheme) || strings.Trim(u.Path, "/") != "" {
		return "", fmt.Errorf("%s is not a proxy such as socks5://127.0.0.1:1080 (schemes: %s)", quote(redact(s)), strings.Join(proxySchemes, ", "))
	}
	return s, nil
}

// Direct is the proxy of who goes out without one, and Pool of who takes one of
// Proxies; a name behind it and a colon says which.
const (
	Direct = "direct"
	Pool   = "pool"
)

// proxyChoice takes what an account may go out by.
func proxyChoice(s string) (string, error) {
	if s == Direct || s == Pool {
		return s, nil
	}
	if name, ok := strings.CutPrefix(s, Pool+":"); ok {
		return s, proxyName(name)
	}
	return proxyURL(s)
}

// proxyName checks what a proxy of the pool is called.
func proxyName(s string) error {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return fmt.Errorf("%s is not the name of a proxy: letters, digits and -_. only, at most 64", quote(s))
		}
	}
	if s == "" || len(s) > 64 {
		return errors.New("a proxy needs a name of at most 64 letters")
	}
	return nil
}

// CheckProxyChoice says what is wrong with what an account is to go out by, which
// may be nothing. The error does not repeat credentials.
func CheckProxyChoice(s string) error {
	if s == "" {
		return nil
	}
	_, err := proxyChoice(s)
	return err
}

// CheckProxy says what is wrong with a proxy of the pool. The error does not
// repeat its credentials.
func CheckProxy(name, address string) error {
	if err := proxyName(name); err != nil {
		return err
	}
	_, err := proxyURL(address)
	return err
}

// redact hides the password in a URL, if s is one, and s as a whole if it
// could hold one that cannot be told apart.
func redact(s string) string {
	if u, err := url.Parse(s); err == nil && (u.Host != "" || !strings.Contains(s, "@")) {
		return u.Redacted()
	}
	if strings.Contains(s, "@") {
		return "…"
	}
	return s
}

// host takes a name or address that may stand in the Host header.
func host(s string) (string, error) {
	h := strings.ToLower(strings.TrimSuffix(s, "."))
	switch {
	case strings.Contains(h, "*"):
		return "", fmt.Errorf("%s is a pattern; each name must be written out, since a pattern would let a foreign page in", quote(s))
	case strings.Contains(h, "://") || strings.Contains(h, "/"):
		return "", fmt.Errorf("%s is a URL; write the host name alone", quote(s))
	}
	if a, err := netip.ParseAddr(strings.Trim(h, "[]")); err == nil && a.Zone() == "" {
		return a.String(), nil
	}
	if _, _, err := net.SplitHostPort(h); err == nil {
		return "", fmt.Errorf("%s names a port; write the host name alone", quote(s))
	}
	if !hostname.MatchString(h) {
		return "", fmt.Errorf("%s is not a host name", quote(s))
	}
	return h, nil
}

var hostname = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62})){0,8}$`)

// origin takes what browsers send as Origin: scheme and host, or null.
func browserOrigin(s string) (string, error) {
	if s == "null" || s == "file://" {
		return s, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || strings.Contains(s, "*") {
		return "", fmt.Errorf("%s is not an origin such as http://localhost:3000, app://name, file:// or null", quote(redact(s)))
	}
	return strings.ToLower(s), nil
}

// network takes a prefix of addresses, or one address.
func network(s string) (string, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()).String(), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return "", fmt.Errorf("%s is not a network such as 192.168.1.0/24", quote(s))
	}
	return p.Masked().String(), nil
}

// oneWord takes a name out of a list that only others know.
func oneWord(s string) (string, error) {
	if s == "" || len(s) > 64 || strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return "", fmt.Errorf("%s is not a name", quote(s))
	}
	return s, nil
}

var protocols = []string{"openai-chat", "openai-responses", "anthropic", "gemini", "bedrock-converse"}

func protocolName(s string) (string, error) {
	if !slices.Contains(protocols, s) {
		return "", fmt.Errorf("%s is not a protocol: %s%s", quote(s), strings.Join(protocols, ", "), suggest(s, protocols))
	}
	return s, nil
}

// notYours are headers that belong to the connection or to who we are. The
// gateway never passes for another client, so its User-Agent stays its own.
var notYours = []string{
	"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive",
	"proxy-authorization", "proxy-connection", "cookie", "user-agent", "content-type", "accept-encoding",
}

func header(name, value string) error {
	token := func(r rune) bool {
		return r > '~' || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}
	switch {
	case name == "" || len(name) > 64 || strings.IndexFunc(name, token) >= 0:
		return fmt.Errorf("%s is not a header name", quote(name))
	case slices.Contains(notYours, strings.ToLower(name)):
		return errors.New("is a header that the gateway sets itself")
	case strings.IndexFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) >= 0:
		return errors.New("holds control characters")
	}
	return nil
}

func option(name, value string) error {
	if _, err := oneWord(name); err != nil {
		return err
	}
	_, err := anything(value)
	return err
}
