package credential

import (
	"encoding/json/v2"
	"strings"
	"testing"

	"portico/internal/provider"
	"portico/internal/provider/oauth/oauthtest"
	"portico/internal/secret"
)

var google = &provider.Login{
	Issuer: "Google", Token: "https://oauth2.googleapis.com/token", Userinfo: "https://www.googleapis.com/oauth2/v2/userinfo",
	Scopes: []string{"cloud"}, Domains: []string{"googleapis.com", "accounts.google.com"},
}

// changed is the JSON object doc with members replaced; null removes one.
func changed(t *testing.T, doc string, changes map[string]any) string {
	t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal([]byte(doc), &m); err != nil {
		t.Fatal(err)
	}
	for k, v := range changes {
		if m[k] = v; v == nil {
			delete(m, k)
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const user = `{"type":"authorized_user","client_id":"42-x.apps.example","client_secret":"canary-secret-0123","refresh_token":"1//canary-refresh-0123","account":"","universe_domain":"googleapis.com"}`

func TestParse(t *testing.T) {
	s := oauthtest.New(t)
	service := s.ServiceAccount(t, "robot@test.example")
	for name, tt := range map[string]struct{ doc, want string }{
		"what gcloud writes":         {user, ""},
		"a service account":          {service, ""},
		"the issuer's own address":   {changed(t, user, map[string]any{"token_uri": "https://accounts.google.com/o/oauth2/token"}), ""},
		"another host":               {changed(t, user, map[string]any{"token_uri": "https://evil.example/token"}), "evil.example"},
		"a host that looks like it":  {changed(t, user, map[string]any{"token_uri": "https://evilgoogleapis.com/token"}), "evilgoogleapis.com"},
		"in the clear":               {changed(t, user, map[string]any{"token_uri": "http://oauth2.googleapis.com/token"}), "not https"},
		"a script":                   {changed(t, user, map[string]any{"token_uri": "javascript:alert(1)"}), "address"},
		"a file":                     {changed(t, user, map[string]any{"token_uri": "file:///etc/passwd"}), "address"},
		"userinfo at another host":   {changed(t, user, map[string]any{"userinfo_uri": "https://evil.example/me"}), "evil.example"},
		"no refresh token":           {changed(t, user, map[string]any{"refresh_token": nil}), "refresh_token: it is missing"},
		"a broken refresh token":     {changed(t, user, map[string]any{"refresh_token": "1//canary refresh"}), "refresh_token"},
		"no client":                  {changed(t, user, map[string]any{"client_id": nil}), "OAuth client of your own"},
		"the client of Antigravity":  {changed(t, user, map[string]any{"client_id": "1071006060591-abc.apps.googleusercontent.com"}), "Antigravity"},
		"the client of Gemini CLI":   {changed(t, user, map[string]any{"client_id": "681255809395-abc.apps.googleusercontent.com"}), "Gemini CLI"},
		"programs to run":            {`{"type":"external_account","credential_source":{"executable":{"command":"canary-rm -rf"}}}`, "external_account"},
		"another's place":            {`{"type":"impersonated_service_account"}`, "not taken"},
		"no type":                    {`{"key":"canary"}`, "no type"},
		"an unknown type":            {`{"type":"canary"}`, "no known type"},
		"no JSON":                    {`{canary`, "not JSON"},
		"a member twice":             {`{"type":"authorized_user","type":"service_account"}`, "not JSON"},
		"a key that is none":         {changed(t, service, map[string]any{"private_key": "canary"}), "no PEM"},
		"a key that cannot be read":  {changed(t, service, map[string]any{"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}), "cannot be read"},
		"a service without a name":   {changed(t, service, map[string]any{"client_email": nil}), "client_email"},
		"larger than any of them is": {`{"type":"` + strings.Repeat("x", MaxDocument) + `"}`, "more than"},
	} {
		c, err := Parse(secret.Of(tt.doc), google)
		switch {
		case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		case err != nil && strings.Contains(err.Error(), "canary"):
			t.Errorf("%s: the error tells a secret: %v", name, err)
		case err == nil:
			again, err := Parse(c.Text(), google)
			if err != nil || again.ID() != c.ID() || again.Text() != c.Text() {
				t.Errorf("%s: it does not come back as it was: %v", name, err)
			}
		}
	}
}

// Two credentials have one name exactly if one can stand in for the other.
func TestID(t *testing.T) {
	parse := func(changes map[string]any) string {
		c, err := Parse(secret.Of(changed(t, user, changes)), google)
		if err != nil {
			t.Fatal(err)
		}
		return c.ID()
	}
	base := parse(nil)
	if parse(map[string]any{"quota_project_id": "p"}) != base {
		t.Error("who pays makes it another credential")
	}
	seen := map[string]bool{base: true}
	for _, change := range []map[string]any{{"refresh_token": "1//other"}, {"client_id": "43-x"}, {"client_secret": "o"}, {"scopes": []string{"a"}}, {"subject": "7"}} {
		id := parse(change)
		if seen[id] {
			t.Errorf("%v makes no other credential", change)
		}
		seen[id] = true
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{user, `{"type":"service_account","client_email":"a","private_key":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}`, `{}`, `{"type":"external_account"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Parse(secret.Of(s), google)
		if err != nil {
			return
		}
		again, err := Parse(c.Text(), google)
		if err != nil || again.ID() != c.ID() {
			t.Errorf("it does not come back: %v", err)
		}
		if err := CheckURL(c.TokenURL, google.Domains); err != nil {
			t.Error(err)
		}
	})
}

// Each reservation says all of what somebody needs who is refused.
func TestReservations(t *testing.T) {
	for _, r := range Reservations() {
		if Reserved(r.Tool).Refusal() != r.Why+" "+r.Instead || !strings.HasSuffix(r.Why, ".") || !strings.HasSuffix(r.Instead, ".") || !strings.HasPrefix(r.Source, "https://") {
			t.Errorf("%+v", r)
		}
	}
	for id, want := range map[string]string{"681255809395-x.apps.example": GeminiCLI, "1071006060591": Antigravity, "42-681255809395": "", "6812558093951-x": "", "": ""} {
		got := ""
		if r := ownerOf(id); r != nil {
			got = r.Tool
		}
		if got != want {
			t.Errorf("%q is %q's, want %q", id, got, want)
		}
	}
}
