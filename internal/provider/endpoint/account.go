package endpoint

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"portico/internal/provider"
	"portico/internal/secret"
)

// maxKey is the longest key in bytes. Vendors' keys have up to 250, Google's
// access tokens up to 2048; servers commonly take 8 KiB for all headers.
const maxKey = 4 << 10

// Insecure is the option that permits http to a remote host.
const Insecure = "insecure_http"

// Base checks the base URL that an account names and returns it without a
// trailing slash; u is not changed. Plain http is permitted to this machine;
// to private networks if home is set, which the presets of local servers do;
// and to everybody if the account's options say so.
func Base(u *url.URL, home bool, options map[string]string) (*url.URL, error) {
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("base_url: the scheme %q is neither https nor http", u.Scheme)
	case u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("base_url: it has no host")
	case u.User != nil:
		return nil, errors.New("base_url: it holds a user or password; the credential belongs into api_key")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.RawFragment != "":
		return nil, errors.New("base_url: it holds a query or a fragment; only scheme, host and path are taken")
	case hasDots(u.Path):
		return nil, errors.New("base_url: its path has a segment of dots alone")
	case u.Scheme == "http" && options[Insecure] != "true" && !Loopback(u.Hostname()) && (!home || !Private(u.Hostname())):
		return nil, fmt.Errorf("base_url: http would carry the key and all conversations to %s in the clear; use https, or set the option %s to \"true\"", u.Host, Insecure)
	}
	c := *u
	c.Path, c.RawPath = strings.TrimRight(c.Path, "/"), strings.TrimRight(c.RawPath, "/")
	return &c, nil
}

// Loopback reports whether host, which has no port, is this machine.
func Loopback(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().IsLoopback()
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// Private reports whether host, which has no port, is this machine or looks
// like one of a private network: an address that is not routed on the Internet
// (RFC 1918, RFC 4193), a name without a dot, or one under a domain that is
// reserved for such use (RFC 6762, and .internal by ICANN in 2024).
func Private(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap()
		return a.IsLoopback() || a.IsPrivate()
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return Loopback(host) || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal") ||
		!strings.Contains(host, ".") && net.ParseIP(host) == nil
}

// Key checks the form of an account's key. Its errors do not show it.
func Key(k secret.Text, required bool) error {
	s := k.Reveal()
	if s == "" {
		if required {
			return errors.New("api_key: it is missing")
		}
		return nil
	}
	if len(s) > maxKey {
		return fmt.Errorf("api_key: it has %d bytes, more than %d", len(s), maxKey)
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ' || c == '\n' || c == '\r' || c == '\t':
			return fmt.Errorf("api_key: its byte %d is white space", i+1)
		case c < ' ' || c > '~':
			return fmt.Errorf("api_key: its byte %d is no printable ASCII character", i+1)
		}
	}
	return nil
}

// Protocols checks the protocols that an account declares against those that
// its provider offers, and returns them; defaults stand in for none.
func Protocols(declared, offered, defaults []string) ([]string, error) {
	if len(declared) == 0 {
		return slices.Clone(defaults), nil
	}
	for i, p := range declared {
		if !slices.Contains(offered, p) {
			return nil, fmt.Errorf("protocols: %q is not among those of this provider: %s", p, strings.Join(offered, ", "))
		}
		if slices.Contains(declared[:i], p) {
			return nil, fmt.Errorf("protocols: %q is named twice", p)
		}
	}
	return declared, nil
}

// Options checks that an account has no other options than those known, and
// that the one of package endpoint is sound.
func Options(options map[string]string, known ...string) error {
	known = append(known, Insecure)
	for _, name := range slices.Sorted(maps.Keys(options)) {
		if !slices.Contains(known, name) {
			return fmt.Errorf("options: there is no %q; there are: %s", name, strings.Join(known, ", "))
		}
	}
	if v := options[Insecure]; v != "" && v != "true" && v != "false" {
		return fmt.Errorf("options: %s is %q, neither true nor false", Insecure, v)
	}
	return nil
}

// Header checks that an account does not name the header itself that its key
// goes in.
func Header(a *provider.Account, form Form) error {
	if a.Tokens != nil {
		form = Bearer
	} else if a.Key.IsZero() {
		return nil
	}
	for name := range a.Header {
		if http.CanonicalHeaderKey(name) == form.header() {
			return fmt.Errorf("headers: %s is made from the account's key; leave out one of them", form.header())
		}
	}
	return nil
}
