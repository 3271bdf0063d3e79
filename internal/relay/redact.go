package relay

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"strings"
)

const (
	// pieceOfKey is how many characters from either end of a key make a piece
	// of it; vendors that mask a key show four.
	pieceOfKey = 5
	// longKey is the length from which on a key's ends are looked for by
	// themselves. The pieces of a shorter one are ordinary words.
	longKey = 16
	// masked stands where a key stood.
	masked = "***"
)

// redact returns text without key, in every spelling in which upstreams are
// known to echo one: as it is, escaped, encoded, or cut. If there is none it
// returns text itself.
func redact(text []byte, key string) []byte {
	if len(key) < pieceOfKey || len(text) == 0 {
		return text
	}
	for _, s := range []string{key, url.QueryEscape(key), strings.ReplaceAll(key, "/", `\/`), base64.StdEncoding.EncodeToString([]byte(key))} {
		if bytes.Contains(text, []byte(s)) {
			text = bytes.ReplaceAll(text, []byte(s), []byte(masked))
		}
	}
	if len(key) < longKey {
		return text
	}
	text = redactHead(text, key)
	return redactTail(text, key)
}

// redactHead masks every beginning of key.
func redactHead(text []byte, key string) []byte {
	for from := 0; ; {
		i := bytes.Index(text[from:], []byte(key[:pieceOfKey]))
		if i < 0 {
			return text
		}
		at, n := from+i, pieceOfKey
		for at+n < len(text) && n < len(key) && text[at+n] == key[n] {
			n++
		}
		text = bytes.Join([][]byte{text[:at], text[at+n:]}, []byte(masked))
		from = at + len(masked)
	}
}

// redactTail masks every end of key.
func redactTail(text []byte, key string) []byte {
	for from := 0; ; {
		i := bytes.Index(text[from:], []byte(key[len(key)-pieceOfKey:]))
		if i < 0 {
			return text
		}
		at, n := from+i, pieceOfKey
		for at > from && n < len(key) && text[at-1] == key[len(key)-n-1] {
			at, n = at-1, n+1
		}
		text = bytes.Join([][]byte{text[:at], text[at+n:]}, []byte(masked))
		from = at + len(masked)
	}
}

// key is the credential that the attempt under way shows its upstream.
func (a *answer) key() string {
	if a.try.lease == nil {
		return ""
	}
	if !a.try.token.IsZero() {
		return a.try.token.Reveal()
	}
	return a.try.lease.Account.Key.Reveal()
}

// clean is a text of the upstream without the account's key.
func (a *answer) clean(s string) string {
	if s == "" {
		return ""
	}
	return string(redact([]byte(s), a.key()))
}
