package sigv4

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// example is the credential of AWS' documentation and of its test suite.
var example = Credential{ID: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}

// noted is the moment of AWS' examples.
var noted = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)

// TestSign checks signatures that others made: those of service and iam stand
// in AWS' documentation and test suite, those of bedrock were made by AWS' own
// signer for Go (aws-sdk-go-v2, v1.48.0).
func TestSign(t *testing.T) {
	form := "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		service, method, url, kind, token, body string
		signed, signature                       string
	}{
		{"service", "GET", "https://example.amazonaws.com/", "", "", "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"service", "GET", "https://example.amazonaws.com", "", "", "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"service", "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", "", "", "", "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"service", "POST", "https://example.amazonaws.com/", form, "", "Param1=value1", "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
		{"iam", "GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", form + "; charset=utf-8", "", "", "content-type;host;x-amz-date", "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
		{"bedrock", "GET", "https://example.amazonaws.com/", "", "", "", "host;x-amz-date", "66c7d5b3687aef1c9a331ab971fd692447d8ab862097f335ebe9a90f6a9bac11"},
		{"bedrock", "GET", "https://example.amazonaws.com/?a=%20b&a=+a&a-b=1&=2&c", "", "", "", "host;x-amz-date", "015056010c4796382754df2a2aa6bed9b880a5c45c1465238394b1e6fc3fa482"},
		{"bedrock", "POST", "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke-with-response-stream", "application/json", "", `{"max_tokens":5}`, "content-type;host;x-amz-date", "0c68e0a10b637f52dc5862792b4cb2eb88895a41b93437bf6e3e7699ff338c84"},
		{"bedrock", "POST", "https://bedrock-runtime.eu-central-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A1%3Ainference-profile%2Feu.anthropic.claude-opus-4-6-v1/converse", "application/json", "session/TOKEN+=", `{"messages":[]}`, "content-type;host;x-amz-date;x-amz-security-token", "bbbd724a0e9a1d745c95a03670e789dcc3cfe10ed82f3604da4d60559f092d7b"},
		{"bedrock", "POST", "http://127.0.0.1:9000/base%20x/~u/model/é/invoke", "text/plain; charset=utf-8", "", "x", "content-type;host;x-amz-date;x-amzn-bedrock-trace", "1eb789a6e6399a8fc43831e0627908eb5f00f954e120cf7f65a6203200b04d1d"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, tt.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "x/y") // may change on the way
		req.Header.Set("X-Amz-Security-Token", "of somebody else")
		if tt.kind != "" {
			req.Header.Set("Content-Type", tt.kind)
		}
		if strings.Contains(tt.signed, "trace") {
			req.Header.Set("X-Amzn-Bedrock-Trace", "  ENABLED   or  not ")
		}
		c := example
		c.Token = tt.token
		New(c, "us-east-1", tt.service).Sign(req, []byte(tt.body), noted.In(time.FixedZone("", 3600)))
		want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/" + tt.service + "/aws4_request, SignedHeaders=" + tt.signed + ", Signature=" + tt.signature
		if got := req.Header.Get("Authorization"); got != want {
			t.Errorf("%s %s:\n got %s\nwant %s", tt.method, tt.url, got, want)
		}
		if got := req.Header.Get("X-Amz-Date"); got != "20150830T123600Z" {
			t.Errorf("X-Amz-Date: %s", got)
		}
		if got := req.Header.Get("X-Amz-Security-Token"); got != tt.token {
			t.Errorf("X-Amz-Security-Token: %q, want %q", got, tt.token)
		}
	}
}

// TestDays: the key that is kept is that of the day, whoever asks.
func TestDays(t *testing.T) {
	s := New(example, "us-east-1", "service")
	sign := func(at time.Time) string {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.amazonaws.com/", nil)
		s.Sign(req, nil, at)
		return req.Header.Get("Authorization")
	}
	first := sign(noted)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for d := range 50 {
				at := noted.AddDate(0, 0, (i+d)%3)
				if got := sign(at); (got == first) != at.Equal(noted) {
					t.Errorf("at %v: %s", at, got)
				}
			}
		})
	}
	wg.Wait()
}

func TestEscape(t *testing.T) {
	if got := Escape("arn:aws:x/us.a-b_c~v1:0 é"); got != "arn%3Aaws%3Ax%2Fus.a-b_c~v1%3A0%20%C3%A9" {
		t.Error(got)
	}
}
