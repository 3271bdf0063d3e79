package config

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"portico/internal/secret"
)

var accountFields = []field[Account]{
	text("name", "a name", func(a *Account) *string { return &a.Name }, accountName,
		"What the account is called; unique.").required(),
	text("provider", "a provider", func(a *Account) *string { return &a.Provider }, oneWord,
		"Kind of upstream: openai, anthropic, gemini, openai-compatible, anthropic-compatible and others.").required(),
	text("preset", "a preset", func(a *Account) *string { return &a.Preset }, oneWord,
		"Vendor behind a compatible provider, which gives the base URL and its quirks."),
	texts("protocols", "protocols", 4, func(a *Account) *[]string { return &a.Protocols }, protocolName,
		"Protocols that the account speaks, best first, if not those of the provider."),
	text("base_url", "a URL", func(a *Account) *string { return &a.BaseURL }, baseURL,
		"Where the account lives, as the vendor's SDK takes it."),
	credential("api_key", func(a *Account) *secret.Text { return &a.APIKey }, unfitKey,
		"The account's key, or a document in its place."),
	keyFile("key_file", func(a *Account) *secret.Text { return &a.APIKey },
		"File that holds the account's key, relative to this one; only you may read it."),
	texts("models", "globs", 1000, func(a *Account) *[]string { return &a.Models }, glob,
		"Models that the account serves; all if empty."),
	integer("priority", 0, -1_000_000, 1_000_000, func(a *Account) *int { return &a.Priority },
		"Accounts of a lower number are tried first."),
	integer("weight", 1, 1, 1_000_000, func(a *Account) *int { return &a.Weight },
		"Share of the requests among accounts of one priority."),
	integer("limits.rpm", 0, 0, 1_000_000_000, func(a *Account) *int { return &a.Limits.RPM },
		"Requests a minute; 0 is no limit."),
	integer("limits.tpm", 0, 0, 1_000_000_000, func(a *Account) *int { return &a.Limits.TPM },
		"Tokens a minute; 0 is no limit."),
	integer("limits.concurrency", 0, 0, 1_000_000, func(a *Account) *int { return &a.Limits.Concurrency },
		"Requests at one time; 0 is no limit."),
	proxyField("proxy", func(a *Account) *string { return &a.Proxy },
		"Outbound proxy of this account, before that of its provider and that of all."),
	boolean("disabled", false, func(a *Account) *bool { return &a.Disabled },
		"Leave the account alone."),
	text("label", "a line", func(a *Account) *string { return &a.Label }, CheckLabel,
		"What the account is, for people."),
	texts("tags", "words", MaxTags, func(a *Account) *[]string { return &a.Tags }, CheckTag,
		"Words by which several accounts are chosen at a time."),
	pairs("headers", func(a *Account) *map[string]string { return &a.Headers }, header,
		"Headers sent with every request."),
	pairs("options", func(a *Account) *map[string]string { return &a.Options }, option,
		"The provider's own settings."),
}

func freshAccount() Account { return Account{Weight: 1} }

// proxyField is a proxy URL, shown without its password.
func proxyField[T any](name string, at func(*T) *string, doc string) field[T] {
	f := text(name, "a URL of scheme http, https, socks5 or socks5h, pool, pool:NAME, or direct", at, proxyChoice, doc)
	set := f.set
	f.set = func(r *report, path string, n node, into *T) {
		set(r, path, n, into)
		if u, err := url.Parse(*at(into)); err == nil && u.User != nil {
			r.sensitive = true
		}
	}
	f.get = func(t *T) any { return redact(*at(t)) }
	return f
}

// maxKeyFile bounds a key file in bytes; service account files of Google have
// 2.4 KB.
const maxKeyFile = 64 << 10

// keyFile is a credential that stands in a file of its own.
func keyFile(name string, at func(*Account) *secret.Text, doc string) field[Account] {
	return field[Account]{
		Key{Name: name, Type: "a file", Doc: doc},
		func(r *report, path string, n node, into *Account) {
			s, ok := r.scalar(path, n)
			if !ok {
				return
			}
			if !filepath.IsAbs(s) {
				s = filepath.Join(r.base, s)
			}
			r.files, r.seen = append(r.files, s), append(r.seen, look([]string{s})...)
			value, err := readSecretFile(s)
			if err != nil {
				r.problem(n.line, path, "%v", err)
				return
			}
			*at(into) = secret.Of(value)
		},
		func(*Account) any { return "" },
	}
}

func readSecretFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		err = checkFile(path, info, true)
	}
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxKeyFile {
		return "", fmt.Errorf("%s is larger than %d bytes", path, maxKeyFile)
	}
	s := strings.TrimSpace(string(b))
	if s == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return s, nil
}

// checkAccount looks at what more than one key decides.
func checkAccount(r *report, path string, n node, a *Account) {
	line := func(key string) int {
		if e, ok := n.find(key); ok {
			return e.line
		}
		return n.line
	}
	if first, twice := r.named[a.Name]; twice {
		r.problem(line("name"), path+".name", "%s is taken by the account on line %d", quote(a.Name), first)
	} else {
		r.named[a.Name] = line("name")
	}
	if _, ok := n.find("key_file"); ok {
		if _, both := n.find("api_key"); both {
			r.problem(line("key_file"), path+".key_file", "stands beside api_key; only one of them can hold")
		}
	}
	if u, err := url.Parse(a.BaseURL); err == nil && u.Scheme == "http" && !a.APIKey.IsZero() && !local(u.Hostname()) {
		r.warning(line("base_url"), path+".base_url", "sends the account's key over the network without encryption")
	}
	if known := r.options.Providers; len(known) > 0 && !slices.Contains(known, a.Provider) {
		r.problem(line("provider"), path+".provider", "%s is not a provider: %s%s", quote(a.Provider), strings.Join(known, ", "), suggest(a.Provider, known))
		return
	}
	if r.options.CheckAccount != nil {
		if err := r.options.CheckAccount(*a); err != nil {
			r.problem(n.line, path, "%v", err)
		}
	}
}

// local reports whether host is this machine or on a private network.
func local(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".local") ||
		strings.HasSuffix(host, ".internal") || !strings.Contains(host, ".") && net.ParseIP(host) == nil
}
