package credential

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// A state is what became of a credential. It lies sealed in a file of its own,
// so that its changes touch nothing else, and is read anew before it matters:
// another process may have written it.
type state struct {
	Access  string    `json:"access,omitzero"`
	Issued  time.Time `json:"issued,omitzero"`
	Until   time.Time `json:"until,omitzero"`   // when Access ends
	Refresh string    `json:"refresh,omitzero"` // that took the place of the credential's own, "" if none did
	Email   string    `json:"email,omitzero"`
	// Subject is whose tokens the first one was, if the issuer said it and the
	// credential does not.
	Subject string `json:"subject,omitzero"`
	// Asked is when a request was sent whose answer is not known to have been
	// kept; zero: none is open. If the issuer replaced the refresh token in
	// that answer, it is lost.
	Asked   time.Time `json:"asked,omitzero"`
	Refused *refused  `json:"refused,omitzero"`
}

// refused is that the issuer takes the credential no longer.
type refused struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"` // when it is tried again
	Class string    `json:"class"`
	Msg   string    `json:"message"`
}

const (
	stateSuffix = ".token"
	lockSuffix  = ".lock"
	// maxState bounds a state's file in bytes.
	maxState = 64 << 10
	// polls is how often another process's lock is looked at.
	polls = 10 * time.Millisecond
)

// A shelf is the folder of the states.
type shelf struct {
	dir    string // "": nothing outlives the process
	sealer Sealer
}

// A Sealer encrypts for a place; secret.Sealer is one.
type Sealer interface {
	Seal(plain string, where ...string) ([]byte, error)
	Open(sealed []byte, where ...string) (string, error)
}

// lock keeps other processes from using the credential called id until unlock
// is called.
func (s *shelf) lock(ctx context.Context, id string) (unlock func(), err error) {
	if s.dir == "" {
		return func() {}, nil
	}
	f := flock.New(filepath.Join(s.dir, id+lockSuffix), flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDWR))
	if _, err := f.TryLockContext(ctx, polls); err != nil {
		return nil, fmt.Errorf("wait for another process that refreshes the same credential: %w", err)
	}
	return func() { _ = f.Unlock() }, nil
}

// read returns the state of the credential called id, the zero state if there
// is none.
func (s *shelf) read(id string) (st state, err error) {
	if s.dir == "" {
		return st, nil
	}
	f, err := os.Open(filepath.Join(s.dir, id+stateSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return st, nil
	}
	if err != nil {
		return st, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxState))
	if err != nil {
		return st, err
	}
	text, err := s.sealer.Open(b, "tokens", id)
	if err == nil {
		err = json.Unmarshal([]byte(text), &st)
	}
	if err != nil {
		return state{}, fmt.Errorf("what is kept of the credential's tokens cannot be read: %w", err)
	}
	return st, nil
}

// write keeps st: when it returns nil, st is on the disk.
func (s *shelf) write(id string, st *state) (err error) {
	if s.dir == "" {
		return nil
	}
	text, err := json.Marshal(st)
	if err != nil {
		return err
	}
	sealed, err := s.sealer.Seal(string(text), "tokens", id)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(s.dir, "."+id+"-*.tmp") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(sealed); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), filepath.Join(s.dir, id+stateSuffix)); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// forget removes all that is kept of the credential called id.
func (s *shelf) forget(id string) error {
	if s.dir == "" {
		return nil
	}
	var errs []error
	for _, suffix := range []string{stateSuffix, lockSuffix} {
		if err := os.Remove(filepath.Join(s.dir, id+suffix)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// sweep removes what is kept of credentials that nobody has used since before,
// and what a killed process has left. No other process may be at work.
func (s *shelf) sweep(used map[string]bool, before time.Time) error {
	if s.dir == "" {
		return nil
	}
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range files {
		id, _, _ := strings.Cut(f.Name(), ".")
		info, err := f.Info()
		if err != nil || used[id] {
			continue
		}
		if info.ModTime().Before(before) || strings.HasSuffix(f.Name(), ".tmp") {
			errs = append(errs, os.Remove(filepath.Join(s.dir, f.Name())))
		}
	}
	return errors.Join(errs...)
}

// syncDir makes the names in dir outlive a power cut, where a folder can be
// synced.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
