package simulator

import "encoding/json/jsontext"

// maxCopies is how many choices an answer may have. OpenAI takes 128, which
// would make a small request a large answer.
const maxCopies = 16

// A chatRequest is a request of Chat Completions, as far as the simulator
// heeds it (spec: upstreams §1A.1).
type chatRequest struct {
	Model         string         `json:"model"`
	Messages      []chatMessage  `json:"messages"`
	Tools         []chatTool     `json:"tools"`
	ToolChoice    jsontext.Value `json:"tool_choice"`
	Parallel      *bool          `json:"parallel_tool_calls"`
	Stream        bool           `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	ReasoningEffort string `json:"reasoning_effort"`
	ResponseFormat  struct {
		Type   string `json:"type"`
		Schema struct {
			Schema jsontext.Value `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
	Stop                jsontext.Value `json:"stop"`
	MaxTokens           jsontext.Value `json:"max_tokens"`
	MaxCompletionTokens jsontext.Value `json:"max_completion_tokens"`
	Modalities          []string       `json:"modalities"`
	N                   jsontext.Value `json:"n"`
}

type chatMessage struct {
	Role       string         `json:"role"`
	Content    jsontext.Value `json:"content"`
	Name       string         `json:"name"`
	Reasoning  string         `json:"reasoning_content"`
	ToolCalls  []chatCall     `json:"tool_calls"`
	ToolCallID string         `json:"tool_call_id"`
}

type chatCall struct {
	ID       string `json:"id"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
	Custom struct {
		Name  string `json:"name"`
		Input string `json:"input"`
	} `json:"custom"`
}

type chatTool struct {
	Type     string `json:"type"`
	Function struct {
		Name        string         `json:"name"`
		Description string         `json:"description"`
		Parameters  jsontext.Value `json:"parameters"`
	} `json:"function"`
	Custom struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"custom"`
}

// readChat reads a request of Chat Completions.
func readChat(body []byte) (*chatRequest, *ask, error) {
	r := &chatRequest{}
	if err := decode(body, r); err != nil {
		return nil, nil, err
	}
	switch n := whole64(r.N); {
	case r.Model == "":
		return nil, nil, refuse("model", "you must provide a model parameter")
	case len(r.Messages) == 0:
		return nil, nil, refuse("messages", "messages must hold at least one message")
	case n != nil && (*n < 1 || *n > maxCopies):
		return nil, nil, refuse("n", "n must be from 1 to %d", maxCopies)
	}
	a := &ask{model: r.Model, seat: true, copies: 1, stops: stringOrList(r.Stop), single: r.Parallel != nil && !*r.Parallel}
	if n := whole64(r.N); n != nil {
		a.copies = int(*n)
	}
	if a.limit = whole64(r.MaxCompletionTokens); a.limit == nil {
		a.limit = whole64(r.MaxTokens)
	}
	for _, m := range r.Modalities {
		a.image = a.image || m == "image"
	}
	a.think = r.ReasoningEffort != "" && r.ReasoningEffort != "none"
	for _, t := range r.Tools {
		if t.Type == "custom" {
			a.offered(tool{name: t.Custom.Name, custom: true}, t.Custom.Description)
		} else {
			a.offered(tool{name: t.Function.Name, schema: t.Function.Parameters}, t.Function.Description)
		}
	}
	a.openAIChoice(r.ToolChoice)
	a.openAIFormat(r.ResponseFormat.Type, r.ResponseFormat.Schema.Schema)
	a.opens()
	return r, a, a.chatMessages(r.Messages)
}

func (a *ask) chatMessages(ms []chatMessage) error {
	called := map[string]string{} // the tool that a call was of
	for i := range ms {
		m := &ms[i]
		var err error
		switch m.Role {
		case "system", "developer":
			err = a.openAIContent(m.Content, a.instructed)
		case "user":
			err = a.openAIContent(m.Content, a.heard)
		case "assistant":
			err = a.openAIContent(m.Content, func(s string) { a.count(s) })
			a.count(m.Reasoning)
			for _, c := range m.ToolCalls {
				called[c.ID] = c.Function.Name + c.Custom.Name
				a.count(called[c.ID], c.Function.Arguments, c.Custom.Input)
			}
			a.answered()
		case "tool", "function":
			name := called[m.ToolCallID]
			if name == "" {
				name = m.Name
			}
			err = a.openAIResult(name, m.Content)
		default:
			err = refuse("messages", "the role %q of message %d is none of system, developer, user, assistant and tool", clip(m.Role, maxQuote), i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
