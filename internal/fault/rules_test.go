package fault

import (
	"net/http"
	"testing"
	"time"
)

func TestRuleMatches(t *testing.T) {
	sign := Sign{Status: 429, Type: "tokens", Code: "rate_limit_exceeded", Message: "Rate limit reached on tokens per day", Details: "GenerateRequestsPerDayPerProject"}
	wait := func(d time.Duration) Sign { s := sign; s.After = d; return s }
	for _, tt := range []struct {
		name string
		rule Rule
		sign Sign
		want bool
	}{
		{"empty matches anything", Rule{}, Sign{}, true},
		{"status", Rule{Status: 429}, sign, true},
		{"other status", Rule{Status: 400}, sign, false},
		{"type without case", Rule{Type: "TOKENS"}, sign, true},
		{"type is whole", Rule{Type: "token"}, sign, false},
		{"code", Rule{Code: "Rate_Limit_Exceeded"}, sign, true},
		{"other code", Rule{Code: "insufficient_quota"}, sign, false},
		{"phrase of the message", Rule{Says: "PER DAY"}, sign, true},
		{"phrase of the details", Rule{Says: "perday"}, sign, true},
		{"phrase at the end", Rule{Says: "day"}, Sign{Message: "a day"}, true},
		{"phrase longer than the text", Rule{Says: "a day off"}, Sign{Message: "a day"}, false},
		{"all must fit", Rule{Status: 429, Code: "x"}, sign, false},
		{"silent", Rule{Silent: true}, sign, true},
		{"not silent", Rule{Silent: true}, wait(time.Second), false},
		{"not silent by header", Rule{Silent: true}, Sign{Header: http.Header{"Retry-After": {"0"}}}, false},
		{"garbage is silence", Rule{Silent: true}, Sign{Header: http.Header{"Retry-After": {"soon"}}}, true},
		{"over", Rule{Over: time.Minute}, wait(time.Minute + 1), true},
		{"not over", Rule{Over: time.Minute}, wait(time.Minute), false},
		{"over needs a wait", Rule{Over: time.Minute}, sign, false},
	} {
		if got := tt.rule.Matches(&tt.sign, noon); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestJudgeOrder(t *testing.T) {
	rules := Rules{
		{Status: 429, Says: "per day", Class: QuotaSpent, Scope: Account, After: time.Hour},
		{Status: 429, Says: "limit: 0", Class: PlanGate, Scope: Model, After: 2 * time.Hour, Unheeded: true},
		{Code: "busy", Class: Overloaded, Scope: Model, After: 48 * time.Hour},
		{Status: 404, Class: BadRequest, Scope: Request},
	}
	for _, tt := range []struct {
		name  string
		sign  Sign
		class Class
		scope Scope
		after time.Duration
	}{
		{"the first match wins", Sign{Status: 429, Code: "busy", Message: "requests per day"}, QuotaSpent, Account, time.Hour},
		{"the vendor's wait", Sign{Status: 429, Message: "requests per day", After: time.Minute}, QuotaSpent, Account, time.Minute},
		{"the vendor's wait not heeded", Sign{Status: 429, Message: "limit: 0", After: time.Minute}, PlanGate, Model, 2 * time.Hour},
		{"in a stream", Sign{Status: 200, Code: "busy"}, Overloaded, Model, MaxWait},
		{"a rule before the status", Sign{Status: 404}, BadRequest, Request, 0},
		{"the status", Sign{Status: 401}, CredentialInvalid, Account, 0},
		{"not implemented", Sign{Status: 501}, BadRequest, Request, 0},
		{"any 5xx", Sign{Status: 520}, Broken, Endpoint, 0},
		{"any 4xx", Sign{Status: 418}, BadRequest, Request, 0},
		{"nothing known", Sign{Status: 200, Code: "odd"}, Unknown, Request, 0},
		{"nothing at all", Sign{}, Unknown, Request, 0},
	} {
		f := rules.Judge(tt.sign, noon)
		if f.Class != tt.class || f.Scope != tt.scope || f.After != tt.after {
			t.Errorf("%s: %v of %v after %v, want %v of %v after %v", tt.name, f.Class, f.Scope, f.After, tt.class, tt.scope, tt.after)
		}
	}
}

func TestJudgeWait(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		body   time.Duration
		header http.Header
		msg    string
		want   time.Duration
	}{
		{name: "none", status: 429},
		{name: "body before header", status: 429, body: 3 * time.Second, header: http.Header{"Retry-After": {"9"}}, want: 3 * time.Second},
		{name: "a century in the body", status: 429, body: 1 << 62, want: MaxWait},
		{name: "milliseconds before seconds", status: 429, header: http.Header{"Retry-After-Ms": {"1500"}, "Retry-After": {"9"}}, want: 1500 * time.Millisecond},
		{name: "garbage is passed over", status: 429, header: http.Header{"Retry-After-Ms": {"x"}, "Retry-After": {"9"}}, want: 9 * time.Second},
		{name: "negative is passed over", status: 503, header: http.Header{"Retry-After": {"-9"}}},
		{name: "a date", status: 503, header: http.Header{"Retry-After": {"Mon, 23 Nov 2026 12:00:45 GMT"}}, want: 45 * time.Second},
		{name: "a date that has passed", status: 503, header: http.Header{"Retry-After": {"Mon, 23 Nov 2020 12:00:45 GMT"}}},
		{name: "ten years", status: 429, header: http.Header{"Retry-After": {"315360000"}}, want: MaxWait},
		{name: "the limit that is used up", status: 429, want: 6 * time.Minute, header: http.Header{
			"X-Ratelimit-Remaining-Requests": {"59"}, "X-Ratelimit-Reset-Requests": {"1h"},
			"X-Ratelimit-Remaining-Tokens": {"0"}, "X-Ratelimit-Reset-Tokens": {"6m0s"},
		}},
		{name: "the later of two", status: 429, want: time.Minute, header: http.Header{
			"Anthropic-Ratelimit-Requests-Remaining": {"0"}, "Anthropic-Ratelimit-Requests-Reset": {"2026-11-23T12:00:10Z"},
			"Anthropic-Ratelimit-Input-Tokens-Remaining": {"0"}, "Anthropic-Ratelimit-Input-Tokens-Reset": {"2026-11-23T12:01:00Z"},
		}},
		{name: "a subscription's limit", status: 429, want: 30 * time.Second, header: http.Header{
			"Anthropic-Ratelimit-Unified-Status": {"rejected"}, "Anthropic-Ratelimit-Unified-Reset": {"1795435230"},
		}},
		{name: "a subscription's limit not reached", status: 429, header: http.Header{
			"Anthropic-Ratelimit-Unified-Status": {"allowed"}, "Anthropic-Ratelimit-Unified-Reset": {"1795435230"},
		}},
		{name: "limits matter for 429 only", status: 500, header: http.Header{
			"X-Ratelimit-Remaining-Tokens": {"0"}, "X-Ratelimit-Reset-Tokens": {"6m0s"},
		}},
		{name: "prose last", status: 429, msg: "Please try again in 1.2s.", want: 1200 * time.Millisecond},
		{name: "header before prose", status: 429, msg: "Please try again in 1.2s.", header: http.Header{"Retry-After": {"9"}}, want: 9 * time.Second},
		{name: "prose in a stream", status: 200, msg: "retry after 5 seconds", want: 5 * time.Second},
		{name: "no prose of a bad request", status: 400, msg: `unknown field "retry after 5 seconds"`},
	} {
		f := Rules(nil).Judge(Sign{Status: tt.status, Header: tt.header, After: tt.body, Message: tt.msg}, noon)
		if f.After != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, f.After, tt.want)
		}
	}
}

