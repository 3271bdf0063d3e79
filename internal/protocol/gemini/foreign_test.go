package gemini

import (
	"encoding/json/jsontext"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/anthropic"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/openairesponses"
)

var functionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$`)

// takes says what Google would refuse in a request, "" if nothing (spec:
// upstreams §1D, translation-traps C2 to C8).
func takes(x tree, gen generation) string {
	r, ok := x.(object)
	if !ok {
		return "no object"
	}
	contents, _ := r["contents"].([]tree)
	if len(contents) == 0 {
		return "no contents"
	}
	owed := []string(nil) // the names of calls that the next content answers
	for i, c := range contents {
		c := c.(object)
		parts, _ := c["parts"].([]tree)
		role := c["role"]
		switch {
		case len(parts) == 0:
			return fmt.Sprintf("content %d is empty", i)
		case role != `"user` && role != `"model`:
			return fmt.Sprintf("content %d has the role %v", i, role)
		case i == 0 && role != `"user`:
			return "the first content is the model's"
		}
		var calls, results []string
		signed := false
		for j, p := range parts {
			p := p.(object)
			n := 0
			for _, kind := range []string{"text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult"} {
				if p[kind] != nil {
					n++
				}
			}
			if n != 1 {
				return fmt.Sprintf("content %d, part %d has %d data", i, j, n)
			}
			if p["text"] == `"` && p["thoughtSignature"] == nil {
				return fmt.Sprintf("content %d, part %d is an empty text", i, j)
			}
			if call, ok := p["functionCall"].(object); ok {
				if _, ok := call["args"].(object); !ok || role != `"model` {
					return fmt.Sprintf("content %d, part %d: a call without an object", i, j)
				}
				if len(calls) == 0 {
					signed = p["thoughtSignature"] != nil
				}
				calls = append(calls, call["name"].(string))
			}
			if result, ok := p["functionResponse"].(object); ok {
				if _, ok := result["response"].(object); !ok || role != `"user` {
					return fmt.Sprintf("content %d, part %d: a result without an object", i, j)
				}
				results = append(results, result["name"].(string))
			}
		}
		if strings.Join(results, ",") != strings.Join(owed, ",") {
			return fmt.Sprintf("content %d answers %q, not %q", i, results, owed)
		}
		if len(calls) > 0 && gen.signs() && !signed {
			return fmt.Sprintf("content %d has an unsigned call", i)
		}
		owed = calls
	}
	if len(owed) > 0 {
		return "the last calls have no results"
	}
	tools, _ := r["tools"].([]tree)
	lists := 0
	for _, tool := range tools {
		list, ok := tool.(object)["functionDeclarations"].([]tree)
		if ok {
			lists++
		}
		for _, f := range list {
			f := f.(object)
			if name, _ := f["name"].(string); !functionName.MatchString(strings.TrimPrefix(name, `"`)) {
				return "a function is called " + name // the bridge sees to that
			}
			if p, ok := f["parametersJsonSchema"]; ok {
				if _, ok := p.(object); !ok {
					return "parameters that are no object"
				}
			}
		}
	}
	if lists > 1 {
		return "several lists of functions"
	}
	if think, ok := r["generationConfig"].(object); ok {
		if t, ok := think["thinkingConfig"].(object); ok && t["thinkingBudget"] != nil && t["thinkingLevel"] != nil {
			return "a budget and a level"
		}
	}
	return ""
}

// TestForeignRequests: recorded requests of other protocols' clients are such
// as Google takes, whatever they hold, and nothing that was said is lost.
func TestForeignRequests(t *testing.T) {
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	sources := map[string]protocol.Translator{
		"openai-chat": openaichat.New(), "openai-compatible-other": openaichat.New(), "openai-responses": openairesponses.New(), "anthropic": anthropic.New(),
	}
	n := 0
	for folder, from := range sources {
		files, _ := filepath.Glob(filepath.Join(root, folder, "*", "request.json"))
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := from.DecodeRequest(body)
			if err != nil || len(r.Messages) == 0 {
				continue
			}
			for _, model := range []string{"gemini-2.5-pro", "gemini-3-pro-preview"} {
				out, losses, err := New().EncodeRequest(nil, r, &protocol.Fit{Model: model, Native: true})
				if err != nil || !jsontext.Value(out).IsValid() {
					t.Errorf("%s: %v\n%s", file, err, out)
					continue
				}
				name := filepath.Base(filepath.Dir(file))
				if why := takes(grow(t, out), generationOf(model)); why != "" && !strings.HasPrefix(why, "a function is called") {
					t.Errorf("%s, %s: %s", name, model, why)
				}
				if why := unsaid(r, string(out), losses); why != "" {
					t.Errorf("%s, %s: %s", name, model, why)
				}
				n++
			}
		}
	}
	t.Logf("%d requests", n)
}

// unsaid is a text of the conversation that is neither in out nor told to be
// lost.
func unsaid(r *llm.Request, out string, losses []llm.Loss) string {
	told := func(at string) bool {
		for _, l := range losses {
			if strings.HasPrefix(l.Path, at) {
				return true
			}
		}
		return false
	}
	inner := func(t llm.Text) string { return string(t.AppendInner(nil)) }
	for i, m := range r.Messages {
		for j, p := range m.Parts {
			at := fmt.Sprintf("messages[%d].content[%d]", i, j)
			want := ""
			switch p := p.(type) {
			case *llm.Prose:
				want = inner(p.Text)
			case *llm.Call:
				want = `"name":"` + p.Name + `"`
			case *llm.Blob:
				if p.Data.IsSet() {
					want = inner(p.Data)
				} else {
					want = p.URL + p.File
				}
			case *llm.Result:
				for _, x := range p.Parts {
					if x, ok := x.(*llm.Prose); ok && !strings.Contains(out, inner(x.Text)) && !strings.Contains(out, x.Text.String()) && !told(at) {
						return at + " of a result is missing"
					}
				}
			}
			if !strings.Contains(out, want) && !told(at) {
				return at + " is missing"
			}
		}
	}
	return ""
}
