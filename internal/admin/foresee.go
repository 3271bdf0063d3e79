package admin

import (
	"context"
	"net/http"

	"portico/internal/explain"
)

// A Question asks what would happen to a request.
type Question struct {
	Model    string `json:"model" minLength:"1" maxLength:"256" doc:"As a client would name it."`
	Protocol string `json:"protocol,omitzero" enum:"openai-chat,openai-responses,anthropic,gemini" default:"openai-chat" doc:"The client's."`
	Op       string `json:"op,omitzero" enum:"chat,complete,count,embed,other" default:"chat"`
	Session  string `json:"session,omitzero" maxLength:"256" doc:"As the client names its conversation."`
	Key      string `json:"key,omitzero" maxLength:"64" doc:"The name of the client key."`

	Tokens     int64    `json:"tokens,omitzero" minimum:"0" maximum:"1099511627776" doc:"How long the request is."`
	Output     int64    `json:"output,omitzero" minimum:"0" maximum:"1099511627776" doc:"The longest answer that it asks for, in tokens."`
	Needs      []string `json:"needs,omitzero" maxItems:"8" enum:"vision,audio,documents,tools,thinking,schema" doc:"What the model has to be able to do."`
	Background string   `json:"background,omitzero" enum:"title,topic,probe,summary" doc:"What kind of background work of a client it is; absent if it is none."`
}

func (a *api) foresee() {
	if a.o.Foresee == nil {
		return
	}
	handle(a, operation{
		id: "explain", method: http.MethodPost, path: "/api/explain", tag: "requests",
		summary: "What would happen to a request that came now, and why",
		more:    "Nobody is asked anything and nothing is taken: each account with its verdict, and who would serve.",
		errors:  []int{http.StatusUnprocessableEntity},
	}, func(ctx context.Context, in *struct{ Body Question }) (*out[explain.Outlook], error) {
		return &out[explain.Outlook]{a.o.Foresee(ctx, in.Body)}, nil
	})
}
