package translate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/provider"
)

// A member is something that the newest clients put into a request (spec:
// upstreams §1A.1, §1B.1–3, §1C.2–4, §1D.1–3; clients §2.12).
type member struct {
	in   string // members of a request beside its least
	lost string // the paths of its losses at every other upstream; "": it changes nothing in an answer, or is carried
	// at is what is lost at some upstreams instead, and has what they are asked.
	at  map[string]string
	has map[string]string
	// unset: it says nothing, and nothing need be said for it.
	unset bool
}

const everywhere = "" // the upstreams that at does not name

var members = map[string][]member{
	claude: {
		{in: `"context_management":{"edits":[{"type":"clear_tool_uses_20250919","keep":{"type":"tool_uses","value":3}}]}`, lost: "context_management"},
		{in: `"container":{"id":"c","skills":[{"type":"anthropic","skill_id":"pptx","version":"latest"}]}`, lost: "container"},
		{in: `"container":"c_1"`, lost: "container"},
		{in: `"mcp_servers":[{"type":"url","name":"x","url":"https://x/","authorization_token":"t"}]`, lost: "mcp_servers[0]"},
		{
			in:   `"tools":[{"name":"f","input_schema":{"type":"object"}},{"type":"mcp_toolset","mcp_server_name":"x"}],"mcp_servers":[{"type":"url","name":"w","url":"https://w/"},{"type":"url","name":"x","url":"https://x/"}]`,
			lost: "tools[1] mcp_servers[0] mcp_servers[1]",
		},
		{in: `"fallbacks":"default"`, lost: "fallbacks"},
		{in: `"fallback_credit_token":"t"`, lost: "fallback_credit_token"},
		{in: `"thread":{"type":"create"}`, lost: "thread"},
		{in: `"billing_policy":{"a":1}`, lost: "billing_policy"},
		{in: `"speed":"fast"`, lost: "speed"},
		{in: `"inference_geo":"eu"`, lost: "inference_geo"},
		{in: `"diagnostics":{"previous_message_id":"m"}`},
		{in: `"safeguards":[{"type":"dangerous_tool_use","classifier_context":{}}]`},
		{in: `"cache_control":{"type":"ephemeral"}`, lost: "cache_control"},
		{in: `"output_config":{"effort":"high","task_budget":{"type":"tokens","total":1000}}`, lost: "output_config.task_budget", has: map[string]string{chat: `"reasoning_effort":"high"`, responses: `"effort":"high"`}},
		{in: `"thinking":{"type":"adaptive","display":"omitted"}`},
		{in: `"thinking":{"type":"between_tools"}`, lost: "reasoning.type"},
		{in: `"service_tier":"standard_only"`},
		{in: `"tools":[{"type":"memory_20250818","name":"memory"}]`, lost: "tools[0]"},
		{in: `"tools":[{"type":"advisor_20260301","name":"advisor","model":"m"}]`, lost: "tools[0]"},
		{in: `"tools":[{"type":"web_fetch_20260318","name":"web_fetch"}]`, lost: "tools[0]"},
		{in: `"tools":[{"type":"code_execution_20260521","name":"code_execution"}]`, at: map[string]string{responses: "", everywhere: "tools[0]"}, has: map[string]string{responses: `"type":"code_interpreter"`}},
		{in: `"tools":[{"name":"f","input_schema":{"type":"object"},"eager_input_streaming":true,"input_examples":[{"a":1}],"allowed_callers":["direct"]}]`, lost: "tools[0].input_examples tools[0].allowed_callers"},
		{in: `"messages":[{"role":"user","content":[{"type":"container_upload","file_id":"f"},{"type":"text","text":"u"}]}]`, lost: "messages[0].content[0]"},
		{in: `"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"fallback","from":{"model":"a"},"to":{"model":"b"}},{"type":"text","text":"a"}]},{"role":"user","content":"v"}]`, lost: "messages[1].content[0]"},
		{in: `"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"compaction","content":"so far"},{"type":"text","text":"a"}]},{"role":"user","content":"v"}]`, lost: "messages[1].content[0]", has: map[string]string{chat: "so far", responses: "so far", gem: "so far"}},
		{
			in:   `"thinking":{"type":"adaptive"},"output_config":{"effort":"high"},"messages":[{"role":"user","content":"u"},{"role":"system","content":"s","clear_at":"never","output_config":{"effort":"low"}}]`,
			lost: "messages[1].clear_at messages[1].output_config", has: map[string]string{chat: `"reasoning_effort":"low"`, responses: `"effort":"low"`},
			at: map[string]string{gem: "messages[1].content[0] messages[1].clear_at messages[1].output_config"},
		},
		{
			in:   `"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"n","input":{},"caller":{"type":"direct"},"toolset_name":"browser"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"browser_state","tabs":[]}]}]}]`,
			lost: "messages[2].content[0].content[0] messages[1].content[0].caller messages[1].content[0].toolset_name",
		},
		{in: `"new_thing":{"a":1}`, lost: "new_thing"},
	},
	responses: {
		{in: `"context_management":[{"type":"compaction","compact_threshold":1000}]`, lost: "context_management"},
		{in: `"moderation":{"model":"x"}`, at: map[string]string{chat: "", everywhere: "moderation"}, has: map[string]string{chat: `"moderation":{"model":"x"}`}},
		{in: `"image":{"context_compression":"enabled"}`, lost: "image"},
		{in: `"access_programs":{"cyber":"standard"}`, lost: "access_programs"},
		{in: `"multi_agent":{"a":1}`, lost: "multi_agent"},
		{in: `"max_tool_calls":3`, lost: "max_tool_calls"},
		{in: `"truncation":"auto"`, lost: "truncation"},
		{in: `"prompt_cache_options":{"mode":"explicit","ttl":"12h","prewarm":false}`, has: map[string]string{chat: `"prompt_cache_options":{"mode":"explicit"}`}},
		{in: `"prompt_cache_options":{"ttl":"30m"}`, has: map[string]string{chat: `"prompt_cache_options":{"ttl":"30m"}`}},
		{in: `"prompt_cache_options":{"prewarm":false}`},
		{in: `"client_metadata":{"a":"b"}`},
		{in: `"safety_identifier":"s"`, has: map[string]string{chat: `"safety_identifier":"s"`, claude: `"user_id":"s"`}},
		{in: `"reasoning":{"effort":"high","mode":"pro","context":"all_turns"}`, lost: "reasoning.mode reasoning.context", has: map[string]string{chat: `"reasoning_effort":"high"`}},
		{in: `"service_tier":"ultrafast"`, lost: "service_tier"},
		{in: `"tools":[{"type":"mcp","server_label":"x","server_url":"https://x"}]`, lost: "tools[0]"},
		{in: `"tools":[{"type":"shell","environment":{"type":"local","skills":[{"name":"s"}]}}]`, lost: "tools[0]", has: map[string]string{chat: `"name":"shell"`, claude: `"name":"shell"`, gem: `"name":"shell"`}},
		{in: `"tools":[{"type":"programmatic_tool_calling"}]`, lost: "tools[0]"},
		{in: `"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"async":true,"output_schema":{"type":"object"},"allowed_callers":["direct"]}]`, lost: "tools[0].async tools[0].output_schema tools[0].allowed_callers"},
		{
			in:   `"input":[{"type":"message","role":"user","content":"u"},{"type":"configuration_update","reasoning":{"effort":"low"}}],"reasoning":{"effort":"high"}`,
			lost: "messages[1].content[0].reasoning.effort", has: map[string]string{chat: `"messages":[{"role":"user","content":"u"}],"reasoning_effort":"low"`},
		},
		{
			in:   `"input":[{"type":"message","role":"user","content":"u"},{"type":"configuration_update","reasoning":{"effort":"none"},"text":{"format":{"type":"json_object"}}}]`,
			lost: "messages[1].content[0].reasoning.effort messages[1].content[0].text reasoning",
			at:   map[string]string{chat: "messages[1].content[0].reasoning.effort messages[1].content[0].text"}, has: map[string]string{chat: `"reasoning_effort":"none"`},
		},
		{in: `"input":[{"type":"message","role":"user","content":"u"},{"type":"message","role":"assistant","phase":"commentary","content":"a"},{"type":"message","role":"user","content":"v"}]`, lost: "messages[1].content[0].message.phase"},
		{in: `"input":[{"type":"message","role":"user","content":"u"},{"type":"program","id":"p","code":"x"},{"type":"program_output","id":"q","output":"y"}]`, lost: "messages[1].content[0] messages[2].content[0]"},
		{in: `"new_thing":{"a":1}`, lost: "new_thing"},
	},
	chat: {
		{in: `"prediction":{"type":"content","content":"x"}`, lost: "prediction"},
		{in: `"moderation":{"model":"x"}`, at: map[string]string{responses: "", everywhere: "moderation"}, has: map[string]string{responses: `"moderation":{"model":"x"}`}},
		{in: `"prompt_cache_options":{"mode":"explicit"}`, has: map[string]string{responses: `"prompt_cache_options":{"mode":"explicit"}`}},
		{in: `"safety_identifier":"s"`, has: map[string]string{responses: `"safety_identifier":"s"`, claude: `"user_id":"s"`}},
		{in: `"new_thing":{"a":1}`, lost: "new_thing"},
	},
	gem: {
		{in: `"safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"OFF"}]`, lost: "safetySettings"},
		{in: `"modelArmorConfig":{"a":1}`, lost: "modelArmorConfig"},
		{in: `"labels":{"a":"b"}`},
		{in: `"generationConfig":{"mediaResolution":"MEDIA_RESOLUTION_LOW"}`, lost: "generationConfig.mediaResolution"},
		{in: `"generationConfig":{"thinkingConfig":{"thinkingLevel":"THINKING_LEVEL_UNSPECIFIED"}}`, unset: true},
		{in: `"generationConfig":{"enableEnhancedCivicAnswers":true}`, lost: "generationConfig.enableEnhancedCivicAnswers"},
		{in: `"toolConfig":{"retrievalConfig":{"latLng":{}}}`, lost: "tool_choice.retrievalConfig"},
		{in: `"tools":[{"googleMaps":{}}]`, lost: "tools[0]"},
		{in: `"tools":[{"mcpServers":[{"name":"a"}]}]`, lost: "tools[0]"},
		{in: `"new_thing":{"a":1}`, lost: "new_thing"},
	},
}

