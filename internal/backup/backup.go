// Package backup is the form of a backup file: what the operator would miss,
// encrypted with a passphrase.
//
// A file is encrypted in the format of age (https://age-encryption.org/v1), so
// that it can be opened without Portico, too: "age -d FILE" gives a tar archive
// of JSON documents, the configuration as it was written, and the ledger if it
// was asked for.
package backup

import (
	"archive/tar"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"
	"unicode/utf8"

	"filippo.io/age"

	"portico/internal/clientkey"
	"portico/internal/config"
	"portico/internal/secret"
)

const (
	// format is the number of the form; a higher one is refused.
	format = 1
	// maxWork is what a file may ask for at most, as work: 256 MiB.
	maxWork = 18
	// MinPassphrase is how many letters a passphrase has at least.
	MinPassphrase = 12
	// maxPart bounds a document of the archive, in bytes: 10,000 accounts of
	// common size have 10 MB.
	maxPart = 256 << 20
	// maxParts bounds how many entries an archive may have.
	maxParts = 32
)

// work is the logarithm of scrypt's cost: 64 MiB and some 200 ms. Tests take
// less.
var work = 16

// Errors of backup files.
var (
	// ErrShort: the passphrase could be guessed.
	ErrShort = fmt.Errorf("the passphrase needs at least %d letters", MinPassphrase)
	// ErrPassphrase: it opens nothing here.
	ErrPassphrase = errors.New("the passphrase is wrong, or the file is none that was encrypted with one")
	// ErrDamaged: the file is cut off or changed.
	ErrDamaged = errors.New("the backup is damaged")
	// ErrNewer: the file was written by a newer version.
	ErrNewer = errors.New("the backup was made by a newer version of Portico; install that version to restore it")
)

// A Head says what a file is.
type Head struct {
	Format  int       `json:"format"`
	Version string    `json:"version"` // of Portico
	Made    time.Time `json:"made"`
}

// A Rule is a rule on addresses.
type Rule struct {
	Deny    bool
	Range   netip.Prefix
	Reason  string
	Expires time.Time `json:",omitzero"`
}

// A Proxy is an outbound proxy of the pool.
type Proxy struct {
	Name     string
	URL      secret.Text // it may hold a password
	Disabled bool
}

// Contents are what a backup holds beside the ledger.
type Contents struct {
	Head
	Accounts []config.Account   // with their secrets
	Keys     []clientkey.Record // as digests
	Rules    []Rule
	Proxies  []Proxy
	Config   []byte // the configuration file as it was written, nil if there was none
}

// The entries of the archive, in their order.
const (
	headPart     = "portico.json"
	accountsPart = "accounts.json"
	keysPart     = "keys.json"
	rulesPart    = "rules.json"
	proxiesPart  = "proxies.json"
	configPart   = "portico.yaml"
	ledgerPart   = "ledger.db"
)

// revealed writes and reads secrets as they are, which happens nowhere else.
var revealed = json.JoinOptions(
	json.WithMarshalers(json.MarshalFunc(func(t secret.Text) ([]byte, error) { return json.Marshal(t.Reveal()) })),
	json.WithUnmarshalers(json.UnmarshalFunc(func(b []byte, t *secret.Text) error {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return errors.New("it is no text") // json's own error would show it
		}
		*t = secret.Of(s)
		return nil
	})),
	json.Deterministic(true),
)

// CheckPassphrase says why passphrase will not do.
func CheckPassphrase(passphrase string) error {
	if utf8.RuneCountInString(passphrase) < MinPassphrase {
		return ErrShort
	}
	return nil
}

// Write writes c, and the ledger of size bytes unless it is nil.
func Write(w io.Writer, passphrase string, c *Contents, ledger io.Reader, size int64) error {
	if err := CheckPassphrase(passphrase); err != nil {
		return err
	}
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return err
	}
	to.SetWorkFactor(work)
	sealed, err := age.Encrypt(w, to)
	if err != nil {
		return err
	}
	t := tar.NewWriter(sealed)
	head := c.Head
	head.Format = format
	for _, part := range []struct {
		name string
		v    any
	}{{headPart, &head}, {accountsPart, c.Accounts}, {keysPart, c.Keys}, {rulesPart, c.Rules}, {proxiesPart, c.Proxies}} {
		b, err := json.Marshal(part.v, revealed)
		if err != nil {
			return err
		}
		if err := put(t, part.name, b, c.Made); err != nil {
			return err
		}
	}
	if c.Config != nil {
		if err := put(t, configPart, c.Config, c.Made); err != nil {
			return err
		}
	}
	if ledger != nil {
		if err := t.WriteHeader(entry(ledgerPart, size, c.Made)); err != nil {
			return err
		}
		if _, err := io.Copy(t, ledger); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), sealed.Close())
}

func entry(name string, size int64, made time.Time) *tar.Header {
	return &tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: made.Truncate(time.Second), Format: tar.FormatPAX}
}

func put(t *tar.Writer, name string, b []byte, made time.Time) error {
	if err := t.WriteHeader(entry(name, int64(len(b)), made)); err != nil {
		return err
	}
	_, err := t.Write(b)
	return err
}

// Read reads a file whole and returns what it holds. Nothing of it is believed
// before all of it was read: a file that is cut off or changed anywhere is an
// error. The ledger, if the file has one, goes to ledger, nil to pass over it;
// its size is returned.
func Read(r io.Reader, passphrase string, ledger io.Writer) (c *Contents, size int64, err error) {
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, 0, ErrPassphrase // an empty one
	}
	id.SetMaxWorkFactor(maxWork)
	plain, err := age.Decrypt(r, id)
	if err != nil {
		return nil, 0, ErrPassphrase
	}
	c = &Contents{}
	t := tar.NewReader(plain)
	for n := 0; ; n++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) && n > 0 {
			break
		}
		if err != nil || n >= maxParts || n == 0 && h.Name != headPart {
			return nil, 0, ErrDamaged
		}
		if h.Name == ledgerPart {
			if ledger == nil {
				ledger = io.Discard
			}
			if size, err = io.Copy(ledger, t); err != nil {
				return nil, 0, fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			continue
		}
		if h.Size > maxPart {
			return nil, 0, ErrDamaged
		}
		b, err := io.ReadAll(t)
		if err != nil {
			return nil, 0, ErrDamaged
		}
		if err := c.take(h.Name, b); err != nil {
			return nil, 0, err
		}
	}
	// The archive ends before the file does; the rest is looked at too, since
	// it says whether the file is whole.
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return nil, 0, ErrDamaged
	}
	return c, size, nil
}

// take reads one entry. Entries of no name that is known are passed over: they
// are of a newer version that says that older ones may read it.
func (c *Contents) take(name string, b []byte) error {
	into := map[string]any{headPart: &c.Head, accountsPart: &c.Accounts, keysPart: &c.Keys, rulesPart: &c.Rules, proxiesPart: &c.Proxies}[name]
	switch {
	case name == configPart:
		c.Config = b
		return nil
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(b, into, revealed); err != nil {
		return fmt.Errorf("%w: %s cannot be read", ErrDamaged, name)
	}
	if c.Format > format {
		return ErrNewer
	}
	if c.Format < 1 {
		return ErrDamaged
	}
	return nil
}
