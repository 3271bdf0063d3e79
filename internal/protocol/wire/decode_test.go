package wire

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"portico/internal/fault"
)

func TestDecodeError(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want fault.Sign
	}{
		"OpenAI": {
			`{"error":{"message":"Rate limit reached. Please try again in 18.642s. Visit","type":"tokens","param":"model","code":"rate_limit_exceeded"}}`,
			fault.Sign{Type: "tokens", Code: "rate_limit_exceeded", Param: "model", Message: "Rate limit reached. Please try again in 18.642s. Visit", After: 18642 * time.Millisecond},
		},
		"code is a number, as at OpenRouter": {
			`{"error":{"code":429,"message":"Provider returned error","metadata":{"provider_name":"Google","raw":"is limited. Retry after 3 seconds"}},"user_id":"u"}`,
			fault.Sign{Code: "429", Message: "Provider returned error", Details: "Google; is limited. Retry after 3 seconds", After: 3 * time.Second},
		},
		"error is a string": {`{"error":"Specified model not found"}`, fault.Sign{Message: "Specified model not found"}},
		"xAI":               {`{"code":"invalid-argument","error":"Incorrect API key"}`, fault.Sign{Code: "invalid-argument", Message: "Incorrect API key"}},
		"OAuth":             {`{"error":"invalid_token","error_description":"it expired"}`, fault.Sign{Code: "invalid_token", Message: "it expired"}},
		"Azure's innererror": {
			`{"error":{"code":"content_filter","message":"filtered","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`,
			fault.Sign{Code: "content_filter", Message: "filtered", Details: "ResponsibleAIPolicyViolation"},
		},
		"Gemini in an array": {
			`[{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"34.5s"}]}}]`,
			fault.Sign{Type: "RESOURCE_EXHAUSTED", Code: "429", Message: "Quota", Details: `[{"retryDelay":"34.5s"}]`, After: 34500 * time.Millisecond},
		},
		"FastAPI":        {`{"detail":"Invalid API Key"}`, fault.Sign{Message: "Invalid API Key"}},
		"FastAPI's list": {`{"detail":[{"loc":["body","temperature",0],"msg":"too big","type":"x"},{"msg":"bad"}]}`, fault.Sign{Message: "body.temperature.0: too big; bad"}},
		"Mistral": {
			`{"object":"error","message":"capacity exceeded","type":"invalid_request_error","param":null,"code":"3505","raw_status_code":429}`,
			fault.Sign{Type: "invalid_request_error", Code: "3505", Message: "capacity exceeded"},
		},
		"Mistral around FastAPI": {`{"object":"error","message":{"detail":[{"loc":["body"],"msg":"bad"}]}}`, fault.Sign{Message: "body: bad"}},
		"MiniMax":                {`{"choices":null,"base_resp":{"status_code":1004,"status_msg":"login fail"}}`, fault.Sign{Code: "1004", Message: "login fail"}},
		"Codex": {
			`{"type":"error","error":{"type":"usage_limit_reached","message":"The usage limit has been reached","resets_in_seconds":90},"status_code":429}`,
			fault.Sign{Type: "usage_limit_reached", Message: "The usage limit has been reached", After: 90 * time.Second},
		},
		"Anthropic": {
			`{"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}`,
			fault.Sign{Type: "overloaded_error", Message: "Overloaded"},
		},
		"Anthropic with details": {
			`{"type":"error","error":{"type":"invalid_request_error","message":"on hold","details":{"error_code":"organization_on_hold","appeal_url":"https://example.com/a"}}}`,
			fault.Sign{Type: "invalid_request_error", Code: "organization_on_hold", Message: "on hold", Link: "https://example.com/a", Details: `{"error_code":"organization_on_hold","appeal_url":"https://example.com/a"}`},
		},
		"AWS":               {`{"__type":"com.amazon.coral.service#ThrottlingException","Message":"slow down"}`, fault.Sign{Type: "ThrottlingException", Message: "slow down"}},
		"AWS in lower case": {`{"message":"The security token is invalid."}`, fault.Sign{Message: "The security token is invalid."}},
		"an envelope in a message": {
			`{"error":{"code":"400","message":"{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"prompt is too long\"}}"}}`,
			fault.Sign{Type: "invalid_request_error", Code: "400", Message: "prompt is too long"},
		},
		"a message that only looks like one": {`{"message":"{no} JSON"}`, fault.Sign{Message: "{no} JSON"}},
		"a JSON string":                      {`"no such thing"`, fault.Sign{Message: "no such thing"}},
		"plain text":                         {"upstream connect error\nor  disconnect", fault.Sign{Message: "upstream connect error or disconnect"}},
		"unknown JSON":                       {`{"ok":false}`, fault.Sign{Message: `{"ok":false}`}},
		"empty":                              {" \n", fault.Sign{}},
		"an HTML page":                       {"<!DOCTYPE html><html><head><TITLE>502 Bad&nbsp;Gateway</TITLE><style>a{}</style></head><body><script>if(a<b){}</script><h1>Oops</h1> region</body></html>", fault.Sign{Message: "HTML page: 502 Bad Gateway", Details: "502 Bad Gateway Oops region"}},
		"HTML, no title":                     {"<p>Not here", fault.Sign{Message: "HTML page: Not here", Details: "Not here"}},
		"an array of one":                    {`["no"]`, fault.Sign{Message: "no"}},
	} {
		c.want.Status = 418
		if d := cmp.Diff(c.want, DecodeError(418, []byte(c.body))); d != "" {
			t.Errorf("%s: (-want +got)\n%s", name, d)
		}
	}
}

func TestDecodeErrorStatusOfTheBody(t *testing.T) {
	for body, want := range map[string]int{
		`{"error":{"message":"x","status_code":400}}`: 400,
		`{"error":{"message":"x","code":502}}`:        502,
		`{"error":{"message":"x","code":1302}}`:       0,
		`{"error":{"message":"x"},"status":429}`:      429,
	} {
		if got := DecodeError(0, []byte(body)).Status; got != want {
			t.Errorf("%s: got %d, want %d", body, got, want)
		}
	}
}

func TestDecodeErrorIsShort(t *testing.T) {
	long := strings.Repeat("<b>é ", 100_000)
	for _, body := range []string{long, "é" + long, `{"error":{"message":"` + long + `","details":["` + long + `"]}}`, `{"x":"` + long + `"}`} {
		s := DecodeError(500, []byte(body))
		if len(s.Message) > maxMessage || len(s.Details) > maxMessage || s.Message == "" || !utf8.ValidString(s.Message) {
			t.Errorf("message of %d bytes, details of %d", len(s.Message), len(s.Details))
		}
		if body[0] != '{' && len(s.Message) > maxText {
			t.Errorf("a text that is no JSON: message of %d bytes", len(s.Message))
		}
	}
}

func FuzzDecodeError(f *testing.F) {
	f.Add([]byte(`{"error":{"message":"a","code":1}}`))
	f.Add([]byte("<title>x</title>"))
	f.Add([]byte(`[{"detail":[{"loc":[1],"msg":"\ud800"}]}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := DecodeError(500, body)
		if len(s.Message) > maxMessage || len(s.Details) > maxMessage || len(s.Code) > maxMessage || s.Status != 500 || s.After < 0 || !utf8.ValidString(s.Message+s.Code+s.Param+s.Details) {
			t.Errorf("out of bounds: %+v", s)
		}
	})
}
