package admin

import (
	"context"
	"errors"
	"net/http"
	"strings"

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
	a.configText()
	if a.o.Reload == nil {
		return
	}
	handle(a, operation{
		id: "reload", method: http.MethodPost, path: "/api/reload", tag: "gateway", summary: "Read the configuration anew",
		more:   "One that is wrong takes no effect.",
		errors: []int{http.StatusUnprocessableEntity},
	}, func(ctx context.Context, _ *struct{}) (*out[Reloaded], error) {
		r, err := takenOver(a.o.Reload(ctx))
		return &out[Reloaded]{r}, err
	})
}

// takenOver is what came of reading a configuration.
func takenOver(warnings []config.Problem, err error) (r Reloaded, _ error) {
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		p := problem(http.StatusUnprocessableEntity, CodeConfig, "the configuration is wrong; the one before stays in force")
		for _, w := range wrong.Problems {
			p.Errors = append(p.Errors, Error{Where: w.Key, Text: w.String()})
		}
		return r, p
	}
	for _, w := range warnings {
		r.Warnings = append(r.Warnings, w.String())
	}
	return r, err
}

// A File is the configuration file. The tag names a text of it; the error of
// Write is [store.ErrVersion] if the file has another by now, or a
// *config.Error, and then the file is as it was.
type File interface {
	Read() (text, tag string, err error)
	Write(ctx context.Context, text, tag string) ([]config.Problem, error)
}

// A ConfigText is the configuration file as it is written.
type ConfigText struct {
	Text string `json:"text" doc:"YAML, with its secrets and comments; empty if there is no file."`
}

// A NewConfig is the configuration file as it is to be.
type NewConfig struct {
	Text string `json:"text" maxLength:"1000000" doc:"YAML. It takes the place of the whole file."`
	Proof
}

func (a *api) configText() {
	f := a.o.File
	if f == nil {
		return
	}
	handle(a, operation{
		id: "reveal-config", method: http.MethodPost, path: "/api/config/text/reveal", tag: "gateway", summary: "The configuration file as it is written, with its secrets",
		more:   "A session has to show the password or the admin token in the body. It is audited.",
		errors: []int{http.StatusForbidden},
	}, func(ctx context.Context, in *struct {
		Body *Proof `required:"false"`
	},
	) (*tagged[ConfigText], error) {
		if err := a.prove(ctx, in.Body); err != nil {
			return nil, err
		}
		text, tag, err := f.Read()
		return &tagged[ConfigText]{`"` + tag + `"`, ConfigText{text}}, err
	})
	handle(a, operation{
		id: "write-config", method: http.MethodPut, path: "/api/config", tag: "gateway", summary: "Write the configuration file, and take it over",
		more:   "One that is wrong changes nothing. Variables and flags still win over the file. A session has to show the password or the admin token in the body.",
		errors: []int{http.StatusForbidden, http.StatusPreconditionFailed, http.StatusUnprocessableEntity},
	}, func(ctx context.Context, in *struct {
		IfMatch string `header:"If-Match" maxLength:"128" doc:"The ETag of the text that is changed; without it any will do."`
		Body    NewConfig
	},
	) (*out[Reloaded], error) {
		if err := a.fresh(ctx, &in.Body.Proof); err != nil {
			return nil, err
		}
		tag := strings.Trim(strings.TrimSpace(in.IfMatch), `"`)
		if tag == "*" {
			tag = ""
		}
		r, err := takenOver(f.Write(ctx, in.Body.Text, tag))
		return &out[Reloaded]{r}, err
	})
}
