package cli

import (
	"fmt"
	"net/http"
	"net/url"

	"portico/internal/admin"
	"portico/internal/explain"
)

type explainCmd struct {
	ID       string `arg:"" optional:"" help:"The request's id, from x-portico-request-id or portico logs."`
	Model    string `name:"model" placeholder:"NAME" help:"Tell what would happen to a request for this model that came now."`
	Protocol string `name:"protocol" default:"openai-chat" enum:"openai-chat,openai-responses,anthropic,gemini" help:"The client's protocol, with --model."`
	Key      string `name:"key" placeholder:"NAME" help:"The client key that it comes with, with --model."`
	Session  string `name:"session" placeholder:"NAME" help:"The conversation as its client names it, with --model."`
	Tokens   int64  `name:"tokens" placeholder:"N" help:"How long the request is, with --model."`
	Output   int64  `name:"output" placeholder:"N" help:"The longest answer that it asks for, in tokens, with --model."`

	Needs      []string `name:"needs" placeholder:"ABILITY" help:"What the model has to be able to do, with --model: vision, audio, documents, tools, thinking, schema."`
	Background string   `name:"background" placeholder:"KIND" help:"What kind of background work it is, with --model: title, topic, probe, summary."`
	JSON       bool     `name:"json" help:"Print JSON."`
}

// Help shows where ids come from.
func (*explainCmd) Help() string {
	return `Every answer carries the header x-portico-request-id.

Examples:
  portico explain req_01jd2m4k7q8x9y0z1a2b3c4d5e
  portico explain --json req_01jd2m4k7q8x9y0z1a2b3c4d5e
  portico explain --model claude-sonnet-4-5 --protocol anthropic
  portico explain --model auto --tokens 200000 --needs vision,tools`
}

// Run tells the story of a request, or what would become of one.
func (c *explainCmd) Run(g *globals) error {
	if (c.ID == "") == (c.Model == "") {
		return &failure{exitUsage, "name a request, or a model with --model", "portico explain --help"}
	}
	if c.Model != "" {
		return c.foresee(g)
	}
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

func (c *explainCmd) foresee(g *globals) error {
	return g.with(func(k *client) error {
		var o explain.Outlook
		q := admin.Question{Model: c.Model, Protocol: c.Protocol, Key: c.Key, Session: c.Session, Tokens: c.Tokens, Output: c.Output, Needs: c.Needs, Background: c.Background}
		if err := k.call(g.ctx, http.MethodPost, "/api/explain", q, &o); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(g.out, o)
		}
		_, err := fmt.Fprint(g.out, o.Text())
		return err
	})
}
