// Package openai is OpenAI's own API, reached with an API key.
package openai

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/provider/endpoint"
)

// Name is what the configuration calls the provider.
const Name = "openai"

// The options of an account, and the headers that they become (spec: upstreams
// §3.1).
const (
	optionOrganization = "organization"
	optionProject      = "project"
)

// home is where OpenAI's SDKs call. Responses comes first because a translated
// conversation keeps its reasoning from turn to turn in it only.
var home = endpoint.Home{
	Origin:    &url.URL{Scheme: "https", Host: "api.openai.com", Path: "/v1"},
	Protocols: []string{protocol.OpenAIResponses, protocol.OpenAIChat},
	Options:   []string{optionOrganization, optionProject},
	Stems:     []string{"/chat/completions", "/responses", "/models"},
}

var (
	chat      = []string{protocol.OpenAIChat}
	responses = []string{protocol.OpenAIResponses}
)

type openai struct{}

// New returns the provider.
func New() provider.Provider { return openai{} }

// Name implements provider.Provider.
func (openai) Name() string { return Name }

// Prepare implements provider.Provider.
func (openai) Prepare(a *provider.Account) (err error) {
	if err := home.Prepare(a); err != nil {
		return err
	}
	if home.Own(a) && a.BaseURL.Path != home.Origin.Path {
		return errors.New("base_url: at api.openai.com it is https://api.openai.com/v1")
	}
	if a.Header, err = headers(a); err != nil {
		return err
	}
	return endpoint.Header(a, endpoint.Bearer)
}

// headers returns the account's headers with those of its options.
func headers(a *provider.Account) (http.Header, error) {
	h := a.Header.Clone()
	for option, name := range map[string]string{optionOrganization: "Openai-Organization", optionProject: "Openai-Project"} {
		v := a.Options[option]
		if v == "" {
			continue
		}
		if err := endpoint.Word(a.Options, option); err != nil {
			return nil, err
		}
		if h.Get(name) != "" {
			return nil, errors.New("headers: " + name + " is what the option " + option + " sets; leave out one of them")
		}
		if h == nil {
			h = http.Header{}
		}
		h[name] = []string{v}
	}
	return h, nil
}

// Speaks implements provider.Provider.
func (openai) Speaks(a *provider.Account, op protocol.Op, model string) []string {
	switch op {
	case protocol.Complete:
		if a.Takes(protocol.OpenAIChat) && Completes(model) {
			return chat
		}
		return nil
	case protocol.Count:
		// POST /responses/input_tokens; there is none for chat.
		if a.Takes(protocol.OpenAIResponses) {
			return responses
		}
		return nil
	case protocol.Embed:
		if a.Takes(protocol.OpenAIChat) {
			return chat
		}
		return nil
	case protocol.Images:
		if a.Takes(protocol.OpenAIChat) && Images(model) {
			return chat
		}
		return nil
	case protocol.Draw: // with a tool
		if a.Takes(protocol.OpenAIResponses) && !Images(model) {
			return responses
		}
		return nil
	}
	return a.Protocols
}

// Images reports whether OpenAI serves model in its API for pictures, which
// knows none of the models that converse: gpt-image-1, chatgpt-image-latest,
// dall-e-3 and their kin.
func Images(model string) bool {
	return model == "" || strings.Contains(model, "image") || strings.HasPrefix(model, "dall-e")
}

// completers begin the names of the models that OpenAI serves at /completions;
// it refuses all others there with a 404. What they are asked is put to the
// others as a chat.
var completers = []string{"gpt-3.5-turbo-instruct", "babbage-002", "davinci-002"}

// Completes reports whether OpenAI takes legacy completions for model, which
// may be a fine-tuned one ("ft:davinci-002:…").
func Completes(model string) bool {
	model = strings.TrimPrefix(model, "ft:")
	for _, c := range completers {
		if strings.HasPrefix(model, c) {
			return true
		}
	}
	return false
}

// Address implements provider.Provider.
func (openai) Address(out *http.Request, a *provider.Account, to provider.Target) error {
	return endpoint.Address(out, a, a.BaseURL, a.BaseURL.EscapedPath(), "", to, endpoint.Bearer)
}

// Rules implements provider.Provider.
func (openai) Rules() fault.Rules { return Rules }
