package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/secret"
)

// folder is a fresh data folder with the mode that a real one has.
func folder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// loadText loads a file with that text and nothing else.
func loadText(t *testing.T, text string, with ...func(*Options)) (*Config, []Problem, error) {
	t.Helper()
	dir := folder(t)
	write(t, filepath.Join(dir, "portico.yaml"), text)
	o := Options{DataDir: dir}
	for _, f := range with {
		f(&o)
	}
	c, w, err := Load(o)
	for i := range w {
		w[i].Where = strings.TrimPrefix(w[i].Where, dir+"/")
	}
	e := &Error{}
	if errors.As(err, &e) {
		for i := range e.Problems {
			e.Problems[i].Where = strings.TrimPrefix(e.Problems[i].Where, dir+"/")
			e.Problems[i].Text = strings.ReplaceAll(e.Problems[i].Text, dir+"/", "")
		}
	}
	return c, w, err
}

func TestFileSaysEverything(t *testing.T) {
	c, warnings, err := loadText(t, `
accounts:
  - name: work
    provider: openai
    protocols: [openai-chat, openai-responses]
    base_url: https://api.example.com/v1/
    api_key: env:WORK_KEY
    models: ["gpt-*"]
    priority: -1
    weight: 3
    limits: {rpm: 60, tpm: 1_000, concurrency: 4}
    proxy: http://proxy.example:3128
    disabled: true
    headers: {X-Team: blue, X-Pass: env:WORK_KEY}
    options:
      region: eu
  - {name: home, provider: ollama}
routes:
  - match: "claude-*-haiku*"
    to: [gemini-flash, gpt-mini]
  - match: /^gpt-(3|4)$/
    to: one
    on: overloaded
    over: 1_000
    under: 2_000
    output_over: 10
    needs: [vision, tools]
    background: title
aliases: {fast: gpt-mini, "my-*": one}
routing: {order: specific, background: gpt-nano, presets: {vision: gpt-v}}
thinking: {mode: custom, budget: 4_096, effort: low}
system_prompt: |
  Be brief.
  Be right.
models:
  - {id: m, context: 1000, price_in: 0.5}
port: 9000
allow_lan_access: yes
auth_mode: strict
api_key: sk-a-key-of-some-length
admin_token: another-token-of-some-length
allowed_hosts: [Gateway.local, "192.168.1.5"]
allowed_origins: ["http://localhost:3000", "null"]
secret_store: file
simulator: on
proxy: socks5://127.0.0.1:1080
provider_proxies: {openai: pool, ollama: direct, anthropic: "pool:berlin"}
proxies: {berlin: "https://u:CANARY@proxy.example:8443", paris: env:PARIS}
proxy_checks: 5m
ca_file: /etc/ssl/own.pem
scheduling: {mode: fixed, account: work, max_wait: 3s, hedge: {mode: learned, delay: 1s, percentile: 90, share: 10, max_input: 5000}}
limits: {body: 1.5MiB, attempts: 2, in_flight: 10}
timeouts:
  connect: 1s
  idle: 1m30s
retention: {age: 1w, rows: 0, bytes: 2GB}
responses: {age: 0, rows: 7, bytes: 1GB}
quota: {poll: 1h, protect: {enabled: true, percent: 20, groups: {"claude-*": 30, gpt: 0}, balance: {USD: 2.5}, last_resort: true}}
fetch: {enabled: true, bytes: 5MB, files: 3, timeout: 2s, cache: 0, networks: [192.168.1.7/24, "::1"]}
log: {level: debug, format: json}
metrics: {public: true}
`, func(o *Options) { o.Env = []string{"WORK_KEY=k-123456", "PARIS=socks5h://p:1"} })
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	want := &Config{
		Port: 9000, AllowLAN: true, AuthMode: AuthStrict,
		APIKey: secret.Of("sk-a-key-of-some-length"), AdminToken: secret.Of("another-token-of-some-length"),
		AllowedHosts: []string{"gateway.local", "192.168.1.5"}, AllowedOrigins: []string{"http://localhost:3000", "null"},
		SecretStore: "file", Simulator: true, Proxy: "socks5://127.0.0.1:1080",
		ProviderProxies: map[string]string{"openai": "pool", "ollama": "direct", "anthropic": "pool:berlin"},
		Proxies:         map[string]string{"berlin": "https://u:CANARY@proxy.example:8443", "paris": "socks5h://p:1"},
		ProxyChecks:     5 * time.Minute, CAFile: "/etc/ssl/own.pem",
		Accounts: []Account{{
			Name: "work", Provider: "openai", Protocols: []string{"openai-chat", "openai-responses"},
			BaseURL: "https://api.example.com/v1", APIKey: secret.Of("k-123456"), Models: []string{"gpt-*"},
			Priority: -1, Weight: 3, Limits: AccountLimits{60, 1000, 4}, Proxy: "http://proxy.example:3128", Disabled: true,
			Headers: map[string]string{"X-Team": "blue", "X-Pass": "k-123456"}, Options: map[string]string{"region": "eu"},
		}, {Name: "home", Provider: "ollama", Weight: 1}},
		Routes: []Route{
			{Match: "claude-*-haiku*", To: []string{"gemini-flash", "gpt-mini"}},
			{
				Match: "/^gpt-(3|4)$/", To: []string{"one"}, On: []string{"overloaded"}, Over: 1000, Under: 2000, OutputOver: 10,
				Needs: []string{"vision", "tools"}, Background: "title",
			},
		},
		Aliases:  map[string]string{"fast": "gpt-mini", "my-*": "one"},
		Routing:  Routing{"specific", "gpt-nano", map[string]string{"vision": "gpt-v"}},
		Thinking: Thinking{"custom", 4096, "low"}, SystemPrompt: "Be brief.\nBe right.",
		Models:     []Model{{ID: "m", Context: 1000, PriceIn: 0.5, PriceOut: -1, PriceCacheRead: -1, PriceCacheWrite: -1}},
		Scheduling: Scheduling{"fixed", "work", 3 * time.Second, Hedge{"learned", time.Second, 90, 10, 5000}},
		Quota:      Quota{time.Hour, Protect{true, 20, map[string]int{"claude-*": 30, "gpt": 0}, map[string]float64{"USD": 2.5}, true}},
		Limits:     Limits{3 << 19, 2, 10},
		Timeouts: Timeouts{
			Connect: time.Second, FirstByte: 2 * time.Minute, Idle: 90 * time.Second,
			WriteStall: time.Minute, Heartbeat: 15 * time.Second, Drain: 30 * time.Second,
		},
		Retention: Retention{7 * 24 * time.Hour, 0, 2e9},
		Responses: Responses{0, 7, 1e9},
		Fetch:     Fetch{true, 5e6, 3, 2 * time.Second, 0, []string{"192.168.1.0/24", "::1/128"}},
		Log:       Log{"debug", "json"}, Metrics: Metrics{true},
		DataDir: c.DataDir, File: filepath.Join(c.DataDir, "portico.yaml"),
	}
	got := *c
	got.origin, got.read, got.seen = nil, nil, nil
	if diff := cmp.Diff(want, &got, cmp.AllowUnexported(Config{}, secret.Text{})); diff != "" {
		t.Error(diff)
	}
}

