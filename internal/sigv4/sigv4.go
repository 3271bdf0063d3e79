// Package sigv4 signs requests as Amazon Web Services want it: Signature
// Version 4, in the Authorization header.
//
// It follows AWS' "Signature Version 4 signing process" for services other than
// S3: path segments are encoded twice, and the body is signed by its SHA-256.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// A Credential is what AWS knows somebody by. Token is of a session, or "".
type Credential struct{ ID, Secret, Token string }

// A Signer signs for one credential, region and service. It is safe for
// concurrent use and must not be copied.
type Signer struct {
	cred            Credential
	region, service string
	today           atomic.Pointer[daily]
}

// A daily is the key of one day, which the secret and the day make.
type daily struct {
	day string
	key []byte
}

// New returns a signer. region and service are as in "us-east-1" and
// "bedrock".
func New(c Credential, region, service string) *Signer {
	return &Signer{cred: c, region: region, service: service}
}

const (
	algorithm = "AWS4-HMAC-SHA256"
	stamp     = "20060102T150405Z"
)

// Sign sets the headers Authorization, X-Amz-Date and, for a session,
// X-Amz-Security-Token of req, whose body is body. What is signed are the
// method, the address, the host, the type of the body and all headers that begin with X-Amz, so
// that other headers may still change on the way. at is the present; AWS takes
// a signature that is off by at most five minutes.
func (s *Signer) Sign(req *http.Request, body []byte, at time.Time) {
	at = at.UTC()
	when := at.Format(stamp)
	req.Header["X-Amz-Date"] = []string{when}
	delete(req.Header, "X-Amz-Security-Token")
	if s.cred.Token != "" {
		req.Header["X-Amz-Security-Token"] = []string{s.cred.Token}
	}
	canonical, signed := canonical(req, body)
	scope := when[:8] + "/" + s.region + "/" + s.service + "/aws4_request"
	hash := sha256.Sum256(canonical)
	text := algorithm + "\n" + when + "\n" + scope + "\n" + hex.EncodeToString(hash[:])
	signature := mac(s.key(when[:8]), text)
	req.Header["Authorization"] = []string{
		algorithm + " Credential=" + s.cred.ID + "/" + scope + ", SignedHeaders=" + signed + ", Signature=" + hex.EncodeToString(signature),
	}
}

// key is the key of a day.
func (s *Signer) key(day string) []byte {
	if d := s.today.Load(); d != nil && d.day == day {
		return d.key
	}
	k := mac([]byte("AWS4"+s.cred.Secret), day)
	k = mac(k, s.region)
	k = mac(k, s.service)
	k = mac(k, "aws4_request")
	s.today.Store(&daily{day, k})
	return k
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonical is the canonical form of req, and the names of the headers in it.
func canonical(req *http.Request, body []byte) (text []byte, signed string) {
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	headers := map[string]string{"host": host}
	for name, values := range req.Header {
		if name == "Content-Type" || strings.HasPrefix(name, "X-Amz") {
			headers[strings.ToLower(name)] = trimmed(values)
		}
	}
	names := make([]string, 0, len(headers))
	for name := range headers {
		names = append(names, name)
	}
	slices.Sort(names)

	text = append(text, req.Method...)
	text = append(text, '\n')
	if path := req.URL.EscapedPath(); path != "" {
		text = escape(text, path, true)
	} else {
		text = append(text, '/')
	}
	text = append(text, '\n')
	text = append(query(text, req.URL.RawQuery), '\n')
	for _, name := range names {
		text = append(append(text, name...), ':')
		text = append(append(text, headers[name]...), '\n')
	}
	signed = strings.Join(names, ";")
	text = append(append(text, '\n'), signed...)
	hash := sha256.Sum256(body)
	return hex.AppendEncode(append(text, '\n'), hash[:]), signed
}

// trimmed is a header's value without needless white space.
func trimmed(values []string) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(out, ",")
}

// query appends the query in its canonical form: sorted by name, then by value,
// both encoded anew.
func query(dst []byte, raw string) []byte {
	if raw == "" {
		return dst
	}
	var pairs []string
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		p := escape(nil, unescape(name), false)
		p = append(p, '=')
		pairs = append(pairs, string(escape(p, unescape(value), false)))
	}
	slices.SortFunc(pairs, func(a, b string) int {
		// By the name first: '=' is greater than some characters of names.
		an, av, _ := strings.Cut(a, "=")
		bn, bv, _ := strings.Cut(b, "=")
		if c := strings.Compare(an, bn); c != 0 {
			return c
		}
		return strings.Compare(av, bv)
	})
	return append(dst, strings.Join(pairs, "&")...)
}

func unescape(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

// escape appends s with everything percent-encoded but letters, digits and
// "-._~"; in a path slashes stay, too.
func escape(dst []byte, s string, path bool) []byte {
	const upper = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~', c == '/' && path:
			dst = append(dst, c)
		default:
			dst = append(dst, '%', upper[c>>4], upper[c&15])
		}
	}
	return dst
}

// Escape is s as one segment of a path, so that everything but letters, digits
// and "-._~" is percent-encoded. AWS' own programs write model ids so.
func Escape(s string) string { return string(escape(nil, s, false)) }
