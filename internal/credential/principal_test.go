package credential

import (
	"strings"
	"testing"

	"portico/internal/provider"
	"portico/internal/secret"
)

var entra = &provider.Login{Issuer: "Entra", Program: "https://login.example/{tenant}/token", Scopes: []string{"s/.default"}, Domains: []string{"login.example"}}

// TestProgram: what Microsoft's own tool writes is taken in both of its forms, for
// providers that have programs, and nothing else is.
func TestProgram(t *testing.T) {
	for name, tt := range map[string]struct {
		doc, want string
		at        *provider.Login
	}{
		"create-for-rbac":     {`{"appId":"a1","displayName":"d","password":"canary-1","tenant":"t-1.example"}`, "", entra},
		"with --json-auth":    {`{"clientId":"a1","clientSecret":"canary-1","subscriptionId":"s","tenantId":"t-1","activeDirectoryEndpointUrl":"https://evil.example"}`, "", entra},
		"no tenant":           {`{"appId":"a1","password":"canary-1"}`, "tenant", entra},
		"a tenant with a way": {`{"appId":"a1","password":"canary-1","tenant":"../x"}`, "tenant", entra},
		"no password":         {`{"appId":"a1","tenant":"t"}`, "password", entra},
		"a password in two":   {`{"appId":"a1","password":"canary 1","tenant":"t"}`, "password", entra},
		"another host":        {`{"appId":"a1","password":"canary-1","token_uri":"https://evil.example/token"}`, "evil.example", entra},
		"in the clear":        {`{"appId":"a1","password":"canary-1","token_uri":"http://login.example/token"}`, "not https", entra},
		"of Google":           {user, "az ad sp", entra},
		"at Google":           {`{"appId":"a1","password":"canary-1","tenant":"t"}`, "no type", google},
		"by its type, there":  {`{"type":"client_credentials","client_id":"a1","client_secret":"canary-1","token_uri":"https://oauth2.googleapis.com/token"}`, "no known type", google},
	} {
		c, err := Parse(secret.Of(tt.doc), tt.at)
		switch {
		case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		case err != nil && strings.Contains(err.Error(), "canary"):
			t.Errorf("%s: the error tells a secret: %v", name, err)
		case err == nil:
			if c.Kind != Program || c.ClientID != "a1" || c.ClientSecret.Reveal() != "canary-1" || !strings.HasPrefix(c.TokenURL, "https://login.example/t-1") || c.Scopes[0] != "s/.default" {
				t.Errorf("%s: %+v", name, c)
			}
			if again, err := Parse(c.Text(), tt.at); err != nil || again.ID() != c.ID() {
				t.Errorf("%s: it does not come back as it was: %v", name, err)
			}
		}
	}
}