func TestJudgeKeepsTheSign(t *testing.T) {
	s := Sign{Status: 400, Type: "invalid_request_error", Param: "model", Message: "no", Link: "https://example.com", Phase: Answered}
	f := Rules(nil).Judge(s, noon)
	if want := (Fault{Class: BadRequest, Phase: Answered, Status: 400, Code: "invalid_request_error", Param: "model", Msg: "no", Link: "https://example.com"}); *f != want {
		t.Errorf("got %+v, want %+v", *f, want)
	}
	if s.Code = "bad"; Rules(nil).Judge(s, noon).Code != "bad" {
		t.Error("the type covers the code")
	}
}

// Classes that go back to the client as its own mistake, and those that blame
// somebody else, must not be confused by a status alone.
func TestByStatusBlames(t *testing.T) {
	for status := 400; status < 600; status++ {
		f := Rules(nil).Judge(Sign{Status: status}, noon)
		deterministic := f.Class >= BadRequest && f.Class <= SealMismatch
		if deterministic && f.Scope != Request {
			t.Errorf("%d is %v but blames the %v", status, f.Class, f.Scope)
		}
		if status >= 500 && status != 501 && deterministic {
			t.Errorf("%d is %v", status, f.Class)
		}
	}
}

func TestNames(t *testing.T) {
	for c := range classes {
		if got := ParseClass(c.String()); got != c {
			t.Errorf("ParseClass(%q) = %v", c.String(), got)
		}
	}
	if got := ParseClass("nonsense"); got != Unknown {
		t.Errorf("ParseClass of nonsense = %v", got)
	}
	if got := Class(200).String(); got != "unknown" {
		t.Errorf("an odd class is %q", got)
	}
	if got := Scope(200).String() + " " + Phase(200).String(); got != "endpoint streaming" {
		t.Errorf("odd scope and phase are %q", got)
	}
}

// TestJudgeLimit: of what kind a limit is that vendors say was reached. The
// messages are those of upstreams §4.2 to §4.5.
func TestJudgeLimit(t *testing.T) {
	for _, tt := range []struct {
		s    Sign
		want Limit
	}{
		{Sign{Status: 429, Message: "Rate limit reached for gpt-4 on requests per min (RPM): Limit 3, Used 3, Requested 1."}, OfRequests},
		{Sign{Status: 429, Type: "tokens", Message: "Rate limit reached"}, OfTokens},
		{Sign{Status: 429, Message: "Rate limit reached for gpt-4 on tokens per min (TPM): Limit 10000, Used 9500, Requested 1000."}, OfTokens},
		{Sign{Status: 429, Message: "This request would exceed your organization's rate limit of 50,000 input tokens per minute"}, OfTokens},
		{Sign{Status: 429, Message: "Request was rejected due to rate limiting. Details:TPM limit reached."}, OfTokens},
		{Sign{Status: 429, Message: "Your account reached organization max TPM: 32000"}, OfTokens},
		{Sign{Status: 429, Message: "Requests have exceeded token rate limit of your tier"}, OfTokens},
		{Sign{Status: 429, Details: "GenerateContentInputTokensPerModelPerMinute-FreeTier"}, OfTokens},
		{Sign{Status: 429, Details: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}, OfRequests},
		{Sign{Status: 429, Message: "Too many concurrent requests for this model"}, AtOnce},
		{Sign{Status: 400, Message: "Too many concurrent requests for this model"}, OfRequests}, // of no other class
	} {
		if got := Rules(nil).Judge(tt.s, time.Time{}).Limit; got != tt.want {
			t.Errorf("%q %q: %d, want %d", tt.s.Message, tt.s.Details, got, tt.want)
		}
	}
}
