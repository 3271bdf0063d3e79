package access

import (
	"net/http"
	"net/url"
	"strings"
)

// Keys is what a request shows as its key, from every carrier at once.
type Keys struct {
	Key      string // "" if there is none
	Header   bool   // Key stands in Authorization, x-api-key or x-goog-api-key
	Conflict bool   // two carriers hold different keys
}

// protocolPrefix is the WebSocket subprotocol in which browsers, which cannot
// set headers on an upgrade, carry a key to OpenAI's endpoints.
const protocolPrefix = "openai-insecure-api-key."

// Extract finds the key in every carrier that a client of one of the protocols
// uses: "Authorization: Bearer KEY" or the bare key there, x-api-key,
// x-goog-api-key, ?key=, and the WebSocket subprotocol. The same key twice is
// one key.
func Extract(h http.Header, rawQuery string) Keys {
	var k Keys
	for _, v := range h["Authorization"] {
		k.add(bearer(v), true)
	}
	for _, v := range h["X-Api-Key"] {
		k.add(strings.TrimSpace(v), true)
	}
	for _, v := range h["X-Goog-Api-Key"] {
		k.add(strings.TrimSpace(v), true)
	}
	for _, v := range h["Sec-Websocket-Protocol"] {
		for p := range strings.SplitSeq(v, ",") {
			if key, ok := strings.CutPrefix(strings.TrimSpace(p), protocolPrefix); ok {
				k.add(key, false)
			}
		}
	}
	for rest := rawQuery; rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		if name, value, _ := strings.Cut(pair, "="); isKey(name) {
			if v, err := url.QueryUnescape(value); err == nil {
				value = v
			}
			k.add(value, false)
		}
	}
	return k
}

func (k *Keys) add(key string, header bool) {
	switch {
	case key == "":
	case k.Key == "":
		k.Key, k.Header = key, header
	case k.Key != key: // both are the client's own; which is right is not compared here
		k.Conflict = true
	default:
		k.Header = k.Header || header
	}
}

// bearer is the key in the value of an Authorization header, with or without
// its scheme.
func bearer(v string) string {
	v = strings.TrimSpace(v)
	const scheme = "bearer"
	if len(v) < len(scheme) || !strings.EqualFold(v[:len(scheme)], scheme) {
		return v
	}
	switch rest := v[len(scheme):]; {
	case rest == "":
		return ""
	case rest[0] == ' ' || rest[0] == '\t':
		return strings.TrimSpace(rest)
	}
	return v
}

func isKey(name string) bool {
	if name == "key" {
		return true
	}
	if strings.IndexByte(name, '%') < 0 {
		return false
	}
	s, err := url.QueryUnescape(name)
	return err == nil && s == "key"
}

// StripKey returns rawQuery without the client's key, all else as it was.
func StripKey(rawQuery string) string {
	if !hasKey(rawQuery) {
		return rawQuery
	}
	out := make([]byte, 0, len(rawQuery))
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if name, _, _ := strings.Cut(pair, "="); isKey(name) {
			continue
		}
		if len(out) > 0 {
			out = append(out, '&')
		}
		out = append(out, pair...)
	}
	return string(out)
}

func hasKey(rawQuery string) bool {
	for rest := rawQuery; rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		if name, _, _ := strings.Cut(pair, "="); isKey(name) {
			return true
		}
	}
	return false
}
