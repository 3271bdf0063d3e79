package gemini

import (
	"encoding/json/v2"
	"strings"
	"testing"
	"time"

	"portico/internal/fault"
)

// TestEncodeErrorKnowsEveryClass walks all classes, so that a new one without
// a row is noticed.
func TestEncodeErrorKnowsEveryClass(t *testing.T) {
	want := map[fault.Class]struct {
		status int
		name   string
	}{
		fault.Unknown: {502, "UNKNOWN"}, fault.Unauthorized: {401, "UNAUTHENTICATED"}, fault.Forbidden: {403, "PERMISSION_DENIED"}, fault.OverBudget: {429, "RESOURCE_EXHAUSTED"},
		fault.NotFound: {404, "NOT_FOUND"}, fault.Method: {405, "UNIMPLEMENTED"}, fault.TooLarge: {413, "INVALID_ARGUMENT"},
		fault.Malformed: {400, "INVALID_ARGUMENT"}, fault.Unsupported: {400, "FAILED_PRECONDITION"}, fault.NoAccount: {404, "NOT_FOUND"},
		fault.Busy: {503, "UNAVAILABLE"}, fault.Internal: {500, "INTERNAL"}, fault.BadRequest: {400, "INVALID_ARGUMENT"},
		fault.ContextTooLong: {400, "INVALID_ARGUMENT"}, fault.ContentFiltered: {400, "INVALID_ARGUMENT"}, fault.SealMismatch: {400, "INVALID_ARGUMENT"},
		fault.CredentialInvalid: {502, "INTERNAL"}, fault.CredentialExpired: {502, "INTERNAL"}, fault.Permission: {502, "INTERNAL"},
		fault.RateLimited: {429, "RESOURCE_EXHAUSTED"}, fault.QuotaSpent: {429, "RESOURCE_EXHAUSTED"}, fault.PlanGate: {502, "INTERNAL"},
		fault.ModelDenied: {404, "NOT_FOUND"}, fault.ModelGone: {404, "NOT_FOUND"}, fault.Overloaded: {503, "UNAVAILABLE"},
		fault.Broken: {502, "INTERNAL"}, fault.Timeout: {504, "DEADLINE_EXCEEDED"}, fault.Network: {502, "UNAVAILABLE"}, fault.Canceled: {499, "CANCELLED"},
	}
	n := 0
	for c := fault.Class(0); c == 0 || c.String() != "unknown"; c++ {
		n++
		for _, upstream := range []int{0, 401, 403, 500} {
			status, body := New().EncodeError(&fault.Fault{Class: c, Status: upstream}, "")
			var v struct {
				Error struct {
					Code            int
					Message, Status string
				}
			}
			if err := json.Unmarshal(body, &v, json.MatchCaseInsensitiveNames(true)); err != nil {
				t.Fatalf("%s: %s: %v", c, body, err)
			}
			if status != want[c].status || v.Error.Code != status || v.Error.Status != want[c].name || v.Error.Message == "" {
				t.Errorf("%s of an upstream's %d: got %d %s, want %+v", c, upstream, status, body, want[c])
			}
		}
	}
	if n != len(want) || n != len(table) {
		t.Errorf("%d classes, %d tested, %d in the table", n, len(want), len(table))
	}
}

func TestEncodeError(t *testing.T) {
	const at = `{"@type":"type.googleapis.com/google.rpc.`
	for name, c := range map[string]struct {
		f      fault.Fault
		id     string
		status int
		want   string
	}{
		"the vendor's refusal as it was": {
			fault.Fault{Class: fault.BadRequest, Status: 404, Code: "unsupported-value 7é", Param: "contents", Msg: "no \"x\""},
			"", 404,
			`"message":"no \"x\"","status":"NOT_FOUND","details":[` + at + `ErrorInfo","reason":"UNSUPPORTED_VALUE_7_","domain":"portico"},` +
				at + `BadRequest","fieldViolations":[{"field":"contents","description":"no \"x\""}]}]`,
		},
		"another status": {
			fault.Fault{Class: fault.BadRequest, Status: 422, Msg: "m"},
			"", 422,
			`"message":"m","status":"INVALID_ARGUMENT","details":[` + at + `ErrorInfo","reason":"BAD_REQUEST","domain":"portico"}]`,
		},
		"a wait": {
			fault.Fault{Class: fault.RateLimited, Code: "429", After: 1500*time.Millisecond + 1, Msg: "m"},
			"req_1", 429,
			`"message":"m","status":"RESOURCE_EXHAUSTED","details":[` + at + `ErrorInfo","reason":"RATE_LIMITED","domain":"portico","metadata":{"requestId":"req_1"}},` + at + `RetryInfo","retryDelay":"1.501s"}]`,
		},
		"a long wait": {
			fault.Fault{Class: fault.QuotaSpent, After: 9 * time.Hour, Msg: "m"},
			"", 429,
			`"message":"m","status":"RESOURCE_EXHAUSTED","details":[` + at + `ErrorInfo","reason":"QUOTA_SPENT","domain":"portico"},` + at + `RetryInfo","retryDelay":"32400s"}]`,
		},
		"a class from the future": {
			fault.Fault{Class: 250, Code: strings.Repeat("c", 99)},
			"", 502,
			`"message":"the upstream failed in a way that is not known","status":"UNKNOWN","details":[` + at + `ErrorInfo","reason":"` + strings.Repeat("C", 63) + `","domain":"portico"}]`,
		},
	} {
		status, body := New().EncodeError(&c.f, c.id)
		_, got, _ := strings.Cut(string(body), ",")
		if status != c.status || got != c.want+"}}" {
			t.Errorf("%s: %d\ngot  %s\nwant %s", name, status, got, c.want+"}}")
		}
	}
	f := &fault.Fault{Class: fault.RateLimited, Code: "RATE_LIMIT_EXCEEDED", After: 2500 * time.Millisecond, Msg: "broken \xff"}
	status, body := New().EncodeError(f, "req_1")
	if s := New().DecodeError(status, body); s.After != f.After || s.Code != f.Code || s.Type != "RESOURCE_EXHAUSTED" {
		t.Errorf("%s reads as %+v", body, s)
	}
}
