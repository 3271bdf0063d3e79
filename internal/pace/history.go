package pace

import (
	"slices"
	"time"
)

// A History is what went out to an account and what it refused, in the order
// in which it went. What is older is kept in larger pieces.
type History struct {
	sent    []piece
	refused []refusal
	begun   Moment  // when the first went out; 0: none did
	unit    float64 // what a request takes, smoothed
	trusted Moment  // what was served before proves nothing any more
	cut     Moment  // what went out until then is forgotten
	// peaks are the most that was served within each of the windows, of the
	// last minute and of the one before, since that is what large pieces no
	// longer tell.
	peaks  [2][len(windows)]float64
	turned Moment // when the last minute began
}

// A piece is units that went out between two moments. It counts as if all had
// gone at the end.
type piece struct {
	first, at Moment
	n         float64
}

// A refusal is when a request of so many units was refused, and between which
// moments the vendor says that it would not be; both 0: it says nothing.
type refusal struct {
	at         Moment
	cost       float64
	from, till Moment
}

func (r *refusal) told() bool { return r.till != 0 }

// exact reports whether the moment was told to less than a second.
func (r *refusal) exact() bool { return r.told() && r.till-r.from < time.Second }

const (
	maxPieces   = 512
	maxRefusals = 10
	// memory is how far back a History reaches: over two windows of a minute.
	memory = 130 * time.Second
)

// Add counts n units at now. A negative n is a correction of what went out
// lately.
func (h *History) Add(now Moment, n float64) {
	if n <= 0 {
		h.take(len(h.sent)-1, -n)
		return
	}
	if h.begun == 0 {
		h.begun = max(now, 1)
	}
	if h.unit == 0 {
		h.unit = n
	}
	h.unit += (n - h.unit) / 32
	if len(h.sent) == maxPieces {
		h.thin(now)
	}
	h.sent = append(h.sent, piece{now, now, n})
}

// More corrects the latest piece: a request used n units more than was thought.
func (h *History) More(n float64) {
	if k := len(h.sent); k > 0 {
		h.sent[k-1].n += n
	}
}

// Back takes out what went out at the moment at: it was not counted there.
func (h *History) Back(at Moment, n float64) {
	i, _ := slices.BinarySearchFunc(h.sent, at, func(p piece, at Moment) int { return int(p.at - at) })
	h.take(min(i, len(h.sent)-1), n)
}

// take takes n units from the piece with that number, and then from those
// before it.
func (h *History) take(i int, n float64) {
	for ; i >= 0 && n > 0; i-- {
		d := min(n, h.sent[i].n)
		h.sent[i].n -= d
		n -= d
	}
}

// Unit is how many units a request takes, on average of the last ones.
func (h *History) Unit() float64 { return h.unit }

// thin makes room: what is too old goes, and pieces become one that are close
// together for their age.
func (h *History) thin(now Moment) {
	old := 0
	for old < len(h.sent) && h.sent[old].at < now-memory {
		old++
	}
	if old > 0 {
		h.cut = h.sent[old-1].at
		h.sent = slices.Delete(h.sent, 0, old)
	}
	h.remember(now)
	for fine := time.Duration(64); len(h.sent) > maxPieces*7/8; fine /= 2 {
		kept := h.sent[:1]
		for _, p := range h.sent[1:] {
			if last := &kept[len(kept)-1]; fine == 0 || p.at-last.first <= (now-p.at)/fine {
				last.at, last.n = p.at, last.n+p.n
			} else {
				kept = append(kept, p)
			}
		}
		h.sent = kept
	}
}

// remember keeps what is served in windows before pieces become larger.
func (h *History) remember(now Moment) {
	if now-h.turned > time.Minute {
		h.peaks[1], h.peaks[0], h.turned = h.peaks[0], [len(windows)]float64{}, now
	}
	var bs [maxRefusals]bound
	for i := range windows {
		n, _ := h.read(&meter{kind: sliding, window: windows[i].length}, now, bs[:])
		h.peaks[0][i] = max(h.peaks[0][i], n)
	}
}

// peak is the least of the most that m showed, by what is remembered.
func (h *History) peak(m *meter) (n float64) {
	for i := range windows {
		p := max(h.peaks[0][i], h.peaks[1][i])
		switch {
		case m.kind == dripping:
			n = max(n, p-m.rate*windows[i].length.Seconds())
		case m.window == windows[i].length && m.kind == sliding:
			return p
		case m.window == windows[i].length:
			return p / 2 // it may have been in two of them
		}
	}
	return n
}

// refuse notes r.
func (h *History) refuse(r refusal) {
	if len(h.refused) == maxRefusals {
		h.refused = slices.Delete(h.refused, 0, 1)
	}
	i := len(h.refused)
	for i > 0 && h.refused[i-1].at > r.at {
		i--
	}
	h.refused = slices.Insert(h.refused, i, r)
	h.forget(r.at - memory)
}

// forget drops the refusals before the moment old.
func (h *History) forget(old Moment) {
	h.refused = slices.DeleteFunc(h.refused, func(r refusal) bool { return r.at < old })
}

// distrust drops what was learned before the last of the refusals, as far as
// what went out since can tell. It reports false if nothing is left to drop.
func (h *History) distrust() bool {
	n := len(h.refused)
	if n < 3 {
		return false
	}
	h.trusted = h.refused[n/2].at
	h.peaks = [2][len(windows)]float64{}
	h.forget(h.trusted)
	return len(h.refused) < n
}

