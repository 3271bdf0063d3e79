package simulate

import (
	"slices"
	"time"
)

// oracle is how many of the requests somebody would serve who knows every
// limit, asks no account in vain and gives each request, in the order in which
// they come, to the account that can begin it first. It is what a gateway can
// be measured against, not a bound that nobody can reach.
func oracle(l *Lab) (served int) {
	seats := make([]*seat, 0, len(l.Accounts))
	for i := range l.Accounts {
		if a := &l.Accounts[i]; !a.Revoked {
			seats = append(seats, &seat{vendor: newVendor(a)})
		}
	}
	for i := range l.Requests {
		r := &l.Requests[i]
		var best *seat
		var at time.Duration
		for _, s := range seats {
			if t, ok := s.free(r.At, float64(r.Tokens)); ok && t <= r.At+l.MaxWait && (best == nil || t < at) {
				best, at = s, t
			}
		}
		if best != nil {
			best.book(at, float64(r.Tokens))
			served++
		}
	}
	return served
}

// A seat is a vendor whose requests are booked ahead.
type seat struct {
	*vendor
	ends []time.Duration // of what is under way, in order
}

// free is when a request that comes at now could begin.
func (s *seat) free(now time.Duration, tokens float64) (time.Duration, bool) {
	at := max(now, s.requests.at)
	s.quota.roll(at)
	if until, spent := s.quota.spent(); spent {
		if until == 0 {
			return 0, false
		}
		at = until
	}
	if n := len(s.ends); s.Concurrency > 0 && n >= s.Concurrency {
		at = max(at, s.ends[n-s.Concurrency])
	}
	for range 3 { // an outage may begin while it waits for a limit
		probe := *s.vendor
		wait, _ := probe.opens(at, tokens)
		at += wait
		until, down := s.down(at)
		if !down {
			return at, true
		}
		at = until
	}
	return at, true
}

func (s *seat) book(at time.Duration, tokens float64) {
	s.quota.roll(at)
	s.opens(at, tokens)
	s.take(tokens)
	if s.Concurrency == 0 {
		return
	}
	end := at + s.latency()
	i, _ := slices.BinarySearch(s.ends, end)
	if s.ends = slices.Insert(s.ends, i, end); len(s.ends) > s.Concurrency {
		s.ends = slices.Delete(s.ends, 0, len(s.ends)-s.Concurrency)
	}
}
