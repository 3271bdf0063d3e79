package openaiwire

import (
	"encoding/json/v2"
	"testing"

	"portico/internal/fault"
)

// TestTellKnowsEveryClass walks all classes, so that a new one without a row
// is noticed.
func TestTellKnowsEveryClass(t *testing.T) {
	want := map[fault.Class]struct {
		status int
		code   string
	}{
		fault.Unknown: {502, "upstream_error"}, fault.Unauthorized: {401, "invalid_api_key"}, fault.Forbidden: {403, "forbidden"}, fault.OverBudget: {429, "insufficient_quota"},
		fault.NotFound: {404, "not_found"}, fault.Method: {405, "method_not_allowed"}, fault.TooLarge: {413, "request_too_large"},
		fault.Malformed: {400, "invalid_request"}, fault.Unsupported: {400, "unsupported"}, fault.NoAccount: {404, "model_not_found"},
		fault.Busy: {503, "overloaded"}, fault.Internal: {500, "internal_error"}, fault.BadRequest: {400, "invalid_request"},
		fault.ContextTooLong: {400, "context_length_exceeded"}, fault.ContentFiltered: {400, "content_policy_violation"},
		fault.SealMismatch: {400, "invalid_encrypted_content"}, fault.CredentialInvalid: {502, "upstream_auth"},
		fault.CredentialExpired: {502, "upstream_auth"}, fault.Permission: {502, "upstream_auth"}, fault.RateLimited: {429, "rate_limit_exceeded"},
		fault.QuotaSpent: {429, "rate_limit_exceeded"}, fault.PlanGate: {502, "upstream_auth"}, fault.ModelDenied: {404, "model_not_found"},
		fault.ModelGone: {404, "model_not_found"}, fault.Overloaded: {503, "overloaded"}, fault.Broken: {502, "upstream_error"},
		fault.Timeout: {504, "timeout"}, fault.Network: {502, "upstream_unreachable"}, fault.Canceled: {499, "canceled"},
	}
	n := 0
	for c := fault.Class(0); c == 0 || c.String() != "unknown"; c++ {
		n++
		got := Tell(&fault.Fault{Class: c, Status: 401}, "messages")
		if got.Status != want[c].status || got.Code != want[c].code {
			t.Errorf("%s: got %d %s, want %d %s", c, got.Status, got.Code, want[c].status, want[c].code)
		}
		if got.Message == "" || got.Type == "" {
			t.Errorf("%s: says nothing: %+v", c, got)
		}
	}
	if n != len(want) || n != len(table) {
		t.Errorf("%d classes, %d tested, %d in the table", n, len(want), len(table))
	}
}

func TestTell(t *testing.T) {
	for name, c := range map[string]struct {
		f    fault.Fault
		want Told
	}{
		"the vendor's refusal as it was": {
			fault.Fault{Class: fault.BadRequest, Status: 422, Code: "unsupported_value", Param: "temperature", Msg: "no"},
			Told{422, "invalid_request_error", "temperature", "unsupported_value", "no"},
		},
		"never a 401 of the upstream": {
			fault.Fault{Class: fault.BadRequest, Status: 401, Msg: "no"}, Told{400, "invalid_request_error", "", "invalid_request", "no"},
		},
		"no status of the upstream": {
			fault.Fault{Class: fault.BadRequest, Status: 500, Msg: "no"}, Told{400, "invalid_request_error", "", "invalid_request", "no"},
		},
		"what is too long": {
			fault.Fault{Class: fault.ContextTooLong, Status: 413, Msg: "no"}, Told{400, "invalid_request_error", "messages", "context_length_exceeded", "no"},
		},
		"a vendor's quota": {
			fault.Fault{Class: fault.QuotaSpent, Status: 402, Code: "insufficient_quota", Msg: "no"}, Told{429, "rate_limit_error", "", "rate_limit_exceeded", "no"},
		},
		"the gateway's own code": {
			fault.Fault{Class: fault.Busy, Code: "accounts_unavailable", Msg: "no"}, Told{503, "server_error", "", "accounts_unavailable", "no"},
		},
		"a class from the future": {
			fault.Fault{Class: 250, Msg: "no"}, Told{502, "server_error", "", "upstream_error", "no"},
		},
	} {
		if got := Tell(&c.f, "messages"); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestAppendError(t *testing.T) {
	got := string(Told{400, "a", "", "b", "say \"hi\"\n"}.AppendError([]byte("x")))
	if want := `x{"error":{"message":"say \"hi\"\n","type":"a","param":null,"code":"b"}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var v any
	if err := json.Unmarshal(Told{400, "a", "p", "b", "broken \xff"}.AppendError(nil), &v); err != nil {
		t.Errorf("broken UTF-8 in a message: %v", err)
	}
}