func TestPrecedence(t *testing.T) {
	env := func(kv ...string) func(*Options) { return func(o *Options) { o.Env = append(o.Env, kv...) } }
	flag := func(k, v string) func(*Options) {
		return func(o *Options) { o.Flags = map[string]string{k: v} }
	}
	for _, tt := range []struct {
		name   string
		file   string
		with   []func(*Options)
		want   int
		source string
	}{
		{"default", "", nil, 8045, "default"},
		{"file", "port: 1", nil, 1, "portico.yaml:1"},
		{"env over file", "port: 1", []func(*Options){env("PORTICO_PORT=2")}, 2, "env PORTICO_PORT"},
		{"flag over env", "port: 1", []func(*Options){env("PORTICO_PORT=2"), flag("port", "3")}, 3, "flag --port"},
		{"an empty variable is none", "port: 1", []func(*Options){env("PORTICO_PORT=")}, 1, "portico.yaml:1"},
		{"the last of two variables", "", []func(*Options){env("PORTICO_PORT=4", "PORTICO_PORT=5")}, 5, "env PORTICO_PORT"},
		{"a service link of Kubernetes", "port: 1", []func(*Options){env("PORTICO_PORT=tcp://10.0.0.1:8045")}, 1, "portico.yaml:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _, err := loadText(t, tt.file, tt.with...)
			if err != nil {
				t.Fatal(err)
			}
			source := strings.TrimPrefix(c.Show()[0].Source, c.DataDir+"/")
			if c.Port != tt.want || source != tt.source {
				t.Errorf("port %d from %s, want %d from %s", c.Port, source, tt.want, tt.source)
			}
		})
	}
}

