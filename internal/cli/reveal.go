package cli

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"portico/internal/admin"
)

type accountReveal struct {
	Name string `arg:"" help:"The account."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Help says what is printed.
func (*accountReveal) Help() string {
	return `The account's credential is printed alone, unless it has other secrets too. The act is in the audit log (portico access audit).

Examples:
  portico account reveal work
  portico account reveal work --json`
}

// Run prints an account's secrets.
func (c *accountReveal) Run(g *globals) error {
	return g.with(func(k *client) error {
		var r admin.Revealed
		if err := k.call(g.ctx, http.MethodPost, "/api/accounts/"+url.PathEscape(c.Name)+"/reveal", struct{}{}, &r); err != nil {
			return err
		}
		switch {
		case c.JSON:
			return printJSON(g.out, r)
		case r.Proxy == "" && len(r.Headers) == 0 && len(r.Options) == 0:
			_, err := fmt.Fprintln(g.out, r.APIKey)
			return err
		}
		lines := [][2]string{{"api_key", r.APIKey}, {"proxy", r.Proxy}}
		for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
			lines = append(lines, [2]string{"headers." + name, r.Headers[name]})
		}
		for _, name := range slices.Sorted(maps.Keys(r.Options)) {
			lines = append(lines, [2]string{"options." + name, r.Options[name]})
		}
		for _, l := range lines {
			if l[1] == "" {
				continue
			}
			if _, err := fmt.Fprintf(g.out, "%s: %s\n", l[0], printable(l[1])); err != nil {
				return err
			}
		}
		return nil
	})
}
