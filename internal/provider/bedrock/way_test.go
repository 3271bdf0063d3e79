package bedrock

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"portico/internal/eventstream"
	"portico/internal/eventstream/eventstreamtest"
	"portico/internal/fault"
	"portico/internal/protocol"
	codec "portico/internal/protocol/anthropic"
	"portico/internal/provider"
	"portico/internal/provider/providertest"
	"portico/internal/sigv4"
)

// An aws is the other end, in this process.
type aws func(req *http.Request, body string) (status int, header http.Header, answer string)

func (f aws) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	status, h, answer := f(req, string(body))
	if h == nil {
		h = http.Header{"Content-Type": {jsonKind}}
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(iotest.HalfReader(strings.NewReader(answer))), ContentLength: int64(len(answer))}, nil
}

// put sends body to a model by way of a's wrapped way out.
func put(t *testing.T, a *provider.Account, to provider.Target, header http.Header, body string, next http.RoundTripper) (*http.Response, string) {
	t.Helper()
	out := providertest.Addressed(t, New(), a, to, header).WithContext(t.Context())
	out.Method = http.MethodGet
	if body != "" {
		out.Method, out.Body, out.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
	before := out.Header.Clone()
	resp, err := New().(provider.Wrapper).Wrap(a, next).RoundTrip(out)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range out.Header {
		if strings.Join(before[name], ",") != strings.Join(v, ",") {
			t.Errorf("the request that was given has another %s now: %v", name, v)
		}
	}
	return resp, string(got)
}

var chat = provider.Target{Protocol: protocol.Anthropic, Op: protocol.Chat, Model: "claude-opus-5", Path: "/v1/messages"}

func TestInvoke(t *testing.T) {
	for _, tt := range []struct{ name, betas, more, body, want string }{
		{
			"the model and whether it streams leave the body", "", "",
			`{"model":"claude-opus-5", "max_tokens":5,"stream":false,"messages":[{"role":"user","content":"é\u0000"}] }`,
			`{"max_tokens":5,"messages":[{"role":"user","content":"é\u0000"}],"anthropic_version":"bedrock-2023-05-31"}`,
		},
		{
			"betas that Bedrock takes", "claude-code-20250219,interleaved-thinking-2025-05-14, context-1m-2025-08-07", "",
			`{"max_tokens":5}`,
			`{"max_tokens":5,"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["interleaved-thinking-2025-05-14","context-1m-2025-08-07"]}`,
		},
		{
			"betas that an account adds", "new-2027-01-01,other-2027-01-01", "new-2027-01-01",
			`{}`, `{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["new-2027-01-01"]}`,
		},
		{"a version that the client names", "", "", `{"anthropic_version":"bedrock-2027-01-01"}`, `{"anthropic_version":"bedrock-2027-01-01"}`},
	} {
		header := http.Header{"Anthropic-Version": {"2023-06-01"}, "Content-Type": {jsonKind}}
		if tt.betas != "" {
			header["Anthropic-Beta"] = []string{tt.betas}
		}
		resp, got := put(t, prepared(t, "", "ABSKx", optionBetas, tt.more), chat, header, tt.body, aws(func(req *http.Request, body string) (int, http.Header, string) {
			if body != tt.want || req.ContentLength != int64(len(body)) {
				t.Errorf("%s:\n got %s\nwant %s", tt.name, body, tt.want)
			}
			again, err := req.GetBody()
			if err != nil {
				t.Fatal(err)
			}
			if b, _ := io.ReadAll(again); string(b) != body {
				t.Errorf("%s: the body is another the second time", tt.name)
			}
			if h := req.Header; h.Get("Anthropic-Version")+h.Get("Anthropic-Beta") != "" || h.Get("Authorization") != "Bearer ABSKx" || h.Get("Accept") != jsonKind {
				t.Errorf("%s: %v", tt.name, h)
			}
			return 200, http.Header{"X-Amzn-Requestid": {"r1"}}, `{"type":"message"}`
		}))
		if got != `{"type":"message"}` || resp.Header.Get("Request-Id") != "r1" {
			t.Errorf("%s: %s with %v", tt.name, got, resp.Header)
		}
	}
}

// TestSigned: what goes out is signed with its body, for the moment at which it
// goes.
func TestSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := prepared(t, "", "AKIAx:hidden:session")
		for range 2 {
			_, _ = put(t, a, chat, http.Header{"Content-Type": {jsonKind}}, `{"model":"m"}`, aws(func(req *http.Request, body string) (int, http.Header, string) {
				got := req.Header.Get("Authorization")
				again, err := http.NewRequestWithContext(t.Context(), req.Method, req.URL.String(), nil)
				if err != nil {
					t.Fatal(err)
				}
				again.Header.Set("Content-Type", jsonKind)
				sigv4.New(sigv4.Credential{ID: "AKIAx", Secret: "hidden", Token: "session"}, "us-east-1", "bedrock").Sign(again, []byte(body), time.Now())
				if want := again.Header.Get("Authorization"); got != want {
					t.Errorf("\n got %s\nwant %s", got, want)
				}
				for name, v := range req.Header {
					if strings.Contains(strings.Join(v, " "), "hidden") {
						t.Errorf("%s tells the secret", name)
					}
				}
				if req.Header.Get("X-Amz-Security-Token") != "session" {
					t.Errorf("%v", req.Header)
				}
				return 200, nil, "{}"
			}))
			time.Sleep(24 * time.Hour) // on the next day by another key
		}
	})
}

