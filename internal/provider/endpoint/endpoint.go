// Package endpoint is what providers that are reached over HTTP share: the
// checks of what an account names, and the address of a request, in which the
// credential is bound to the account's own origin.
package endpoint

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"portico/internal/fault"
	"portico/internal/provider"
)

// A Form says in which header a key goes, and how; spec: upstreams §3.1.
type Form uint8

// The forms.
const (
	Bearer   Form = iota // Authorization: Bearer KEY
	APIKey               // x-api-key: KEY
	GoogKey              // x-goog-api-key: KEY
	AzureKey             // api-key: KEY
)

// Forms are the names of the forms that an account may choose from.
var forms = map[string]Form{"bearer": Bearer, "x-api-key": APIKey}

// ParseForm reads a form that an account may choose, by the option named auth.
func ParseForm(s string) (Form, error) {
	f, ok := forms[s]
	if !ok {
		return 0, fmt.Errorf("options: auth is %q, neither bearer nor x-api-key", s)
	}
	return f, nil
}

func (f Form) header() string {
	switch f {
	case APIKey:
		return "X-Api-Key"
	case GoogKey:
		return "X-Goog-Api-Key"
	case AzureKey:
		return "Api-Key"
	}
	return "Authorization"
}

func (f Form) prefix() string {
	if f == Bearer {
		return "Bearer "
	}
	return ""
}

// credentials are the headers in which a client may have shown its own key.
var credentials = [...]string{"Authorization", "X-Api-Key", "X-Goog-Api-Key", "Api-Key", "Cookie", "Proxy-Authorization"}

// Address turns out toward path at base, with more put between the two, and
// shows the account's key in form. The path goes out byte for byte as it is
// given; base names the origin, which nothing in a request can change. The
// client's credentials are dropped, the account's headers are set. An account
// with Tokens shows a token of theirs as Bearer, for which Address may wait.
//
// A path or query that no honest client sends (dot segments, spaces, control
// characters, a path that does not begin with a slash) is a fault of class
// Malformed, which may be shown to the client.
//
// It allocates twice: the URL together with the header's value, and the text
// of both.
func Address(out *http.Request, a *provider.Account, base *url.URL, basePath, more string, to provider.Target, form Form) error {
	escaped, err := check(to.Path, to.Query)
	if err != nil {
		return err
	}
	for _, name := range credentials {
		delete(out.Header, name)
	}
	maps.Copy(out.Header, a.Header)
	made := new(struct {
		url   url.URL
		value [1]string
	})
	path, key := "", a.Key.Reveal()
	if a.Tokens != nil {
		token, err := a.Tokens.Token(out.Context())
		if err != nil {
			return err
		}
		form, key = Bearer, token.Reveal()
	}
	if key == "" {
		path = basePath + more + to.Path
	} else {
		text := basePath + more + to.Path + form.prefix() + key
		at := len(basePath) + len(more) + len(to.Path)
		path, made.value[0] = text[:at], text[at:]
		out.Header[form.header()] = made.value[:]
	}
	u := &made.url
	u.Scheme, u.Host, u.RawQuery = base.Scheme, base.Host, to.Query
	u.Path, u.RawPath = path, path
	if escaped || strings.Contains(basePath, "%") {
		if u.Path, err = url.PathUnescape(path); err != nil {
			return malformed("path", "has a broken percent escape")
		}
	}
	out.URL, out.Host = u, base.Host
	return nil
}

// check looks at what a client had a hand in. escaped is true if the path has
// percent escapes.
func check(path, query string) (escaped bool, err error) {
	if path == "" || path[0] != '/' {
		return false, malformed("path", "does not begin with a slash")
	}
	dots := false
	for i := range len(path) {
		switch c := path[i]; {
		case c <= ' ' || c >= 0x7f || c == '?' || c == '#':
			return false, malformed("path", "holds a character that must be percent-encoded")
		case c == '%':
			escaped = true
		case c == '.':
			dots = true
		}
	}
	plain := path
	if escaped {
		if plain, err = url.PathUnescape(path); err != nil {
			return false, malformed("path", "has a broken percent escape")
		}
	}
	if (dots || escaped) && hasDots(plain) {
		return false, malformed("path", "has a segment . or ..")
	}
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return false, malformed("query", "holds a character that must be percent-encoded")
		}
	}
	return escaped, nil
}

func malformed(what, why string) error { return fault.New(fault.Malformed, "the %s %s", what, why) }

// hasDots reports whether an unescaped path has a segment that names itself or
// its parent, by which a request would leave the part of the origin that the
// account is for. Some servers take a backslash for a slash.
func hasDots(path string) bool {
	for segment := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
