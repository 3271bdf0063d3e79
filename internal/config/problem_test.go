package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// Each file below has one fault, and the whole message is its one line.
func TestEveryErrorLine(t *testing.T) {
	account := func(lines string) string {
		return "accounts:\n- name: a\n  provider: openai\n" + lines
	}
	for _, tt := range []struct{ name, file, want string }{
		{"unknown key", "port: 1\nprot: 2", `portico.yaml:2: prot: is not a key that is known here; did you mean "port"?`},
		{"unknown key, nothing near", "zzzzzz: 2", `portico.yaml:1: zzzzzz: is not a key that is known here`},
		{"dashes", "auth-mode: off", `portico.yaml:1: auth-mode: is not a key that is known here; did you mean "auth_mode"?`},
		{"unknown nested key", "timeouts:\n  idel: 1s", `portico.yaml:2: timeouts.idel: is not a key that is known here; did you mean "idle"?`},
		{"unknown account key", account("  apikey: x"), `portico.yaml:4: accounts[0].apikey: is not a key that is known here; did you mean "api_key"?`},
		{"dotted", "log.level: info", `portico.yaml:1: log.level: is not a key that is known here`},
		{"twice", "port: 1\nport: 2", `portico.yaml:2: port: is there twice; it was first on line 1`},
		{"twice within", "log:\n  level: info\n  level: warn", `portico.yaml:3: log.level: is there twice; it was first on line 2`},
		{"empty", "port:", `portico.yaml:1: port: is empty; give it a value or remove the line`},
		{"empty string", `api_key: ""`, `portico.yaml:1: api_key: is empty; give it a value or remove the line`},
		{"list for a value", "port: [1]", `portico.yaml:1: port: takes one value, not a list`},
		{"table for a list", "allowed_hosts: {a: 1}", `portico.yaml:1: allowed_hosts: takes a list, not a table`},
		{"bare null in a list", `allowed_origins: ["http://a", null]`, `portico.yaml:1: allowed_origins[1]: is empty; give it a value or remove the line`},
		{"value for a table", "log: info", `portico.yaml:1: log: takes a table of level, format`},
		{"value for accounts", "accounts: 1", `portico.yaml:1: accounts: takes a list, not a value`},
		{"value for an account", "accounts: [a]", `portico.yaml:1: accounts[0]: takes a table, not a value`},
		{"port range", "port: 70000", `portico.yaml:1: port: 70000 is not between 1 and 65535`},
		{"port zero", "port: 0", `portico.yaml:1: port: 0 is not between 1 and 65535`},
		{"port word", "port: http", `portico.yaml:1: port: "http" is not a whole number`},
		{"huge number", "port: 99999999999999999999", `portico.yaml:1: port: "99999999999999999999" is out of every range`},
		{"bool", "simulator: maybe", `portico.yaml:1: simulator: "maybe" is not true or false`},
		{"enum", "auth_mode: stritc", `portico.yaml:1: auth_mode: "stritc" is not one of off, strict, all_except_health, auto; did you mean "strict"?`},
		{"duration without unit", "timeouts: {idle: 15}", `portico.yaml:1: timeouts.idle: "15" has no unit; write 15s, 15m or 15h`},
		{"duration", "timeouts: {idle: soon}", `portico.yaml:1: timeouts.idle: "soon" is not a duration such as 15s, 5m or 90d`},
		{"duration range", "timeouts: {idle: 2d}", `portico.yaml:1: timeouts.idle: 2d is not between 100ms and 1d`},
		{"size", "limits: {body: big}", `portico.yaml:1: limits.body: "big" is not a size such as 100MiB`},
		{"size range", "limits: {body: 4GiB}", `portico.yaml:1: limits.body: 4GiB is not between 1KiB and 2GiB`},
		{"host with port", "allowed_hosts: ['a.local:80']", `portico.yaml:1: allowed_hosts[0]: "a.local:80" names a port; write the host name alone`},
		{"host pattern", "allowed_hosts: ['*']", `portico.yaml:1: allowed_hosts[0]: "*" is a pattern; each name must be written out, since a pattern would let a foreign page in`},
		{"host url", "allowed_hosts: ['http://a']", `portico.yaml:1: allowed_hosts[0]: "http://a" is a URL; write the host name alone`},
		{"host", "allowed_hosts:\n- ok\n- 'a b'", `portico.yaml:3: allowed_hosts[1]: "a b" is not a host name`},
		{"origin star", "allowed_origins: ['*']", `portico.yaml:1: allowed_origins[0]: "*" is not an origin such as http://localhost:3000, app://name, file:// or null`},
		{"network", "fetch: {networks: [10.0.0.0/8, localhost]}", `portico.yaml:1: fetch.networks[1]: "localhost" is not a network such as 192.168.1.0/24`},
		{"network in disguise", "fetch: {networks: ['::ffff:10.0.0.0/104']}", `portico.yaml:1: fetch.networks[0]: "::ffff:10.0.0.0/104" is not a network such as 192.168.1.0/24`},
		{"proxy", "proxy: ftp://x", `portico.yaml:1: proxy: "ftp://x" is not a proxy such as socks5://127.0.0.1:1080 (schemes: http, https, socks5, socks5h)`},
		{"proxy of the pool without a name", "proxy: 'pool:'", `portico.yaml:1: proxy: a proxy needs a name of at most 64 letters`},
		{"proxy of the pool by another name", "proxy: pool:a/b", `portico.yaml:1: proxy: "a/b" is not the name of a proxy: letters, digits and -_. only, at most 64`},
		{"a proxy of the pool that is none", "proxies: {a: 'u:CANARY@h:1'}", `portico.yaml:1: proxies.a: "…" is not a proxy such as socks5://127.0.0.1:1080 (schemes: http, https, socks5, socks5h)`},
		{"the pool in the pool", "proxies: {a: pool}", `portico.yaml:1: proxies.a: "pool" is not a proxy such as socks5://127.0.0.1:1080 (schemes: http, https, socks5, socks5h)`},
		{"a proxy for no provider", "provider_proxies: {'Open AI': pool}", `portico.yaml:1: provider_proxies.Open AI: it is not the name of a provider`},
		{"account without name", "accounts:\n- provider: openai", `portico.yaml:2: accounts[0].name: is missing`},
		{"account without provider", "accounts:\n- name: a", `portico.yaml:2: accounts[0].provider: is missing`},
		{"unknown provider", "accounts:\n- name: a\n  provider: opnai", `portico.yaml:3: accounts[0].provider: "opnai" is not a provider: openai, gemini; did you mean "openai"?`},
		{"account twice", account("") + "- name: a\n  provider: gemini", `portico.yaml:4: accounts[1].name: "a" is taken by the account on line 2`},
		{"account name", "accounts: [{name: a/b, provider: openai}]", `portico.yaml:1: accounts[0].name: "a/b" is not a name: letters, digits, spaces and ._@+-: only, at most 64 bytes`},
		{"protocol", account("  protocols: [openai]"), `portico.yaml:4: accounts[0].protocols[0]: "openai" is not a protocol: openai-chat, openai-responses, anthropic, gemini, bedrock-converse`},
		{"base URL", account("  base_url: api.example.com"), `portico.yaml:4: accounts[0].base_url: "api.example.com" is not a URL such as https://api.example.com/v1`},
		{"base URL with password", account("  base_url: https://u:CANARY@h"), `portico.yaml:4: accounts[0].base_url: holds a user or password; put the credential into api_key`},
		{"base URL with query", account("  base_url: https://h/?a=1"), `portico.yaml:4: accounts[0].base_url: "https://h/?a=1" holds a query or fragment; only scheme, host and path are taken`},
		{"variable not set", account("  api_key: env:NOPE"), `portico.yaml:4: accounts[0].api_key: the environment variable "NOPE" is not set`},
		{"key of two words", account("  api_key: CANARY CANARY"), `portico.yaml:4: accounts[0].api_key: holds spaces, line ends or letters outside ASCII, which no header carries`},
		{"key file not there", account("  key_file: nope"), `portico.yaml:4: accounts[0].key_file: open nope: no such file or directory`},
		{"weight", account("  weight: 0"), `portico.yaml:4: accounts[0].weight: 0 is not between 1 and 1000000`},
		{"header of ours", account("  headers: {User-Agent: x}"), `portico.yaml:4: accounts[0].headers.User-Agent: is a header that the gateway sets itself`},
		{"header name", account("  headers: {'a b': x}"), `portico.yaml:4: accounts[0].headers.a b: "a b" is not a header name`},
		{"refused by the provider", account("  preset: never"), `portico.yaml:2: accounts[0]: preset never is not for openai`},
		{"regular expression", "routes: [{match: '/a(/', to: b}]", "portico.yaml:1: routes[0].match: \"/a(/\" is not a regular expression: missing closing ): `a(`"},
		{"no currency", "quota: {protect: {balance: {usd: 2}}}", `portico.yaml:1: quota.protect.balance.usd: is no currency, such as USD`},
		{"no amount", "quota: {protect: {balance: {USD: -2}}}", `portico.yaml:1: quota.protect.balance.USD: "-2" is no amount from 0 to 1000000000`},
		{"route to nothing", "routes: [{match: a}]", `portico.yaml:1: routes[0].to: is missing`},
		{"price", "models: [{id: m, price_in: -1}]", `portico.yaml:1: models[0].price_in: "-1" is not a price between 0 and 1000000`},
		{"LAN without auth", "auth_mode: off\nallow_lan_access: true", `portico.yaml:2: allow_lan_access: true opens the server to the network, but auth_mode is off in portico.yaml:1; set auth_mode (PORTICO_AUTH_MODE, --auth-mode) to strict, all_except_health or auto`},
		{"placeholder", "api_key: your-api-key-1", `portico.yaml:1: api_key: is a placeholder out of an example, which everybody knows; remove it to have one generated`},
		{"short key on the LAN", "auth_mode: strict\nallow_lan_access: true\napi_key: tiny1", `portico.yaml:3: api_key: has 5 letters; with allow_lan_access it must have at least 16, since anybody on the network may guess`},
		{"one secret for both", "api_key: 0a9b8c7d6e5f4g3h\nadmin_token: 0a9b8c7d6e5f4g3h", `portico.yaml:2: admin_token: is the same as api_key; whoever may call a model could then administer the server`},
		{"not a table", "- a", `portico.yaml:1: must be a table of keys, not a list`},
		{"not YAML", "port: 1\nlog: [", `portico.yaml:2: is not readable as YAML: `},
		{"anchor", "a: &x 1", `portico.yaml:1: anchors, aliases and merge keys are not taken; write the value out`},
		{"tag", "port: !!int 1", `portico.yaml:1: tags such as !!str are not taken; put the value in quotes`},
		{"two documents", "port: 1\n---\nport: 2", `portico.yaml:3: a second document begins here; there may be only one`},
		{"not UTF-8", "port: 1\n# \xff", `portico.yaml:2: is not UTF-8`},
		{"NUL", "port: 1\n\x00", `portico.yaml:2: holds a NUL byte`},
		{"too large", strings.Repeat("#", maxFile+1), `portico.yaml: is larger than 1048576 bytes`},
		{"too many keys", strings.Repeat("a:\n", maxColon+1), `portico.yaml: holds more than 50000 keys`},
		{"too deep", strings.Repeat("{a: ", 30) + strings.Repeat("}", 30), `portico.yaml:1: nests more than 16 deep`},
		{"far too deep", strings.Repeat("[", 300_000), `portico.yaml: nests more than 16 deep`},
		{"too many accounts", "accounts: [" + strings.Repeat("{},", 1001) + "]", `portico.yaml:1: accounts: has 1001 entries; at most 1000 are taken`},
		{"too many headers", account("  headers: {" + many(65, "h%d: v, ") + "}"), `portico.yaml:4: accounts[0].headers: has 65 entries; at most 64 are taken`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := loadText(t, tt.file, func(o *Options) {
				o.Providers = []string{"openai", "gemini"}
				o.CheckAccount = func(a Account) error {
					if a.Preset == "never" {
						return errors.New("preset never is not for " + a.Provider)
					}
					return nil
				}
			})
			if err == nil {
				t.Fatal("it was taken")
			}
			got := err.Error()
			if strings.HasSuffix(tt.want, ": ") && strings.HasPrefix(got, tt.want) && !strings.Contains(got, "\n") {
				return
			}
			got = strings.ReplaceAll(got, dirOf(got), "")
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if strings.Contains(got, "CANARY") {
				t.Error("the message shows a secret")
			}
		})
	}
}

