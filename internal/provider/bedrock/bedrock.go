// Package bedrock is Amazon Bedrock. Claude is asked in its own words
// (InvokeModel), which keep the signatures of its thinking, everybody else in
// Bedrock's own protocol (Converse).
//
// Requests are signed for the account's access key, or carry a Bedrock API key.
// The signature covers the body, streams come in a binary framing, and errors
// in a form of AWS': so the way out is wrapped, and what passes through it
// looks to the relay like any other upstream of these protocols.
package bedrock

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/provider/endpoint"
	"portico/internal/secret"
	"portico/internal/sigv4"
)

// Name is what the configuration calls the provider.
const Name = "bedrock"

// The options of an account.
const (
	optionRegion  = "region"  // of AWS, such as us-east-1
	optionProfile = "profile" // of inference, for models that are named without one: us, eu, global, …, or none
	optionBetas   = "betas"   // further betas of Claude that Bedrock takes, separated by commas
)

// service is what requests are signed for.
const service = "bedrock"

var (
	protocols = []string{protocol.Anthropic, protocol.BedrockConverse}
	claude    = protocols[:1:1]
	converse  = protocols[1:]
)

// The ends of the paths below /model/ID; spec: upstreams §1E.
const (
	invoke       = "/invoke"
	invokeStream = "/invoke-with-response-stream"
	ask          = "/converse"
	askStream    = "/converse-stream"
	count        = "/count-tokens"
	list         = "/foundation-models"
)

type bedrock struct{}

var (
	_ provider.Wrapper = bedrock{}
	_ provider.Tuner   = bedrock{}
	_ provider.Reader  = bedrock{}
)

// New returns the provider.
func New() provider.Provider { return bedrock{} }

// Name implements provider.Provider.
func (bedrock) Name() string { return Name }

// Prepare implements provider.Provider.
func (bedrock) Prepare(a *provider.Account) (err error) {
	if a.Preset != "" {
		return errors.New("preset: this provider has none")
	}
	if err := endpoint.Options(a.Options, optionRegion, optionProfile, optionBetas); err != nil {
		return err
	}
	for _, name := range []string{optionRegion, optionProfile, optionBetas} {
		if err := endpoint.Word(a.Options, name); err != nil {
			return err
		}
	}
	cred, err := credentialOf(a.Key)
	if err != nil {
		return err
	}
	if a.BaseURL != nil {
		if a.BaseURL, err = endpoint.Base(a.BaseURL, false, a.Options); err != nil {
			return err
		}
		if err := endpoint.Stem(a.BaseURL, "/model", ask, invoke); err != nil {
			return err
		}
	}
	region := regionOf(a)
	switch {
	case region == "" && (a.BaseURL == nil || cred.ID != ""):
		return errors.New("options: region is missing; it is one of AWS, such as us-east-1")
	case strings.ContainsFunc(region, notOfRegion):
		return errors.New("options: region is none of AWS, such as us-east-1")
	}
	if a.BaseURL == nil {
		a.BaseURL = &url.URL{Scheme: "https", Host: host("bedrock-runtime", region)}
	}
	if a.Protocols, err = endpoint.Protocols(a.Protocols, protocols, protocols); err != nil {
		return err
	}
	return endpoint.Header(a, endpoint.Bearer)
}

func notOfRegion(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }

// host is where a service of AWS' lives in a region.
func host(service, region string) string {
	h := service + "." + region + ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		h += ".cn"
	}
	return h
}

// regionOf is a's region: the option, or what the base URL says.
func regionOf(a *provider.Account) string {
	if r := a.Options[optionRegion]; r != "" || a.BaseURL == nil {
		return r
	}
	rest, ok := strings.CutPrefix(a.BaseURL.Hostname(), "bedrock-runtime.")
	region, _, aws := strings.Cut(rest, ".amazonaws.com")
	if !ok || !aws {
		return ""
	}
	return region
}

// Speaks implements provider.Provider. Claude is asked in its own words, if the
// account lets it be.
func (bedrock) Speaks(a *provider.Account, op protocol.Op, model string) []string {
	switch {
	case isClaude(model) && a.Takes(protocol.Anthropic) && (op == protocol.Chat || op == protocol.Count):
		return claude
	case op == protocol.Chat && a.Takes(protocol.BedrockConverse):
		return converse
	}
	return nil
}

// Address implements provider.Provider. What is not asked of a model goes to
// the path that it names.
func (bedrock) Address(out *http.Request, a *provider.Account, to provider.Target) error {
	if end := endOf(to); end != "" {
		to.Path = "/model/" + sigv4.Escape(modelID(a, to.Model)) + end
	} else if to.Path == "/v1/models" {
		to.Path = list
	}
	if to.Op != protocol.Other || to.Path == list {
		to.Query = "" // a client's ?beta=true is not Bedrock's
	}
	shown := a
	if signs(a) {
		c := *a
		c.Key = secret.Text{} // it signs and is not sent
		shown = &c
	}
	return endpoint.Address(out, shown, a.BaseURL, a.BaseURL.EscapedPath(), "", to, endpoint.Bearer)
}

// endOf is where a model is asked, below its own path, "" if none is asked.
func endOf(to provider.Target) string {
	native := to.Protocol == protocol.Anthropic
	switch {
	case to.Op == protocol.Count:
		return count
	case to.Op != protocol.Chat:
		return ""
	case native && to.Stream:
		return invokeStream
	case native:
		return invoke
	case to.Stream:
		return askStream
	}
	return ask
}

// Rules implements provider.Provider.
func (bedrock) Rules() fault.Rules { return rules }

// Bedrock takes pictures as data only (spec: upstreams §2.14).
var quirks = provider.Quirks{InlineImages: true}

// Quirks implements provider.Tuner.
func (bedrock) Quirks(*provider.Account) *provider.Quirks { return &quirks }

// Wrap implements provider.Wrapper.
func (bedrock) Wrap(a *provider.Account, next http.RoundTripper) http.RoundTripper {
	w := &way{next: next, betas: betasOf(a.Options[optionBetas]), runtime: a.BaseURL, control: a.BaseURL}
	region := regionOf(a)
	if a.BaseURL.Host == host("bedrock-runtime", region) {
		w.control = &url.URL{Scheme: "https", Host: host("bedrock", region)}
	}
	if c, err := credentialOf(a.Key); err == nil && c.ID != "" {
		w.signer = sigv4.New(c, cmp.Or(region, "us-east-1"), service)
	}
	return w
}
