package admin

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"portico/internal/protocol"
)

// A Model is a model that clients may name.
type Model struct {
	ID        string    `json:"id"`
	Name      string    `json:"name,omitzero" doc:"For people."`
	OwnedBy   string    `json:"owned_by,omitzero"`
	Created   time.Time `json:"created,omitzero"`
	Protocols []string  `json:"protocols" doc:"The protocols whose clients are shown it."`
	Context   int64     `json:"context,omitzero" doc:"Tokens that a request may hold."`
	MaxOutput int64     `json:"max_output,omitzero" doc:"Tokens that an answer may hold."`
	Price     *Price    `json:"price,omitzero"`
}

// A Price is a list price in US dollars for a million tokens.
type Price struct {
	In         float64  `json:"in"`
	Out        float64  `json:"out"`
	CacheRead  *float64 `json:"cache_read,omitzero" doc:"Absent if it is that of other input."`
	CacheWrite *float64 `json:"cache_write,omitzero" doc:"Absent if it is that of other input."`
}

var protocolNames = []string{protocol.OpenAIChat, protocol.OpenAIResponses, protocol.Anthropic, protocol.Gemini}

func (a *api) models() {
	handle(a, operation{
		id: "list-models", method: http.MethodGet, path: "/api/models", tag: "gateway", summary: "The models that clients may name",
	}, func(context.Context, *struct{}) (*out[List[Model]], error) {
		return &out[List[Model]]{List[Model]{Items: a.modelsNow()}}, nil
	})
}

// modelsNow merges what the clients of each protocol are shown.
func (a *api) modelsNow() []Model {
	byID := map[string]*Model{}
	var ids []string
	for _, p := range protocolNames {
		for _, m := range a.o.Models.List(p) {
			known := byID[m.ID]
			if known == nil {
				known = &Model{ID: m.ID, Name: m.DisplayName, OwnedBy: m.OwnedBy, Created: m.Created, Context: m.Context, MaxOutput: m.MaxOutput, Price: a.price(m.ID)}
				byID[m.ID] = known
				ids = append(ids, m.ID)
			}
			known.Protocols = append(known.Protocols, p)
		}
	}
	slices.SortFunc(ids, strings.Compare)
	out := make([]Model, len(ids))
	for i, id := range ids {
		out[i] = *byID[id]
	}
	return out
}

func (a *api) price(model string) *Price {
	if a.o.Catalog == nil {
		return nil
	}
	m, ok := a.o.Catalog().Lookup(model)
	if !ok || !m.Price.Known {
		return nil
	}
	p := &Price{In: m.Price.In, Out: m.Price.Out}
	if m.Price.CacheRead >= 0 {
		p.CacheRead = &m.Price.CacheRead
	}
	if m.Price.CacheWrite >= 0 {
		p.CacheWrite = &m.Price.CacheWrite
	}
	return p
}