// dirOf finds the data folder in a message that names a file within it.
func dirOf(s string) string {
	i := strings.Index(s, "/tmp")
	j := strings.LastIndex(s, "/data/")
	if i < 0 || j < i {
		return "\x00"
	}
	return s[i : j+len("/data/")]
}

func many(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestAllProblemsAtOnceInOrder(t *testing.T) {
	_, _, err := loadText(t, "allow_lan_access: true\nport: 0\naccounts:\n- name: a\n  provider: 'x y'\n  weight: 0\nnope: 1\n", func(o *Options) {
		o.Env = []string{"PORTICO_LOG_LEVEL=loud"}
		o.Flags = map[string]string{"limits.attempts": "0"}
	})
	var got []string
	for line := range strings.SplitSeq(fmt.Sprint(err), "\n") {
		got = append(got, strings.Join(strings.SplitN(line, ": ", 3)[:2], ": "))
	}
	want := "portico.yaml:1: allow_lan_access|portico.yaml:2: port|portico.yaml:5: accounts[0].provider|portico.yaml:6: accounts[0].weight|" +
		"portico.yaml:7: nope|PORTICO_LOG_LEVEL: log.level|--limits-attempts: limits.attempts"
	if g := strings.Join(got, "|"); g != want {
		t.Errorf("got  %s\nwant %s", g, want)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	_, _, err := loadText(t, many(5000, "key%d: 1\n"))
	e, ok := errors.AsType[*Error](err)
	if !ok || len(e.Problems) != maxProblems {
		t.Errorf("%d problems, want %d", len(e.Problems), maxProblems)
	}
}

func TestWarnings(t *testing.T) {
	for _, tt := range []struct{ name, file, env, want string }{
		{"short", "api_key: test-key", "", "portico.yaml:1: api_key: has only 8 letters and is easily guessed"},
		{"typing error", "api_key: " + flip(Generate("api_key").Reveal()), "", "portico.yaml:1: api_key: looks like a generated credential of which a letter was changed"},
		{"plain HTTP", "accounts: [{name: a, provider: b, api_key: k-1, base_url: 'http://api.example.com'}]", "", "portico.yaml:1: accounts[0].base_url: sends the account's key over the network without encryption"},
		{"loopback", "accounts: [{name: a, provider: b, api_key: k-1, base_url: 'http://127.0.0.1:1'}]", "", ""},
		{"near miss", "", "PORTICO_AUTHMODE=strict", "PORTICO_AUTHMODE: is not a variable that is read; did you mean PORTICO_AUTH_MODE?"},
		{"somebody else's", "", "PORTICO_SERVICE_HOST=10.0.0.1", ""},
		{"service link", "", "PORTICO_PORT=tcp://10.0.0.1:80", `PORTICO_PORT: port: "tcp://10.0.0.1:80" is left aside: it looks like a service link of Kubernetes or Docker`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, warnings, err := loadText(t, tt.file, func(o *Options) { o.Env = []string{tt.env} })
			got := ""
			for _, w := range warnings {
				got += w.String()
			}
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// flip changes one letter in the middle.
func flip(s string) string {
	c := byte('0')
	if s[10] == c {
		c = '1'
	}
	return s[:10] + string(c) + s[11:]
}

func TestProblemForms(t *testing.T) {
	for want, p := range map[string]Problem{
		"f:3: k: t": {"f", 3, "k", "t"}, "f: t": {"f", 0, "", "t"}, "t": {Text: "t"}, "V: k: t": {"V", 0, "k", "t"},
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
