// Package vertex is Google's Vertex AI: Gemini, and Claude as Google serves it,
// reached with access tokens of a service account or of a login. Gemini is
// reached with an API key too, which Google calls the express mode.
package vertex

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/provider/endpoint"
	"portico/internal/provider/google"
)

// Name is what the configuration calls the provider.
const Name = "vertex"

// The options of an account.
const (
	optionProject  = "project"  // whose models it uses; the credential's own by default
	optionLocation = "location" // where they are served: global, us, eu, or a region such as europe-west4
)

// anywhere is the location of an account that names none. Google serves there
// from where there is room.
const anywhere = "global"

// Where the models of publishers are, below the base URL.
const (
	ofGoogle    = "/publishers/google"
	ofAnthropic = "/publishers/anthropic"
	rawPredict  = ":rawPredict"
	rawStream   = ":streamRawPredict"
)

var protocols = []string{protocol.Gemini, protocol.Anthropic}

type vertex struct{}

// New returns the provider.
func New() provider.Provider { return vertex{} }

// Name implements provider.Provider.
func (vertex) Name() string { return Name }

// Login implements provider.Signer.
func (vertex) Login() *provider.Login { return google.Login() }

// Prepare implements provider.Provider. The base URL that it leaves behind goes
// down to where publishers are.
func (vertex) Prepare(a *provider.Account) error {
	if a.Preset != "" {
		return errors.New("preset: this provider has none")
	}
	if err := endpoint.Options(a.Options, optionProject, optionLocation, google.OptionCharged); err != nil {
		return err
	}
	location, err := place(a.Options[optionLocation])
	if err != nil {
		return err
	}
	if a.BaseURL == nil {
		a.BaseURL = &url.URL{Scheme: "https", Host: host(location)}
	} else if a.BaseURL, err = endpoint.Base(a.BaseURL, false, a.Options); err != nil {
		return err
	}
	if strings.Contains(a.BaseURL.Path, "/projects/") || strings.HasSuffix(a.BaseURL.Path, "/v1") {
		return errors.New("base_url: leave out its path; version, project and location are appended to it")
	}
	if err := endpoint.Key(a.Key, a.Tokens == nil); err != nil {
		return err
	}
	below, offered := "/v1", protocols
	if a.Tokens != nil {
		project, err := projectOf(a)
		if err != nil {
			return err
		}
		below += "/projects/" + project + "/locations/" + location
	} else {
		offered = protocols[:1] // express mode has Google's own models
	}
	base := *a.BaseURL
	base.Path, base.RawPath = base.Path+below, ""
	a.BaseURL = &base
	if a.Protocols, err = endpoint.Protocols(a.Protocols, offered, offered); err != nil {
		return err
	}
	if err := google.Tokens(a); err != nil {
		return err
	}
	return endpoint.Header(a, endpoint.GoogKey)
}

// place checks the name of a location, which becomes part of a host's name.
func place(s string) (string, error) {
	if s == "" {
		return anywhere, nil
	}
	if !name(s) {
		return "", fmt.Errorf("options: %s is no location such as global, us, eu or europe-west4", optionLocation)
	}
	return s, nil
}

// projectOf is the project whose models a uses.
func projectOf(a *provider.Account) (string, error) {
	project := a.Options[optionProject]
	if p, ok := a.Tokens.(provider.Projects); ok && project == "" {
		own, charged := p.Projects()
		if project = own; project == "" {
			project = charged
		}
	}
	switch {
	case project == "":
		return "", fmt.Errorf("options: %s is missing, and the credential names none", optionProject)
	case !name(project):
		return "", fmt.Errorf("options: %s is no project's id", optionProject)
	}
	return project, nil
}

// name reports whether s is of the form that projects and locations have. An
// old project has a domain before it ("example.com:thing").
func name(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != ':' {
			return false
		}
	}
	return s != "" && len(s) <= 128 && s[0] != '.' && s[0] != '-' && !strings.Contains(s, "..")
}

// host is where a location is served; spec: upstreams §3.5.
func host(location string) string {
	switch location {
	case anywhere:
		return "aiplatform.googleapis.com"
	case "us", "eu":
		return "aiplatform." + location + ".rep.googleapis.com"
	}
	return location + "-aiplatform.googleapis.com"
}

// quirks: its list is of everybody's models, in another form. The trials are
// cheap ones of both families.
var quirks = provider.Quirks{Unlisted: true, Trials: []string{"gemini-2.5-flash", "gemini-3.5-flash", "claude-haiku-4-5@20251001"}}

// Quirks implements provider.Tuner.
func (vertex) Quirks(*provider.Account) *provider.Quirks { return &quirks }

var one = [...][]string{{protocol.Gemini}, {protocol.Anthropic}}

// Speaks implements provider.Provider. Each family of models has its own
// protocol.
func (vertex) Speaks(a *provider.Account, op protocol.Op, model string) []string {
	if op != protocol.Chat && op != protocol.Count && op != protocol.Draw {
		return nil
	}
	if model == "" {
		return a.Protocols
	}
	own := one[0]
	if strings.HasPrefix(model, "claude") {
		own = one[1]
	}
	if !slices.Contains(a.Protocols, own[0]) {
		return nil
	}
	return own
}

// Address implements provider.Provider.
func (vertex) Address(out *http.Request, a *provider.Account, to provider.Target) error {
	if to.Protocol != protocol.Anthropic {
		return endpoint.Address(out, a, a.BaseURL, a.BaseURL.EscapedPath(), ofGoogle, to, endpoint.GoogKey)
	}
	model, method := url.PathEscape(to.Model), rawPredict
	switch {
	case to.Op == protocol.Count:
		model = counter
	case to.Stream:
		method = rawStream
	}
	to.Path, to.Query = "/models/"+model+method, ""
	if err := endpoint.Address(out, a, a.BaseURL, a.BaseURL.EscapedPath(), ofAnthropic, to, endpoint.GoogKey); err != nil {
		return err
	}
	delete(out.Header, "Anthropic-Version") // it is in the body
	return nil
}

// Rules implements provider.Provider.
func (vertex) Rules() fault.Rules { return rules }
