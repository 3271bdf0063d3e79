package anthropic

import (
	"encoding/json/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/fault"
	"portico/internal/sse"
)

// body is an error as a client reads it.
type body struct {
	Type  string `json:"type"`
	Error struct {
		Type    string `json:"type"`
		Message string `json:"message"`
		Details *struct {
			Code string `json:"error_code"`
		} `json:"details"`
	} `json:"error"`
	RequestID string `json:"request_id"`
}

func encode(t *testing.T, f *fault.Fault) (int, body) {
	t.Helper()
	status, raw := New().EncodeError(f, "req_1")
	var b body
	if err := json.Unmarshal(raw, &b, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	if b.Type != "error" || b.RequestID != "req_1" || b.Error.Message == "" {
		t.Errorf("%v: %s", f, raw)
	}
	return status, b
}

// TestEncodeKnowsEveryClass walks all classes, so that a new one without a row
// is noticed.
func TestEncodeKnowsEveryClass(t *testing.T) {
	want := map[fault.Class]struct {
		status int
		kind   string
	}{
		fault.Unknown: {502, "api_error"}, fault.Unauthorized: {401, "authentication_error"}, fault.Forbidden: {403, "permission_error"}, fault.OverBudget: {429, "rate_limit_error"},
		fault.NotFound: {404, "not_found_error"}, fault.Method: {405, "invalid_request_error"}, fault.TooLarge: {413, "request_too_large"},
		fault.Malformed: {400, "invalid_request_error"}, fault.Unsupported: {400, "invalid_request_error"}, fault.NoAccount: {404, "not_found_error"},
		fault.Busy: {529, "overloaded_error"}, fault.Internal: {500, "api_error"}, fault.BadRequest: {400, "invalid_request_error"},
		fault.ContextTooLong: {400, "invalid_request_error"}, fault.ContentFiltered: {400, "invalid_request_error"},
		fault.SealMismatch: {400, "invalid_request_error"}, fault.CredentialInvalid: {502, "api_error"},
		fault.CredentialExpired: {502, "api_error"}, fault.Permission: {502, "api_error"}, fault.RateLimited: {429, "rate_limit_error"},
		fault.QuotaSpent: {429, "rate_limit_error"}, fault.PlanGate: {502, "api_error"}, fault.ModelDenied: {404, "not_found_error"},
		fault.ModelGone: {404, "not_found_error"}, fault.Overloaded: {529, "overloaded_error"}, fault.Broken: {502, "api_error"},
		fault.Timeout: {504, "timeout_error"}, fault.Network: {502, "api_error"}, fault.Canceled: {499, "api_error"},
	}
	n := 0
	for c := fault.Class(0); c == 0 || c.String() != "unknown"; c++ {
		n++
		// An upstream that refused the account, in the words of this protocol.
		f := &fault.Fault{Class: c, Status: 401, Code: "authentication_error"}
		status, b := encode(t, f)
		if status != want[c].status || b.Error.Type != want[c].kind {
			t.Errorf("%s: got %d %s, want %d %s", c, status, b.Error.Type, want[c].status, want[c].kind)
		}
		if b.Error.Details != nil {
			t.Errorf("%s: a type is told as a code", c)
		}
	}
	if n != len(want) || n != len(table) {
		t.Errorf("%d classes, %d tested, %d in the table", n, len(want), len(table))
	}
}

// TestEncodeError is how faults are told (A43, X17).
func TestEncodeError(t *testing.T) {
	for name, c := range map[string]struct {
		f                fault.Fault
		status           int
		kind, code, says string
	}{
		"the upstream's own words": {
			fault.Fault{Class: fault.BadRequest, Status: 400, Code: "invalid_request_error", Msg: "messages.0: Input should be"}, 400, "invalid_request_error", "", "messages.0: Input should be",
		},
		"the upstream's own type": {
			fault.Fault{Class: fault.BadRequest, Status: 404, Code: "not_found_error", Msg: "thread"}, 404, "not_found_error", "", "thread",
		},
		"its own type, in a stream": {
			fault.Fault{Class: fault.BadRequest, Status: 200, Code: "request_too_large", Msg: "x"}, 400, "request_too_large", "", "x",
		},
		"the upstream's own code": {
			fault.Fault{Class: fault.BadRequest, Status: 400, Code: "image_dimensions_too_large", Msg: "x"}, 400, "invalid_request_error", "image_dimensions_too_large", "x",
		},
		"another vendor's refusal": {
			fault.Fault{Class: fault.BadRequest, Status: 422, Code: "unsupported_value", Param: "temperature", Msg: "no"}, 422, "invalid_request_error", "unsupported_value", "no",
		},
		"a refusal that is too large":  {fault.Fault{Class: fault.BadRequest, Status: 413, Msg: "x"}, 413, "request_too_large", "", "x"},
		"never a 401 of the upstream":  {fault.Fault{Class: fault.BadRequest, Status: 401, Msg: "x"}, 400, "invalid_request_error", "", "x"},
		"never a 403":                  {fault.Fault{Class: fault.BadRequest, Status: 403, Code: "permission_error", Msg: "x"}, 400, "invalid_request_error", "", "x"},
		"never a bill":                 {fault.Fault{Class: fault.BadRequest, Status: 402, Msg: "x"}, 400, "invalid_request_error", "", "x"},
		"never to be tried again":      {fault.Fault{Class: fault.BadRequest, Status: 429, Msg: "x"}, 400, "invalid_request_error", "", "x"},
		"no status of the upstream":    {fault.Fault{Class: fault.BadRequest, Status: 500, Msg: "x"}, 400, "invalid_request_error", "", "x"},
		"overloaded":                   {fault.Fault{Class: fault.Overloaded, Status: 529, Code: "overloaded_error", Msg: "Overloaded"}, 529, "overloaded_error", "", "Overloaded"},
		"overloaded elsewhere":         {fault.Fault{Class: fault.Overloaded, Status: 503, Code: "UNAVAILABLE"}, 529, "overloaded_error", "UNAVAILABLE", "Overloaded"},
		"the gateway's own code":       {fault.Fault{Class: fault.Busy, Code: "accounts_unavailable", Msg: "x"}, 529, "overloaded_error", "accounts_unavailable", "x"},
		"an account without credit":    {fault.Fault{Class: fault.QuotaSpent, Status: 402, Code: "insufficient_quota", Msg: "x"}, 429, "rate_limit_error", "", "x"},
		"Anthropic's, without credit":  {fault.Fault{Class: fault.QuotaSpent, Status: 400, Code: "invalid_request_error", Msg: "x"}, 429, "rate_limit_error", "", "x"},
		"an organisation on hold":      {fault.Fault{Class: fault.CredentialInvalid, Status: 400, Code: "organization_on_hold", Msg: "x"}, 502, "api_error", "", "x"},
		"the upstream broke":           {fault.Fault{Class: fault.Broken, Status: 500, Code: "api_error", Msg: "Internal server error"}, 502, "api_error", "", "Internal server error"},
		"a context that is too long":   {fault.Fault{Class: fault.ContextTooLong, Status: 400, Code: "invalid_request_error", Msg: "prompt is too long: 200012 tokens > 200000 maximum"}, 400, "invalid_request_error", "", "prompt is too long: 200012 tokens > 200000 maximum"},
		"another vendor's context":     {fault.Fault{Class: fault.ContextTooLong, Status: 413, Code: "context_length_exceeded", Msg: "too many tokens"}, 400, "invalid_request_error", "context_length_exceeded", "prompt is too long: too many tokens"},
		"a context without a message":  {fault.Fault{Class: fault.ContextTooLong}, 400, "invalid_request_error", "", "prompt is too long for the context of the model"},
		"the client's key":             {fault.Fault{Class: fault.Unauthorized}, 401, "authentication_error", "", "invalid x-api-key: the API key is missing or wrong"},
		"a class from the future":      {fault.Fault{Class: 250, Msg: "x"}, 502, "api_error", "", "x"},
		"quotes and broken characters": {fault.Fault{Class: fault.Broken, Msg: "say \"hi\"\n\xff"}, 502, "api_error", "", "say \"hi\"\n\uFFFD"},
	} {
		status, b := encode(t, &c.f)
		code := ""
		if b.Error.Details != nil {
			code = b.Error.Details.Code
		}
		if status != c.status || b.Error.Type != c.kind || code != c.code || b.Error.Message != c.says {
			t.Errorf("%s: got %d %s %q %q", name, status, b.Error.Type, code, b.Error.Message)
		}
	}
}

// TestTooLong keeps the words that clients match on (X18).
func TestTooLong(t *testing.T) {
	const said = ". The upstream said: "
	for in, want := range map[string]string{
		"prompt is too long: 3333404 tokens > 200000 maximum": "",
		"Prompt is too long": "",
		"input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease input length or `max_tokens` and try again":     "",
		"This model's maximum context length is 128000 tokens. However, your messages resulted in 130012 tokens.":                              "prompt is too long: 130012 tokens > 128000 maximum",
		"This model's maximum context length is 8192 tokens, however you requested 9000 tokens (8500 in your prompt; 500 for the completion).": "prompt is too long: 9000 tokens > 8192 maximum",
		"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).":                                              "prompt is too long: 1200000 tokens > 1048576 maximum",
		"gpt-4o-2024-08-06 has a limit of 128,000 tokens, 130,000 were sent":                                                                   "prompt is too long: 130000 tokens > 128000 maximum",
		"Input is too long for requested model.":                               "prompt is too long: ",
		"Your request exceeded model token limit: 131072":                      "prompt is too long: ",
		"claude-sonnet-4-20250514 takes a maximum of 200k tokens":              "prompt is too long: ",
		"maximum 99999999999999999999999 tokens, got 999999999999999999999999": "prompt is too long: ",
		"maximum": "prompt is too long: ",
	} {
		switch {
		case want == "":
			want = in
		case strings.HasSuffix(want, ": "):
			want += in
		default:
			want += said + in
		}
		if got := tooLong(in); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestStreamError(t *testing.T) {
	f := &fault.Fault{Class: fault.Overloaded, Code: "overloaded_error", Msg: "Overloaded\nby far"}
	got := New().StreamError([]byte("x"), f, "req_1")
	want := "xevent: error\ndata: " + `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded\nby far"},"request_id":"req_1"}` + "\n\n"
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestHeartbeat: a ping is an event here, no comment (X22).
func TestHeartbeat(t *testing.T) {
	raw := New().Heartbeat()
	var c sse.Cutter
	if n := c.Cut(raw); n != len(raw) {
		t.Errorf("%q is no whole event", raw)
	}
	f := sse.Parse(raw)
	if mark := New().NewTap().Frame(f.Event, f.Data); mark != 0 || string(f.Event) != "ping" || string(f.Data) != `{"type":"ping"}` {
		t.Errorf("got %q %q, %b", f.Event, f.Data, mark)
	}
}

func TestDecodeError(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want fault.Sign
	}{
		"Anthropic": {
			`{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your account's rate limit."},"request_id":"req_1"}`,
			fault.Sign{Type: "rate_limit_error", Message: "This request would exceed your account's rate limit."},
		},
		"with a code": {
			`{"type":"error","error":{"type":"invalid_request_error","message":"too wide","details":{"error_code":"image_dimensions_too_large"}}}`,
			fault.Sign{Type: "invalid_request_error", Code: "image_dimensions_too_large", Message: "too wide", Details: `{"error_code":"image_dimensions_too_large"}`},
		},
		"a vendor who copied it": {
			`{"error":{"code":"1113","message":"no balance"}}`, fault.Sign{Code: "1113", Message: "no balance"},
		},
		"Anthropic's OpenAI address": {
			`{"error":{"code":"rate_limit_error","type":"invalid_request_error","param":null,"message":"slow down"}}`,
			fault.Sign{Type: "invalid_request_error", Code: "rate_limit_error", Message: "slow down"},
		},
		"Bedrock": {`{"message":"Too many requests, please wait before trying again."}`, fault.Sign{Message: "Too many requests, please wait before trying again."}},
		"Vertex": {
			`[{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"3s"}]}}]`,
			fault.Sign{Type: "RESOURCE_EXHAUSTED", Code: "429", Message: "Quota exceeded", Details: `[{"retryDelay":"3s"}]`, After: 3 * time.Second},
		},
		"HTML":  {`<html><title>524: A timeout occurred</title></html>`, fault.Sign{Message: "HTML page: 524: A timeout occurred", Details: "524: A timeout occurred"}},
		"empty": {``, fault.Sign{}},
	} {
		c.want.Status = 418
		if d := cmp.Diff(c.want, New().DecodeError(418, []byte(c.body))); d != "" {
			t.Errorf("%s: (-want +got)\n%s", name, d)
		}
	}
}

// FuzzDecodeError takes an error the whole way, from an upstream to a client.
func FuzzDecodeError(f *testing.F) {
	f.Add([]byte(`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded","details":{"error_code":"x"}}}`), uint8(fault.Overloaded))
	f.Add([]byte(`{"message":"maximum 300, got 1,000 tokens"}`), uint8(fault.ContextTooLong))
	f.Add([]byte("<title>\xff</title>"), uint8(fault.BadRequest))
	f.Fuzz(func(t *testing.T, raw []byte, class uint8) {
		s := New().DecodeError(500, raw)
		fl := &fault.Fault{Class: fault.Class(class), Status: s.Status, Code: s.Code, Msg: s.Message}
		status, b := encode(t, fl)
		if status < 400 || status > 599 || b.Error.Type == "" {
			t.Errorf("%q gives %d %+v", raw, status, b)
		}
		if fl.Class == fault.ContextTooLong && !strings.Contains(strings.ToLower(b.Error.Message), promptTooLong) && !strings.Contains(strings.ToLower(b.Error.Message), limitExceeded) {
			t.Errorf("%q gives %q", raw, b.Error.Message)
		}
		var c sse.Cutter
		if event := New().StreamError(nil, fl, "req_1"); c.Cut(event) != len(event) {
			t.Errorf("%q gives %q, which is not one event", raw, event)
		}
	})
}
