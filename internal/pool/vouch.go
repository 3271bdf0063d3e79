package pool

import "portico/internal/fault"

// Vouch takes in that the account named name was tested, and its vendor served
// it: the credential is good, and somebody is there. What is held against
// either ends. Limits, quotas and what was said of single models stay, since
// one small request proves nothing about them.
func (p *Pool) Vouch(name string) {
	for _, e := range *p.entries.Load() {
		if e.Name != name {
			continue
		}
		if h := e.whole.Load(); h != nil && disproved(h.Why) {
			e.whole.CompareAndSwap(h, nil)
		}
		if h := e.end.health.Load(); h != nil && disproved(h.Why) {
			e.end.health.CompareAndSwap(h, nil)
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
