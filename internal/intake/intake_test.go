package intake

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/config"
	"portico/internal/secret"
)

const (
	oat    = "sk-ant-oat01-CANARY0123456789"
	robot  = `{"type":"service_account","client_email":"robot@p.example","private_key":"CANARY","private_key_id":"k","project_id":"p"}`
	google = `{"type":"authorized_user","client_id":"42-a.apps.example","client_secret":"CANARY","refresh_token":"1//CANARY-refresh-0123"%s}`
)

// told is an item in a line: from, name, provider/preset at base with a hint of
// what it signs in with, and what else.
func told(i *Item) string {
	a := &i.Account
	s := i.From + ": " + a.Name + " = " + a.Provider
	if a.Preset != "" {
		s += "/" + a.Preset
	}
	if a.BaseURL != "" {
		s += " at " + a.BaseURL
	}
	switch key := a.APIKey.Reveal(); {
	case strings.HasPrefix(key, "{"):
		s += " with a document"
	case key != "":
		s += " with " + key
	}
	if !i.Refresh.IsZero() {
		s += " with the token " + i.Refresh.Reveal()
	}
	for _, more := range []any{a.Models, a.Protocols, a.Options, a.Headers, i.Lost} {
		if text := fmt.Sprint(more); text != "[]" && text != "map[]" {
			s += " " + text
		}
	}
	if a.Proxy != "" {
		s += " through " + a.Proxy
	}
	if a.Priority != 0 || a.Weight != 1 || a.Disabled {
		s += fmt.Sprintf(" %d %d %v", a.Priority, a.Weight, a.Disabled)
	}
	if i.Refused != "" {
		first, _, _ := strings.Cut(i.Refused, " ")
		s += " refused: " + first
	}
	return s
}

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		want       []string
	}{
		{"an export of ours", `{"portico_accounts":1,"accounts":[{"name":"a","provider":"openai","api_key":"k1","models":["gpt-*"],"priority":2,"weight":3,"disabled":true,"limits":{"rpm":5}},{"name":"b","provider":"ollama","options":{"x":"y"}}]}`, []string{
			"Portico: a = openai with k1 [gpt-*] 2 3 true", "Portico: b = ollama map[x:y]",
		}},
		{"a file of ours", "accounts:\n  - {name: a, provider: anthropic, api_key: k1}\n  - {name: b, provider: openai, api_key: env:B}\n", []string{
			"Portico: a = anthropic with k1", "Portico: b = openai with env:B refused: Its",
		}},
		{"refresh tokens as lines", "# mine\n1//0abcdefghijklmnopq\nme@example.com----1//0bcdefghijklmnopqr\n\nnonsense here\n", []string{
			"a list of refresh tokens: imported =  with the token 1//0abcdefghijklmnopq",
			"a list of refresh tokens: me@example.com =  with the token 1//0bcdefghijklmnopqr",
			"a list of refresh tokens: line 5 =  refused: Line",
		}},
		{"refresh tokens with colons", "me@example.com: 1//0abcdefghijklmnopq\n", []string{"a list of refresh tokens: me@example.com =  with the token 1//0abcdefghijklmnopq"}},
		{"refresh tokens as JSON", `["1//0abcdefghijklmnopq", {"email":"me@example.com","refresh_token":"1//0bcdefghijklmnopqr"}, "x"]`, []string{
			"a list of refresh tokens: imported =  with the token 1//0abcdefghijklmnopq",
			"a list of refresh tokens: me@example.com =  with the token 1//0bcdefghijklmnopqr",
			"a list of refresh tokens: imported =  refused: It",
		}},
		{"Antigravity Manager's export", `{"accounts":[{"email":"me@example.com","refresh_token":"1//0abcdefghijklmnopq"}]}`, []string{
			"a list of refresh tokens: me@example.com =  with the token 1//0abcdefghijklmnopq",
		}},
		{"Antigravity Manager's account", `{"id":"1","email":"me@example.com","token":{"refresh_token":"1//0abcdefghijklmnopq","project_id":"p"}}`, []string{
			"Antigravity: me@example.com =  refused: Google's",
		}},
		{"a service account", robot, []string{"Google Cloud: robot@p.example = vertex with a document"}},
		{"what gcloud writes", fmt.Sprintf(google, ""), []string{"Google Cloud: gemini = gemini with a document"}},
		{"what gcloud writes, with a project", fmt.Sprintf(google, `,"quota_project_id":"p"`), []string{"Google Cloud: vertex = vertex with a document"}},
		{"a federated account", `{"type":"external_account","credential_source":{"executable":{"command":"rm"}}}`, []string{"Google Cloud: imported =  refused: Credentials"}},
		{"Claude Code's login", `{"claudeAiOauth":{"accessToken":"` + oat + `"}}`, []string{"Claude Code: imported =  refused: Anthropic"}},
		{"Claude Code's key", `{"primaryApiKey":"sk-ant-api03-x"}`, []string{"Claude Code: claude-code = anthropic with sk-ant-api03-x"}},
		{"Claude Code's settings", `{"env":{"ANTHROPIC_AUTH_TOKEN":"k1","ANTHROPIC_BASE_URL":"https://r.example/","ANTHROPIC_MODEL":"m"}}`, []string{
			"Claude Code: claude-code = anthropic-compatible at https://r.example with k1 [ANTHROPIC_MODEL]",
		}},
		{"Claude Code's settings with a login", `{"env":{"ANTHROPIC_AUTH_TOKEN":"` + oat + `"}}`, []string{"Claude Code: claude-code = anthropic with " + oat + " map[auth:bearer] refused: Anthropic"}},
		{"Codex's key", `{"OPENAI_API_KEY":"sk-x","tokens":null}`, []string{"Codex: codex = openai with sk-x"}},
		{"Codex's login", `{"OPENAI_API_KEY":null,"tokens":{"id_token":"a","access_token":"b","refresh_token":"c"}}`, []string{"Codex: codex =  refused: OpenAI"}},
		{"Gemini CLI's login", `{"access_token":"ya29.x","refresh_token":"1//0abcdefghijklmnopq","expiry_date":1,"scope":"s"}`, []string{"Gemini CLI: imported =  refused: Google"}},
		{"CLIProxyAPI's logins", `[{"type":"claude","access_token":"a","email":"c@x.example"},{"type":"codex","access_token":"a"},{"type":"gemini","token":{}},{"type":"antigravity","refresh_token":"1//x"},{"type":"qwen","access_token":"a"}]`, []string{
			"Claude Code: c@x.example =  refused: Anthropic", "Codex: imported =  refused: OpenAI", "Gemini CLI: imported =  refused: Google",
			"Antigravity: imported =  refused: Google's", "CLIProxyAPI: imported =  refused: It",
		}},
		{"CLIProxyAPI's service account", `{"type":"vertex","email":"robot@p.example","location":"europe-west4","service_account":` + robot + `}`, []string{
			"Google Cloud: robot@p.example = vertex with a document map[location:europe-west4]",
		}},
		{"CLIProxyAPI's configuration", `
port: 8317
api-keys: [of-clients]
gemini-api-key:
  - {api-key: g1, proxy-url: "socks5://p.example:1"}
  - api-key: g2
    base-url: https://g.example
claude-api-key:
  - api-key: c1
  - api-key: c2
    base-url: https://c.example
    weight: 5
    headers: {X-A: b, X-B: "$C"}
    models: [{name: claude-x, alias: x}]
  - {api-key: sk-ant-oat01-x}
xai-api-key: [{api-key: x1, base-url: "https://api.x.ai/v1"}]
openai-compatibility:
  - name: router
    base-url: https://o.example/v1
    api-key-entries: [{api-key: o1}, {api-key: o2, proxy-url: direct}]
`, []string{
			"CLIProxyAPI: gemini = gemini with g1 through socks5://p.example:1", "CLIProxyAPI: gemini-2 = gemini at https://g.example/v1beta with g2",
			"CLIProxyAPI: claude = anthropic with c1", "CLIProxyAPI: claude-2 = anthropic-compatible at https://c.example with c2 [claude-x] map[X-A:b] [the alias x the header X-B] 0 5 false",
			"CLIProxyAPI: claude-3 = anthropic with sk-ant-oat01-x refused: Anthropic", "CLIProxyAPI: xai = openai-compatible/xai with x1",
			"CLIProxyAPI: router = openai-compatible at https://o.example/v1 with o1", "CLIProxyAPI: router-2 = openai-compatible at https://o.example/v1 with o2",
		}},
		{"cc-switch", `{"version":2,"claude":{"current":"1","providers":{"1":{"id":"1","name":"Relay","settingsConfig":{"env":{"ANTHROPIC_API_KEY":"k1","ANTHROPIC_BASE_URL":"https://r.example"}}},"2":{"name":"Official","settingsConfig":{"env":{}}}}},
			"codex":{"providers":{"3":{"name":"Lab","settingsConfig":{"auth":{"OPENAI_API_KEY":"k3"},"config":"model = \"m\"\n[model_providers.lab]\nbase_url = \"https://l.example/v1\"\nwire_api = \"responses\"\n"}},"4":{"name":"ChatGPT","settingsConfig":{"auth":{"tokens":{}}}}}},
			"gemini":{"providers":{"5":{"name":"G","settingsConfig":{"env":{"GEMINI_API_KEY":"k5","GOOGLE_GEMINI_BASE_URL":"https://g.example"}}}}}}`, []string{
			"cc-switch: Relay = anthropic-compatible at https://r.example with k1 map[auth:x-api-key]", "cc-switch: Official =  refused: The",
			"cc-switch: Lab = openai-compatible at https://l.example/v1 with k3 [openai-responses]", "Codex: ChatGPT =  refused: OpenAI",
			"cc-switch: G = gemini at https://g.example/v1beta with k5",
		}},
		{"cc-switch's older file", `{"providers":{"1":{"name":"Relay","settingsConfig":{"env":{"ANTHROPIC_AUTH_TOKEN":"k1","ANTHROPIC_BASE_URL":"https://r.example"}}}},"current":"1"}`, []string{
			"cc-switch: Relay = anthropic-compatible at https://r.example with k1",
		}},
		{"new-api", `{"success":true,"data":{"items":[{"type":1,"name":"A","key":"k1\nk2","models":"gpt-4o,gpt-5","priority":3,"weight":2,"status":1,"auto_ban":1,"model_mapping":"{\"a\":\"b\"}"},
			{"type":43,"name":"D","key":"k3","status":2,"auto_ban":1},{"type":57,"name":"C","key":"{}","auto_ban":1},{"type":14,"name":"E","key":"","auto_ban":1},
			{"type":41,"name":"V","key":"{\n\"type\":\"service_account\"\n}","auto_ban":1},{"type":33,"name":"W","key":"AK|SK|us-east-1","auto_ban":1},{"type":3,"name":"Z","key":"k","base_url":"https://z.openai.azure.com","other":"2024-10-21","auto_ban":1}]}}`, []string{
			"new-api: A = openai with k1 [gpt-4o gpt-5] [the names that it gives models] -3 2 false", "new-api: A-2 = openai with k2 [gpt-4o gpt-5] [the names that it gives models] -3 2 false",
			"new-api: D = openai-compatible/deepseek with k3 0 1 true", "Codex: C =  refused: OpenAI", "new-api: E = anthropic refused: The",
			"new-api: V = vertex with a document", "new-api: W = bedrock with AK:SK map[region:us-east-1]", "new-api: Z = azure at https://z.openai.azure.com with k map[api_version:2024-10-21]",
		}},
		{"one-api", `{"data":[{"type":36,"name":"D","key":"k","config":""},{"type":1,"name":"R","key":"k1","base_url":"https://r.example/","config":""},{"type":99,"name":"X","key":"k","config":""},{"type":36,"name":"?","key":"k"}]}`, []string{
			"one-api: D = openai-compatible/deepseek with k", "one-api: R = openai-compatible at https://r.example/v1 with k1", "one-api: X =  refused: Channels", "one-api or new-api: imported =  refused: Channels",
		}},
		{"variables", "export OPENAI_API_KEY='k1'\nOPENAI_BASE_URL=https://o.example/v1\nGROQ_API_KEY=k2\nPATH=/bin\nANTHROPIC_API_KEY=k3\nGEMINI_API_KEY=\n", []string{
			"a file of variables: anthropic = anthropic with k3", "a file of variables: gemini = gemini refused: The",
			"a file of variables: groq = openai-compatible/groq with k2", "a file of variables: openai = openai-compatible at https://o.example/v1 with k1",
		}},
	} {
		items, err := Read([]byte(tt.file))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for i := range items {
			got = append(got, told(&items[i]))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ file, want string }{
		"nothing":             {" \n", "empty"},
		"a database":          {"SQLite format 3\x00...", "a database"},
		"what is sealed":      {"age-encryption.org/v1\n", "encrypted"},
		"no text":             {"\xff\xfe{}", "no text"},
		"half a file":         {`{"accounts":[`, "not whole"},
		"members twice":       {`{"accounts":[],"accounts":[]}`, "not whole"},
		"an OAuth client":     {`{"installed":{"client_id":"x"}}`, "an OAuth client"},
		"something else":      {`{"hello":"CANARY"}`, "no form that is known"},
		"nothing in it":       {`{"accounts":[]}`, "no form that is known"},
		"a large file":        {strings.Repeat("x", MaxFile+1), "more than 8388608 bytes"},
		"too many":            {"[" + strings.Repeat(`"1//0abcdefghijklmnopq",`, MaxItems) + `"1//0abcdefghijklmnopq"]`, "more than 10000 accounts"},
		"an alias in YAML":    {"a: &a {b: c}\naccounts: [*a, *a]\n", ""},
		"depth beyond reason": {strings.Repeat("[", 100_000), "not whole"},
	} {
		items, err := Read([]byte(tt.file))
		switch {
		case tt.want == "" && err == nil: // lines that are none
			for _, i := range items {
				if i.Refused == "" {
					t.Errorf("%s: %+v", name, i)
				}
			}
		case err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "CANARY"):
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNames(t *testing.T) {
	for s, want := range map[string]string{
		"a": "a", " a/b ": "a-b", "<img onerror=x>": "img onerror-x", "": "openai", "///": "openai", "me@x.example": "me@x.example", "名前": "名前", "a\x00\u202e": "a",
		strings.Repeat("é", 60): strings.Repeat("é", 28),
	} {
		if got := nameOf(s, "openai"); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestPlan(t *testing.T) {
	of := func(name, provider, key string) config.Account {
		return config.Account{Name: name, Provider: provider, APIKey: secret.Of(key), Weight: 1}
	}
	items := []Item{
		{Account: of("new", "openai", "k1")},
		{Account: of("again", "openai", "k1")},
		{Account: of("there", "openai", "k2")},
		{Account: of("old", "openai", "k3")},
		{Account: of("old", "openai", "k4")},
		{Account: of("bad", "nonsense", "k5")},
		{Account: of("x", "openai", "k6"), Refused: "Because."},
		{Account: of("robot", "vertex", robot)},
		{Account: of("robot", "vertex", " "+strings.Replace(robot, `"project_id":"p"`, `"project_id":"q"`, 1))},
		{Account: of("local", "ollama", "")},
		{Account: of("local", "ollama", "")},
	}
	existing := []config.Account{of("old", "openai", "k0"), of("mine", "openai", "k2")}
	steps := Plan(items, existing, func(a config.Account) error {
		if a.Provider == "nonsense" {
			return errors.New(`provider: there is no "nonsense"`)
		}
		return nil
	})
	var got []string
	for _, s := range steps {
		got = append(got, strings.TrimSpace(s.Account.Name+" "+string(s.Verdict)+" "+s.Why))
	}
	want := []string{
		"new add", `again duplicate The account "new" has the same credential.`, `there duplicate The account "mine" has the same credential.`,
		`old-2 add The name "old" is taken by another account.`, `old-3 add The name "old" is taken by another account.`,
		`bad refused Provider: there is no "nonsense".`, "x refused Because.", "robot add", `robot duplicate The account "robot" has the same credential.`,
		"local add", `local-2 add The name "local" is taken by another account.`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFill(t *testing.T) {
	items, err := Read([]byte("me@example.com 1//0abcdefghijklmnopq\n1//0bcdefghijklmnopqr\n1//wrong-0123456789ab\n"))
	if err != nil {
		t.Fatal(err)
	}
	Fill(items, config.Account{Provider: "gemini", Options: map[string]string{"quota_project": "p"}}, func(refresh secret.Text) (secret.Text, error) {
		if strings.Contains(refresh.Reveal(), "wrong") {
			return secret.Text{}, errors.New("it is of another client")
		}
		return secret.Of("{" + refresh.Reveal() + "}"), nil
	})
	var got []string
	for i := range items {
		got = append(got, fmt.Sprintf("%s %s %s %v %s", items[i].Account.Name, items[i].Account.Provider, items[i].Account.APIKey.Reveal(), items[i].Account.Options, items[i].Refused))
	}
	want := []string{
		"me@example.com gemini {1//0abcdefghijklmnopq} map[quota_project:p] ", "gemini gemini {1//0bcdefghijklmnopqr} map[quota_project:p] ",
		"gemini gemini  map[quota_project:p] It is of another client.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever is in a file, reading it ends soon, within its bounds, and with names
// that accounts may have; no error shows the file.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		robot, fmt.Sprintf(google, ""), `{"claude":{"providers":{}}}`, `{"data":[{"type":1,"key":"k"}]}`, "A_KEY=b\n1//0abcdefghijklmnopq", "openai-compatibility: [{name: a, api-key-entries: [{api-key: b}]}]",
		`{"accounts":[{"refresh_token":"1//0abcdefghijklmnopq"}]}`, "a: &a [*a]", "{", "- - -", `{"env":{"ANTHROPIC_API_KEY":"k"}}`, "gemini-api-key: [{}]", `{"type":"vertex","service_account":{}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		items, err := Read(file)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 300 {
				t.Errorf("%v", err)
			}
			return
		}
		if len(items) == 0 || len(items) > MaxItems {
			t.Errorf("%d items", len(items))
		}
		for i := range items {
			if n := items[i].Account.Name; n == "" || len(n) > 64 || nameOf(n, "") != n && !strings.HasPrefix(n, "imported") {
				t.Errorf("the name %q", n)
			}
			if items[i].Refused == "" && items[i].Refresh.IsZero() && items[i].Account.Provider == "" {
				t.Errorf("%+v is of no provider", items[i])
			}
		}
		Plan(items, nil, func(config.Account) error { return nil })
	})
}
