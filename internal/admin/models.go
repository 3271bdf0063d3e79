package admin

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"portico/internal/catalog"
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
	Reasoning  float64  `json:"reasoning,omitzero" doc:"Absent if it is that of other output."`
	AudioIn    float64  `json:"audio_in,omitzero" doc:"Absent if it is that of other input."`
	AudioOut   float64  `json:"audio_out,omitzero" doc:"Absent if it is that of other output."`
	ImageIn    float64  `json:"image_in,omitzero" doc:"Absent if it is that of other input."`
	ImageOut   float64  `json:"image_out,omitzero" doc:"Absent if it is that of other output."`
	Search     float64  `json:"search,omitzero" doc:"Of a thousand searches of the web; absent if they are not counted."`
	Above      int64    `json:"above,omitzero" doc:"Tokens of a prompt beyond which the whole request costs more."`
	Own        bool     `json:"own,omitzero" doc:"Some of it is of the configuration."`
	AsOf       string   `json:"as_of" doc:"The day of the catalogue."`
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
	own := m.Price.Own
	p := &Price{
		In: m.Price.In, Out: m.Price.Out, Above: m.Price.Above, AsOf: catalog.Day(),
		Reasoning: own.Reasoning, AudioIn: own.AudioIn, AudioOut: own.AudioOut, ImageIn: own.ImageIn, ImageOut: own.ImageOut, Search: own.Search,
	}
	if o, over := a.o.Catalog().Override(model); over {
		p.Own = own != (catalog.Own{}) || max(o.PriceIn, o.PriceOut, o.PriceCacheRead, o.PriceCacheWrite) >= 0
	}
	if m.Price.CacheRead >= 0 {
		p.CacheRead = &m.Price.CacheRead
	}
	if m.Price.CacheWrite >= 0 {
		p.CacheWrite = &m.Price.CacheWrite
	}
	return p
}
