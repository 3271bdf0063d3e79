package clientkey

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A span is a part of a week, in minutes since the midnight that begins Monday.
// until may be beyond the week's end: the span goes on in the next one.
type span struct{ from, until int }

const (
	dayMinutes  = 24 * 60
	weekMinutes = 7 * dayMinutes
)

// hours are when a key may be used, by the clocks of a zone; without spans it
// always may be.
type hours struct {
	spans []span
	zone  *time.Location
}

var days = [...]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// parseHours reads texts such as "mon-fri 08:00-18:00", "sat,sun 10:00-14:00",
// "22:00-06:00" (every day, over midnight) and "sun" (the whole day).
func parseHours(texts []string, zone *time.Location) (hours, error) {
	h := hours{zone: zone}
	for _, t := range texts {
		bad := fmt.Errorf("%q is not such as mon-fri 08:00-18:00", clip(t))
		on := [7]bool{true, true, true, true, true, true, true}
		from, until := 0, dayMinutes
		words := strings.Fields(strings.ToLower(t))
		if len(words) == 0 || len(words) > 2 {
			return h, bad
		}
		if !strings.Contains(words[0], ":") {
			var ok bool
			if on, ok = parseDays(words[0]); !ok {
				return h, bad
			}
			words = words[1:]
		}
		if len(words) > 1 {
			return h, bad
		}
		if len(words) == 1 {
			a, b, _ := strings.Cut(words[0], "-")
			var fine [2]bool
			from, fine[0] = parseClock(a)
			until, fine[1] = parseClock(b)
			if !fine[0] || !fine[1] || from == until || from == dayMinutes {
				return h, bad
			}
			if until < from {
				until += dayMinutes
			}
		}
		for d, is := range on {
			if is {
				h.spans = append(h.spans, span{d*dayMinutes + from, d*dayMinutes + until})
			}
		}
	}
	return h, nil
}

// parseDays reads "mon-fri" or "sat,sun"; a range may go over Sunday.
func parseDays(s string) (on [7]bool, ok bool) {
	for part := range strings.SplitSeq(s, ",") {
		a, b, ranged := strings.Cut(part, "-")
		if !ranged {
			b = a
		}
		from, until := day(a), day(b)
		if from < 0 || until < 0 {
			return on, false
		}
		for d := from; ; d = (d + 1) % 7 {
			on[d] = true
			if d == until {
				break
			}
		}
	}
	return on, true
}

func day(s string) int {
	for i, d := range days {
		if s == d {
			return i
		}
	}
	return -1
}

// parseClock reads "08:30"; 24:00 is the end of a day.
func parseClock(s string) (minutes int, ok bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	h, err := strconv.ParseUint(s[:2], 10, 8)
	m, err2 := strconv.ParseUint(s[3:], 10, 8)
	if err != nil || err2 != nil || h > 24 || m > 59 || h == 24 && m > 0 {
		return 0, false
	}
	return int(h)*60 + int(m), true
}

// open reports whether now is within the hours.
func (h *hours) open(now time.Time) bool {
	if len(h.spans) == 0 {
		return true
	}
	t := now.In(h.zone)
	at := (int(t.Weekday())+6)%7*dayMinutes + t.Hour()*60 + t.Minute()
	for _, s := range h.spans {
		if at >= s.from && at < s.until || at+weekMinutes < s.until {
			return true
		}
	}
	return false
}

// next is the first quarter of an hour from now on that is within the hours;
// zero if there is none within eight days.
func (h *hours) next(now time.Time) time.Time {
	const step = 15 * time.Minute
	t := now.Truncate(step)
	for range 8 * 24 * 4 {
		t = t.Add(step)
		if h.open(t) {
			return t
		}
	}
	return time.Time{}
}
