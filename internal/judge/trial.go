package main

import (
	"slices"
	"strings"

	"portico/internal/protocol"
)

// A trial is one run of a program that runs a client.
type trial struct {
	name    string
	program string   // in the folder of programs; its argument is the gateway's address
	env     []string // NAME=VALUE; what they mean is said in the programs
	own     string   // the protocol that the client speaks, "" for several or unknown
}

// script reports whether the program is one of the project's own.
func (t trial) script() bool { return strings.HasSuffix(t.program, ".mjs") }

// String is for a list.
func (t trial) String() string {
	return strings.TrimSpace(t.name + ": " + strings.Join(append(t.env, t.program), " "))
}

// own is the upstream of which each client meets its own protocol.
const own = "own"

// upstreams are what -upstream takes, without all.
func upstreams() []string {
	return []string{own, protocol.OpenAIChat, protocol.OpenAIResponses, protocol.Anthropic, protocol.Gemini}
}

// several is the program that asks for several candidates, with the SDKs of the
// folder of clients.
const several = "several.mjs"

// A second request that serves, after a first that was refused, is what the
// upstream says "attempt" to; the gateway may have made the second by itself.
const (
	refusedOnce = "PROMPT_OVERRIDE=Say hi [[once:429:judge-"
	serves      = "EXPECT=attempt"
)

// seeing asks for what the agent makes a turn of, with two calls at once, one of
// which shows a picture, and sealed reasoning. opencode shows pictures only to
// models of which it is told that they see.
const (
	seeing  = "PROMPT_EXTRA= Look at the picture beside it, too. " + pictureMark
	sighted = `OPENCODE_CONFIG_CONTENT={"provider":{"portico":{"models":{"gpt-5.1":` + sees + `,"claude-sonnet-4-5":` + sees + `,"gemini-2.5-pro":` + sees + `}}}}`
	sees    = `{"attachment":true,"reasoning":true,"tool_call":true,"modalities":{"input":["text","image"],"output":["text"]}}`
)

// expects is what such a trial expects at an upstream. A client that does not
// bring back what its own protocol sealed has nobody to do that for it where
// nothing is translated.
func expects(t trial, upstream string) []string {
	if !slices.Contains(t.env, seeing) {
		return nil
	}
	forgets := slices.Contains(unsealing, strings.TrimSuffix(t.name, pictured)) && (upstream == own || upstream == t.own)
	return []string{"EXPECT=portico-marker-.*" + witnessed[forgets]}
}

const pictured = ", a picture and a thought"

// unsealing are the clients that keep no seals of their own protocol.
var unsealing = []string{"opencode, chat", "Qwen Code, chat", "Qwen Code, responses"}

// known are the clients and what is tried with them. One that is not in the
// folder is left out.
var known = func() []trial {
	const chat, responses, anthropic, gemini = protocol.OpenAIChat, protocol.OpenAIResponses, protocol.Anthropic, protocol.Gemini
	ts := []trial{
		{"OpenAI SDK (JS)", "run-sdk-openai", nil, ""},
		{"OpenAI SDK (Go)", "run-sdk-go-openai", nil, ""},
		{"Anthropic SDK (JS)", "run-sdk-anthropic", nil, anthropic},
		{"Anthropic SDK (Go)", "run-sdk-go-anthropic", nil, anthropic},
		{"Google SDK (JS)", "run-sdk-genai", nil, gemini},
		{"Google SDK (JS), v1beta", "run-sdk-genai", []string{"GEMINI_API_VERSION=v1beta"}, gemini},
		{"Google SDK (Go)", "run-sdk-go-genai", nil, gemini},
		{"Claude Code", "run-claude-code", nil, anthropic},
		{"Claude Code, x-api-key", "run-claude-code", []string{"AUTH=key"}, anthropic},
		{"Codex", "run-codex", nil, responses},
		{"Codex, WebSocket first", "run-codex", []string{"EXTRA_PROVIDER=supports_websockets = true"}, responses},
		{"Gemini CLI", "run-gemini-cli", nil, gemini},
		{"opencode, chat", "run-opencode", []string{"PROVIDER=compat"}, chat},
		{"opencode, responses", "run-opencode", []string{"PROVIDER=openai"}, responses},
		{"opencode, anthropic", "run-opencode", []string{"PROVIDER=anthropic"}, anthropic},
		{"opencode, gemini", "run-opencode", []string{"PROVIDER=google"}, gemini},
		{"Qwen Code, chat", "run-qwen-code", []string{"AUTHTYPE=openai"}, chat},
		{"Qwen Code, responses", "run-qwen-code", []string{"AUTHTYPE=openai-responses"}, responses},
		{"Qwen Code, anthropic", "run-qwen-code", []string{"AUTHTYPE=anthropic"}, anthropic},
		{"Qwen Code, gemini", "run-qwen-code", []string{"AUTHTYPE=gemini"}, gemini},
	}
	for _, t := range slices.Clone(ts) {
		if _, sdk := strings.CutPrefix(t.program, "run-sdk-"); !sdk {
			ts = append(ts, trial{t.name + pictured, t.program, append([]string{seeing, sighted}, t.env...), t.own})
		}
	}
	for _, sdk := range []trial{{name: "AI SDK", program: "ai.mjs"}, {name: "LangChain", program: "langchain.mjs"}} {
		for _, p := range []string{chat, responses, anthropic, gemini} {
			ts = append(ts, trial{sdk.name + ", " + p, sdk.program, []string{"PROTOCOL=" + p}, p})
		}
	}
	ts = append(ts, trial{"OpenAI SDK (JS), several candidates", several, nil, chat}, trial{"Google SDK (JS), several candidates", several, []string{"PROTOCOL=" + gemini}, gemini})
	for _, c := range []trial{
		{"Claude Code", "run-claude-code", nil, anthropic},
		{"Codex", "run-codex", nil, responses},
		{"Gemini CLI", "run-gemini-cli", nil, gemini},
		{"opencode", "run-opencode", nil, chat},
		{"Qwen Code", "run-qwen-code", nil, chat},
	} {
		ts = append(ts,
			trial{c.name + ", two tools at once", c.program, []string{"PARALLEL=1"}, c.own},
			trial{c.name + ", refused once", c.program, []string{refusedOnce + c.program + "]]", serves}, c.own})
	}
	return ts
}()