func TestStream(t *testing.T) {
	chunk := func(dst []byte, event string) []byte {
		return eventstreamtest.Event(dst, "chunk", `{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(event))+`","p":"abc"}`)
	}
	sound := chunk(chunk(nil, `{"type":"message_start","message":{}}`), "{\"type\":\"message_stop\",\r\n\"amazon-bedrock-invocationMetrics\":{}}")
	const events = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n" +
		"event: message_stop\ndata: {\"type\":\"message_stop\",  \"amazon-bedrock-invocationMetrics\":{}}\n\n"
	to := chat
	to.Stream = true
	for _, tt := range []struct {
		name   string
		stream []byte
		want   string
	}{
		{"sound", sound, events},
		{"an unknown event", eventstreamtest.Event(sound, "initial-response", "{}"), events},
		{
			"an exception", eventstreamtest.Exception(chunk(nil, `{"type":"ping"}`), "throttlingException", "Too many tokens"),
			"event: ping\ndata: {\"type\":\"ping\"}\n\nevent: error\ndata: " +
				`{"type":"error","error":{"type":"rate_limit_error","message":"Too many tokens","details":{"error_code":"throttlingException"}}}` + "\n\n",
		},
		{
			"an error of the framing", eventstreamtest.Append(nil, "", ":message-type", "error", ":error-code", "InternalError", ":error-message", "lost"),
			"event: error\ndata: " + `{"type":"error","error":{"type":"api_error","message":"lost","details":{"error_code":"InternalError"}}}` + "\n\n",
		},
	} {
		resp, got := put(t, prepared(t, "", "ABSKx"), to, nil, `{}`, aws(func(req *http.Request, _ string) (int, http.Header, string) {
			if got := req.Header.Get("Accept"); got != eventstream.MediaType {
				t.Errorf("%s: accepts %s", tt.name, got)
			}
			return 200, http.Header{"Content-Type": {eventstream.MediaType}, "Content-Length": {"1"}}, string(tt.stream)
		}))
		if got != tt.want || resp.Header.Get("Content-Type") != "text/event-stream" || resp.ContentLength != -1 || resp.Header.Get("Content-Length") != "" {
			t.Errorf("%s: %s\nwant %s\nwith %v", tt.name, got, tt.want, resp.Header)
		}
	}
}

// TestBrokenStream: a stream that is cut or changed ends with an error, never
// as if it were whole.
func TestBrokenStream(t *testing.T) {
	sound := eventstreamtest.Event(nil, "chunk", `{"bytes":"e30="}`)
	changed := bytes.Clone(sound)
	changed[len(changed)-6] ^= 1
	for name, stream := range map[string][]byte{
		"cut": sound[:len(sound)-1], "changed": changed,
		"no base64": eventstreamtest.Event(nil, "chunk", `{"bytes":"*"}`),
		"no text":   eventstreamtest.Event(nil, "chunk", `{"bytes":{}}`),
	} {
		resp := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {eventstream.MediaType}}, Body: io.NopCloser(bytes.NewReader(stream))}
		resp, err := readClaudeStream(resp)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, eventstream.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		status             int
		header, body, want string
	}{
		{
			400, "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/", `{"message":"no"}`,
			`{"type":"error","error":{"type":"invalid_request_error","message":"no","details":{"error_code":"ValidationException"}}}`,
		},
		{
			429, "", `{"__type":"com.amazon.coral#ThrottlingException","Message":"slow"}`,
			`{"type":"error","error":{"type":"rate_limit_error","message":"slow","details":{"error_code":"ThrottlingException"}}}`,
		},
		{
			503, "ServiceUnavailableException", ``,
			`{"type":"error","error":{"type":"overloaded_error","message":"ServiceUnavailableException","details":{"error_code":"ServiceUnavailableException"}}}`,
		},
		{403, "", `{"message":"no"}`, `{"type":"error","error":{"type":"permission_error","message":"no"}}`},
		{502, "", `<html>`, `<html>`},
	} {
		h := http.Header{"Content-Type": {jsonKind}}
		if tt.header != "" {
			h["X-Amzn-Errortype"] = []string{tt.header}
		}
		resp, got := put(t, prepared(t, "", "ABSKx"), chat, nil, `{}`, aws(func(*http.Request, string) (int, http.Header, string) { return tt.status, h, tt.body }))
		if resp.StatusCode != tt.status || got != tt.want || resp.ContentLength != int64(len(got)) {
			t.Errorf("%d %s %s:\n got %d %s\nwant %s", tt.status, tt.header, tt.body, resp.StatusCode, got, tt.want)
		}
	}
	out := providertest.Addressed(t, New(), prepared(t, "", "ABSKx"), chat, nil)
	out.Body = io.NopCloser(strings.NewReader("{}"))
	if _, err := New().(provider.Wrapper).Wrap(prepared(t, "", "ABSKx"), failing{}).RoundTrip(out); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the network's own error became %v", err)
	}
}

