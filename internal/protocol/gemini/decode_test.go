package gemini

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"portico/internal/fault"
)

func TestDecodeError(t *testing.T) {
	const info = `"@type":"type.googleapis.com/google.rpc.ErrorInfo"`
	for name, c := range map[string]struct {
		body string
		want fault.Sign
	}{
		"a bad key": {
			`{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{` + info + `,"reason":"API_KEY_INVALID","domain":"googleapis.com","metadata":{"service":"generativelanguage.googleapis.com"}},` +
				`{"@type":"type.googleapis.com/google.rpc.LocalizedMessage","locale":"en-US","message":"API key not valid."},{"@type":"type.googleapis.com/google.rpc.DebugInfo","detail":"Invalid API key: AIzaSECRET"}]}}`,
			fault.Sign{Type: "INVALID_ARGUMENT", Code: "API_KEY_INVALID", Message: "API key not valid.", Details: "domain=googleapis.com; service=generativelanguage.googleapis.com"},
		},
		"a day's quota, in an array": {
			`[{"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[` +
				`{"quotaMetric":"generativelanguage.googleapis.com/requests","quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier","quotaDimensions":{"model":"x"},"quotaValue":"20"}]},` +
				`{"@type":"type.googleapis.com/google.rpc.Help","links":[{"description":"Learn more","url":"https://ai.google.dev/limits"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"36.5s"}]}}]`,
			fault.Sign{
				Type: "RESOURCE_EXHAUSTED", Message: "You exceeded your current quota.", After: 36500 * time.Millisecond, Link: "https://ai.google.dev/limits",
				Details: "quotaId=GenerateRequestsPerDayPerProjectPerModel-FreeTier; quotaMetric=generativelanguage.googleapis.com/requests; quotaValue=20",
			},
		},
		"Code Assist, with commas too many": {
			`{"error":{"code":429,,"message":"exhausted, , your capacity","errors":[{"message":"exhausted","reason":"rateLimitExceeded"},],"status":"RESOURCE_EXHAUSTED", ,"details":[{` + info +
				`,"reason":"QUOTA_EXHAUSTED","metadata":{"quotaResetDelay":"8h44m7.5s","model":"gemini-x"}}]}}`,
			fault.Sign{Type: "RESOURCE_EXHAUSTED", Code: "QUOTA_EXHAUSTED", Message: "exhausted", After: 8*time.Hour + 44*time.Minute + 7500*time.Millisecond, Details: "quotaResetDelay=8h44m7.5s; model=gemini-x"},
		},
		"an account to verify": {
			`{"error":{"code":403,"message":"Verify your account.","status":"PERMISSION_DENIED","details":[{` + info + `,"reason":"VALIDATION_REQUIRED","metadata":{"validation_url":"https://accounts.google.com/v","a":"b"}},` +
				`{"links":[{"url":"https://example.com/other"}]}]}}`,
			fault.Sign{Type: "PERMISSION_DENIED", Code: "VALIDATION_REQUIRED", Message: "Verify your account.", Link: "https://accounts.google.com/v", Details: "a=b"},
		},
		"a wrong field": {
			`{"error":{"code":400,"message":"Invalid JSON payload.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents[0].x","description":"Unknown name \"x\""},{"description":"more"}]}]}}`,
			fault.Sign{Type: "INVALID_ARGUMENT", Param: "contents[0].x", Message: "Invalid JSON payload.", Details: `field=contents[0].x; description=Unknown name "x"; description=more`},
		},
		"a precondition": {
			`{"error":{"code":400,"message":"no","status":"FAILED_PRECONDITION","details":[{"violations":[{"type":"TOS","subject":"google.com/x","description":"accept"}]}]}}`,
			fault.Sign{Type: "FAILED_PRECONDITION", Message: "no", Details: "type=TOS; subject=google.com/x; description=accept"},
		},
		"no details":      {`{"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}}`, fault.Sign{Type: "NOT_FOUND", Message: "models/x is not found"}},
		"empty details":   {`{"error":{"code":400,"message":"bad role","status":"INVALID_ARGUMENT","details":[]}}`, fault.Sign{Type: "INVALID_ARGUMENT", Message: "bad role"}},
		"only a code":     {`{"error":{"code":503,"message":"m"}}`, fault.Sign{Message: "m"}},
		"a wait too long": {`{"error":{"message":"m","status":"X","details":[{"retryDelay":"9999999s"}]}}`, fault.Sign{Type: "X", Message: "m", After: fault.MaxWait}},
		"a link that is none": {
			`{"error":{"message":"m","status":"X","details":[{"links":[{"url":"javascript:alert(1)"}]}]}}`, fault.Sign{Type: "X", Message: "m"},
		},
		"OpenAI's": {
			`{"error":{"message":"no","type":"invalid_request_error","param":"model","code":"model_not_found"}}`,
			fault.Sign{Type: "invalid_request_error", Code: "model_not_found", Param: "model", Message: "no"},
		},
		"OAuth's": {`{"error":"invalid_grant","error_description":"Token has been expired or revoked."}`, fault.Sign{Code: "invalid_grant", Message: "Token has been expired or revoked."}},
		"HTML":    {"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", fault.Sign{Message: "HTML page: Error 404 (Not Found)!!1", Details: "Error 404 (Not Found)!!1"}},
		"text":    {"upstream request timeout", fault.Sign{Message: "upstream request timeout"}},
		"empty":   {"", fault.Sign{}},
	} {
		c.want.Status = 418
		if d := cmp.Diff(c.want, New().DecodeError(418, []byte(c.body))); d != "" {
			t.Errorf("%s: (-want +got)\n%s", name, d)
		}
	}
	if s := New().DecodeError(0, []byte(`{"error":{"code":429,"message":"m","status":"X"}}`)); s.Status != 429 {
		t.Errorf("the status of the body is %d", s.Status)
	}
}

