package clouds

import (
	"encoding/base64"
	"encoding/json/v2"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/internal/eventstream/eventstreamtest"
	"portico/internal/rig"
)

const (
	bedrockKey = "ABSKclouds-9vHc2Lw7Qn4xTz6Rk1Py"
	region     = "eu-central-1"
)

var (
	user    = accessKey{id: "AKIACLOUDSUSER000001", secret: "clouds/secret+of/the/user/0123456789abcd"}
	session = accessKey{id: "ASIACLOUDSSESSION001", secret: "clouds/secret+of/a/session/0123456789abc", token: "clouds//token+of/a/session=="}
	ended   = accessKey{id: "ASIACLOUDSENDED00001", secret: "clouds/secret+of/an/end/0123456789abcdef", token: "clouds//token+that/has/ended="}
)

// awsRefusal is an error as AWS writes it, with its type in a header.
func awsRefusal(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("X-Amzn-Errortype", kind+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	w.Header().Set("X-Amzn-Requestid", "aws-refused")
	reply(w, status, `{"message":`+strconv.Quote(message)+`}`)
}

// bedrock plays Amazon Bedrock. Claude is asked by InvokeModel in its own words,
// everybody else by Converse.
func bedrock(t *testing.T) *cloud {
	return serve(t, func(w http.ResponseWriter, c call) {
		if c.head.Get("Authorization") != "Bearer "+bedrockKey {
			who := user
			for _, k := range []accessKey{session, ended} {
				if strings.Contains(c.head.Get("Authorization"), "Credential="+k.id) {
					who = k
				}
			}
			if why := who.signed(c, region, "bedrock", time.Now()); why != "" {
				awsRefusal(w, 403, "InvalidSignatureException", "The request signature we calculated does not match: "+why)
				return
			}
			if who == ended {
				awsRefusal(w, 403, "ExpiredTokenException", "The security token included in the request is expired")
				return
			}
		}
		w.Header().Set("X-Amzn-Requestid", "aws-1")
		switch {
		case c.method == "GET" && c.path == "/foundation-models":
			reply(w, 200, `{"modelSummaries":[{"modelId":"amazon.nova-pro-v1:0","modelName":"Nova Pro","inferenceTypesSupported":["ON_DEMAND"],"outputModalities":["TEXT"],"modelLifecycle":{"status":"ACTIVE"}}]}`)
		case c.method == "GET" && c.path == "/inference-profiles":
			reply(w, 200, `{"inferenceProfileSummaries":[{"inferenceProfileId":"eu.anthropic.claude-sonnet-4-5-20250929-v1:0","inferenceProfileName":"EU Claude","status":"ACTIVE"}]}`)
		case c.method != "POST" || !strings.HasPrefix(c.path, "/model/"):
			awsRefusal(w, 404, "UnknownOperationException", "no such operation: "+c.path)
		default:
			model, op, _ := strings.Cut(strings.TrimPrefix(c.path, "/model/"), "/")
			model, err := url.PathUnescape(model)
			if err != nil {
				t.Error(err)
			}
			bedrockModel(t, w, c, model, op)
		}
	})
}

func bedrockModel(t *testing.T, w http.ResponseWriter, c call, model, op string) {
	var in map[string]any
	if err := json.Unmarshal([]byte(c.body), &in); err != nil {
		awsRefusal(w, 400, "ValidationException", "Malformed input request: "+err.Error())
		return
	}
	native := strings.Contains(model, "anthropic.claude")
	s := rig.ParseScript(c.body)
	switch s.Fault {
	case "429":
		awsRefusal(w, 429, "ThrottlingException", "Too many requests, please wait before trying again.")
		return
	case "400":
		awsRefusal(w, 400, "ValidationException", "the script says so")
		return
	}
	switch op {
	case "invoke", "invoke-with-response-stream":
		if !native || in["model"] != nil || in["stream"] != nil || in["anthropic_version"] != "bedrock-2023-05-31" {
			awsRefusal(w, 400, "ValidationException", "this is no body of InvokeModel: "+c.body)
			return
		}
		if op == "invoke" {
			reply(w, 200, fmt.Sprintf(`{"id":"msg_bdrk_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":%q}],"stop_reason":"end_turn","stop_sequence":null,"usage":%s}`, s.Text(), claudeUsage(s)))
			return
		}
		streamed(t, w, s.Fault, claudeFrames(s))
	case "converse", "converse-stream":
		if in["messages"] == nil || in["model"] != nil || in["max_tokens"] != nil {
			awsRefusal(w, 400, "ValidationException", "this is no body of Converse: "+c.body)
			return
		}
		if op == "converse" {
			reply(w, 200, fmt.Sprintf(`{"metrics":{"latencyMs":7},"output":{"message":{"role":"assistant","content":[%s]}},"stopReason":%q,"usage":%s}`, converseContent(c.body, s), converseStop(c.body), converseUsage(s)))
			return
		}
		streamed(t, w, s.Fault, converseFrames(c.body, s))
	case "count-tokens":
		encoded, _ := in["input"].(map[string]any)["invokeModel"].(map[string]any)["body"].(string)
		b, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || !strings.Contains(string(b), `"anthropic_version"`) {
			awsRefusal(w, 400, "ValidationException", "there is no body to count")
			return
		}
		reply(w, 200, `{"inputTokens":`+strconv.FormatInt(rig.ParseScript(string(b)).In, 10)+`}`)
	default:
		awsRefusal(w, 404, "UnknownOperationException", op)
	}
}

// streamed sends frames, each in two halves, with an exception amid them if a
// fault says so.
func streamed(t *testing.T, w http.ResponseWriter, fault string, frames [][]byte) {
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	flush := http.NewResponseController(w)
	for i, f := range frames {
		if fault == rig.Error && i == len(frames)/2 {
			f = eventstreamtest.Exception(nil, "throttlingException", "the script says so")
		}
		for _, half := range [][]byte{f[:len(f)/2], f[len(f)/2:]} {
			if _, err := w.Write(half); err != nil {
				return
			}
			if err := flush.Flush(); err != nil {
				t.Error(err)
			}
		}
		if fault == rig.Error && i == len(frames)/2 {
			return
		}
	}
}

func claudeUsage(s rig.Script) string {
	return fmt.Sprintf(`{"input_tokens":%d,"cache_creation_input_tokens":0,"cache_read_input_tokens":%d,"output_tokens":%d}`, s.In, s.Cached, s.Out+s.Think)
}

// claudeFrames are Claude's own events, each in base64 within a chunk.
func claudeFrames(s rig.Script) (frames [][]byte) {
	add := func(event string) {
		payload := `{"bytes":"` + base64.StdEncoding.EncodeToString([]byte(event)) + `","p":"abcdefgh"}`
		frames = append(frames, eventstreamtest.Event(nil, "chunk", payload))
	}
	add(`{"type":"message_start","message":{"id":"msg_bdrk_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":` + claudeUsage(rig.Script{In: s.In, Cached: s.Cached, Out: 1}) + `}}`)
	add(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`)
	for word := range strings.SplitAfterSeq(s.Text(), " ") {
		if word != "" {
			add(fmt.Sprintf(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%q}}`, word))
		}
	}
	add(`{"type":"content_block_stop","index":0}`)
	add(`{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":` + claudeUsage(s) + `}`)
	add(`{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":1,"outputTokenCount":1,"invocationLatency":5,"firstByteLatency":2}}`)
	return frames
}

