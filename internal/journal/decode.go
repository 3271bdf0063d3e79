package journal

import (
	"errors"
	"fmt"
	"time"

	"portico/internal/llm"
)

var errShort = errors.New("the record is shorter than it says")

// Decode is the inverse of Append, also of an older version's. The texts of
// the exchange share one copy of payload. The error says what is wrong with
// it.
func Decode(payload []byte) (*Exchange, error) {
	if len(payload) == 0 {
		return nil, errShort
	}
	if v := payload[0]; v == 0 || v > version {
		return nil, fmt.Errorf("the record has format %d, and this version of Portico reads up to %d", v, version)
	}
	d := decoder{rest: string(payload[1:])}
	x := new(Exchange)
	x.ID = d.text()
	sec, nsec := d.int(), d.uint()
	if nsec >= uint64(time.Second) {
		d.bad = true
	}
	x.Start = time.Unix(sec, int64(nsec)).UTC()
	for _, s := range [...]*string{
		&x.Key, &x.Client, &x.Peer, &x.Session, &x.Op, &x.Path, &x.Inbound, &x.Outbound, &x.Asked, &x.Served,
		&x.Rule, &x.Account, &x.Stop, &x.Upstream, &x.Fault, &x.Code, &x.Error,
	} {
		*s = d.text()
	}
	flags := d.byte()
	x.Stream, x.Estimated, x.Partial, x.Open = flags&flagStream != 0, flags&flagEstimated != 0, flags&flagPartial != 0, flags&flagOpen != 0
	x.Status, x.First, x.Took = int(d.int()), time.Duration(d.int()), time.Duration(d.int())
	for _, n := range [...]*int64{
		&x.BytesIn, &x.BytesOut,
		&x.Usage.Input, &x.Usage.CacheRead, &x.Usage.CacheWrite, &x.Usage.Output, &x.Usage.Reasoning,
	} {
		*n = d.int()
	}

	if n := d.count(maxAttempts); n > 0 {
		x.Attempts = make([]Attempt, n)
		for i := range x.Attempts {
			d.attempt(&x.Attempts[i], payload[0])
		}
	}
	if n := d.count(maxPassed); n > 0 {
		x.Passed = make([]Passed, n)
		for i := range x.Passed {
			x.Passed[i].Account, x.Passed[i].Why = d.text(), d.text()
		}
	}
	if n := d.count(maxLosses); n > 0 {
		x.Losses = make([]string, n)
		for i := range x.Losses {
			x.Losses[i] = d.text()
		}
	}
	if payload[0] >= 3 {
		if n := d.count(maxEdits); n > 0 {
			x.Edits = make([]string, n)
			for i := range x.Edits {
				x.Edits[i] = d.text()
			}
		}
	}
	if payload[0] >= 4 {
		for range d.count(uint64(len(x.Attempts))) {
			d.share(x.Attempts, payload[0])
		}
	}
	if payload[0] >= 5 {
		x.Usage.CacheHour = d.int()
	}
	if payload[0] >= 6 {
		d.details(&x.Usage)
	}
	if d.bad || d.rest != "" {
		return nil, errShort
	}
	return x, nil
}

// decoder reads from the front of rest. After a defect it is bad, and all it
// returns is zero.
type decoder struct {
	rest string
	bad  bool
}

func (d *decoder) attempt(a *Attempt, version byte) {
	for _, s := range [...]*string{&a.Account, &a.Model, &a.Fault, &a.Scope, &a.Phase, &a.Code, &a.Error, &a.Step} {
		*s = d.text()
	}
	a.Start, a.Took, a.Status, a.After = time.Duration(d.int()), time.Duration(d.int()), int(d.int()), time.Duration(d.int())
	if version >= 2 {
		a.Why, a.Of, a.Waited = d.text(), int(d.int()), time.Duration(d.int())
	}
}

// share reads what one of attempts says of its share in the answer.
func (d *decoder) share(attempts []Attempt, version byte) {
	i, flags := d.uint(), d.byte()
	if i >= uint64(len(attempts)) {
		d.bad = true
		return
	}
	a := &attempts[i]
	a.Estimated, a.Leg = flags&flagEstimated != 0, int(d.int())
	u := &a.Usage
	for _, n := range [...]*int64{&u.Input, &u.CacheRead, &u.CacheWrite, &u.Output, &u.Reasoning} {
		*n = d.int()
	}
	if version >= 5 {
		u.CacheHour = d.int()
	}
	if version >= 6 {
		d.details(u)
	}
}

func (d *decoder) details(u *llm.Usage) {
	which := d.byte()
	for i, n := range u.Details() {
		if which&(1<<i) != 0 {
			*n = d.int()
		}
	}
	if which>>llm.Details != 0 {
		d.bad = true
	}
}

func (d *decoder) byte() byte {
	if d.rest == "" {
		d.bad = true
		return 0
	}
	c := d.rest[0]
	d.rest = d.rest[1:]
	return c
}

func (d *decoder) uint() uint64 {
	var n uint64
	for i := 0; i < len(d.rest); i++ {
		c := d.rest[i]
		if i == 9 && c > 1 {
			break // more than 64 bits
		}
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.rest = d.rest[i+1:]
			return n
		}
	}
	d.bad, d.rest = true, ""
	return 0
}

func (d *decoder) int() int64 {
	u := d.uint()
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) text() string {
	n := d.uint()
	if n > uint64(len(d.rest)) {
		d.bad, d.rest = true, ""
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

// count reads the length of a list, which is never over limit.
func (d *decoder) count(limit uint64) uint64 {
	n := d.uint()
	if n > limit {
		d.bad, d.rest = true, ""
		return 0
	}
	return n
}
