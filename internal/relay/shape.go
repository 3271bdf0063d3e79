package relay

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"portico/internal/catalog"
	"portico/internal/config"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/openaiwire"
)

// shape changes what the operator has decided to change in a conversation, and
// notes it. The call is copied: nobody else sees the change. A body that cannot
// be read goes on as it is, for whoever is asked to say what is wrong with it.
func (a *answer) shape() {
	s := a.c.Settings
	if a.c.Op != protocol.Chat || s.Preamble == "" && steady(&s.Thinking) {
		return
	}
	body, edits := a.c.Body, []string(nil)
	if s.Preamble != "" {
		if b, err := prefaced(a.c.Codec.Name(), body, s.Preamble); err == nil && b != nil {
			body, edits = b, append(edits, "system_prompt="+strconv.Itoa(len(s.Preamble))+" bytes")
		}
	}
	if !steady(&s.Thinking) {
		if r := a.request(); r != nil && thinks(&r.Reason) {
			t := rethought(&s.Thinking, &r.Reason, func(n int64) int64 {
				for _, model := range a.plan.Models { // any of them may be asked
					m, _ := s.Catalog.Lookup(model)
					n = capped(n, model, &m)
				}
				return n
			})
			if b, err := t.into(a.c.Codec.Name(), body, r.Sampling.MaxTokens); err == nil && b != nil {
				body, edits = b, append(edits, "thinking="+t.String())
			}
		}
	}
	if edits == nil {
		return
	}
	own := *a.c
	own.Body, own.Lasting = body, true
	a.c, a.x.Edits = &own, edits
}

// steady reports whether thinking is left as clients ask for it.
func steady(t *config.Thinking) bool { return t.Mode == "" || t.Mode == "passthrough" }

// prefaced is body with text before its other instructions, in the protocol's
// own place for them. Nil: the protocol has none.
func prefaced(name string, body []byte, text string) ([]byte, error) {
	quoted := jsonedit.Quote(nil, text)
	switch name {
	case protocol.OpenAIChat:
		message := append(append([]byte(`{"role":"system","content":`), quoted...), '}')
		return unshift(body, "messages", message)
	case protocol.OpenAIResponses:
		return beforeText(body, "instructions", text)
	case protocol.Anthropic:
		if v := jsonedit.Get(body, "system"); len(v) > 0 && v[0] == '[' {
			return unshift(body, "system", append(append([]byte(`{"type":"text","text":`), quoted...), '}'))
		}
		return beforeText(body, "system", text)
	case protocol.Gemini:
		member, part := "systemInstruction", append(append([]byte(`{"text":`), quoted...), '}')
		if jsonedit.Get(body, "system_instruction") != nil {
			member = "system_instruction"
		}
		v := jsonedit.Get(body, member)
		if len(v) == 0 || v[0] != '{' {
			return jsonedit.Set(body, member, append(append([]byte(`{"parts":[`), part...), "]}"...))
		}
		v, err := unshift(v, "parts", part)
		if err != nil {
			return nil, err
		}
		return jsonedit.Set(body, member, v)
	}
	return nil, nil
}

// unshift puts v before the elements of the array that the member name of doc
// is, or makes it one.
func unshift(doc []byte, name string, v []byte) ([]byte, error) {
	array := jsonedit.Get(doc, name)
	if len(array) == 0 || array[0] != '[' {
		return jsonedit.Set(doc, name, append(append([]byte{'['}, v...), ']'))
	}
	out := append([]byte{'['}, v...)
	if rest := bytes.TrimLeft(array[1:], " \t\r\n"); len(rest) > 0 && rest[0] != ']' {
		out = append(out, ',')
	}
	return jsonedit.Set(doc, name, append(out, array[1:]...))
}

// beforeText puts text and an empty line before the text that the member name
// of doc is, or makes it one.
func beforeText(doc []byte, name, text string) ([]byte, error) {
	if was, ok := jsonedit.Unquote(jsonedit.Get(doc, name)); ok && was != "" {
		text += "\n\n" + was
	}
	return jsonedit.Set(doc, name, jsonedit.Quote(nil, text))
}

// A thought is how much thinking is asked for: a budget in tokens, or an
// effort, or neither if nothing changes.
type thought struct {
	mode   string
	budget int64
	effort string
}

// String is t as the ledger tells it.
func (t thought) String() string {
	if t.effort != "" {
		return t.mode + " effort " + t.effort
	}
	return fmt.Sprintf("%s budget %d", t.mode, t.budget)
}

