package pool

import (
	"sync/atomic"

	"portico/internal/fault"
)

// Vouch takes in that the account named name was tested, and its vendor served
// it: the credential is good, and somebody is there. What is held against
// either ends. Limits, quotas and what was said of single models stay, since
// one small request proves nothing about them.
func (p *Pool) Vouch(name string) {
	e := p.entry(name)
	if e == nil {
		return
	}
	for _, at := range []*atomic.Pointer[Health]{&e.whole, &e.end.health} {
		if h := at.Load(); h != nil && disproved(h.Why) {
			at.CompareAndSwap(h, nil)
		}
	}
	p.changed()
	p.stir()
}

// disproved reports whether an answer shows that a fault of class c is over.
func disproved(c fault.Class) bool {
	switch c {
	case fault.CredentialInvalid, fault.CredentialExpired, fault.Broken, fault.Timeout, fault.Network:
		return true
	}
	return false
}