// Sum is how many units went out within d before now, and in how much of that
// time there were any to count: less than d if the first one went out later.
func (h *History) Sum(now Moment, d time.Duration) (n float64, over time.Duration) {
	if h.begun == 0 {
		return 0, 0
	}
	for i := len(h.sent) - 1; i >= 0 && h.sent[i].at > now-d; i-- {
		n += h.sent[i].n
	}
	return n, min(d, max(now-h.begun, time.Millisecond))
}

// since is how many units went out from the moment at on.
func (h *History) since(at Moment) (n float64) {
	for i := len(h.sent) - 1; i >= 0 && h.sent[i].at >= at; i-- {
		n += h.sent[i].n
	}
	return n
}

// between is how many units went out after the one moment and before the other.
func (h *History) between(after, before Moment) (n float64) {
	for i := len(h.sent) - 1; i >= 0 && h.sent[i].at > after; i-- {
		if h.sent[i].at < before {
			n += h.sent[i].n
		}
	}
	return n
}

// A meter is a way to count what goes out: what it shows grows by what a
// request takes, and is forgotten as the vendor is thought to forget it.
type meter struct {
	kind   kind
	rate   float64       // a bucket forgets so many units a second
	window time.Duration // others what went out before it
	phase  Moment        // when one of the windows begins that are fixed
}

type kind uint8

const (
	unknown kind = iota
	dripping
	sliding // at most so many in any window
	fixed   // at most so many in each of the windows
	kinds
)

// A bound is what a refusal says of the most that a meter may show.
type bound struct {
	low, high float64
	odd       bool // at that moment nothing would come back
	vague     bool // it is not known well enough what went out before
}

// read runs m over h. proven is the most that it showed after a request that
// was served, shows what it shows at now, and bs get what each refusal says.
func (h *History) read(m *meter, now Moment, bs []bound) (proven, shows float64) {
	var at Moment
	var level float64
	var window int64
	tail, next := 0, 0
	move := func(to Moment, i int) {
		switch m.kind {
		case dripping:
			level = max(0, level-m.rate*(to-at).Seconds())
		case sliding:
			for tail < i && h.sent[tail].first <= to-m.window {
				level -= h.sent[tail].n
				tail++
			}
		case fixed:
			if w := m.number(to); w != window {
				window, level = w, 0
			}
		}
		at = to
	}
	coarse := m.coarse(h.unit)
	for i := 0; ; i++ {
		until := now
		if i < len(h.sent) {
			until = h.sent[i].at
		}
		for next < len(h.refused) && (h.refused[next].at < until || i == len(h.sent)) {
			r := &h.refused[next]
			move(r.at, i)
			bs[next] = h.bound(m, r, level, i)
			bs[next].vague = i == 0 || h.sent[i-1].at-h.sent[i-1].first > coarse || h.cut > 0 && r.at-m.window < h.cut
			next++
		}
		if i == len(h.sent) {
			move(until, i)
			return proven, level
		}
		p := &h.sent[i]
		if m.kind == dripping && p.first > at {
			// While the piece went out the bucket dripped, full or not.
			move(p.first, i)
			level = max(0, level+p.n-m.rate*(p.at-p.first).Seconds())
			at = p.at
		} else {
			move(until, i)
			if m.kind != fixed || m.number(p.first) == window { // else it is not known in which
				level += p.n
			}
		}
		if p.at-p.first <= coarse && until >= h.trusted {
			proven = max(proven, level)
		}
	}
}

// coarse is how long a piece may have taken to go out and still tell something
// about what m showed.
func (m *meter) coarse(unit float64) time.Duration {
	if m.kind == dripping {
		return seconds(unit / m.rate)
	}
	return m.window / 64
}

// number is that of the fixed window in which at is.
func (m *meter) number(at Moment) int64 {
	d := at - m.phase
	n := int64(d / m.window)
	if d%m.window < 0 {
		n--
	}
	return n
}

// bound is what r says if m showed level then, with i pieces before it. Where
// all that is known is that one request more was too much, half of one is
// thought to have been there.
func (h *History) bound(m *meter, r *refusal, level float64, i int) (b bound) {
	half := r.cost / 2
	b = bound{high: level + half}
	if !r.told() {
		b.odd = level <= 0
		return b
	}
	switch m.kind {
	case dripping:
		b.low = max(level+r.cost-m.rate*(r.till-r.at).Seconds(), 0)
		b.high = level + r.cost - m.rate*max((r.from-r.at).Seconds(), 0)
		if !r.exact() {
			b.high = min(b.high, level+half)
		}
		b.odd = level <= 0
	case sliding:
		low, high := r.cost, half
		for i--; i >= 0 && h.sent[i].at > r.from-m.window-blur; i-- {
			high += h.sent[i].n
			if h.sent[i].first > r.till-m.window+blur {
				low += h.sent[i].n
			}
		}
		b = bound{low: low, high: min(high, b.high), odd: high < low}
	case fixed:
		// The next window must begin where the refusal says.
		begins := m.phase + time.Duration(m.number(r.from-blur)+1)*m.window
		b.odd = begins > r.till+blur || r.from-r.at > m.window+blur || level <= 0
	}
	return b
}

// blur is how much later or earlier a vendor may see what goes out.
const blur = 15 * time.Millisecond
