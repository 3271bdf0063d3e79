package cli

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"portico/internal/admin"
	"portico/internal/journal"
)

// printJSON writes v for programs, on lines of its own.
func printJSON(w io.Writer, v any) error {
	b, err := json.Marshal(v, journal.JSON, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, string(b))
	return err
}

// table writes rows in columns.
func table(w io.Writer, head string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, head)
	for _, r := range rows {
		for i := range r {
			r[i] = printable(r[i])
			if r[i] == "" {
				r[i] = "-"
			}
		}
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	return t.Flush()
}

// printable leaves out what a terminal would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return -1
		}
		return r
	}, s)
}

// until says how long it is to t, in words a person reads at a glance.
func until(t time.Time, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Sub(now).Round(time.Second).String()
}

// listing prints what the gateway lists at path: as JSON, as a table under head,
// or none if there is nothing.
func listing[T any](g *globals, path string, asJSON bool, none, head string, row func(*T) []string) error {
	return g.with(func(k *client) error {
		var l admin.List[T]
		if err := k.call(g.ctx, http.MethodGet, path, nil, &l); err != nil {
			return err
		}
		if asJSON {
			return printJSON(g.out, l.Items)
		}
		if len(l.Items) == 0 {
			_, err := fmt.Fprintln(g.out, none)
			return err
		}
		rows := make([][]string, len(l.Items))
		for i := range l.Items {
			rows[i] = row(&l.Items[i])
		}
		return table(g.out, head, rows)
	})
}
