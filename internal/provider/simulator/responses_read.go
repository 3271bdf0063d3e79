package simulator

import (
	"encoding/json/jsontext"
	"slices"
)

// A responsesRequest is a request of the Responses protocol, as far as the
// simulator heeds it (spec: upstreams §1B.1).
type responsesRequest struct {
	Model        string          `json:"model"`
	Input        jsontext.Value  `json:"input"`
	Instructions jsontext.Value  `json:"instructions"`
	Previous     string          `json:"previous_response_id"`
	Store        *bool           `json:"store"`
	Stream       bool            `json:"stream"`
	Limit        jsontext.Value  `json:"max_output_tokens"`
	Tools        []responsesTool `json:"-"`
	RawTools     jsontext.Value  `json:"tools"`
	ToolChoice   jsontext.Value  `json:"tool_choice"`
	Parallel     *bool           `json:"parallel_tool_calls"`
	Reasoning    jsontext.Value  `json:"reasoning"`
	Text         jsontext.Value  `json:"text"`
	Prompt       jsontext.Value  `json:"prompt"`
	Metadata     jsontext.Value  `json:"metadata"`
	Temperature  jsontext.Value  `json:"temperature"`
	TopP         jsontext.Value  `json:"top_p"`
	CacheKey     jsontext.Value  `json:"prompt_cache_key"`
}

// kept reports whether the answer is remembered.
func (r *responsesRequest) kept() bool { return r.Store == nil || *r.Store }

type responsesTool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  jsontext.Value  `json:"parameters"`
	Tools       []responsesTool `json:"tools"` // of a namespace
}

// A responsesItem is an item of the input (spec: upstreams §1B.2).
type responsesItem struct {
	Type      string          `json:"type"`
	Role      string          `json:"role"`
	Content   jsontext.Value  `json:"content"`
	Summary   jsontext.Value  `json:"summary"`
	CallID    string          `json:"call_id"`
	Name      string          `json:"name"`
	Arguments jsontext.Value  `json:"arguments"` // a string, an object in a tool_search_call
	Input     string          `json:"input"`
	Output    jsontext.Value  `json:"output"`
	Tools     []responsesTool `json:"tools"`
}

// readResponses reads a request of the Responses protocol, or one to count its
// tokens. before is what the shelf holds of the response that it continues.
func readResponses(body []byte, before func(id string) (*kept, bool)) (*responsesRequest, *ask, error) {
	r := &responsesRequest{}
	if err := decode(body, r); err != nil {
		return nil, nil, err
	}
	if err := decodeIf(r.RawTools, '[', &r.Tools); err != nil {
		return nil, nil, err
	}
	if r.Model == "" && r.Prompt.Kind() == '{' {
		r.Model = models[0].id // a stored prompt names its model
	}
	if r.Model == "" {
		return nil, nil, refuse("model", "you must provide a model parameter")
	}
	a := &ask{model: r.Model, seat: true, copies: 1, limit: whole64(r.Limit), single: r.Parallel != nil && !*r.Parallel}
	if err := a.responsesSettings(r); err != nil {
		return nil, nil, err
	}
	a.responsesTools("", r.Tools)
	a.openAIChoice(r.ToolChoice)
	a.count(str(r.Instructions))
	if r.Previous != "" {
		k, ok := before(r.Previous)
		if !ok {
			x := refuse("previous_response_id", "Previous response with id %q not found.", clip(r.Previous, maxQuote))
			x.code = "previous_response_not_found"
			return nil, nil, x
		}
		a.bytes += 4 * k.tokens
		a.history = true
	}
	a.opens()
	if len(r.Input) == 0 && r.Prompt.Kind() == '{' {
		return r, a, nil
	}
	return r, a, a.responsesInput(r.Input)
}

// decodeIf decodes v if it is of kind, and lets it be if not.
func decodeIf(v jsontext.Value, kind jsontext.Kind, to any) error {
	if v.Kind() != kind {
		return nil
	}
	return decode(v, to)
}

func (a *ask) responsesSettings(r *responsesRequest) error {
	var reasoning struct {
		Effort  string `json:"effort"`
		Summary string `json:"summary"`
	}
	var text struct {
		Format struct {
			Type   string         `json:"type"`
			Schema jsontext.Value `json:"schema"`
		} `json:"format"`
	}
	if err := decodeIf(r.Reasoning, '{', &reasoning); err != nil {
		return err
	}
	if err := decodeIf(r.Text, '{', &text); err != nil {
		return err
	}
	a.think = reasoning.Effort != "" && reasoning.Effort != "none" || reasoning.Summary != ""
	a.hide = a.think && reasoning.Summary == ""
	a.openAIFormat(text.Format.Type, text.Format.Schema)
	return nil
}

// responsesTools offers the functions and custom tools of list; those that the
// vendor runs are not simulated.
func (a *ask) responsesTools(namespace string, list []responsesTool) {
	for i := range list {
		switch t := &list[i]; t.Type {
		case "function":
			a.offered(tool{name: t.Name, namespace: namespace, schema: t.Parameters}, t.Description)
		case "custom":
			a.offered(tool{name: t.Name, namespace: namespace, custom: true}, t.Description)
		case "namespace":
			if namespace == "" {
				a.count(t.Description)
				a.responsesTools(t.Name, t.Tools)
			}
		}
	}
}

// results are the items that answer a call.
var results = []string{
	"function_call_output", "custom_tool_call_output", "local_shell_call_output", "shell_call_output",
	"apply_patch_call_output", "computer_call_output",
}

// responsesInput reads the input: a string, or items.
func (a *ask) responsesInput(v jsontext.Value) error {
	var items []responsesItem
	switch v.Kind() {
	case '"':
		a.heard(str(v))
		return nil
	case '[':
		if err := decode(v, &items); err != nil {
			return err
		}
	default:
		return refuse("input", "input must be a string or a list of items")
	}
	called := map[string]string{}
	for i := range items {
		it := &items[i]
		var err error
		switch {
		case it.Type == "message" || it.Type == "" && it.Role != "":
			err = a.responsesMessage(it)
		case slices.Contains(results, it.Type):
			err = a.openAIResult(called[it.CallID], it.Output)
		case it.Type == "additional_tools":
			a.responsesTools("", it.Tools)
		case it.Type == "item_reference" || it.Type == "configuration_update":
		default: // what the model said or called
			called[it.CallID] = it.Name
			a.count(it.Name, string(it.Arguments), it.Input)
			err = a.openAIContent(it.Summary, func(s string) { a.count(s) })
			a.answered()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *ask) responsesMessage(it *responsesItem) error {
	switch it.Role {
	case "user":
		return a.openAIContent(it.Content, a.heard)
	case "assistant":
		err := a.openAIContent(it.Content, func(s string) { a.count(s) })
		a.answered()
		return err
	case "system", "developer":
		return a.openAIContent(it.Content, a.instructed)
	}
	return refuse("input", "the role %q is none of user, assistant, system and developer", clip(it.Role, maxQuote))
}
