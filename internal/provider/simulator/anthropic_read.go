package simulator

import (
	"encoding/json/jsontext"
	"slices"
	"strings"
)

// An anthropicRequest is a request of the Messages protocol, as far as the
// simulator heeds it (spec: upstreams §1C.2).
type anthropicRequest struct {
	Model     string             `json:"model"`
	MaxTokens jsontext.Value     `json:"max_tokens"`
	System    jsontext.Value     `json:"system"`
	Messages  []anthropicMessage `json:"messages"`
	Tools     []anthropicTool    `json:"tools"`
	Choice    struct {
		Type   string `json:"type"`
		Name   string `json:"name"`
		Single bool   `json:"disable_parallel_tool_use"`
	} `json:"tool_choice"`
	Stream   bool           `json:"stream"`
	Stops    jsontext.Value `json:"stop_sequences"`
	Thinking struct {
		Type    string `json:"type"`
		Display string `json:"display"`
	} `json:"thinking"`
	OutputConfig struct {
		Format anthropicFormat `json:"format"`
	} `json:"output_config"`
	OutputFormat anthropicFormat `json:"output_format"` // the older spelling
	CacheControl jsontext.Value  `json:"cache_control"`
}

type anthropicFormat struct {
	Type   string         `json:"type"`
	Schema jsontext.Value `json:"schema"`
}

type anthropicMessage struct {
	Role    string         `json:"role"`
	Content jsontext.Value `json:"content"`
}

type anthropicTool struct {
	Type         string         `json:"type"`
	Name         string         `json:"name"`
	Description  string         `json:"description"`
	Schema       jsontext.Value `json:"input_schema"`
	CacheControl jsontext.Value `json:"cache_control"`
}

// An anthropicBlock is a block of content (spec: upstreams §1C.3).
type anthropicBlock struct {
	Type         string         `json:"type"`
	Text         string         `json:"text"`
	Thinking     string         `json:"thinking"`
	Source       jsontext.Value `json:"source"` // an anthropicSource, or a string in a search_result
	ID           string         `json:"id"`
	Name         string         `json:"name"`
	Input        jsontext.Value `json:"input"`
	ToolUseID    string         `json:"tool_use_id"`
	ToolName     string         `json:"tool_name"` // of a tool_reference
	Content      jsontext.Value `json:"content"`
	CacheControl jsontext.Value `json:"cache_control"`
}

// An anthropicSource is where an image or a document comes from.
type anthropicSource struct {
	Type      string `json:"type"`
	MediaType string `json:"media_type"`
	Data      string `json:"data"`
	URL       string `json:"url"`
	FileID    string `json:"file_id"`
}

// clientTools are the beginnings of the types of Anthropic's own tools that
// the client runs; all others the vendor runs.
var clientTools = []string{"custom", "bash_", "text_editor_", "memory_"}

// readAnthropic reads a request of the Messages protocol, or one to count its
// tokens.
func readAnthropic(body []byte, count bool) (*anthropicRequest, *ask, error) {
	r := &anthropicRequest{}
	if err := decode(body, r); err != nil {
		return nil, nil, err
	}
	switch {
	case r.Model == "":
		return nil, nil, refuse("", "model: Field required")
	case len(r.Messages) == 0:
		return nil, nil, refuse("", "messages: at least one message is required")
	case !count && whole64(r.MaxTokens) == nil:
		return nil, nil, refuse("", "max_tokens: Field required")
	}
	a := &ask{model: r.Model, copies: 1, limit: whole64(r.MaxTokens), stops: stringOrList(r.Stops), marked: true}
	a.think = r.Thinking.Type != "" && r.Thinking.Type != "disabled"
	a.hide = r.Thinking.Display == "omitted"
	if f := r.OutputConfig.Format; f.Type != "" {
		r.OutputFormat = f
	}
	if r.OutputFormat.Type == "json_schema" {
		a.format, a.schema = formatSchema, r.OutputFormat.Schema
		a.count(string(a.schema))
	}
	a.choice = choice{none: r.Choice.Type == "none", forced: r.Choice.Type == "any" || r.Choice.Type == "tool", name: r.Choice.Name}
	a.single = r.Choice.Single
	a.mark(r.CacheControl)
	for _, t := range r.Tools {
		a.mark(t.CacheControl)
		if t.Type == "" || slices.ContainsFunc(clientTools, func(p string) bool { return strings.HasPrefix(t.Type, p) }) {
			a.offered(tool{name: t.Name, schema: t.Schema}, t.Description)
		}
	}
	text, blocks, err := textOrParts[anthropicBlock](r.System)
	if err != nil {
		return nil, nil, err
	}
	a.count(text)
	for i := range blocks {
		a.mark(blocks[i].CacheControl)
		a.count(blocks[i].Text)
	}
	a.opens()
	return r, a, a.anthropicMessages(r.Messages)
}

// mark notes a mark of what to cache.
func (a *ask) mark(v jsontext.Value) { a.marks = a.marks || v.Kind() == '{' }

func (a *ask) anthropicMessages(ms []anthropicMessage) error {
	called := map[string]string{} // the tool that a call was of
	for i := range ms {
		m := &ms[i]
		text, blocks, err := textOrParts[anthropicBlock](m.Content)
		if err != nil {
			return err
		}
		if text != "" {
			blocks = append(blocks, anthropicBlock{Type: "text", Text: text})
		}
		switch m.Role {
		case "user":
			for j := range blocks {
				if err := a.userBlock(&blocks[j], called); err != nil {
					return err
				}
			}
		case "system":
			for j := range blocks {
				a.mark(blocks[j].CacheControl)
				a.instructed(blocks[j].Text)
			}
		case "assistant":
			for j := range blocks {
				b := &blocks[j]
				a.mark(b.CacheControl)
				a.count(b.Text, b.Thinking, b.Name, string(b.Input))
				called[b.ID] = b.Name
			}
			a.answered()
		default:
			return refuse("", "messages.%d.role: %q is none of user, assistant and system", i, clip(m.Role, maxQuote))
		}
	}
	return nil
}

// userBlock reads a block of a user's message.
func (a *ask) userBlock(b *anthropicBlock, called map[string]string) error {
	a.mark(b.CacheControl)
	switch b.Type {
	case "text":
		a.heard(b.Text)
	case "image", "document":
		return a.anthropicMedium(b)
	case "tool_result":
		text, blocks, err := textOrParts[anthropicBlock](b.Content)
		if err != nil {
			return err
		}
		texts := []string{text}
		for i := range blocks {
			switch in := &blocks[i]; in.Type {
			case "image", "document":
				if err := a.anthropicMedium(in); err != nil {
					return err
				}
			default:
				texts = append(texts, in.Text+in.ToolName)
			}
		}
		a.got(result{name: called[b.ToolUseID], text: strings.TrimPrefix(strings.Join(texts, "\n"), "\n")})
	default:
		a.count(b.Text, string(b.Content))
	}
	return nil
}

// anthropicMedium takes an image or a document.
func (a *ask) anthropicMedium(b *anthropicBlock) error {
	var s anthropicSource
	if err := decodeIf(b.Source, '{', &s); err != nil {
		return err
	}
	switch s.Type {
	case "base64":
		a.saw(inline(b.Type, s.MediaType, s.Data))
	case "text":
		a.count(s.Data)
		a.saw(medium{kind: b.Type, mime: s.MediaType, size: len(s.Data)})
	case "url":
		a.saw(remote(b.Type, s.MediaType, s.URL))
	default:
		a.saw(remote(b.Type, s.MediaType, s.FileID))
	}
	return nil
}