// rethought is what becomes of r, which asks for thinking. within is a budget
// as the models take it that may be asked.
func rethought(t *config.Thinking, r *llm.Reason, within func(int64) int64) thought {
	switch t.Mode {
	case "custom":
		return thought{mode: t.Mode, budget: within(t.Budget)}
	case "adaptive":
		return thought{mode: t.Mode, effort: t.Effort}
	case "auto":
		if r.Mode == llm.ReasonBudget {
			if n := within(r.Budget); n != r.Budget {
				return thought{mode: t.Mode, budget: n}
			}
		}
	}
	return thought{}
}

// capped is a budget that model takes: below the longest answer that is known
// of it, and for Gemini's 2.5 what Google documents (spec: parity §4.7).
func capped(n int64, model string, m *catalog.Model) int64 {
	if m.MaxOutput > 1 {
		n = min(n, m.MaxOutput-1)
	}
	if strings.Contains(model, "gemini") {
		n = min(n, geminiBudget)
	}
	return n
}

// geminiBudget is the largest budget that all of Gemini's thinking models take.
const geminiBudget = 24576

// headroom is what is left for the answer where a budget is raised beyond the
// longest answer that the client asked for.
const headroom = 8192

// into is body with t in place of what it says about thinking, in the
// protocol's own words. Nil: there is nothing to change.
func (t thought) into(name string, body []byte, longest *int64) ([]byte, error) {
	if t == (thought{}) {
		return nil, nil
	}
	switch name {
	case protocol.OpenAIChat:
		return jsonedit.Set(body, "reasoning_effort", jsonedit.Quote(nil, t.level()))
	case protocol.OpenAIResponses:
		return within(body, "reasoning", func(v []byte) ([]byte, error) {
			return jsonedit.Set(v, "effort", jsonedit.Quote(nil, t.level()))
		})
	case protocol.Anthropic:
		return t.intoAnthropic(body, longest)
	case protocol.Gemini:
		return within(body, "generationConfig", func(v []byte) ([]byte, error) {
			return within(v, "thinkingConfig", t.intoGemini)
		})
	}
	return nil, nil
}

// level is t as an effort that all of OpenAI's thinking models take. They take
// no budget.
func (t thought) level() string {
	if t.effort != "" {
		return t.effort
	}
	return openaiwire.Nearest(openaiwire.OfBudget(t.budget), []string{"minimal", "low", "medium", "high"})
}

func (t thought) intoAnthropic(body []byte, longest *int64) ([]byte, error) {
	body, err := within(body, "thinking", func(v []byte) (_ []byte, err error) {
		if t.effort != "" {
			if v, err = jsonedit.Drop(v, "budget_tokens"); err != nil {
				return nil, err
			}
			return jsonedit.Set(v, "type", []byte(`"adaptive"`))
		}
		if v, err = jsonedit.Set(v, "budget_tokens", strconv.AppendInt(nil, t.budget, 10)); err != nil {
			return nil, err
		}
		return jsonedit.Set(v, "type", []byte(`"enabled"`))
	})
	switch {
	case err != nil:
		return nil, err
	case t.effort != "":
		return within(body, "output_config", func(v []byte) ([]byte, error) {
			return jsonedit.Set(v, "effort", jsonedit.Quote(nil, t.effort))
		})
	case longest != nil && *longest <= t.budget: // it counts the thinking, too
		return jsonedit.Set(body, "max_tokens", strconv.AppendInt(nil, t.budget+headroom, 10))
	}
	return body, nil
}

func (t thought) intoGemini(v []byte) (_ []byte, err error) {
	add, value, drop := "thinkingBudget", strconv.AppendInt(nil, t.budget, 10), "thinkingLevel"
	if t.effort != "" {
		add, value, drop = drop, jsonedit.Quote(nil, t.effort), add
	}
	if v, err = jsonedit.Drop(v, drop); err != nil {
		return nil, err
	}
	return jsonedit.Set(v, add, value)
}

// within changes the object that the member name of doc is, or a new one.
func within(doc []byte, name string, change func([]byte) ([]byte, error)) ([]byte, error) {
	v := jsonedit.Get(doc, name)
	if len(v) == 0 || v[0] != '{' {
		v = []byte("{}")
	}
	v, err := change(v)
	if err != nil {
		return nil, err
	}
	return jsonedit.Set(doc, name, v)
}
