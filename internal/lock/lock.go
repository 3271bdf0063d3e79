// Package lock keeps a data folder to one server, and tells where that server
// is.
//
// The lock is the kernel's, on the open file: it ends with the process, however
// that ends, and nothing is left to be deleted by hand. Who holds it stands in
// a file beside it, which is believed only while the lock is held.
package lock

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

const (
	lockName   = "portico.lock"
	holderName = "server.json"
	maxHolder  = 4096 // bytes of server.json that are read
)

// A Holder is the server that holds a data folder.
type Holder struct {
	PID     int       `json:"pid"`
	Port    int       `json:"port,omitzero"`    // 0 until it listens
	Address string    `json:"address,omitzero"` // where this machine reaches it, such as http://127.0.0.1:8045
	Start   time.Time `json:"start"`
}

// String is for a message: "process 12 since 2026-01-02 15:04:05, http://…".
func (h Holder) String() string {
	if h.PID == 0 {
		return "a process that has not said who it is"
	}
	s := fmt.Sprintf("process %d since %s", h.PID, h.Start.Local().Format(time.DateTime))
	if h.Address != "" {
		s += ", " + h.Address
	}
	return s
}

// A HeldError says that another server has the folder.
type HeldError struct {
	Dir string
	By  Holder
}

// Error names the folder and the holder.
func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is in use by another server (%s); stop it, or give this one a --data-dir of its own", e.Dir, e.By)
}

// A Lock is a data folder that is ours.
type Lock struct {
	dir  string
	file *flock.Flock
	self Holder
}

// Take takes the folder, which must exist, or fails with a *HeldError at once.
func Take(dir string, now time.Time) (*Lock, error) {
	f := flock.New(filepath.Join(dir, lockName), flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDWR))
	ok, err := f.TryLock()
	if err != nil {
		return nil, fmt.Errorf("cannot lock %s: %w", dir, err)
	}
	if !ok {
		by, _ := read(dir)
		return nil, &HeldError{dir, by}
	}
	l := &Lock{dir, f, Holder{PID: os.Getpid(), Start: now.Truncate(time.Second)}}
	if err := l.write(); err != nil {
		f.Unlock()
		return nil, err
	}
	return l, nil
}

// Announce tells the world that the server now listens on port and is reached
// at address.
func (l *Lock) Announce(port int, address string) error {
	l.self.Port, l.self.Address = port, address
	return l.write()
}

// Release gives the folder back. Both files stay: removing a locked file would
// let two servers lock two files of one name.
func (l *Lock) Release() error { return l.file.Unlock() }

// write replaces server.json (0600) in one step. It need not outlive a power
// cut: the lock does not either.
func (l *Lock) write() error {
	b, err := json.Marshal(l.self)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(l.dir, ".server-*.tmp")
	if err == nil {
		_, err = f.Write(append(b, '\n'))
		err = errors.Join(err, f.Close())
		if err == nil {
			err = os.Rename(f.Name(), filepath.Join(l.dir, holderName))
		}
		if err != nil {
			os.Remove(f.Name())
		}
	}
	if err != nil {
		return fmt.Errorf("cannot say in %s who holds it: %w", l.dir, err)
	}
	return nil
}

// Find returns the server that holds dir, and whether there is one. It does
// not wait, and it takes nothing.
func Find(dir string) (Holder, bool, error) {
	path := filepath.Join(dir, lockName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return Holder{}, false, nil
	}
	// A shared lock can be had exactly if nobody has the exclusive one.
	f := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := f.TryRLock()
	if err != nil {
		return Holder{}, false, fmt.Errorf("cannot look at the lock of %s: %w", dir, err)
	}
	if free {
		return Holder{}, false, f.Unlock()
	}
	h, err := read(dir)
	return h, true, err
}

func read(dir string) (Holder, error) {
	var h Holder
	f, err := os.Open(filepath.Join(dir, holderName))
	if err != nil {
		return h, err
	}
	defer f.Close()
	err = json.UnmarshalRead(io.LimitReader(f, maxHolder), &h)
	return h, err
}
