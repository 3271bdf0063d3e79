package cli

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"portico/internal/admin"
)

type quotaCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help says where the figures come from.
func (*quotaCmd) Help() string {
	return `Vendors tell it with their answers, or when they are asked (quota.poll). An account whose vendor says nothing is not in the list: what is unknown is not all there. RUNS DRY is a forecast, if the account is used on as fast as in its window so far. KEPT OUT says that so little is left that the account is protected (quota.protect).

Examples:
  portico quota
  portico quota --json`
}

// Run lists what is left, a line for each account and window.
func (c *quotaCmd) Run(g *globals) error {
	return g.with(func(k *client) error {
		var l admin.List[admin.Account]
		if err := k.call(g.ctx, http.MethodGet, "/api/accounts", nil, &l); err != nil {
			return err
		}
		type row struct {
			Account string `json:"account"`
			admin.Quota
		}
		rows := []row{}
		for _, a := range l.Items {
			for _, q := range a.Quota {
				rows = append(rows, row{a.Name, q})
			}
		}
		if c.JSON {
			return printJSON(g.out, rows)
		}
		if len(rows) == 0 {
			_, err := fmt.Fprintln(g.out, "No vendor has said yet what is left of an account.")
			return err
		}
		now := time.Now()
		var lines [][]string
		for _, r := range rows {
			out := ""
			if r.Protected {
				out = "yes"
			}
			lines = append(lines, []string{r.Account, r.Window, share(&r.Quota), until(r.Resets, now), until(r.RunsDry, now), out})
		}
		return table(g.out, "ACCOUNT\tWINDOW\tLEFT\tRESETS IN\tRUNS DRY IN\tKEPT OUT", lines)
	})
}

// share is what is left of q.
func share(q *admin.Quota) string {
	var out []string
	if q.LeftPercent != nil {
		out = append(out, strconv.FormatFloat(*q.LeftPercent, 'f', -1, 64)+"%")
	}
	if q.Amount != nil {
		out = append(out, strings.TrimSpace(strconv.FormatFloat(*q.Amount, 'f', 2, 64)+" "+q.Currency))
	}
	return strings.Join(out, ", ")
}

// left says what is left of an account's quotas.
func left(qs []admin.Quota, now time.Time) string {
	out := make([]string, len(qs))
	for i, q := range qs {
		out[i] = q.Window + " " + share(&q)
		switch {
		case q.Protected:
			out[i] += " (protected)"
		case !q.RunsDry.IsZero():
			out[i] += " (dry in " + q.RunsDry.Sub(now).Round(time.Minute).String() + ")"
		}
	}
	return strings.Join(out, ", ")
}
