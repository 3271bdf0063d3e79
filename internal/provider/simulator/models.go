package simulator

import (
	"encoding/json/jsontext"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A model is one of those that the lists name. Any other name is answered, too.
type model struct{ id, title, says string }

var models = []model{
	{"simulator", "Simulator", "Portico's simulator. It answers from this process; no model is asked."},
	{modelFast, "Simulator, fast", "Portico's simulator. It streams a text in one event."},
	{modelImage, "Simulator, images", "Portico's simulator. It answers with a made-up image."},
	{modelThinking, "Simulator, thinking", "Portico's simulator. It always shows a simulated thought."},
	{modelTools, "Simulator, tools", "Portico's simulator. It calls the first tool that it is offered."},
}

// Limits that the lists name, in tokens. Nothing holds a request to them.
const (
	contextWindow = 1_000_000
	maxOutput     = 128_000
)

// released is the same moment for all models, in Unix seconds and RFC 3339.
const (
	released     = 1767225600
	releasedText = "2026-01-01T00:00:00Z"
)

// page cuts models to what limit and after ask for.
func page(q *inquiry, limitName, afterName string) (ms []model, more bool) {
	values, _ := url.ParseQuery(q.query)
	ms = models
	if after := values.Get(afterName); after != "" {
		i := slices.IndexFunc(ms, func(m model) bool { return m.id == after })
		ms = ms[i+1:]
	}
	if n, err := strconv.Atoi(values.Get(limitName)); err == nil && n > 0 && n < len(ms) {
		return ms[:n], true
	}
	return ms, false
}

// named finds the model whose id is at the end of q's path.
func named(q *inquiry, prefix string) (model, error) {
	id := strings.TrimPrefix(q.path, prefix)
	for _, m := range models {
		if m.id == id {
			return m, nil
		}
	}
	return model{}, missing("the simulator lists no model %q, although it answers to the name", clip(id, maxQuote))
}

func lines(ms []model, line func(model) jsontext.Value) []jsontext.Value {
	out := make([]jsontext.Value, len(ms))
	for i, m := range ms {
		out[i] = line(m)
	}
	return out
}

func (m model) openAI() jsontext.Value {
	return object("id", m.id, "object", "model", "created", released, "owned_by", "portico", "name", m.title,
		"description", m.says, "context_window", contextWindow, "max_output_tokens", maxOutput)
}

func openAIModels(q *inquiry) (*answer, error) {
	return whole(object("object", "list", "data", lines(models, model.openAI))), nil
}

func openAIModel(q *inquiry) (*answer, error) {
	m, err := named(q, "/models/")
	if err != nil {
		return nil, err
	}
	return whole(m.openAI()), nil
}

func (m model) anthropic() jsontext.Value {
	return object("type", "model", "id", m.id, "display_name", m.title, "created_at", releasedText,
		"max_input_tokens", contextWindow, "max_tokens", maxOutput)
}

func anthropicModels(q *inquiry) (*answer, error) {
	ms, more := page(q, "limit", "after_id")
	var first, last any
	if len(ms) > 0 {
		first, last = ms[0].id, ms[len(ms)-1].id
	}
	return whole(object("data", lines(ms, model.anthropic), "has_more", more, "first_id", first, "last_id", last)), nil
}

func anthropicModel(q *inquiry) (*answer, error) {
	m, err := named(q, "/v1/models/")
	if err != nil {
		return nil, err
	}
	return whole(m.anthropic()), nil
}

func (m model) gemini() jsontext.Value {
	return object("name", "models/"+m.id, "baseModelId", m.id, "version", "1", "displayName", m.title, "description", m.says,
		"inputTokenLimit", contextWindow, "outputTokenLimit", maxOutput,
		"supportedGenerationMethods", []string{"generateContent", "countTokens", "embedContent", "batchEmbedContents"}, "thinking", true)
}

func geminiModels(q *inquiry) (*answer, error) {
	ms, more := page(q, "pageSize", "pageToken")
	next := ""
	if more {
		next = ms[len(ms)-1].id
	}
	return whole(object("models", lines(ms, model.gemini), "nextPageToken", given(more, next))), nil
}

func geminiModel(q *inquiry) (*answer, error) {
	m, err := named(q, "/models/")
	if err != nil {
		return nil, err
	}
	return whole(m.gemini()), nil
}
