package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	keySize    = 32 // bytes, for AES-256
	keyPrefix  = "portico-key-1 "
	awayPrefix = "portico-keychain-1 " // the key lies in the keychain, under the id that follows
	maxKeyFile = 256                   // bytes that are read
)

var errNoKey = errors.New("the key file is missing; without it, what was sealed with it cannot be read")

// A keyFile is what a key file says: the key itself, or under which id the
// keychain has it, and then which key that is.
type keyFile struct {
	key  []byte
	id   string
	sign keyID
}

// A keyID tells keys apart: the first bytes of a key's hash.
type keyID [4]byte

func idOf(key []byte) (id keyID) {
	h := sha256.Sum256(append([]byte("portico key id\x00"), key...))
	copy(id[:], h[:])
	return id
}

// text is the file's content.
func (k *keyFile) text() string {
	if k.id != "" {
		return awayPrefix + k.id + " " + hex.EncodeToString(k.sign[:]) + "\n"
	}
	return keyPrefix + base64.StdEncoding.EncodeToString(k.key) + "\n"
}

// readFile reads the key file, which nobody but its owner may read.
func readFile(path string) (keyFile, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return keyFile{}, fmt.Errorf("%s: %w", path, errNoKey)
	}
	if err != nil {
		return keyFile{}, err
	}
	defer f.Close()
	if err := checkMode(f); err != nil {
		return keyFile{}, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return keyFile{}, err
	}
	k, ok := parseKeyFile(strings.TrimSpace(string(b)))
	if !ok {
		return keyFile{}, fmt.Errorf("%s is damaged or no key file of Portico; restore it from a backup", path)
	}
	return k, nil
}

func parseKeyFile(text string) (k keyFile, ok bool) {
	if away, ok := strings.CutPrefix(text, awayPrefix); ok {
		id, sign, _ := strings.Cut(away, " ")
		b, err := hex.DecodeString(sign)
		return keyFile{id: id, sign: keyID(append(b, 0, 0, 0, 0)[:4])}, id != "" && err == nil && len(b) == len(k.sign)
	}
	text, ok = strings.CutPrefix(text, keyPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) != keySize {
		return keyFile{}, false
	}
	return keyFile{key: key, sign: idOf(key)}, true
}

// writeFile makes the key file, or with replace puts it in the place of the
// one there is. It appears under its name only whole and once it is on the
// disk, and if two processes make it at the same time the second gets
// fs.ErrExist.
func writeFile(path string, k *keyFile, replace bool) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".key-*.tmp") // 0600
	if err != nil {
		return fmt.Errorf("cannot make the key file: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(k.text())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("cannot make the key file: %w", err)
	}
	err = fs.ErrInvalid
	if !replace {
		if err = os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if err != nil {
		// It is to be replaced, or the file system has no links; there the lock
		// on the data folder keeps other processes away.
		if err := os.Rename(f.Name(), path); err != nil {
			return fmt.Errorf("cannot make the key file: %w", err)
		}
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("cannot make the key file: %w", err)
	}
	return nil
}

func newKey() keyFile {
	key := make([]byte, keySize)
	rand.Read(key) // never fails
	return keyFile{key: key, sign: idOf(key)}
}
