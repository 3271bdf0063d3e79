package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Units of a size, the longer suffix first.
var sizeUnits = []struct {
	suffix string
	bytes  int64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"kB", 1e3},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"B", 1},
}

// parseSize reads "100MiB", "1.5GB" or a plain number of bytes.
func parseSize(s string) (int64, error) {
	unit := int64(1)
	number := s
	for _, u := range sizeUnits {
		if head, ok := strings.CutSuffix(s, u.suffix); ok {
			number, unit = strings.TrimSpace(head), u.bytes
			break
		}
	}
	if n, err := strconv.ParseInt(number, 10, 64); err == nil && n >= 0 && n <= math.MaxInt64/unit {
		return n * unit, nil
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || !(f >= 0) || f*float64(unit) >= math.MaxInt64 {
		return 0, fmt.Errorf("%s is not a size such as 100MiB", quote(s))
	}
	return int64(f * float64(unit)), nil
}

// formatSize is the shortest exact spelling in binary units.
func formatSize(n int64) string {
	for _, u := range []int{3, 2, 1, 0} {
		if b := sizeUnits[u].bytes; n >= b && n%b == 0 {
			return strconv.FormatInt(n/b, 10) + sizeUnits[u].suffix
		}
	}
	return strconv.FormatInt(n, 10)
}

// parseDuration reads what time.ParseDuration does, and days and weeks in
// front: "90d", "1w", "1d12h", "15s".
func parseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf("%s is not a duration such as 15s, 5m or 90d", quote(s))
	var total time.Duration
	rest := s
	for _, u := range []struct {
		name string
		is   time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		head, tail, ok := strings.Cut(rest, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(head, 10, 63)
		if err != nil || int64(n) > int64((math.MaxInt64-total)/u.is) {
			return 0, bad
		}
		total += time.Duration(n) * u.is
		rest = tail
	}
	if rest == "" && s != "" {
		return total, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil {
		if _, err := strconv.ParseFloat(rest, 64); err == nil {
			return 0, fmt.Errorf("%s has no unit; write %ss, %sm or %sh", quote(s), s, s, s)
		}
		return 0, bad
	}
	if d < 0 || total > math.MaxInt64-d {
		return 0, bad
	}
	return total + d, nil
}

// formatDuration is what parseDuration reads, without the zeros that
// time.Duration prints: "5m", not "5m0s".
func formatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, fmt.Errorf("%s is not true or false", quote(s))
}

func parseInt(s string) (int64, error) {
	n, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%s is out of every range", quote(s))
	}
	if err != nil {
		return 0, fmt.Errorf("%s is not a whole number", quote(s))
	}
	return n, nil
}

// quote shows a value that the operator wrote in a message: on one line, and
// cut, since a message is no place for a megabyte.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}