func TestDecodeErrorIsShort(t *testing.T) {
	long := strings.Repeat("é,", 50_000)
	meta := strings.Repeat(`"k`+long[:300]+`":"`+long+`",`, 100)
	s := New().DecodeError(500, []byte(`{"error":{"status":"`+long+`","message":"`+long+`","details":[{"reason":"`+long+`","metadata":{`+meta+`"x":"y"}},`+
		strings.Repeat(`{"violations":[{"quotaId":"`+long+`"}],"fieldViolations":[{"field":"`+long+`"}]},`, 100)+`{}]}}`))
	if len(s.Code) > maxDetail || len(s.Param) > maxDetail || len(s.Details) > maxDetails || len(s.Type) > 2048 || len(s.Message) > 2048 {
		t.Errorf("too long: code %d, param %d, details %d, type %d, message %d", len(s.Code), len(s.Param), len(s.Details), len(s.Type), len(s.Message))
	}
	if s.Details == "" || s.Param == "" || !utf8.ValidString(s.Details) || !utf8.ValidString(s.Code) {
		t.Errorf("nothing left, or not UTF-8: %q", s.Details)
	}
}

func TestMend(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1,,"b":[1,2,],}`:  `{"a":1,"b":[1,2]}`,
		"[1, ,\n, 2]":           "[1 \n, 2]",
		`{"a":",,","b":"\",,"}`: `{"a":",,","b":"\",,"}`,
		`{"a":"`:                `{"a":"`,
		`"\`:                    `"\`,
		`,`:                     `,`,
		``:                      ``,
	} {
		if got := string(mend([]byte(in))); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func FuzzDecodeError(f *testing.F) {
	f.Add([]byte(`{"error":{"code":1,"status":"A","details":[{"reason":"\ud800","metadata":{"a":1}},,{"links":[{"url":"https://x"}]}]}}`))
	f.Add([]byte(`[{"error":{"details":[[{}]],"status":7}}]`))
	f.Add([]byte("<title>x</title>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := New().DecodeError(500, body)
		if len(s.Message) > 2048 || len(s.Details) > maxDetails || len(s.Code) > 2048 || len(s.Link) > maxDetails || s.Status != 500 || s.After < 0 || s.After > fault.MaxWait {
			t.Errorf("out of bounds: %+v", s)
		}
		status, told := New().EncodeError(&fault.Fault{Class: fault.BadRequest, Msg: s.Message, Code: s.Code, Param: s.Param, After: s.After}, "req_1")
		if back := New().DecodeError(status, told); back.Status != 400 || back.Type != "INVALID_ARGUMENT" {
			t.Errorf("%q is told as %s", body, told)
		}
	})
}
