package cli

import (
	"bufio"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"portico/internal/admin"
	"portico/internal/journal"
)

type logsCmd struct {
	Follow  bool   `short:"f" help:"Go on with what ends from now on."`
	Limit   int    `short:"n" default:"20" placeholder:"NUMBER" help:"How many, newest last; 20 by default, at most 500."`
	Account string `placeholder:"NAME" help:"Only those of one account."`
	Model   string `placeholder:"NAME" help:"Only those of one model, asked for or served."`
	Failed  bool   `help:"Only those whose client was told a fault."`
	JSON    bool   `name:"json" help:"Print one JSON object a line."`
}

// Help shows how to look for requests.
func (*logsCmd) Help() string {
	return `A line is: when it began, its id, the status that the client got, how long it took, the client's protocol, the account, the model, and the tokens or the fault.

Examples:
  portico logs
  portico logs --follow
  portico logs --failed --account work -n 100 --json`
}

// Run lists requests, and follows.
func (c *logsCmd) Run(g *globals) error {
	return g.with(func(k *client) error {
		q := url.Values{"limit": {strconv.Itoa(min(max(c.Limit, 1), 500))}}
		for name, v := range map[string]string{"account": c.Account, "model": c.Model} {
			if v != "" {
				q.Set(name, v)
			}
		}
		if c.Failed {
			q.Set("fault", "any")
		}
		var l admin.List[admin.Request]
		if err := k.call(g.ctx, http.MethodGet, "/api/requests?"+q.Encode(), nil, &l); err != nil {
			return err
		}
		for i := len(l.Items) - 1; i >= 0; i-- {
			if err := c.line(g.out, &l.Items[i]); err != nil {
				return err
			}
		}
		if !c.Follow {
			return nil
		}
		if k.running == nil {
			return &failure{exitError, "no gateway runs, so there is nothing to follow", "portico serve"}
		}
		return c.follow(g.ctx, k, g.out)
	})
}

func (c *logsCmd) wants(r *admin.Request) bool {
	return (c.Account == "" || r.Account == c.Account) && (c.Model == "" || r.Asked == c.Model || r.Served == c.Model) && (!c.Failed || r.Fault != "")
}

// follow reads the live feed until it ends.
func (c *logsCmd) follow(ctx context.Context, k *client, out io.Writer) error {
	resp, err := k.send(ctx, http.MethodGet, "/api/live", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
		return refused(resp.StatusCode, b)
	}
	in := bufio.NewReaderSize(resp.Body, 1<<16)
	for {
		line, err := in.ReadString('\n')
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			var r admin.Request
			if json.Unmarshal([]byte(data), &r, journal.JSON) == nil && r.ID != "" && c.wants(&r) {
				if err := c.line(out, &r); err != nil {
					return err
				}
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, io.EOF):
			return &failure{exitError, "the gateway has stopped", ""}
		case err != nil:
			return err
		}
	}
}

func (c *logsCmd) line(out io.Writer, r *admin.Request) error {
	if c.JSON {
		b, err := json.Marshal(r, journal.JSON)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, string(b))
		return err
	}
	what := r.Asked
	if r.Served != "" && r.Served != r.Asked {
		what += " as " + r.Served
	}
	if what == "" {
		what = r.Path
	}
	end := fmt.Sprintf("%d in, %d out", r.Usage.Input+r.Usage.CacheRead+r.Usage.CacheWrite, r.Usage.Output+r.Usage.Reasoning)
	if r.Fault != "" {
		end = r.Fault + ": " + r.Error
	}
	_, err := fmt.Fprintf(out, "%s  %s  %d  %6s  %-16s  %-12s  %s  %s\n", r.Start.Local().Format(time.DateTime), r.ID, r.Status,
		took(r.Took), printable(r.Inbound), printable(r.Account), printable(what), printable(end))
	return err
}

// took is a time as it is shown: whole milliseconds, and not 0s for less.
func took(d time.Duration) string {
	if d < time.Millisecond {
		return "<1ms"
	}
	return d.Round(time.Millisecond).String()
}
