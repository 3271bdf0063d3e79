package cli

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"portico/internal/admin"
)

type accessCmd struct {
	List   accessList   `cmd:"" help:"List the rules on addresses and what they did."`
	Allow  accessAllow  `cmd:"" help:"Let an address or a range in."`
	Deny   accessDeny   `cmd:"" help:"Keep an address or a range out."`
	Remove accessRemove `cmd:"" help:"Remove a rule."`
	Log    accessLog    `cmd:"" help:"List who was refused at the gate, and why."`
	Audit  accessAudit  `cmd:"" help:"List what operators did."`
}

type accessList struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help says which rule counts.
func (*accessList) Help() string {
	return `Of the rules that an address lies in, the one with the narrowest range counts. HITS are the requests that a rule has decided.

Examples:
  portico access list
  portico access list --json`
}

// Run lists rules.
func (c *accessList) Run(g *globals) error {
	return listing(g, "/api/access/rules", c.JSON, "There is no rule. Make one with: portico access deny RANGE",
		"ID\tKIND\tRANGE\tSTATE\tEXPIRES\tHITS\tLAST HIT\tREASON", func(r *admin.AddressRule) []string {
			return []string{r.ID, r.Kind, r.Range, r.State, stamp(r.Expires), strconv.FormatInt(r.Hits, 10), stamp(r.LastHit), r.Reason}
		})
}

// ruleFlags are what allow and deny take.
type ruleFlags struct {
	Range   string `arg:"" help:"An address of IPv4 or IPv6, or a range such as 10.0.0.0/8."`
	Reason  string `placeholder:"TEXT" help:"Why, for later."`
	Expires string `placeholder:"WHEN" help:"When it ends: 2027-01-31, 30d, 12h; never by default."`
	Force   bool   `help:"Make it even if it keeps out the address that asks."`
	JSON    bool   `name:"json" help:"Print JSON."`
}

func (c *ruleFlags) make(g *globals, kind string) error {
	in := admin.NewRule{Kind: kind, Range: c.Range, Reason: c.Reason, Force: c.Force}
	if c.Expires != "" {
		var err error
		if in.Expires, err = moment(c.Expires, time.Now()); err != nil {
			return err
		}
	}
	return g.with(func(k *client) error {
		var r admin.AddressRule
		if err := k.call(g.ctx, http.MethodPost, "/api/access/rules", in, &r); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(g.out, r)
		}
		_, err := fmt.Fprintf(g.out, "%s %s (%s)\n", r.Kind, r.Range, r.ID)
		return err
	})
}

type accessAllow struct{ ruleFlags }

// Help says when such a rule matters.
func (*accessAllow) Help() string {
	return `A rule that allows opens a part of a range that another one denies. With access.only_listed, nobody else may call. This machine itself is never refused.

Examples:
  portico access allow 192.168.1.20
  portico access allow 10.20.0.0/16 --reason office --expires 90d`
}

// Run allows a range.
func (c *accessAllow) Run(g *globals) error { return c.make(g, "allow") }

type accessDeny struct{ ruleFlags }

// Help says what is told.
func (*accessDeny) Help() string {
	return `Requests from the range are refused with 403, whatever key they show. This machine itself is never refused.

Examples:
  portico access deny 203.0.113.0/24 --reason scanner
  portico access deny 2001:db8::/32 --expires 12h`
}

// Run denies a range.
func (c *accessDeny) Run(g *globals) error { return c.make(g, "deny") }

type accessRemove struct {
	Rule  string `arg:"" help:"The rule's id, or its range."`
	Force bool   `help:"Remove it even if that keeps out the address that asks."`
}

// Help shows both names of a rule.
func (*accessRemove) Help() string {
	return `The rule ends at once, and what it has counted is forgotten.

Examples:
  portico access remove 203.0.113.0/24
  portico access remove K7QY3ZJ5M2XW4TNRBV6C1HGDPA`
}

