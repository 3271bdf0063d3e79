package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"portico/internal/secret"
)

// A Key describes one key of the configuration. Reading files, variables and
// flags, showing, and the documentation all derive from it.
type Key struct {
	Name     string `json:"name"`              // such as timeouts.idle
	Type     string `json:"type"`              // for humans: "a size", "one of off, strict"
	Default  string `json:"default,omitempty"` // as one would write it
	Doc      string `json:"doc"`               // one sentence
	Bool     bool   `json:"-"`                 // a flag of it needs no value
	List     bool   `json:"list,omitempty"`    // commas part the values in a variable or a flag
	Secret   bool   `json:"secret,omitempty"`  // never a flag: arguments are visible to everybody on the machine
	Restart  bool   `json:"restart,omitempty"` // takes effect at the next start
	FileOnly bool   `json:"file_only,omitempty"`
	Required bool   `json:"required,omitempty"`
}

// Env is the environment variable that sets the key, "" if there is none.
func (k Key) Env() string {
	if k.FileOnly {
		return ""
	}
	return "PORTICO_" + strings.ToUpper(strings.ReplaceAll(k.Name, ".", "_"))
}

// Flag is the flag of `portico serve` that sets the key, without dashes, ""
// if there is none.
func (k Key) Flag() string {
	if k.FileOnly || k.Secret {
		return ""
	}
	return strings.NewReplacer(".", "-", "_", "-").Replace(k.Name)
}

// A field is a key together with its seat in a T.
type field[T any] struct {
	Key
	// set reads n into the T, or reports to r what is wrong with path.
	set func(r *report, path string, n node, into *T)
	// get returns what is shown: bool, int64, float64, string, []string or
	// map[string]string, with secrets masked.
	get func(*T) any
}

func (f field[T]) restart() field[T]  { f.Restart = true; return f }
func (f field[T]) required() field[T] { f.Required = true; return f }

// one makes a field of a scalar that read understands.
func one[T, V any](k Key, at func(*T) *V, read func(string) (V, error), show func(V) any) field[T] {
	return field[T]{
		k,
		func(r *report, path string, n node, into *T) {
			if text, ok := r.scalar(path, n); ok {
				v, err := read(text)
				if err != nil {
					r.problem(n.line, path, "%v", err)
					return
				}
				*at(into) = v
			}
		},
		func(t *T) any { return show(*at(t)) },
	}
}

// scalar returns the text of n, or reports that it is none.
func (r *report) scalar(path string, n node) (string, bool) {
	switch n.kind {
	case scalar:
		return strings.TrimSpace(n.text), true
	case null:
		r.problem(n.line, path, "is empty; give it a value or remove the line")
	default:
		r.problem(n.line, path, "takes one value, not %s", n.kind)
	}
	return "", false
}

func boolean[T any](name string, def bool, at func(*T) *bool, doc string) field[T] {
	k := Key{Name: name, Type: "true or false", Default: strconv.FormatBool(def), Doc: doc, Bool: true}
	return one(k, at, parseBool, func(b bool) any { return b })
}

func integer[T any, N int | int64](name string, def, low, high N, at func(*T) *N, doc string) field[T] {
	k := Key{Name: name, Type: fmt.Sprintf("a number from %d to %d", low, high), Default: fmt.Sprint(def), Doc: doc}
	return one(k, at, func(s string) (N, error) {
		n, err := parseInt(s)
		if err != nil {
			return 0, err
		}
		if n < int64(low) || n > int64(high) {
			return 0, fmt.Errorf("%d is not between %d and %d", n, low, high)
		}
		return N(n), nil
	}, func(n N) any { return int64(n) })
}

// price is an amount of US dollars for a million tokens; -1 stands for "not set".
func price(name string, at func(*Model) *float64, doc string) field[Model] {
	return one(Key{Name: name, Type: "US dollars for a million tokens", Doc: doc}, at, func(s string) (float64, error) {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || !(f >= 0 && f <= 1e6) {
			return 0, fmt.Errorf("%s is not a price between 0 and 1000000", quote(s))
		}
		return f, nil
	}, func(f float64) any {
		if f < 0 {
			return ""
		}
		return f
	})
}

func size[T any](name, def string, low, high int64, at func(*T) *int64, doc string) field[T] {
	k := Key{Name: name, Type: "a size from " + formatSize(low) + " to " + formatSize(high), Default: def, Doc: doc}
	return one(k, at, func(s string) (int64, error) {
		n, err := parseSize(s)
		if err == nil && (n < low || n > high) {
			err = fmt.Errorf("%s is not between %s and %s", s, formatSize(low), formatSize(high))
		}
		return n, err
	}, func(n int64) any { return formatSize(n) })
}

func duration[T any](name, def string, low, high time.Duration, at func(*T) *time.Duration, doc string) field[T] {
	k := Key{Name: name, Type: "a duration from " + formatDuration(low) + " to " + formatDuration(high), Default: def, Doc: doc}
	return one(k, at, func(s string) (time.Duration, error) {
		d, err := parseDuration(s)
		if err == nil && (d < low || d > high) {
			err = fmt.Errorf("%s is not between %s and %s", s, formatDuration(low), formatDuration(high))
		}
		return d, err
	}, func(d time.Duration) any { return formatDuration(d) })
}