// A verdict is what came of a trial.
type verdict struct {
	passed bool
	why    string // what failed, one line
	// beyond names the checks that were not made, because they ask for what
	// no upstream of the protocol has.
	beyond []string
}

func (v verdict) line(name, upstream string) string {
	word := "PASS"
	if !v.passed {
		word = "FAIL"
	}
	s := word + "  " + name
	if upstream != own {
		s += " → " + upstream
	}
	if v.why != "" {
		s += "  " + v.why
	}
	if len(v.beyond) > 0 {
		s += "  (without " + strings.Join(v.beyond, ", ") + ")"
	}
	return s
}

// maxWhy bounds what is shown of a failure, in bytes.
const maxWhy = 300

// why finds in what a program said what failed: the last line that begins with
// FAIL says which checks, or why the whole did.
func why(said string) string {
	found := ""
	for line := range strings.Lines(said) {
		if rest, ok := strings.CutPrefix(line, "FAIL "); ok {
			found = strings.TrimSpace(rest)
		}
	}
	if found == "" {
		lines := strings.Split(strings.TrimSpace(said), "\n")
		found = strings.TrimSpace(lines[len(lines)-1])
	}
	if len(found) > maxWhy {
		found = strings.ToValidUTF8(found[:maxWhy], "") + "…"
	}
	return found
}

// limits are the checks of the programs that cannot pass at an upstream of
// another protocol, whatever the gateway does.
var limits = []struct {
	program string
	checks  []string
	at      []string
	why     string
}{
	{"run-sdk-openai", []string{"embeddings", "images"}, beside(protocol.OpenAIChat), "no account there has the operation"},
	{"run-sdk-go-openai", []string{"embeddings", "images"}, beside(protocol.OpenAIChat), "no account there has the operation"},
	{"run-sdk-openai", []string{"images"}, []string{protocol.OpenAIChat}, "pictures are drawn in chats there, and the upstream draws none"},
	{"run-sdk-go-openai", []string{"images"}, []string{protocol.OpenAIChat}, "pictures are drawn in chats there, and the upstream draws none"},
	{"run-sdk-genai", []string{"embed", "imageOut"}, beside(protocol.Gemini), "no account there has the operation"},
	{"run-sdk-go-genai", []string{"count.models.embed"}, beside(protocol.Gemini), "no account there has the operation"},
	{"run-sdk-openai", []string{"responses.reasoning"}, []string{protocol.OpenAIChat, protocol.Gemini}, "the upstream seals no mere thought there"},
	{"run-sdk-anthropic", []string{"thinking"}, []string{protocol.OpenAIChat, protocol.Gemini}, "the upstream seals no mere thought there"},
	{"run-sdk-go-anthropic", []string{"stream.thinking"}, []string{protocol.OpenAIChat, protocol.Gemini}, "the upstream seals no mere thought there"},
	{"run-sdk-openai", []string{"chat.params"}, []string{protocol.OpenAIResponses, protocol.Anthropic}, "Responses has no stop sequences, Anthropic's newest models no sampling"},
	{"run-sdk-genai", []string{"params"}, []string{protocol.OpenAIResponses, protocol.Anthropic}, "Responses has no stop sequences, Anthropic's newest models no sampling"},
	{"run-sdk-anthropic", []string{"system.cache"}, []string{protocol.OpenAIResponses}, "Responses has no stop sequences"},
	{"run-sdk-openai", []string{"chat.json_object"}, []string{protocol.Anthropic}, "JSON without a schema is asked for in words, which the upstream does not heed"},
	{several, []string{"completions.1", "completions.3", "completions.8"}, []string{own, protocol.OpenAIChat}, "text completions there are answered by the scripted upstream, always the same"},
	{"run-sdk-go-anthropic", []string{"tools"}, []string{protocol.Gemini}, "a result is an object there, and the upstream shows it as one"},
}

// apart are the checks that have the upstream break down in the middle of an
// answer, after which a gateway is right to let the account rest.
var apart = map[string][]string{
	"run-sdk-openai":    {"chat.stream.mid", "responses.stream.mid"},
	"run-sdk-go-openai": {"chat.stream.mid"},
	"run-sdk-anthropic": {"stream.mid"},
}

// beside are all protocols but p.
func beside(p string) (others []string) {
	for _, u := range upstreams()[1:] {
		if u != p {
			others = append(others, u)
		}
	}
	return others
}

// beyond names the checks of a program that are left out at an upstream.
func beyond(program, upstream string) (checks []string) {
	for _, l := range limits {
		if l.program == program && slices.Contains(l.at, upstream) {
			checks = append(checks, l.checks...)
		}
	}
	return checks
}