func converseUsage(s rig.Script) string {
	return fmt.Sprintf(`{"inputTokens":%d,"outputTokens":%d,"totalTokens":%d,"cacheReadInputTokens":%d,"cacheWriteInputTokens":0}`, s.In, s.Out+s.Think, s.In+s.Cached+s.Out+s.Think, s.Cached)
}

// calls reports whether the cloud answers a request with calls: it has tools,
// and no result yet.
func calls(body string) bool {
	return strings.Contains(body, `"toolSpec"`) && !strings.Contains(body, `"toolResult"`)
}

func converseStop(body string) string {
	if calls(body) {
		return "tool_use"
	}
	return "end_turn"
}

func converseContent(body string, s rig.Script) string {
	if calls(body) {
		return `{"reasoningContent":{"reasoningText":{"text":"let me see","signature":"U0lHTg=="}}},{"text":"One moment."},` +
			`{"toolUse":{"toolUseId":"tooluse_1","name":"weather","input":{"city":"Zürich"}}},{"toolUse":{"toolUseId":"tooluse_2","name":"weather","input":{"city":"Bern"}}}`
	}
	return fmt.Sprintf(`{"text":%q}`, s.Text())
}

func converseFrames(body string, s rig.Script) (frames [][]byte) {
	add := func(name, payload string, args ...any) {
		frames = append(frames, eventstreamtest.Event(nil, name, fmt.Sprintf(payload, args...)))
	}
	add("messageStart", `{"p":"abc","role":"assistant"}`)
	if calls(body) {
		add("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"let me see"}}}`)
		add("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"U0lHTg=="}}}`)
		add("contentBlockStop", `{"contentBlockIndex":0}`)
		add("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"text":"One moment."}}`)
		add("contentBlockStop", `{"contentBlockIndex":1}`)
		for i, city := range []string{"Zürich", "Bern"} {
			add("contentBlockStart", `{"contentBlockIndex":%d,"start":{"toolUse":{"name":"weather","toolUseId":"tooluse_%d"}}}`, i+2, i+1)
			add("contentBlockDelta", `{"contentBlockIndex":%d,"delta":{"toolUse":{"input":"{\"city\":"}}}`, i+2)
			add("contentBlockDelta", `{"contentBlockIndex":%d,"delta":{"toolUse":{"input":%q}}}`, i+2, `"`+city+`"}`)
			add("contentBlockStop", `{"contentBlockIndex":%d}`, i+2)
		}
	} else {
		for word := range strings.SplitAfterSeq(s.Text(), " ") {
			if word != "" {
				add("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":%q}}`, word)
			}
		}
		add("contentBlockStop", `{"contentBlockIndex":0}`)
	}
	add("messageStop", `{"stopReason":%q}`, converseStop(body))
	add("metadata", `{"metrics":{"latencyMs":7},"usage":%s}`, converseUsage(s))
	return frames
}

// account is an account of Bedrock's for a cloud.
func (x *cloud) account(name, key, more string) string {
	return fmt.Sprintf("  - {name: %s, provider: bedrock, base_url: %q, api_key: %q, options: {region: %s}%s}\n", name, x.URL, key, region, more)
}

const (
	nova   = "amazon.nova-pro-v1:0"
	sonnet = "claude-sonnet-4-5"
)

// TestBedrock: clients of every protocol are served by Claude in its own words
// and by Nova in Converse, whole and streamed, and told of errors.
func TestBedrock(t *testing.T) {
	t.Parallel()
	x := bedrock(t)
	h := begin(t, "accounts:\n"+x.account("aws", user.id+":"+user.secret, ""))
	n := int64(0)
	for _, model := range []string{sonnet, nova} {
		op := map[string][2]string{sonnet: {"invoke", "invoke-with-response-stream"}, nova: {"converse", "converse-stream"}}[model]
		id := map[string]string{sonnet: "eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0", nova: "amazon.nova-pro-v1%3A0"}[model]
		for _, protocol := range rig.Protocols {
			for i, stream := range []bool{false, true} {
				n++
				s := rig.Script{N: n, In: 31, Cached: 7, Out: 20, Chunks: 3}
				name := fmt.Sprintf("%s, %s, stream %t", model, protocol, stream)
				whole(t, name, protocol, h.ask(protocol, model, stream, s), s)
				if got, want := x.last(t).path, "/model/"+id+"/"+op[i]; got != want {
					t.Errorf("%s: asked at %s, want %s", name, got, want)
				}
				s.Fault = "400"
				if got := h.ask(protocol, model, stream, s); got.Status != 400 || !strings.Contains(got.Told, "the script says so") {
					t.Errorf("%s: an error comes as %d %q, %v", name, got.Status, got.Told, got.Err)
				}
				if !stream {
					continue
				}
				s.Fault = rig.Error
				if got := h.ask(protocol, model, stream, s); got.Whole || got.Told == "" || got.Text == "" {
					t.Errorf("%s: an exception comes as %+v", name, got)
				}
				h.heal("aws")
			}
		}
		s := rig.Script{N: 1, In: 5, Out: 5, Fault: "429"}
		if got := h.ask(rig.Messages, model, false, s); got.Status != 429 {
			t.Errorf("%s: throttled: %d %s", model, got.Status, got.Told)
		}
		h.heal("aws")
	}
	rows, err := h.operator.Ledger(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Fault == "" && (r.Usage.Input != 31 || r.Usage.CacheRead != 7 || r.Usage.Output != 20 || r.Estimated) {
			t.Errorf("the ledger has %+v", r)
		}
	}
}

// TestBedrockCounts: Claude's tokens are counted by AWS.
func TestBedrockCounts(t *testing.T) {
	t.Parallel()
	x := bedrock(t)
	h := begin(t, "accounts:\n"+x.account("aws", bedrockKey, ""))
	prompt := strconv.Quote(rig.Script{N: 1, In: 4321}.String())
	if status, got := h.post("/v1/messages/count_tokens", `{"model":"`+sonnet+`","messages":[{"role":"user","content":`+prompt+`}]}`); status != 200 || tree(t, got)["input_tokens"] != 4321.0 {
		t.Errorf("a count: %d %s", status, got)
	}
	if c := x.last(t); !strings.HasSuffix(c.path, "/count-tokens") {
		t.Errorf("asked at %s", c.path)
	}
}

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// toolbox are requests with a picture and a tool, in every protocol; the second
// is that of the turn after, with the results.
var toolbox = map[string][2]string{
	rig.Chat: {
		`{"model":"%s","stream":%t,"messages":[{"role":"user","content":[{"type":"text","text":"What is the weather here?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,` + pixel + `"}}]}],"tools":[{"type":"function","function":{"name":"weather","description":"d","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]}`,
		`{"model":"%s","stream":%t,"messages":[{"role":"user","content":"Weather?"},{"role":"assistant","content":"One moment.","tool_calls":[{"id":"tooluse_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Zürich\"}"}},{"id":"tooluse_2","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Bern\"}"}}]},{"role":"tool","tool_call_id":"tooluse_1","content":"sun"},{"role":"tool","tool_call_id":"tooluse_2","content":"rain"}],"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}}]}`,
	},
	rig.Responses: {
		`{"model":"%s","stream":%t,"input":[{"role":"user","content":[{"type":"input_text","text":"What is the weather here?"},{"type":"input_image","image_url":"data:image/png;base64,` + pixel + `"}]}],"tools":[{"type":"function","name":"weather","description":"d","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}]}`,
		`{"model":"%s","stream":%t,"input":[{"role":"user","content":"Weather?"},{"type":"function_call","call_id":"tooluse_1","name":"weather","arguments":"{\"city\":\"Zürich\"}"},{"type":"function_call","call_id":"tooluse_2","name":"weather","arguments":"{\"city\":\"Bern\"}"},{"type":"function_call_output","call_id":"tooluse_1","output":"sun"},{"type":"function_call_output","call_id":"tooluse_2","output":"rain"}],"tools":[{"type":"function","name":"weather","parameters":{"type":"object"}}]}`,
	},
	rig.Messages: {
		`{"model":"%s","stream":%t,"max_tokens":3000,"messages":[{"role":"user","content":[{"type":"text","text":"What is the weather here?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + pixel + `"}}]}],"tools":[{"name":"weather","description":"d","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}]}`,
		`{"model":"%s","stream":%t,"max_tokens":3000,"messages":[{"role":"user","content":"Weather?"},{"role":"assistant","content":[{"type":"thinking","thinking":"let me see","signature":"U0lHTg=="},{"type":"text","text":"One moment."},{"type":"tool_use","id":"tooluse_1","name":"weather","input":{"city":"Zürich"}},{"type":"tool_use","id":"tooluse_2","name":"weather","input":{"city":"Bern"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"tooluse_1","content":"sun"},{"type":"tool_result","tool_use_id":"tooluse_2","content":"rain"}]}],"tools":[{"name":"weather","input_schema":{"type":"object"}}]}`,
	},
	rig.Gemini: {
		`{"contents":[{"role":"user","parts":[{"text":"What is the weather here?"},{"inlineData":{"mimeType":"image/png","data":"` + pixel + `"}}]}],"tools":[{"functionDeclarations":[{"name":"weather","description":"d","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}}}}]}]}`,
		`{"contents":[{"role":"user","parts":[{"text":"Weather?"}]},{"role":"model","parts":[{"text":"One moment."},{"functionCall":{"name":"weather","args":{"city":"Zürich"}}},{"functionCall":{"name":"weather","args":{"city":"Bern"}}}]},{"role":"user","parts":[{"functionResponse":{"name":"weather","response":{"output":"sun"}}},{"functionResponse":{"name":"weather","response":{"output":"rain"}}}]}],"tools":[{"functionDeclarations":[{"name":"weather","parameters":{"type":"OBJECT"}}]}]}`,
	},
}

// signature is that of a thought, in an answer in Anthropic's protocol.
var signature = regexp.MustCompile(`"signature":"([^"]+)"`)

// bodyFor fills in a request of the toolbox, and says where it goes.
func bodyFor(protocol, model string, turn int, stream bool) (path, body string) {
	switch body = toolbox[protocol][turn]; protocol {
	case rig.Chat:
		return "/v1/chat/completions", fmt.Sprintf(body, model, stream)
	case rig.Responses:
		return "/v1/responses", fmt.Sprintf(body, model, stream)
	case rig.Messages:
		return "/v1/messages", fmt.Sprintf(body, model, stream)
	}
	if stream {
		return "/v1beta/models/" + model + ":streamGenerateContent?alt=sse", body
	}
	return "/v1beta/models/" + model + ":generateContent", body
}

// TestConverseTools: pictures, tools, their calls and results cross to Converse
// and back, for clients of every protocol.
func TestConverseTools(t *testing.T) {
	t.Parallel()
	x := bedrock(t)
	h := begin(t, "accounts:\n"+x.account("aws", bedrockKey, ""))
	for _, protocol := range rig.Protocols {
		for _, stream := range []bool{false, true} {
			name := fmt.Sprintf("%s, stream %t", protocol, stream)
			path, body := bodyFor(protocol, nova, 0, stream)
			status, answer := h.post(path, body)
			if status != 200 {
				t.Errorf("%s: %d %s", name, status, answer)
				continue
			}
			for _, want := range []string{"One moment.", "weather", "city", "Zürich", "Bern"} {
				if !strings.Contains(answer, want) {
					t.Errorf("%s: no %q in %s", name, want, answer)
				}
			}
			if protocol == rig.Messages && (!strings.Contains(answer, "let me see") || !signature.MatchString(answer) || !strings.Contains(answer, `"tool_use"`)) {
				t.Errorf("%s: thoughts or stop reason are missing in %s", name, answer)
			}
			asked := tree(t, x.last(t).body)
			content := asked["messages"].([]any)[0].(map[string]any)["content"].([]any)
			if len(content) != 2 || content[1].(map[string]any)["image"].(map[string]any)["format"] != "png" {
				t.Errorf("%s: the picture is asked as %v", name, content)
			}
			if got := x.last(t).body; !strings.Contains(got, `"bytes":"`+pixel+`"`) {
				t.Errorf("%s: the picture is another: %s", name, got)
			}
			path, body = bodyFor(protocol, nova, 1, stream)
			if m := signature.FindStringSubmatch(answer); m != nil {
				body = strings.ReplaceAll(body, "U0lHTg==", m[1])
			}
			if status, answer = h.post(path, body); status != 200 {
				t.Errorf("%s, the results: %d %s", name, status, answer)
				continue
			}
			var shape []string
			for _, m := range tree(t, x.last(t).body)["messages"].([]any) {
				for _, b := range m.(map[string]any)["content"].([]any) {
					for kind := range b.(map[string]any) {
						shape = append(shape, kind)
					}
				}
			}
			// The thought comes back by its signature, which clients of Chat and
			// Responses do not bring: it was kept for them, by the ids of calls.
			want := []string{"text", "reasoningContent", "text", "toolUse", "toolUse", "toolResult", "toolResult"}
			switch protocol {
			case rig.Responses:
				want = slices.Delete(want, 2, 3)
			case rig.Gemini:
				want = slices.Delete(want, 1, 2)
			}
			if body := x.last(t).body; protocol != rig.Gemini && !strings.Contains(body, `"signature":"U0lHTg=="`) {
				t.Errorf("%s: the signature comes back as another: %s", name, body)
			}
			if !slices.Equal(shape, want) {
				t.Errorf("%s: the turn after is asked as %v, want %v: %s", name, shape, want, x.last(t).body)
			}
		}
	}
}

// TestBedrockCredentials: every form of credential that the docs name signs or
// is shown, is tested by the command line, and lists its models; one that has
// ended is told as such.
func TestBedrockCredentials(t *testing.T) {
	t.Parallel()
	x := bedrock(t)
	awsJSON := fmt.Sprintf(`{"Credentials":{"AccessKeyId":%q,"SecretAccessKey":%q,"SessionToken":%q,"Expiration":"2099-01-01T00:00:00Z"}}`, session.id, session.secret, session.token)
	profile := "[default]\naws_access_key_id = " + user.id + "\naws_secret_access_key = " + user.secret + "\n"
	h := begin(t, "accounts:\n"+
		x.account("bearer", bedrockKey, "")+
		x.account("user", user.id+":"+user.secret, "")+
		x.account("session", session.id+":"+session.secret+":"+session.token, "")+
		x.account("json", awsJSON, "")+
		x.account("profile", profile, "")+
		x.account("wrong", user.id+":another/secret", "")+
		x.account("ended", ended.id+":"+ended.secret+":"+ended.token, ""))
	for name, want := range map[string]string{
		"bearer": "2 models", "user": "2 models", "session": "2 models", "json": "2 models", "profile": "2 models",
		"wrong": "signature", "ended": "expired",
	} {
		out, err := h.run("account", "test", name)
		if fails := name == "wrong" || name == "ended"; (err != nil) != fails || !strings.Contains(out, want) {
			t.Errorf("%s: %v, %s", name, err, out)
		}
		for _, k := range []accessKey{user, session, ended} {
			if strings.Contains(out, k.secret) || k.token != "" && strings.Contains(out, k.token) {
				t.Errorf("%s: the secret is shown: %s", name, out)
			}
		}
	}
	if out := h.get("/v1/models"); !strings.Contains(out, nova) || !strings.Contains(out, "eu.anthropic.claude-sonnet-4-5") {
		t.Errorf("models: %s", out)
	}
}

// TestBedrockRenewal: an account whose session has ended is told to need a new
// one, serves again once it has it, and no request is lost to it if another
// account can serve.
func TestBedrockRenewal(t *testing.T) {
	t.Parallel()
	x := bedrock(t)
	h := begin(t, "")
	add := map[string]any{
		"name": "aws", "provider": "bedrock", "base_url": x.URL, "api_key": ended.id + ":" + ended.secret + ":" + ended.token,
		"options": map[string]string{"region": region},
	}
	if _, err := h.operator.Call(t.Context(), "POST", "/api/accounts", add, nil); err != nil {
		t.Fatal(err)
	}
	s := rig.Script{N: 1, In: 31, Out: 20}
	got := h.ask(rig.Messages, sonnet, false, s)
	if got.Status == 200 || !strings.Contains(got.Told, "expired") {
		t.Errorf("an ended session: %d %s", got.Status, got.Told)
	}
	if got := h.ask(rig.Messages, sonnet, false, s); got.Status == 200 {
		t.Errorf("an ended session serves: %d %s", got.Status, got.Told)
	}
	if _, err := h.operator.Call(t.Context(), "PATCH", "/api/accounts/aws", map[string]any{"api_key": session.id + ":" + session.secret + ":" + session.token}, nil); err != nil {
		t.Fatal(err)
	}
	whole(t, "a new session", rig.Messages, h.ask(rig.Messages, sonnet, false, s), s)
}

// TestCosts: what requests cost is summed up at the prices in force, of each
// kind of token its own: by hand 31 × 2, 7 × 0.5 and 20 × 10 dollars for a million
// tokens.
func TestCosts(t *testing.T) {
	t.Parallel()
	x := bedrock(t)
	h := begin(t, "models: [{id: \""+nova+"\", price_in: 2, price_out: 10, price_cache_read: 0.5}]\naccounts:\n"+x.account("aws", bedrockKey, ""))
	const each = 0.0002655
	for i, protocol := range rig.Protocols {
		s := rig.Script{N: int64(i), In: 31, Cached: 7, Out: 20}
		got := h.ask(protocol, nova, i%2 == 0, s)
		whole(t, protocol, protocol, got, s)
		var one struct {
			Cost float64 `json:"cost_usd"`
		}
		if _, err := h.operator.Call(t.Context(), http.MethodGet, "/api/requests/"+got.ID, nil, &one); err != nil || math.Abs(one.Cost-each) > 1e-12 {
			t.Errorf("%s: %v dollars, want %v (%v)", protocol, one.Cost, each, err)
		}
	}
	var sum struct {
		Items []struct {
			Cost     float64 `json:"cost_usd"`
			Unpriced int64   `json:"unpriced"`
		} `json:"items"`
	}
	if _, err := h.operator.Call(t.Context(), http.MethodGet, "/api/usage?by=model", nil, &sum); err != nil {
		t.Fatal(err)
	}
	if len(sum.Items) != 1 || math.Abs(sum.Items[0].Cost-4*each) > 1e-12 || sum.Items[0].Unpriced != 0 {
		t.Errorf("the sum is %+v, want %v", sum.Items, 4*each)
	}
}
