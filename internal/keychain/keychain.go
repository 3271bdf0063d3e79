// Package keychain keeps one key in the keychain of the system: the Secret
// Service on Linux and the BSDs, the Keychain on macOS, the Credential Manager
// on Windows. It never starts any of them.
package keychain

import (
	"errors"
	"fmt"
	"time"

	"github.com/zalando/go-keyring"
)

// service is the name under which the keychain lists what is Portico's.
const service = "portico"

// Wait is how long a call takes at most: a person may have to unlock the
// keychain.
const Wait = 20 * time.Second

// errSlow: nobody unlocked it in time.
var errSlow = fmt.Errorf("the keychain did not answer within %s; unlock it and start Portico anew", Wait)

// A Chain is the keychain of this system.
type Chain struct {
	wait  time.Duration
	ready func() error // says why there is no keychain, nil if there may be one
}

// System returns the keychain of this system.
func System() *Chain { return &Chain{wait: Wait, ready: ready} }

// Get implements secret.Keychain.
func (c *Chain) Get(id string) (text string, err error) {
	return c.ask(func() (string, error) { return keyring.Get(service, id) })
}

// Set implements secret.Keychain.
func (c *Chain) Set(id, text string) error {
	_, err := c.ask(func() (string, error) { return "", keyring.Set(service, id, text) })
	return err
}

// Delete implements secret.Keychain.
func (c *Chain) Delete(id string) error {
	_, err := c.ask(func() (string, error) { return "", keyring.Delete(service, id) })
	return err
}

// ask calls f and waits for it. One that does not come back is left behind;
// there are a handful of calls in the life of a process.
func (c *Chain) ask(f func() (string, error)) (string, error) {
	if err := c.ready(); err != nil {
		return "", err
	}
	type answer struct {
		text string
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		text, err := f()
		done <- answer{text, err}
	}()
	select {
	case a := <-done:
		if errors.Is(a.err, keyring.ErrNotFound) {
			return "", errors.New("it has no such key")
		}
		return a.text, a.err
	case <-time.After(c.wait):
		return "", errSlow
	}
}