type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrClosedPipe }

func TestCount(t *testing.T) {
	to := chat
	to.Op, to.Path = protocol.Count, "/v1/messages/count_tokens"
	for _, tt := range []struct{ body, wrapped, answer, want string }{
		{`{"model":"m","messages":[]}`, `{"max_tokens":1,"messages":[],"anthropic_version":"bedrock-2023-05-31"}`, `{"inputTokens":12}`, `{"input_tokens":12}`},
		{`{"thinking":{"type":"enabled","budget_tokens":2000}}`, `{"max_tokens":2001,"thinking":{"type":"enabled","budget_tokens":2000},"anthropic_version":"bedrock-2023-05-31"}`, `{"x":1}`, `{"x":1}`},
		{`{"max_tokens":7}`, `{"max_tokens":7,"anthropic_version":"bedrock-2023-05-31"}`, `{"inputTokens":0}`, `{"input_tokens":0}`},
	} {
		_, got := put(t, prepared(t, "", "ABSKx"), to, nil, tt.body, aws(func(_ *http.Request, body string) (int, http.Header, string) {
			if want := `{"input":{"invokeModel":{"body":"` + base64.StdEncoding.EncodeToString([]byte(tt.wrapped)) + `"}}}`; body != want {
				t.Errorf("%s: %s, want %s", tt.body, body, want)
			}
			return 200, nil, tt.answer
		}))
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.body, got, tt.want)
		}
	}
}

