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

	// Silent matches only if the upstream names no wait, not even by the
	// reset of a limit that is used up.
	Silent bool
	// Over matches only if the upstream asks for a longer wait than this.
	Over time.Duration

	Class Class
	Scope Scope
	Param string        // the parameter that is blamed, if the vendor names none
	After time.Duration // the wait if the vendor names none
	// Unheeded drops the wait that the vendor names, since it belongs to
	// another limit than the one that is meant: Google sends the seconds of
	// the minute's limit with an exhausted day.
	Unheeded bool
}

// Matches reports whether the rule is about s, at now.
func (r *Rule) Matches(s *Sign, now time.Time) bool {
	asked, named := wait(s, now)
	return r.matches(s, asked, named)
}

func (r *Rule) matches(s *Sign, asked time.Duration, named bool) bool {
	return (r.Status == 0 || r.Status == s.Status) &&
		(!r.Silent || !named) &&
		(r.Over == 0 || asked > r.Over) &&
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
// types first, wording after them; ByStatus follows them all.
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
	asked, named := wait(&s, now)
	r := rs.find(&s, asked, named)
	f.Class, f.Scope, f.After = r.Class, r.Scope, asked
	if f.Param == "" {
		f.Param = r.Param
	}
	if asked == 0 || r.Unheeded {
		f.After = r.After
	}
	f.After = min(f.After, MaxWait)
	if f.Class == RateLimited {
		f.Limit = limit(&s)
	}
	return f
}

// limitWords are phrases by which vendors tell of what kind a limit is, the
// first that is found counts. Spec: upstreams §4.2 to §4.4; Google names the
// limit by an id such as GenerateContentInputTokensPerModelPerMinute.
var limitWords = []struct {
	says  string
	limit Limit
}{
	{"concurren", AtOnce},
	{"simultaneous", AtOnce},
	{"parallel requests", AtOnce},
	{"tokens per min", OfTokens},
	{"token per min", OfTokens},
	{"input tokens", OfTokens},
	{"output tokens", OfTokens},
	{"TokensPerM", OfTokens},
	{"(TPM)", OfTokens},
	{" TPM", OfTokens},
	{":TPM", OfTokens},
	{"token rate limit", OfTokens},
}

func limit(s *Sign) Limit {
	if strings.EqualFold(s.Type, "tokens") {
		return OfTokens
	}
	for _, w := range limitWords {
		if contains(s.Message, w.says) || contains(s.Details, w.says) {
			return w.limit
		}
	}
	return OfRequests
}

func (rs Rules) find(s *Sign, asked time.Duration, named bool) *Rule {
	for _, list := range []Rules{rs, ByStatus} {
		for i := range list {
			if list[i].matches(s, asked, named) {
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

// wait is how long the upstream asks to wait: in the body's own field, in a
// header, by the reset of the limit that is used up, or in prose. named is
// false if it says nothing of it; a moment that has passed is a named wait of
// 0.
func wait(s *Sign, now time.Time) (d time.Duration, named bool) {
	if s.After > 0 {
		return s.After, true
	}
	if v := s.Header.Get("Retry-After-Ms"); v != "" {
		if d, ok := ParseDelay(v+"ms", now); ok {
			return d, true
		}
	}
	if v := s.Header.Get("Retry-After"); v != "" {
		if d, ok := ParseDelay(v, now); ok {
			return d, true
		}
	}
	if s.Status != 429 {
		return prose(s)
	}
	for _, l := range limitHeaders {
		if s.Header.Get(l.state) == l.spent {
			if v, ok := ParseDelay(s.Header.Get(l.reset), now); ok {
				d, named = max(d, v), true
			}
		}
	}
	if named {
		return d, true
	}
	return prose(s)
}

// prose reads the wait from the message, where it means one: in a refusal for
// lack of capacity, or in a stream, which has no status of its own. In a
// message about the request such a phrase may be a quotation of it.
func prose(s *Sign) (time.Duration, bool) {
	switch s.Status {
	case 0, 200, 429, 503, 529:
		return FindDelay(s.Message)
	}
	return 0, false
}

// limitHeaders are the headers of rate limits: where a limit's state stands,
// what it says when nothing is left, and when that ends. OpenAI's reset is a
// duration, OpenRouter's a Unix time in milliseconds, Anthropic's an instant,
// and that of a Claude subscription a Unix time in seconds; spec: upstreams
// §1A.4, §4.3.
var limitHeaders = []struct{ state, spent, reset string }{
	{"X-Ratelimit-Remaining-Requests", "0", "X-Ratelimit-Reset-Requests"},
	{"X-Ratelimit-Remaining-Tokens", "0", "X-Ratelimit-Reset-Tokens"},
	{"X-Ratelimit-Remaining", "0", "X-Ratelimit-Reset"},
	{"Anthropic-Ratelimit-Requests-Remaining", "0", "Anthropic-Ratelimit-Requests-Reset"},
	{"Anthropic-Ratelimit-Tokens-Remaining", "0", "Anthropic-Ratelimit-Tokens-Reset"},
	{"Anthropic-Ratelimit-Input-Tokens-Remaining", "0", "Anthropic-Ratelimit-Input-Tokens-Reset"},
	{"Anthropic-Ratelimit-Output-Tokens-Remaining", "0", "Anthropic-Ratelimit-Output-Tokens-Reset"},
	{"Anthropic-Ratelimit-Unified-Status", "rejected", "Anthropic-Ratelimit-Unified-Reset"},
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
	{Status: 501, Class: BadRequest, Scope: Request}, // it does not have what was asked for; it is not broken
	{Status: 503, Class: Overloaded, Scope: Model},
	{Status: 504, Class: Timeout, Scope: Endpoint},
	{Status: 529, Class: Overloaded, Scope: Model},
}
