package secret

import (
	"crypto/rand"
	"encoding/base64"
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
	maxKeyFile = 256 // bytes that are read
)

var errNoKey = errors.New("the key file is missing; without it, what was sealed with it cannot be read")

// readKey reads the key file, which nobody but its owner may read.
func readKey(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, errNoKey)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := checkMode(f); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, err
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(string(b)), keyPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) != keySize {
		return nil, fmt.Errorf("%s is damaged or no key file of Portico; restore it from a backup", path)
	}
	return key, nil
}

// makeKey makes the key file. It appears under its name only whole and once it
// is on the disk, and if two processes make it at the same time both return
// the one that was first.
func makeKey(path string) ([]byte, error) {
	key := make([]byte, keySize)
	rand.Read(key) // never fails
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".key-*.tmp") // 0600
	if err != nil {
		return nil, fmt.Errorf("cannot make the key file: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(keyPrefix + base64.StdEncoding.EncodeToString(key) + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("cannot make the key file: %w", err)
	}
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return readKey(path)
	} else if err != nil {
		// Not all file systems have links; on those the lock on the data
		// folder keeps other processes away.
		if err := os.Rename(f.Name(), path); err != nil {
			return nil, fmt.Errorf("cannot make the key file: %w", err)
		}
	}
	if err := syncDir(dir); err != nil {
		return nil, fmt.Errorf("cannot make the key file: %w", err)
	}
	return key, nil
}
