package cli

import (
	"fmt"
	"net/http"
	"net/url"

	"portico/internal/admin"
)

type explainCmd struct {
	ID   string `arg:"" help:"The request's id, from x-portico-request-id or portico logs."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Help shows where ids come from.
func (*explainCmd) Help() string {
	return `Every answer carries the header x-portico-request-id.

Examples:
  portico explain req_01jd2m4k7q8x9y0z1a2b3c4d5e
  portico explain --json req_01jd2m4k7q8x9y0z1a2b3c4d5e`
}

// Run tells the story of a request.
func (c *explainCmd) Run(g *globals) error {
	return g.with(func(k *client) error {
		var r admin.ExplainedRequest
		if err := k.call(g.ctx, http.MethodGet, "/api/requests/"+url.PathEscape(c.ID), nil, &r); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(g.out, r)
		}
		_, err := fmt.Fprintln(g.out, r.Explanation.Text())
		return err
	})
}
