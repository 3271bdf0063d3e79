package admin

import (
	"context"
	"errors"
	"net/http"

	"portico/internal/config"
)

// A Configuration is what the operator decided, with secrets masked.
type Configuration struct {
	DataDir string         `json:"data_dir"`
	File    string         `json:"file,omitzero" doc:"The file that was read; absent if there is none."`
	Keys    []config.Shown `json:"keys" doc:"Every key, its value, and where it comes from."`
}

// A Reloaded is what came of reading the configuration anew.
type Reloaded struct {
	Warnings []string `json:"warnings"`
}

func (a *api) config() {
	handle(a, operation{
		id: "get-config", method: http.MethodGet, path: "/api/config", tag: "gateway", summary: "The configuration in force, secrets masked",
	}, func(context.Context, *struct{}) (*out[Configuration], error) {
		c := a.o.Config()
		return &out[Configuration]{Configuration{c.DataDir, c.File, c.Show()}}, nil
	})
	if a.o.Reload == nil {
		return
	}
	handle(a, operation{
		id: "reload", method: http.MethodPost, path: "/api/reload", tag: "gateway", summary: "Read the configuration anew",
		more:   "One that is wrong takes no effect.",
		errors: []int{http.StatusUnprocessableEntity},
	}, func(ctx context.Context, _ *struct{}) (*out[Reloaded], error) {
		warnings, err := a.o.Reload(ctx)
		if wrong, ok := errors.AsType[*config.Error](err); ok {
			p := problem(http.StatusUnprocessableEntity, CodeConfig, "the configuration is wrong; the one before stays in force")
			for _, w := range wrong.Problems {
				p.Errors = append(p.Errors, Error{Where: w.Key, Text: w.String()})
			}
			return nil, p
		}
		if err != nil {
			return nil, err
		}
		var r Reloaded
		for _, w := range warnings {
			r.Warnings = append(r.Warnings, w.String())
		}
		return &out[Reloaded]{r}, nil
	})
}
