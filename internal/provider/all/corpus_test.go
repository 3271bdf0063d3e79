package all

import (
	"encoding/json/v2"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/protocol/anthropic"
	"portico/internal/protocol/gemini"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/openairesponses"
	"portico/internal/provider/providertest"
	"portico/internal/sse"
)

// A captured error is one of the corpus.
type captured struct {
	ID, Provider string
	Status       int
	Headers      map[string]string
	Body         string
	Want         fault.Class
	protocol     string
	stream       bool
}

// classes maps the corpus' own names of classes.
var classes = map[string]fault.Class{
	"quota_exhausted": fault.QuotaSpent, "rate_limited": fault.RateLimited, "overloaded": fault.Overloaded,
	"account_action_required": fault.Permission, "server_error": fault.Broken, "invalid_account": fault.CredentialInvalid,
	"geo_blocked": fault.Permission, "auth_expired": fault.CredentialExpired, "invalid_request": fault.BadRequest,
}

// argued are the errors that we judge otherwise than the corpus does, and why.
var argued = map[string]struct {
	class fault.Class
	why   string
}{
	"t10-google-code-assist-429-rate_limited": {fault.Overloaded, "Vertex' quota is shared by all its customers: no pause of this account mends it (spec §4.4)"},
	"t64-groq-413-invalid_request":            {fault.ContextTooLong, "the request is larger than the allowance of a minute; a shorter conversation passes, so clients may compact it"},
	"t53-chatgpt-codex-401-auth_expired":      {fault.CredentialInvalid, "accounts have API keys, which do not expire; nothing in the body says that a token did"},
}

// TestCorpus judges every error of the corpus with the rules of the provider
// that it came from, and prints the table. PORTICO_CORPUS names its folder; it
// is no part of the project.
func TestCorpus(t *testing.T) {
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	errs := append(transcribed(t, root), recorded(t, root)...)
	if len(errs) < 100 {
		t.Fatalf("found only %d errors", len(errs))
	}
	agree := 0
	table := map[string]int{}
	for _, c := range errs {
		if c.protocol == "" {
			t.Logf("%-90s not an answer of an AI endpoint", c.ID)
			continue
		}
		f := c.judge()
		want, word := c.Want, "agrees"
		if a, ok := argued[c.ID]; ok {
			want, word = a.class, "argued: "+a.why
		}
		if f.Class != want {
			t.Errorf("%s: %v of %v (%s), want %v", c.ID, f.Class, f.Scope, f.Msg, want)
			continue
		}
		agree++
		table[fmt.Sprintf("%-24s %d %s", c.Provider, c.Status, providertest.Verdict(f))]++
		if word != "agrees" {
			t.Logf("%-90s %s", c.ID, word)
		}
	}
	lines := make([]string, 0, len(table))
	for line, n := range table {
		lines = append(lines, fmt.Sprintf("%3d  %s", n, line))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[5:], b[5:]) })
	t.Logf("%d of %d errors are judged as they should be, %d of them argued\n%s", agree, len(errs), len(argued), strings.Join(lines, "\n"))
}

// judge reads and judges c as the relay does.
func (c *captured) judge() *fault.Fault {
	codecs := map[string]protocol.Codec{
		protocol.OpenAIChat: openaichat.New(), protocol.OpenAIResponses: openairesponses.New(),
		protocol.Anthropic: anthropic.New(), protocol.Gemini: gemini.New(),
	}
	codec := codecs[c.protocol]
	sign := codec.DecodeError(c.Status, []byte(c.Body))
	if c.stream {
		tap := codec.NewTap()
		for rest := []byte(c.Body); len(rest) > 0; {
			var cut sse.Cutter
			n := cut.Cut(rest)
			if n == 0 {
				n = len(rest)
			}
			if frame := sse.Parse(rest[:n]); frame.Data != nil {
				tap.Frame(frame.Event, frame.Data)
			}
			rest = rest[n:]
		}
		if e := tap.Seen().Error; e != nil {
			sign = *e
			if sign.Status == 0 {
				sign.Status = c.Status
			}
		}
	}
	sign.Header, sign.Phase = http.Header{}, fault.Answered
	for name, value := range c.Headers {
		sign.Header.Set(name, value)
	}
	for _, p := range New() {
		if p.Name() == provided(c.Provider) {
			return p.Rules().Judge(sign, providertest.Noon)
		}
	}
	return &fault.Fault{Msg: "no provider " + provided(c.Provider)}
}

