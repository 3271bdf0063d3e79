package cli

import (
	"strconv"
	"strings"
	"time"

	"portico/internal/admin"
)

// left says what is left of an account's quotas.
func left(qs []admin.Quota, now time.Time) string {
	out := make([]string, len(qs))
	for i, q := range qs {
		out[i] = q.Window + " " + strconv.FormatFloat(q.LeftPercent, 'f', -1, 64) + "%"
		if !q.RunsDry.IsZero() {
			out[i] += " (dry in " + q.RunsDry.Sub(now).Round(time.Minute).String() + ")"
		}
	}
	return strings.Join(out, ", ")
}
