// Package azure is Azure OpenAI: OpenAI's protocols at a resource of one's own,
// where models are served by deployments with names of one's own.
//
// Azure has two surfaces. The newer one is OpenAI's at …/openai/v1, and names
// the deployment in the body as OpenAI does the model. The older one names it in
// the path, and the version of the API in the query (spec: upstreams §3.7).
package azure

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
)

// Name is what the configuration calls the provider.
const Name = "azure"

// The options of an account.
const (
	optionResource    = "resource"    // the name of the resource, in place of a base URL
	optionVersion     = "api_version" // of the older surface, such as 2024-10-21; or preview, of the newer one
	optionDeployments = "deployments" // MODEL=DEPLOYMENT, separated by commas
	optionAuth        = "auth"        // bearer for a token of Entra ID
)

var (
	both = []string{protocol.OpenAIResponses, protocol.OpenAIChat}
	chat = []string{protocol.OpenAIChat}
)

type azure struct{}

var (
	_ provider.Wrapper = azure{}
	_ provider.Tuner   = azure{}
	_ provider.Signer  = azure{}
)

// New returns the provider.
func New() provider.Provider { return azure{} }

// Name implements provider.Provider.
func (azure) Name() string { return Name }

// login is where programs sign in with a secret of their own (spec: upstreams
// §3.1); people do not.
var login = provider.Login{
	Issuer: "Microsoft Entra ID", Program: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
	Scopes:  []string{"https://cognitiveservices.azure.com/.default"},
	Domains: []string{"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"},
}

// Login implements provider.Signer.
func (azure) Login() *provider.Login { return &login }

// domains are where Azure is. Tokens go there and to this machine only.
var domains = []string{".azure.com", ".azure.us", ".azure.cn", ".azure-api.net"}

// ours reports whether a host is Azure's, or this machine.
func ours(host string) bool {
	host = strings.ToLower(host)
	return endpoint.Loopback(host) || slices.ContainsFunc(domains, func(d string) bool { return strings.HasSuffix(host, d) })
}

// Prepare implements provider.Provider.
func (azure) Prepare(a *provider.Account) (err error) {
	if a.Preset != "" {
		return errors.New("preset: this provider has none")
	}
	if err := endpoint.Options(a.Options, optionResource, optionVersion, optionDeployments, optionAuth); err != nil {
		return err
	}
	for _, name := range []string{optionResource, optionVersion} {
		if err := endpoint.Word(a.Options, name); err != nil {
			return err
		}
	}
	if err := base(a); err != nil {
		return err
	}
	if err := sound(a.Options[optionDeployments]); err != nil {
		return err
	}
	form, err := formOf(a)
	if err != nil {
		return err
	}
	if a.Tokens != nil && !ours(a.BaseURL.Hostname()) {
		return errors.New("base_url: a token of Entra ID goes to Azure's hosts only")
	}
	if err := endpoint.Key(a.Key, a.Tokens == nil && strings.HasSuffix(a.BaseURL.Hostname(), ".azure.com")); err != nil {
		return err
	}
	offered := both
	if classic(a) {
		offered = chat
	}
	if a.Protocols, err = endpoint.Protocols(a.Protocols, offered, offered); err != nil {
		return err
	}
	return endpoint.Header(a, form)
}

// base checks where the resource is, and makes of it the base URL of its
// surface. People know a resource by its origin, the SDKs by …/openai/v1.
func base(a *provider.Account) (err error) {
	name := a.Options[optionResource]
	switch {
	case name != "" && a.BaseURL != nil:
		return errors.New("options: resource stands beside base_url; only one of them can hold")
	case name != "":
		if strings.ContainsFunc(name, notOfName) {
			return errors.New("options: resource is the name of the resource alone, such as my-resource")
		}
		a.BaseURL = &url.URL{Scheme: "https", Host: name + ".openai.azure.com"}
	case a.BaseURL == nil:
		return errors.New("base_url: it is missing; it is that of the resource, such as https://my-resource.openai.azure.com")
	}
	if a.BaseURL, err = endpoint.Base(a.BaseURL, false, a.Options); err != nil {
		return err
	}
	if err := endpoint.Stem(a.BaseURL, "/chat/completions", "/responses", "/deployments"); err != nil {
		return err
	}
	path := strings.TrimSuffix(strings.TrimSuffix(a.BaseURL.Path, "/v1"), "/openai") + "/openai"
	if !classic(a) {
		path += "/v1"
	}
	a.BaseURL.Path, a.BaseURL.RawPath = path, ""
	return nil
}

func notOfName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
}

// classic reports whether a is served by the older surface: its versions are
// days.
func classic(a *provider.Account) bool {
	v := a.Options[optionVersion]
	return v != "" && '0' <= v[0] && v[0] <= '9'
}

// formOf is the form of a's key.
func formOf(a *provider.Account) (endpoint.Form, error) {
	switch v := a.Options[optionAuth]; v {
	case "", "api-key":
		return endpoint.AzureKey, nil
	case "bearer":
		return endpoint.Bearer, nil
	default:
		return 0, fmt.Errorf("options: auth is %q, neither api-key nor bearer", v)
	}
}

// Speaks implements provider.Provider. Of text completions nobody can tell from
// the name of a deployment whether it takes them, so they are put as chats.
func (azure) Speaks(a *provider.Account, op protocol.Op, _ string) []string {
	switch op {
	case protocol.Chat, protocol.Other, protocol.Images:
		return a.Protocols
	case protocol.Embed:
		if a.Takes(protocol.OpenAIChat) {
			return chat
		}
	}
	return nil
}

// deployed are the paths that name a deployment on the older surface; spec:
// upstreams §3.7.
var deployed = []string{"/chat/completions", "/completions", "/embeddings", "/images/", "/audio/"}

// Address implements provider.Provider.
func (azure) Address(out *http.Request, a *provider.Account, to provider.Target) error {
	form, err := formOf(a)
	if err != nil {
		return err
	}
	if v := a.Options[optionVersion]; v != "" {
		if to.Query != "" {
			to.Query += "&"
		}
		to.Query += "api-version=" + v
	}
	if classic(a) && to.Model != "" && ofDeployment(to.Path) {
		to.Path = "/deployments/" + url.PathEscape(deployment(a, to.Model)) + to.Path
	}
	return endpoint.Address(out, a, a.BaseURL, a.BaseURL.EscapedPath(), "", to, form)
}

func ofDeployment(path string) bool {
	for _, p := range deployed {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// Rules implements provider.Provider.
func (azure) Rules() fault.Rules { return rules }

// The list of a resource has all models that Azure knows, and none of the
// resource's deployments.
var quirks = provider.Quirks{Unlisted: true}

// Quirks implements provider.Tuner.
func (azure) Quirks(*provider.Account) *provider.Quirks { return &quirks }
