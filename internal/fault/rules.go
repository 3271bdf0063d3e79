package fault

import (
	"strings"
	"time"
)

// A Rule maps a sign to what it means. Empty fields match anything; text is
// compared without regard to case.
type Rule struct {
	Status int
	Type   string
	Code   string
	Says   string // a phrase of the message or the details

	Class Class
	Scope Scope
	After time.Duration // the wait if the vendor names none
}

func (r *Rule) matches(s *Sign) bool {
	return (r.Status == 0 || r.Status == s.Status) &&
		(r.Type == "" || strings.EqualFold(r.Type, s.Type)) &&
		(r.Code == "" || strings.EqualFold(r.Code, s.Code)) &&
		(r.Says == "" || contains(s.Message, r.Says) || contains(s.Details, r.Says))
}

func contains(text, phrase string) bool {
	for i := 0; i+len(phrase) <= len(text); i++ {
		if strings.EqualFold(text[i:i+len(phrase)], phrase) {
			return true
		}
	}
	return false
}

// Rules are tried in order; the first match wins. A provider puts codes and
// types first, wording after them, and ByStatus last.
type Rules []Rule

// MaxWait is the longest wait that is believed.
const MaxWait = 24 * time.Hour

// Judge returns the fault that s is a sign of, at now. A sign that no rule
// knows is judged by its status; without one it is Unknown, which blames
// nobody and is shown as unknown.
func (rs Rules) Judge(s Sign, now time.Time) *Fault {
	f := &Fault{Phase: s.Phase, Status: s.Status, Code: s.Code, Param: s.Param, Msg: s.Message, Link: s.Link}
	if f.Code == "" {
		f.Code = s.Type
	}
	r := rs.find(&s)
	f.Class, f.Scope = r.Class, r.Scope
	f.After = wait(&s, now)
	if f.After == 0 {
		f.After = r.After
	}
	f.After = min(f.After, MaxWait)
	return f
}

func (rs Rules) find(s *Sign) *Rule {
	for _, list := range []Rules{rs, ByStatus} {
		for i := range list {
			if list[i].matches(s) {
				return &list[i]
			}
		}
	}
	switch {
	case s.Status >= 500:
		return &Rule{Class: Broken, Scope: Endpoint}
	case s.Status >= 400:
		return &Rule{Class: BadRequest, Scope: Request}
	}
	return &Rule{Class: Unknown, Scope: Request}
}

// wait is how long the upstream asks to wait: in the body, in a header, or by
// the reset of the limit that is used up.
func wait(s *Sign, now time.Time) time.Duration {
	if s.After > 0 {
		return s.After
	}
	if s.Header == nil {
		return 0
	}
	if v := s.Header.Get("Retry-After-Ms"); v != "" {
		if d, ok := ParseDelay(v+"ms", now); ok {
			return d
		}
	}
	if v := s.Header.Get("Retry-After"); v != "" {
		if d, ok := ParseDelay(v, now); ok {
			return d
		}
	}
	if s.Status != 429 {
		return 0
	}
	var most time.Duration
	for _, l := range limitHeaders {
		if s.Header.Get(l.remaining) == "0" {
			if d, ok := ParseDelay(s.Header.Get(l.reset), now); ok {
				most = max(most, d)
			}
		}
	}
	return most
}

// limitHeaders are the rate-limit headers of OpenAI (reset is a duration) and
// Anthropic (reset is an instant); spec: upstreams §1A.4, §4.3.
var limitHeaders = []struct{ remaining, reset string }{
	{"X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests"},
	{"X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens"},
	{"Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Reset"},
	{"Anthropic-Ratelimit-Tokens-Remaining", "Anthropic-Ratelimit-Tokens-Reset"},
	{"Anthropic-Ratelimit-Input-Tokens-Remaining", "Anthropic-Ratelimit-Input-Tokens-Reset"},
	{"Anthropic-Ratelimit-Output-Tokens-Remaining", "Anthropic-Ratelimit-Output-Tokens-Reset"},
}

// ByStatus are the rules for what a status alone can tell. They are tried
// after a provider's own.
var ByStatus = Rules{
	{Status: 400, Class: BadRequest, Scope: Request},
	{Status: 401, Class: CredentialInvalid, Scope: Account},
	{Status: 402, Class: QuotaSpent, Scope: Account},
	{Status: 403, Class: Permission, Scope: Account},
	{Status: 404, Class: ModelDenied, Scope: Model},
	{Status: 408, Class: Timeout, Scope: Endpoint},
	{Status: 409, Class: Broken, Scope: Request},
	{Status: 413, Class: BadRequest, Scope: Request},
	{Status: 422, Class: BadRequest, Scope: Request},
	{Status: 425, Class: Overloaded, Scope: Endpoint},
	{Status: 429, Class: RateLimited, Scope: Model},
	{Status: 499, Class: Network, Scope: Endpoint},
	{Status: 503, Class: Overloaded, Scope: Model},
	{Status: 504, Class: Timeout, Scope: Endpoint},
	{Status: 529, Class: Overloaded, Scope: Model},
}