func oneOf[T any, S ~string](name string, def S, among []S, at func(*T) *S, doc string) field[T] {
	words := make([]string, len(among))
	for i, s := range among {
		words[i] = string(s)
	}
	k := Key{Name: name, Type: "one of " + strings.Join(words, ", "), Default: string(def), Doc: doc}
	return one(k, at, func(s string) (S, error) {
		if !slices.Contains(words, s) {
			return "", fmt.Errorf("%s is not one of %s%s", quote(s), strings.Join(words, ", "), suggest(s, words))
		}
		return S(s), nil
	}, func(s S) any { return string(s) })
}

// text is a string that check, if there is one, may change or refuse.
func text[T any](name, typ string, at func(*T) *string, check func(string) (string, error), doc string) field[T] {
	return one(Key{Name: name, Type: typ, Doc: doc}, at, check, func(s string) any { return s })
}

// texts is a list of strings of which check sees each; at most bound.
func texts[T any](name, typ string, bound int, at func(*T) *[]string, check func(string) (string, error), doc string) field[T] {
	k := Key{Name: name, Type: "a list of " + typ, Doc: doc, List: true}
	return field[T]{
		k,
		func(r *report, path string, n node, into *T) {
			if n.kind == null {
				return
			}
			// A list of one may be written as the one.
			if n.kind == scalar {
				n = node{kind: list, line: n.line, items: []node{n}}
			}
			if n.kind != list {
				r.problem(n.line, path, "takes a list, not %s", n.kind)
				return
			}
			if len(n.items) > bound {
				r.problem(n.line, path, "has %d entries; at most %d are taken", len(n.items), bound)
				return
			}
			out := make([]string, 0, len(n.items))
			for i, item := range n.items {
				at := fmt.Sprintf("%s[%d]", path, i)
				s, ok := r.scalar(at, item)
				if !ok {
					continue
				}
				s, err := check(s)
				if err != nil {
					r.problem(item.line, at, "%v", err)
					continue
				}
				out = append(out, s)
			}
			*at(into) = out
		},
		func(t *T) any { return *at(t) },
	}
}

// credential is a secret; env:NAME stands for an environment variable. unfit
// says what is wrong with one.
func credential[T any](name string, at func(*T) *secret.Text, unfit func(string) string, doc string) field[T] {
	return field[T]{
		Key{Name: name, Type: "a secret, or env:NAME", Doc: doc, Secret: true},
		func(r *report, path string, n node, into *T) {
			text, ok := r.scalar(path, n)
			if !ok {
				return
			}
			s, fromEnv, ok := r.indirect(path, n.line, text)
			if !ok {
				return
			}
			if why := unfit(s); why != "" {
				r.problem(n.line, path, "%s", why)
				return
			}
			r.sensitive = r.sensitive || !fromEnv
			*at(into) = secret.Of(s)
		},
		func(t *T) any {
			if at(t).IsZero() {
				return ""
			}
			return at(t).Hint()
		},
	}
}

// indirect follows env:NAME.
func (r *report) indirect(path string, line int, s string) (value string, fromEnv, ok bool) {
	name, fromEnv := strings.CutPrefix(s, "env:")
	if !fromEnv {
		return s, false, true
	}
	value, _ = r.env(name)
	if value == "" {
		r.problem(line, path, "the environment variable %s is not set", quote(name))
		return "", true, false
	}
	return strings.TrimSpace(value), true, true
}

// table reads a table of at most bound scalars. take makes of each what is to be
// kept, or reports what is wrong with it. ok is false if there is no table.
func (r *report) table(path string, n node, bound int, take func(at string, e entry, s string) (string, bool)) (out map[string]string, ok bool) {
	switch {
	case n.kind == null:
		return nil, false
	case n.kind != table:
		r.problem(n.line, path, "takes a table, not %s", n.kind)
		return nil, false
	case len(n.pairs) > bound:
		r.problem(n.line, path, "has %d entries; at most %d are taken", len(n.pairs), bound)
		return nil, false
	}
	out = make(map[string]string, len(n.pairs))
	for _, e := range n.pairs {
		at := path + "." + e.name
		s, ok := r.scalar(at, e.value)
		if !ok {
			continue
		}
		if _, twice := out[e.name]; twice {
			r.problem(e.line, at, "is there twice")
			continue
		}
		if s, ok = take(at, e, s); ok {
			out[e.name] = s
		}
	}
	return out, true
}

// pairs is a table from words to strings, at most 64, each value at most
// 4 KiB; env:NAME stands for an environment variable. Values are masked when
// shown, since a header is a usual place for a credential.
func pairs[T any](name string, at func(*T) *map[string]string, check func(name, value string) error, doc string) field[T] {
	const bound, longest = 64, 4096
	return field[T]{
		Key{Name: name, Type: "a table of names and values", Doc: doc},
		func(r *report, path string, n node, into *T) {
			out, ok := r.table(path, n, bound, func(at string, e entry, s string) (string, bool) {
				s, fromEnv, ok := r.indirect(at, e.line, s)
				if !ok {
					return "", false
				}
				err := check(e.name, s)
				if err == nil && len(s) > longest {
					err = fmt.Errorf("is longer than %d bytes", longest)
				}
				if err != nil {
					r.problem(e.line, at, "%v", err)
					return "", false
				}
				r.sensitive = r.sensitive || !fromEnv
				return s, true
			})
			if ok {
				*at(into) = out
			}
		},
		func(t *T) any {
			masked := make(map[string]string, len(*at(t)))
			for k := range *at(t) {
				masked[k] = secret.Text{}.String()
			}
			return masked
		},
	}
}
