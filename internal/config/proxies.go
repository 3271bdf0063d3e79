package config

import (
	"errors"
	"net/url"
	"path/filepath"
	"strings"
)

// proxyTable is a table of at most bound rows to proxies; name checks what may
// stand on their left, and proxy what on their right.
func proxyTable(key, kind string, bound int, name func(string) error, proxy func(string) (string, error), at func(*Config) *map[string]string, doc string) field[Config] {
	return field[Config]{
		Key{Name: key, Type: kind, Doc: doc, FileOnly: true},
		func(r *report, path string, n node, into *Config) {
			out, ok := r.table(path, n, bound, func(where string, e entry, s string) (string, bool) {
				s, fromEnv, ok := r.indirect(where, e.line, s)
				if !ok {
					return "", false
				}
				err := name(e.name)
				if err == nil {
					s, err = proxy(s)
				}
				if err != nil {
					r.problem(e.line, where, "%v", err)
					return "", false
				}
				u, err := url.Parse(s)
				r.sensitive = r.sensitive || !fromEnv && err == nil && u.User != nil
				return s, true
			})
			if ok {
				*at(into) = out
			}
		},
		func(c *Config) any {
			shown := make(map[string]string, len(*at(c)))
			for name, s := range *at(c) {
				shown[name] = redact(s)
			}
			return shown
		},
	}
}

// providerName checks what may be a provider's name; which there are is not for
// this package to know.
func providerName(s string) error {
	if s == "" || len(s) > 64 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return errors.New("it is not the name of a provider")
	}
	return nil
}

// file is the path of a file, made absolute.
func file(name string, at func(*Config) *string, doc string) field[Config] {
	return field[Config]{
		Key{Name: name, Type: "a file", Doc: doc},
		func(r *report, path string, n node, into *Config) {
			s, ok := r.scalar(path, n)
			if !ok {
				return
			}
			if s != "" && !filepath.IsAbs(s) {
				var err error
				if s, err = filepath.Abs(filepath.Join(r.base, s)); err != nil {
					r.problem(n.line, path, "%v", err)
					return
				}
			}
			*at(into) = s
		},
		func(c *Config) any { return *at(c) },
	}
}