// provided names the provider of ours that takes the place of a vendor.
func provided(vendor string) string {
	switch vendor {
	case "openai", "azure-openai", "chatgpt-codex":
		return "openai"
	case "anthropic":
		return "anthropic"
	case "google-ai", "vertex", "google-code-assist":
		return "gemini"
	}
	return "openai-compatible"
}

// transcribed reads the errors of public reports.
func transcribed(t *testing.T, root string) (out []captured) {
	text, err := os.ReadFile(filepath.Join(root, "errors", "transcribed.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var c captured
		var more struct{ Cls string }
		for _, into := range []any{&c, &more} {
			if err := json.Unmarshal([]byte(line), into, json.MatchCaseInsensitiveNames(true)); err != nil {
				t.Fatal(err)
			}
		}
		class, ok := classes[more.Cls]
		if !ok {
			t.Errorf("%s: nobody knows the class %q", c.ID, more.Cls)
		}
		c.Want, c.stream = class, strings.HasPrefix(c.Body, "event:")
		switch provider := provided(c.Provider); {
		case strings.HasSuffix(c.Provider, "-oauth"): // token endpoints
		case provider == "gemini":
			c.protocol = protocol.Gemini
		case provider == "anthropic" && !strings.Contains(c.Body, `"param":null`):
			c.protocol = protocol.Anthropic
		case c.stream || c.Provider == "chatgpt-codex":
			c.protocol = protocol.OpenAIResponses
		default:
			c.protocol = protocol.OpenAIChat
		}
		out = append(out, c)
	}
	return out
}

// recorded reads the error answers among recorded exchanges. What they mean is
// told by their status, but for those listed in meant.
func recorded(t *testing.T, root string) (out []captured) {
	dirs, err := filepath.Glob(filepath.Join(root, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		text, err := os.ReadFile(filepath.Join(dir, "meta.json"))
		if err != nil {
			continue
		}
		var meta struct {
			Protocol, Provider string
			Status             *int
			ResponseFile       string            `json:"response_file"`
			ResponseHeaders    map[string]string `json:"response_headers"`
		}
		if err := json.Unmarshal(text, &meta, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatal(dir, err)
		}
		if meta.Status == nil || *meta.Status < 400 {
			continue
		}
		body, err := os.ReadFile(filepath.Join(dir, meta.ResponseFile))
		if err != nil {
			t.Fatal(err)
		}
		c := captured{ID: filepath.Base(dir), Provider: meta.Provider, Status: *meta.Status, Headers: meta.ResponseHeaders, Body: string(body), protocol: meta.Protocol}
		if c.protocol == "openai-compatible-other" {
			c.protocol = protocol.OpenAIChat
		}
		c.Want = meaning(&c)
		out = append(out, c)
	}
	return out
}

// meant are phrases of bodies that mean something else than their status.
var meant = []struct {
	status int
	phrase string
	class  fault.Class
}{
	{400, "prompt is too long", fault.ContextTooLong},
	{400, "maximum context length", fault.ContextTooLong},
	{400, "context_length_exceeded", fault.ContextTooLong},
	{400, "exceed_context_size_error", fault.ContextTooLong},
	{400, "exceeded max context length", fault.ContextTooLong},
	{400, "too_many_prompt_tokens", fault.ContextTooLong},
	{400, "API_KEY_INVALID", fault.CredentialInvalid},
	{400, "Incorrect API key", fault.CredentialInvalid},
	{400, "model_not_found", fault.ModelDenied},
	{400, "supported API model names", fault.ModelDenied},
	{400, "without its required following item", fault.SealMismatch},
	{404, "has been deprecated", fault.ModelGone},
	{500, "tools param requires --jinja flag", fault.BadRequest},
	{500, "image input is not supported", fault.BadRequest},
	{500, "cannot make GET request", fault.BadRequest},
}

// meaning is what a person reads in the body, or the status if that is all.
func meaning(c *captured) fault.Class {
	for _, m := range meant {
		if c.Status == m.status && strings.Contains(c.Body, m.phrase) {
			return m.class
		}
	}
	return fault.Rules{}.Judge(fault.Sign{Status: c.Status}, providertest.Noon).Class
}
