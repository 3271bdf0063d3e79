package store

import (
	"context"
	"database/sql"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"portico/internal/secret"
)

// jsonAnyText lets bytes through that are not UTF-8; they become U+FFFD.
var jsonAnyText = jsontext.AllowInvalidUTF8(true)

// The sealed fields.
const (
	fieldCredential = "credential"
	fieldProxy      = "proxy"
	fieldHeaders    = "headers"
	fieldOptions    = "options"
)

// seat is where a sealed field belongs. A credential belongs to a destination
// too, so that a database in which somebody changed the base URL gives it to
// nobody.
func seat(a *Account, field string) []string {
	where := []string{"accounts", a.ID, field}
	if field == fieldCredential {
		d := destination(&a.Account)
		where = append(where, d[:]...)
	}
	return where
}

// putAccount adds an account, or changes the one of its id.
var putAccount = "INSERT INTO accounts (" + accountColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (id) DO UPDATE SET name = excluded.name, provider = excluded.provider, preset = excluded.preset, protocols = excluded.protocols,
	base_url = excluded.base_url, models = excluded.models, priority = excluded.priority, weight = excluded.weight, rpm = excluded.rpm, tpm = excluded.tpm,
	concurrency = excluded.concurrency, disabled = excluded.disabled, updated = excluded.updated, credential = excluded.credential,
	proxy = excluded.proxy, headers = excluded.headers, options = excluded.options, label = excluded.label, tags = excluded.tags,
	version = excluded.version, checksum = excluded.checksum, position = excluded.position`

func (s *Store) putAccount(ctx context.Context, tx *sql.Tx, a *Account) error {
	protocols, models, err := texts(a)
	if err != nil {
		return err
	}
	sealed := make(map[string][]byte)
	for field, plain := range map[string]string{
		fieldCredential: a.APIKey.Reveal(), fieldProxy: a.Proxy, fieldHeaders: jsonOf(a.Headers), fieldOptions: jsonOf(a.Options),
	} {
		if plain == "" {
			sealed[field] = a.unread[field] // mostly nil
			continue
		}
		if sealed[field], err = s.o.Sealer.Seal(plain, seat(a, field)...); err != nil {
			return fmt.Errorf("the account cannot be stored: %w", err)
		}
	}
	row := []any{
		a.ID, a.Name, a.Provider, a.Preset, protocols, a.BaseURL, models, a.Priority, a.Weight, a.Limits.RPM, a.Limits.TPM, a.Limits.Concurrency, a.Disabled,
		a.Created.UnixNano(), a.Updated.UnixNano(), sealed[fieldCredential], sealed[fieldProxy], sealed[fieldHeaders], sealed[fieldOptions], a.Label, jsonOf(a.Tags), a.Version,
	}
	_, err = tx.ExecContext(ctx, putAccount, append(row, checksum(row...), a.position)...)
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE {
		return ErrTaken
	}
	return err
}

// texts returns the lists as JSON, or says what about a cannot be stored.
func texts(a *Account) (protocols, models string, err error) {
	if a.Name == "" || a.Provider == "" {
		return "", "", errors.New("an account needs a name and a provider")
	}
	protocols, models = jsonOf(a.Protocols), jsonOf(a.Models)
	size := len(protocols) + len(models) + len(a.APIKey.Reveal()) + len(jsonOf(a.Headers)) + len(jsonOf(a.Options))
	for _, t := range []string{a.Name, a.Provider, a.Preset, a.BaseURL, a.Proxy, a.Label, jsonOf(a.Tags)} {
		size += len(t)
		if clean(t) != t {
			return "", "", errors.New("an account's texts must be UTF-8 without NUL")
		}
	}
	if size > maxAccount {
		return "", "", fmt.Errorf("the account has %d bytes; at most %d can be stored", size, maxAccount)
	}
	return protocols, models, nil
}

// jsonOf is v as JSON, "" if it is empty. v is a list or a map of texts.
func jsonOf[T []string | map[string]string](v T) string {
	if len(v) == 0 {
		return ""
	}
	b, err := json.Marshal(v, json.Deterministic(true), jsonAnyText)
	if err != nil { // texts can always be written
		panic(err)
	}
	return string(b)
}

// scanAccount reads a row and opens what is sealed in it.
func (s *Store) scanAccount(rows interface{ Scan(...any) error }) (Account, error) {
	var (
		a                                   Account
		protocols, models, tags             string
		created, updated                    int64
		credential, proxy, headers, options []byte
		sum                                 []byte
	)
	if err := rows.Scan(&a.ID, &a.Name, &a.Provider, &a.Preset, &protocols, &a.BaseURL, &models, &a.Priority, &a.Weight,
		&a.Limits.RPM, &a.Limits.TPM, &a.Limits.Concurrency, &a.Disabled, &created, &updated, &credential, &proxy, &headers, &options, &a.Label, &tags, &a.Version, &sum,
		&a.position); err != nil {
		return Account{}, err
	}
	a.Created, a.Updated = time.Unix(0, created).UTC(), time.Unix(0, updated).UTC()
	var damage []string
	if !checks(sum, a.ID, a.Name, a.Provider, a.Preset, protocols, a.BaseURL, models, a.Priority, a.Weight, a.Limits.RPM, a.Limits.TPM, a.Limits.Concurrency, a.Disabled,
		created, updated, credential, proxy, headers, options, a.Label, tags, a.Version) {
		damage = append(damage, "its record was changed on the disk")
	}
	try := func(field string, err error) {
		if err != nil {
			damage = append(damage, fmt.Sprintf("its %s cannot be read: %v", field, err))
		}
	}
	for _, f := range []struct {
		name   string
		sealed []byte
		use    func(plain string) error
	}{
		{fieldCredential, credential, func(p string) error { a.APIKey = secret.Of(p); return nil }},
		{fieldProxy, proxy, func(p string) error { a.Proxy = p; return nil }},
		{fieldHeaders, headers, func(p string) error { return json.Unmarshal([]byte(p), &a.Headers) }},
		{fieldOptions, options, func(p string) error { return json.Unmarshal([]byte(p), &a.Options) }},
	} {
		if f.sealed == nil {
			continue
		}
		plain, err := s.o.Sealer.Open(f.sealed, seat(&a, f.name)...)
		if err == nil {
			err = f.use(plain)
		}
		if err != nil {
			if a.unread == nil {
				a.unread = make(map[string][]byte)
			}
			a.unread[f.name] = f.sealed
		}
		try(f.name, err)
	}
	try("protocols", list(protocols, &a.Protocols))
	try("models", list(models, &a.Models))
	try("tags", list(tags, &a.Tags))
	if a.Damage = strings.Join(damage, "; "); a.Damage != "" {
		a.Disabled = true
	}
	return a, nil
}

// list reads what jsonOf wrote.
func list(text string, to *[]string) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), to)
}