// Every key but the lists of tables can be set by a variable, and every one
// of those that is no secret by a flag.
func TestEveryKeyByVariableAndFlag(t *testing.T) {
	for _, f := range fields {
		if f.FileOnly {
			continue
		}
		value := map[string]string{
			"api_key": "sk-0a9b8c7d6e5f4g3h", "admin_token": "at-0a9b8c7d6e5f4g3h",
			"allowed_hosts": "a.local, b.local", "allowed_origins": "null,app://x", "proxy": "http://p:1", "scheduling.account": "work",
			"routing.background": "m", "system_prompt": "x", "fetch.networks": "10.0.0.0/8,::1", "trusted_proxies": "10.0.0.0/8, ::1", "ca_file": "/ca.pem",
		}[f.Name]
		if value == "" {
			value = f.Default
		}
		c, _, err := loadText(t, "", func(o *Options) { o.Env = []string{f.Env() + "=" + value} })
		if err != nil {
			t.Errorf("%s=%s: %v", f.Env(), value, err)
			continue
		}
		if got, want := c.origin[f.Name].String(), "env "+f.Env(); got != want {
			t.Errorf("%s comes from %q, want %q", f.Name, got, want)
		}
		if f.List && len(f.get(c).([]string)) != 2 {
			t.Errorf("%s=%s gave %v", f.Env(), value, f.get(c))
		}
		if f.Secret {
			if f.Flag() != "" {
				t.Errorf("%s is a secret and has the flag %s", f.Name, f.Flag())
			}
			continue
		}
		c, _, err = loadText(t, "", func(o *Options) { o.Flags = map[string]string{f.Name: value} })
		if err != nil || c.origin[f.Name].kind != "flag" {
			t.Errorf("--%s=%s: %v", f.Flag(), value, err)
		}
	}
	if got, want := (Key{Name: "timeouts.first_byte"}).Env(), "PORTICO_TIMEOUTS_FIRST_BYTE"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDefaultsAreDocumented(t *testing.T) {
	d := Default()
	if d.Port != 8045 || d.AuthMode != AuthOff || d.Limits.Body != 100<<20 || d.Limits.Attempts != 4 ||
		d.Timeouts.FirstByte != 120*time.Second || d.Retention.Age != 90*24*time.Hour || d.Retention.Bytes != 1<<30 {
		t.Errorf("unexpected defaults: %+v", d)
	}
	for _, k := range Keys() {
		if k.Doc == "" || k.Type == "" || !strings.HasSuffix(k.Doc, ".") {
			t.Errorf("%s has no sentence and type: %q, %q", k.Name, k.Doc, k.Type)
		}
	}
}

func TestMasked(t *testing.T) {
	c, _, err := loadText(t, `port: 9000
api_key: sk-CANARY-key-0123456789
admin_token: CANARYadmin0123456789
proxy: http://user:CANARYproxy@proxy:1
accounts:
- name: a b
  provider: openai
  api_key: sk-CANARY-acc-0123456789
  limits: {rpm: 5}
  headers: {X-Key: CANARYheader}
  options: {secret: CANARYoption}
proxies: {a: "socks5://user:CANARYpool@proxy:1"}
provider_proxies: {openai: "http://user:CANARYprovider@proxy:1"}
`)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := c.Masked(&b); err != nil {
		t.Fatal(err)
	}
	out := strings.ReplaceAll(b.String(), c.DataDir+"/", "")
	if strings.Contains(out, "CANARY") {
		t.Errorf("a secret is shown:\n%s", out)
	}
	for _, want := range []string{
		"port: 9000  # portico.yaml:1\n", "api_key: sk-…6789  # portico.yaml:2\n", "timeouts:\n  connect: 10s  # default\n",
		"accounts:  # portico.yaml:5\n  - name: \"a b\"\n    provider: openai\n    api_key: sk-…6789\n    weight: 1\n    limits: {rpm: 5}\n    headers: {X-Key: •••}\n",
		"allowed_hosts: []  # default\n", "auth_mode: off  # default\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if _, err := parse([]byte(b.String())); err != nil {
		t.Errorf("what is shown is not YAML: %v\n%s", err, out)
	}
}
