package bedrock

import (
	"testing"

	"portico/internal/catalog"
	"portico/internal/catalog/modelid"
	"portico/internal/provider/providertest"
)

func TestModelID(t *testing.T) {
	for _, tt := range []struct{ region, profile, model, want string }{
		{"us-east-1", "", "claude-sonnet-4-5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"},
		{"us-east-1", "", "claude-sonnet-4-5-20250929", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"},
		{"us-east-1", "", "anthropic/claude-opus-4.6", "us.anthropic.claude-opus-4-6-v1"},
		{"us-east-1", "", "claude-opus-5-5[1m]", "us.anthropic.claude-opus-5-5"},
		{"us-gov-west-1", "", "claude-opus-5", "us-gov.anthropic.claude-opus-5"},
		{"eu-central-1", "", "claude-opus-5", "eu.anthropic.claude-opus-5"},
		{"ap-northeast-1", "", "claude-opus-5", "jp.anthropic.claude-opus-5"},
		{"ap-southeast-2", "", "claude-opus-5", "au.anthropic.claude-opus-5"},
		{"ap-south-1", "", "claude-opus-5", "apac.anthropic.claude-opus-5"},
		{"sa-east-1", "", "claude-opus-5", "global.anthropic.claude-opus-5"},
		{"eu-central-1", "global", "claude-opus-5", "global.anthropic.claude-opus-5"},
		{"eu-central-1", "none", "claude-opus-5", "anthropic.claude-opus-5"},
		{"eu-central-1", "", "us.anthropic.claude-opus-5", "us.anthropic.claude-opus-5"},
		{"eu-central-1", "", "anthropic.claude-opus-5", "anthropic.claude-opus-5"},
		{"eu-central-1", "", "amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"},
		{"eu-central-1", "", "arn:aws:bedrock:eu-central-1:1:application-inference-profile/x", "arn:aws:bedrock:eu-central-1:1:application-inference-profile/x"},
	} {
		a := providertest.Account(t, "", "")
		options(optionRegion, tt.region, optionProfile, tt.profile)(a)
		if got := modelID(a, tt.model); got != tt.want {
			t.Errorf("%s in %s: %s, want %s", tt.model, tt.region, got, tt.want)
		}
	}
}

// TestRevisions: each id that the table makes is in the catalogue.
func TestRevisions(t *testing.T) {
	for base, end := range revisions {
		id := "us.anthropic." + base + end
		if m, ok := (*catalog.Catalog)(nil).Lookup(id); !ok || m.ID != id {
			t.Errorf("the catalogue has %q for %s", m.ID, id)
		}
		if got := modelid.Base(id); got != base {
			t.Errorf("%s is %s in the catalogue", id, got)
		}
	}
}