// Run removes a rule.
func (c *accessRemove) Run(g *globals) error {
	return g.with(func(k *client) error {
		id := c.Rule
		var l admin.List[admin.AddressRule]
		if err := k.call(g.ctx, http.MethodGet, "/api/access/rules", nil, &l); err != nil {
			return err
		}
		for i := range l.Items {
			if l.Items[i].Range == whole(c.Rule) {
				id = l.Items[i].ID
			}
		}
		path := "/api/access/rules/" + url.PathEscape(id)
		if c.Force {
			path += "?force=true"
		}
		if err := k.call(g.ctx, http.MethodDelete, path, nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintln(g.out, "removed", printable(c.Rule))
		return err
	})
}

// whole is a range as the API tells it: an address alone is a range of one.
func whole(s string) string {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()).String()
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked().String()
	}
	return s
}

// pastFlags say how much of the past is listed.
type pastFlags struct {
	Since string `placeholder:"WHEN" help:"Not what is older: 2026-01-31T08:00:00Z, or a time ago such as 12h."`
	From  string `placeholder:"ADDRESS" help:"Only what came from one address."`
	Limit int    `short:"n" default:"50" placeholder:"NUMBER" help:"How many, newest first; 50 by default, at most 1000."`
	JSON  bool   `name:"json" help:"Print JSON."`
}

func (c *pastFlags) query(now time.Time) (url.Values, error) {
	q := url.Values{"limit": {strconv.Itoa(min(max(c.Limit, 1), 1000))}}
	if c.From != "" {
		q.Set("address", c.From)
	}
	if c.Since == "" {
		return q, nil
	}
	since, err := time.Parse(time.RFC3339, c.Since)
	if err != nil {
		d, bad := time.ParseDuration(c.Since)
		if bad != nil || d < 0 {
			return nil, &failure{exitUsage, "the moment " + strconv.Quote(c.Since) + " cannot be read", "write 2026-01-31T08:00:00Z or 12h"}
		}
		since = now.Add(-d)
	}
	q.Set("since", since.UTC().Format(time.RFC3339))
	return q, nil
}

type accessLog struct {
	pastFlags
	Code string `placeholder:"CODE" help:"Only one reason, such as invalid_key or address_refused."`
	Key  string `placeholder:"NAME" help:"Only those of one client key."`
}

// Help says what an entry is.
func (*accessLog) Help() string {
	return `What is the same within a minute is one line, and TIMES says how often it happened. The latest 10,000 are kept; requests that were let in are listed by portico logs.

Examples:
  portico access log
  portico access log --code invalid_key --since 24h
  portico access log --from 192.168.1.20 --json`
}

// Run lists what was refused.
func (c *accessLog) Run(g *globals) error {
	q, err := c.query(time.Now())
	if err != nil {
		return err
	}
	for name, v := range map[string]string{"code": c.Code, "key": c.Key} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return listing(g, "/api/access/log?"+q.Encode(), c.JSON, "Nobody was refused.",
		"LAST\tADDRESS\tWHY\tKEY\tTIMES\tPATH", func(n *admin.GateNote) []string {
			return []string{stamp(n.Last), n.Address, n.Code, n.Key, strconv.FormatInt(n.Count, 10), n.Path}
		})
}

type accessAudit struct {
	pastFlags
	What string `placeholder:"OPERATION" help:"Only one kind, such as add-key."`
}

// Help says who is meant.
func (*accessAudit) Help() string {
	return `WHO is token for the admin token, or a session with its id. An act without an address was done by a command while no gateway ran. The latest 10,000 are kept.

Examples:
  portico access audit
  portico access audit --what set-password --since 720h`
}

// Run lists what operators did.
func (c *accessAudit) Run(g *globals) error {
	q, err := c.query(time.Now())
	if err != nil {
		return err
	}
	if c.What != "" {
		q.Set("what", c.What)
	}
	return listing(g, "/api/audit?"+q.Encode(), c.JSON, "Nothing was changed yet.",
		"WHEN\tWHO\tADDRESS\tWHAT\tWHOM", func(a *admin.Act) []string {
			return []string{stamp(a.At), a.Who, a.Address, a.What, a.Whom}
		})
}
