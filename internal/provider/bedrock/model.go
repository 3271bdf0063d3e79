package bedrock

import (
	"strings"

	"portico/internal/catalog/modelid"
	"portico/internal/provider"
)

// revisions are the ends of the ids of older Claude models; those that are not
// here have none. Checked against the catalogue in model_test.go.
var revisions = map[string]string{
	"claude-opus-4-1":   "-20250805-v1:0",
	"claude-sonnet-4-5": "-20250929-v1:0",
	"claude-haiku-4-5":  "-20251001-v1:0",
	"claude-opus-4-5":   "-20251101-v1:0",
	"claude-opus-4-6":   "-v1",
}

// isClaude reports whether model is one of Claude, as Anthropic names it or as
// Bedrock does. The name of an application's own profile does not tell.
func isClaude(model string) bool {
	_, ours := claudeName(model)
	return ours || strings.Contains(model, "anthropic.claude")
}

// claudeName is model without its vendor, if it is the name that Anthropic or a
// reseller has for a Claude model.
func claudeName(model string) (string, bool) {
	name := strings.TrimPrefix(model, "anthropic/")
	return name, strings.HasPrefix(name, "claude-")
}

// modelID is what Bedrock calls model. An id, a profile or an ARN of Bedrock's
// stays as it is; Anthropic's name for a Claude model becomes the id of the
// profile that serves it in the account's part of the world, since newer
// models are served by profiles only (spec: upstreams §3.6).
func modelID(a *provider.Account, model string) string {
	name, ok := claudeName(model)
	if !ok {
		return model
	}
	base := modelid.Base(name)
	id := "anthropic." + base + revisions[base]
	if p := profileOf(a); p != "" {
		id = p + "." + id
	}
	return id
}

// none is the profile of an account that asks the models of its region alone.
const none = "none"

// profileOf is the prefix of the profiles that a uses, "" for none.
func profileOf(a *provider.Account) string {
	switch p := a.Options[optionProfile]; p {
	case none:
		return ""
	case "":
		return profileIn(regionOf(a))
	default:
		return p
	}
}

// regions are the prefixes of the profiles that serve a region, by the
// beginning of its name. Elsewhere the profile is that of all regions.
var regions = []struct{ region, prefix string }{
	{"us-gov-", "us-gov"},
	{"us-", "us"},
	{"eu-", "eu"},
	{"ap-northeast-1", "jp"},
	{"ap-northeast-3", "jp"},
	{"ap-southeast-2", "au"},
	{"ap-southeast-4", "au"},
	{"ap-", "apac"},
}

func profileIn(region string) string {
	for _, p := range regions {
		if strings.HasPrefix(region, p.region) {
			return p.prefix
		}
	}
	return "global"
}
