package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// nameTable is a table from model names, or globs of them, to models, at most 1000.
func nameTable(name string, at func(*Config) *map[string]string, doc string) field[Config] {
	return modelTable(name, "a table of names and models", 1000, pattern, at, doc)
}

// presets are the names of sets of routes, in the order in which they are looked
// at. What they are is not for this package to know.
var presets = []string{"background", "summaries", "long", "vision", "thinking", "claude-haiku", "claude-opus", "claude-code", "codex", "gemini-cli"}

// presetTable is a table from presets to models.
func presetTable(name string, at func(*Config) *map[string]string, doc string) field[Config] {
	return modelTable(name, "a table of presets and models", len(presets), func(s string) (string, error) { return among(s, "a preset", presets) }, at, doc)
}

// modelTable is a table of at most bound rows to models; check says what may
// stand on their left.
func modelTable(name, kind string, bound int, check func(string) (string, error), at func(*Config) *map[string]string, doc string) field[Config] {
	return field[Config]{
		Key{Name: name, Type: kind, Doc: doc, FileOnly: true},
		func(r *report, path string, n node, into *Config) {
			out, ok := r.table(path, n, bound, func(where string, e entry, s string) (string, bool) {
				_, err := check(e.name)
				if err == nil {
					s, err = glob(s)
				}
				if err != nil {
					r.problem(e.line, where, "%v", err)
				}
				return s, err == nil
			})
			if ok {
				*at(into) = out
			}
		},
		func(c *Config) any {
			if *at(c) == nil {
				return map[string]string{}
			}
			return *at(c)
		},
	}
}

// shareTable is a table from model names, or globs of them, to percents, at most
// 100.
func shareTable(name string, at func(*Config) *map[string]int, doc string) field[Config] {
	const bound = 100
	return field[Config]{
		Key{Name: name, Type: "a table of names and percents", Doc: doc, FileOnly: true},
		func(r *report, path string, n node, into *Config) {
			shares := map[string]int{}
			_, ok := r.table(path, n, bound, func(where string, e entry, s string) (string, bool) {
				_, err := pattern(e.name)
				var share int64
				if err == nil {
					share, err = parseInt(s)
				}
				if err == nil && (share < 0 || share > 99) {
					err = fmt.Errorf("%s is not from 0 to 99", quote(s))
				}
				if err != nil {
					r.problem(e.line, where, "%v", err)
				}
				shares[e.name] = int(share)
				return s, err == nil
			})
			if ok {
				*at(into) = shares
			}
		},
		func(c *Config) any {
			if *at(c) == nil {
				return map[string]int{}
			}
			return *at(c)
		},
	}
}

// moneyTable is a table from currencies to amounts.
func moneyTable(name string, at func(*Config) *map[string]float64, doc string) field[Config] {
	const bound = 16
	return field[Config]{
		Key{Name: name, Type: "a table of currencies and amounts", Doc: doc, FileOnly: true},
		func(r *report, path string, n node, into *Config) {
			amounts := map[string]float64{}
			_, ok := r.table(path, n, bound, func(where string, e entry, s string) (string, bool) {
				amount, err := strconv.ParseFloat(s, 64)
				switch {
				case len(e.name) != 3 || strings.Trim(e.name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
					r.problem(e.line, where, "is no currency, such as USD")
				case err != nil || !(amount >= 0 && amount <= 1e9):
					r.problem(e.line, where, "%s is no amount from 0 to 1000000000", quote(s))
				default:
					amounts[e.name] = amount
					return s, true
				}
				return s, false
			})
			if ok {
				*at(into) = amounts
			}
		},
		func(c *Config) any {
			if *at(c) == nil {
				return map[string]float64{}
			}
			return *at(c)
		},
	}
}

// orNone takes the empty text, and else what check does.
func orNone(check func(string) (string, error)) func(string) (string, error) {
	return func(s string) (string, error) {
		if s == "" {
			return "", nil
		}
		return check(s)
	}
}

// addressRange takes an IP address or a range such as 10.0.0.0/8.
func addressRange(s string) (string, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return s, nil
	}
	if _, err := netip.ParsePrefix(s); err != nil {
		return "", fmt.Errorf("%s is no address and no range of addresses such as 10.0.0.0/8", quote(s))
	}
	return s, nil
}

// prose takes a text of several lines, at most 16 KiB.
func prose(s string) (string, error) {
	if len(s) > 16<<10 {
		return "", fmt.Errorf("has %d bytes; at most %d are taken", len(s), 16<<10)
	}
	if strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) >= 0 {
		return "", fmt.Errorf("%s holds control characters", quote(s))
	}
	return s, nil
}

// faultClasses are the classes of internal/fault that an attempt can end with
// and after which another model may do better.
var faultClasses = []string{
	"bad_request", "context_too_long", "content_filtered", "credential_invalid", "credential_expired", "permission", "rate_limited", "quota_spent",
	"plan_gate", "model_denied", "model_gone", "overloaded", "broken", "timeout", "network", "unknown",
}

func faultClass(s string) (string, error) { return among(s, "a class of faults", faultClasses) }

var abilities = []string{"vision", "audio", "documents", "tools", "thinking", "schema"}

func ability(s string) (string, error) { return among(s, "an ability", abilities) }

func among(s, what string, words []string) (string, error) {
	if !slices.Contains(words, s) {
		return "", fmt.Errorf("%s is not %s: %s%s", quote(s), what, strings.Join(words, ", "), suggest(s, words))
	}
	return s, nil
}
