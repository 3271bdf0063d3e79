package keychain

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zalando/go-keyring"
)

func yes() error { return nil }

func TestChain(t *testing.T) {
	keyring.MockInit()
	c := &Chain{time.Second, yes}
	if _, err := c.Get("one"); err == nil || !strings.Contains(err.Error(), "no such key") {
		t.Errorf("error = %v", err)
	}
	if err := c.Set("one", "secret"); err != nil {
		t.Fatal(err)
	}
	if text, err := c.Get("one"); text != "secret" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if err := c.Delete("one"); err != nil {
		t.Error(err)
	}
	if _, err := c.Get("one"); err == nil {
		t.Error("it was not deleted")
	}
	locked := errors.New("locked")
	keyring.MockInitWithError(locked)
	if err := c.Set("one", "secret"); !errors.Is(err, locked) {
		t.Errorf("error = %v", err)
	}
	none := errors.New("none here")
	c = &Chain{time.Second, func() error { return none }}
	if _, err := c.Get("one"); !errors.Is(err, none) {
		t.Errorf("error = %v", err)
	}
}

// TestChainIsNotWaitedForEver: a keychain that asks somebody who is not there
// holds up nothing.
func TestChainIsNotWaitedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, began := System(), time.Now()
		c.ready = yes
		stuck := make(chan struct{})
		if _, err := c.ask(func() (string, error) { <-stuck; return "", nil }); !errors.Is(err, errSlow) || time.Since(began) != Wait {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		close(stuck)
	})
}