// least are requests without anything but words.
var least = map[string]string{
	claude:    `{"model":"m-1","max_tokens":99,%s,"messages":[{"role":"user","content":"u"}]}`,
	responses: `{"model":"m-1",%s,"input":"u"}`,
	chat:      `{"model":"m-1",%s,"messages":[{"role":"user","content":"u"}]}`,
	gem:       `{%s,"contents":[{"role":"user","parts":[{"text":"u"}]}]}`,
}

// TestNewestMembers: what the newest clients say is the same for an upstream of
// their own protocol, and elsewhere it is carried or named as a loss at its
// place.
func TestNewestMembers(t *testing.T) {
	for client, all := range members {
		for _, m := range all {
			body := []byte(fmt.Sprintf(least[client], m.in))
			if strings.Contains(m.in, `"messages"`) || strings.Contains(m.in, `"input":[`) {
				body = []byte(strings.NewReplacer(`,"messages":[{"role":"user","content":"u"}]}`, "}", `,"input":"u"}`, "}").Replace(string(body)))
			}
			if client == responses { // as the codec writes it
				body = []byte(strings.NewReplacer(
					`"input":"u"`, `"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"u"}]}]`, `"content":"u"`, `"content":[{"type":"input_text","text":"u"}]`,
					`"content":"v"`, `"content":[{"type":"input_text","text":"v"}]`, `"content":"a"`, `"content":[{"type":"output_text","text":"a","annotations":[]}]`,
				).Replace(string(body)))
			}
			for _, upstream := range []string{chat, responses, claude, gem} {
				asked, losses := putTo(t, client, upstream, body)
				if upstream == client && m.unset {
					continue
				}
				if upstream == client {
					if diff := codectest.Same(body, asked); diff != "" || len(losses) > 0 {
						t.Errorf("%s, %s: %s, lost %v", client, m.in, diff, losses)
					}
					continue
				}
				var got []string
				for _, l := range losses {
					got = append(got, l.Path)
				}
				want, ok := m.at[upstream]
				if !ok {
					if want, ok = m.at[everywhere]; !ok {
						want = m.lost
					}
				}
				if paths := strings.Fields(want); !sameSet(got, paths) {
					t.Errorf("%s to %s, %s: lost %q, want %q", client, upstream, m.in, got, paths)
				}
				if has := m.has[upstream]; !strings.Contains(string(asked), has) {
					t.Errorf("%s to %s, %s: asked %s, without %s", client, upstream, m.in, asked, has)
				}
			}
		}
	}
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// putTo is what an upstream is asked for a request.
func putTo(t *testing.T, client, upstream string, body []byte) ([]byte, []llm.Loss) {
	t.Helper()
	b, err := New(translatorOf(client), translatorOf(upstream), body, Options{ID: "r", Model: "m-1"})
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	asked, losses, err := b.Request(&Upstream{Fit: &protocol.Fit{Model: "m-1", Native: true, Vendor: upstream}, Quirks: &provider.None, Account: "one"})
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return asked, losses
}

// TestNoStranger: what OpenAI's two protocols share goes to no copy of them.
func TestNoStranger(t *testing.T) {
	b, err := New(translatorOf(chat), translatorOf(responses), []byte(fmt.Sprintf(least[chat], `"moderation":{"model":"x"},"prompt_cache_options":{"mode":"explicit"}`)), Options{ID: "r", Model: "m-1"})
	if err != nil {
		t.Fatal(err)
	}
	asked, losses, err := b.Request(&Upstream{Fit: &protocol.Fit{Model: "m-1", Vendor: "groq"}, Quirks: &provider.None, Account: "one"})
	if err != nil || strings.Contains(string(asked), moderation) || strings.Contains(string(asked), cacheOptions) || len(losses) != 1 || losses[0].Path != moderation {
		t.Errorf("%v, asked %s, lost %v", err, asked, losses)
	}
}

// TestCompactionRefused: a request to write a conversation down is no question
// that another vendor could answer.
func TestCompactionRefused(t *testing.T) {
	body := []byte(fmt.Sprintf(least[claude], `"compaction":{"type":"summarize"}`))
	for _, upstream := range []string{chat, responses, gem} {
		if _, err := New(translatorOf(claude), translatorOf(upstream), body, Options{}); err == nil || !strings.Contains(err.Error(), "compaction") {
			t.Errorf("%s: %v", upstream, err)
		}
	}
	if _, err := New(translatorOf(claude), translatorOf(claude), body, Options{}); err != nil {
		t.Error(err)
	}
}
