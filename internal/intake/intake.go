// Package intake reads accounts out of files: exports of Portico, lists of
// refresh tokens, and what other tools keep or export. It is pure: it looks at
// bytes, and says what could become an account, what could not, and why. What
// vendors reserve for their own programs is refused with the vendor's reason.
package intake

import (
	"bytes"
	"encoding/json/v2"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"portico/internal/config"
	"portico/internal/credential"
	"portico/internal/secret"
)

// Bounds of a file.
const (
	MaxFile  = 8 << 20 // bytes
	MaxItems = 10_000  // as many accounts as a pool takes
)

// An Item is what of a file is an account, or might be thought to be one.
type Item struct {
	From    string // which tool's, for people
	Account config.Account
	// Refresh is a refresh token whose OAuth client the file does not name. The
	// account has neither provider nor key then.
	Refresh secret.Text
	Refused string   // why it cannot be an account, a sentence; "": it can
	Lost    []string // what else the file says of it that has no place here
}

// Read reads a file. The error is about the file as a whole, and shows nothing of
// it.
func Read(file []byte) ([]Item, error) {
	file = bytes.TrimSpace(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")))
	switch {
	case len(file) == 0:
		return nil, errors.New("the file is empty")
	case len(file) > MaxFile:
		return nil, fmt.Errorf("the file has more than %d bytes", MaxFile)
	case bytes.HasPrefix(file, []byte("SQLite format 3")):
		return nil, errors.New("the file is a database; have its tool export its accounts as JSON")
	case bytes.HasPrefix(file, []byte("age-encryption.org/")), bytes.HasPrefix(file, []byte("-----BEGIN AGE")):
		return nil, errors.New("the file is encrypted")
	case !utf8.Valid(file) || bytes.IndexByte(file, 0) >= 0:
		return nil, errors.New("the file is no text")
	}
	r := &reader{}
	switch file[0] {
	case '{', '[':
		var v any
		if err := json.Unmarshal(file, &v); err != nil {
			return nil, errors.New("the file begins like JSON and is none, or is not whole") // the error may quote it
		}
		r.value(v)
	default:
		if t, ok := parseYAML(file); ok {
			r.object(t)
		}
		if len(r.items) == 0 && r.err == nil {
			r.lines(string(file))
		}
	}
	switch {
	case r.err != nil:
		return nil, r.err
	case len(r.items) == 0:
		return nil, errors.New("the file is of no form that is known; the documentation lists them")
	}
	return r.items, nil
}

// A reader gathers items.
type reader struct {
	items []Item
	err   error
}

func (r *reader) add(i Item) {
	if len(r.items) >= MaxItems {
		r.err = fmt.Errorf("the file has more than %d accounts", MaxItems)
		return
	}
	i.Account.Name = nameOf(i.Account.Name, i.Account.Provider)
	i.Account.Weight = max(i.Account.Weight, 1)
	r.items = append(r.items, i)
}

func (r *reader) refuse(from, name, why string) {
	r.add(Item{From: from, Account: config.Account{Name: name}, Refused: why})
}

func (r *reader) reserved(tool, name string) {
	r.refuse(tool, name, credential.Reserved(tool).Refusal())
}

// value reads a value of JSON.
func (r *reader) value(v any) {
	switch v := v.(type) {
	case map[string]any:
		r.object(v)
	case []any:
		for _, x := range v {
			if r.err != nil {
				return
			}
			switch x := x.(type) {
			case string:
				r.token(x, "")
			case map[string]any:
				r.element(x)
			}
		}
	}
}

// element reads an object that stands in a list.
func (r *reader) element(t tree) {
	switch {
	case t.text("provider") != "":
		r.ours(t)
	case t.has("settingsConfig"):
		r.ccSwitch("", t)
	case t.has("type") && t.has("key") && !t.has("refresh_token"):
		r.channel(t)
	default:
		r.single(t)
	}
}

// object reads the object that a file consists of.
func (r *reader) object(t tree) {
	switch {
	case t.has("portico_accounts"):
		for _, x := range t.list("accounts") {
			if a := treeOf(x); a != nil && r.err == nil {
				r.ours(a)
			}
		}
	case t.has("installed") || t.has("web"):
		r.err = errors.New("the file is an OAuth client and no account; sign in with it, or import refresh tokens that were given to it")
	case t.has("claude") || t.has("codex") || t.has("gemini"):
		r.ccSwitchApps(t)
	case t.has("providers"):
		r.ccSwitchProviders("", t["providers"])
	case r.cliProxy(t):
	case t.has("accounts"):
		r.value(t["accounts"])
	case t.has("channels"):
		r.value(t["channels"])
	case t.has("data"):
		r.page(t["data"])
	default:
		r.single(t)
	}
}

// page reads an answer of an API, which has its rows in a list.
func (r *reader) page(v any) {
	t := treeOf(v)
	if t == nil {
		r.value(v)
		return
	}
	for _, name := range []string{"items", "data", "list", "channels"} {
		if t.has(name) {
			r.value(t[name])
			return
		}
	}
	r.element(t)
}

// nameOf makes of s a name that accounts may have, or takes other.
func nameOf(s, other string) string {
	s = strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.Is(unicode.Nd, c) || strings.ContainsRune(" ._@+:-", c) {
			return c
		}
		return '-'
	}, strings.ToValidUTF8(s, ""))
	s = strings.Trim(s, " -")
	for len(s) > maxName {
		_, n := utf8.DecodeLastRuneInString(s)
		s = strings.TrimRight(s[:len(s)-n], " -")
	}
	switch {
	case s != "":
		return s
	case other != "":
		return other
	}
	return "imported"
}

// maxName leaves room for what tells two accounts of one name apart, in the 64
// bytes that a name may have.
const maxName = 56