func TestList(t *testing.T) {
	to := provider.Target{Protocol: protocol.Anthropic, Path: "/v1/models", Query: "limit=1000"}
	const first = `{"modelSummaries":[{"modelId":"amazon.nova-pro-v1:0","modelName":"Nova Pro","inferenceTypesSupported":["ON_DEMAND"],"modelLifecycle":{"status":"ACTIVE"}},` +
		`{"modelId":"anthropic.claude-opus-5","inferenceTypesSupported":["INFERENCE_PROFILE"]},{"modelId":"old","modelLifecycle":{"status":"LEGACY"}},{"modelName":"none"}]}`
	pages := map[string]string{
		"https://bedrock.us-east-1.amazonaws.com/foundation-models?byOutputModality=TEXT": first,
		"https://bedrock.us-east-1.amazonaws.com/inference-profiles?maxResults=1000": `{"inferenceProfileSummaries":[{"inferenceProfileId":"us.anthropic.claude-opus-5","inferenceProfileName":"US Opus \"5\"","status":"ACTIVE","type":"SYSTEM_DEFINED"},` +
			`{"inferenceProfileId":"off","status":"FAILED"}],"nextToken":"a b"}`,
		"https://bedrock.us-east-1.amazonaws.com/inference-profiles?maxResults=1000&nextToken=a+b": `{"inferenceProfileSummaries":[{"inferenceProfileId":"x1","inferenceProfileArn":"arn:aws:bedrock:us-east-1:1:application-inference-profile/x1","type":"APPLICATION"}]}`,
	}
	serve := aws(func(req *http.Request, _ string) (int, http.Header, string) {
		if req.Header.Get("Authorization") != "Bearer ABSKx" || req.Host != req.URL.Host {
			t.Errorf("%s of %s with %v", req.URL, req.Host, req.Header)
		}
		if p, ok := pages[req.URL.String()]; ok {
			return 200, nil, p
		}
		return 403, http.Header{"X-Amzn-Errortype": {"AccessDeniedException"}}, `{"message":"no"}`
	})
	want := `{"data":[{"type":"model","id":"amazon.nova-pro-v1:0","display_name":"Nova Pro"},` +
		`{"type":"model","id":"arn:aws:bedrock:us-east-1:1:application-inference-profile/x1","display_name":""},` +
		`{"type":"model","id":"us.anthropic.claude-opus-5","display_name":"US Opus \"5\""}],"has_more":false}`
	if resp, got := put(t, prepared(t, "", "ABSKx"), to, nil, "", serve); resp.StatusCode != 200 || got != want {
		t.Errorf("\n got %d %s\nwant %s", resp.StatusCode, got, want)
	}
	if ms, _, err := codec.New().DecodeModels([]byte(want)); err != nil || len(ms) != 3 {
		t.Errorf("%v, %v", ms, err)
	}
	delete(pages, "https://bedrock.us-east-1.amazonaws.com/inference-profiles?maxResults=1000")
	if _, got := put(t, prepared(t, "", "ABSKx"), to, nil, "", serve); got != `{"data":[{"type":"model","id":"amazon.nova-pro-v1:0","display_name":"Nova Pro"}],"has_more":false}` {
		t.Errorf("without profiles: %s", got)
	}
	clear(pages)
	resp, got := put(t, prepared(t, "", "ABSKx"), to, nil, "", serve)
	if f := rules.Judge(codec.New().DecodeError(resp.StatusCode, []byte(got)), providertest.Noon); resp.StatusCode != 403 || f.Class != fault.Permission {
		t.Errorf("denied: %d %s", resp.StatusCode, got)
	}
}

// TestListBounds: pages that lead on for ever, and one that is too large.
func TestListBounds(t *testing.T) {
	to := provider.Target{Protocol: protocol.Anthropic, Path: "/v1/models"}
	asked := 0
	_, _ = put(t, prepared(t, "", "ABSKx"), to, nil, "", aws(func(*http.Request, string) (int, http.Header, string) {
		asked++
		return 200, nil, `{"modelSummaries":[],"inferenceProfileSummaries":[{"inferenceProfileId":"a"}],"nextToken":"x"}`
	}))
	if asked != maxPages+1 {
		t.Errorf("%d pages were read", asked)
	}
	a := prepared(t, "", "ABSKx")
	out := providertest.Addressed(t, New(), a, to, nil).WithContext(t.Context())
	out.Method = http.MethodGet
	if _, err := New().(provider.Wrapper).Wrap(a, aws(func(*http.Request, string) (int, http.Header, string) {
		return 200, nil, strings.Repeat(" ", maxList+1)
	})).RoundTrip(out); err == nil {
		t.Error("a page without an end was read")
	}
}

// TestConverse: bodies pass as they are, streams become events, and errors carry
// their type.
func TestConverse(t *testing.T) {
	to := provider.Target{Protocol: protocol.BedrockConverse, Op: protocol.Chat, Model: "amazon.nova-pro-v1:0", Path: "/converse"}
	const body = `{"messages":[]}`
	for _, tt := range []struct {
		name   string
		stream bool
		status int
		header http.Header
		answer string
		want   string
	}{
		{"whole", false, 200, nil, `{"output":{}}`, `{"output":{}}`},
		{"an error", false, 429, http.Header{"X-Amzn-Errortype": {"ThrottlingException:"}}, `{"message":"slow"}`, `{"__type":"ThrottlingException","message":"slow"}`},
		{"a page", false, 502, nil, `<html>`, `<html>`},
		{"an error in place of a stream", true, 403, http.Header{"X-Amzn-Errortype": {"AccessDeniedException"}}, `{"Message":"no"}`, `{"__type":"AccessDeniedException","message":"no"}`},
		{
			"a stream", true, 200,
			http.Header{"Content-Type": {eventstream.MediaType}},
			string(eventstreamtest.Exception(eventstreamtest.Event(eventstreamtest.Append(nil, "{}"), "contentBlockDelta", `{"delta":{"text":"x"}}`), "modelStreamErrorException", "lost")),
			"event: contentBlockDelta\ndata: {\"delta\":{\"text\":\"x\"}}\n\nevent: exception\ndata: {\"__type\":\"modelStreamErrorException\",\"message\":\"lost\"}\n\n",
		},
	} {
		to.Stream = tt.stream
		resp, got := put(t, prepared(t, "", "ABSKx"), to, nil, body, aws(func(req *http.Request, sent string) (int, http.Header, string) {
			if sent != body || req.Header.Get("Accept") == "" {
				t.Errorf("%s: sent %s with %v", tt.name, sent, req.Header)
			}
			return tt.status, tt.header, tt.answer
		}))
		if got != tt.want || resp.StatusCode != tt.status {
			t.Errorf("%s: %d %s, want %s", tt.name, resp.StatusCode, got, tt.want)
		}
	}
}

// FuzzStream: whatever comes as a stream, what is read of it is events, and
// nothing that was damaged is taken for sound.
func FuzzStream(f *testing.F) {
	f.Add(eventstreamtest.Exception(eventstreamtest.Event(nil, "chunk", `{"bytes":"eyJ0eXBlIjoicGluZyJ9"}`), "throttlingException", "slow"))
	f.Add(eventstreamtest.Event(nil, "chunk", `{"bytes":"eyJ0eXBlIjoiYVxuYiJ9"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		resp := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {eventstream.MediaType}}, Body: io.NopCloser(bytes.NewReader(b))}
		resp, err := readClaudeStream(resp)
		if err != nil {
			t.Fatal(err)
		}
		out, _ := io.ReadAll(resp.Body)
		for event := range strings.SplitAfterSeq(string(out), "\n\n") {
			if event == "" {
				continue
			}
			lines := strings.Split(strings.TrimSuffix(event, "\n\n"), "\n")
			if len(lines) != 2 || !strings.HasPrefix(lines[0], "event: ") || !strings.HasPrefix(lines[1], "data: ") || strings.Contains(event, "\r") {
				t.Errorf("no event: %q", event)
			}
		}
	})
}
