package config

import (
	"slices"
	"strings"
	"time"

	"portico/internal/secret"
)

// modes are the ways to choose an account, the default first.
var modes = []string{"cache_first", "balance", "performance_first", "priority", "weighted", "round_robin", "drain_expiring", "fixed"}

// fields is the one table of keys, in the order in which they are shown.
var fields = []field[Config]{
	integer("port", 8045, 1, 65535, func(c *Config) *int { return &c.Port },
		"TCP port that the server listens on.").restart(),
	boolean("allow_lan_access", false, func(c *Config) *bool { return &c.AllowLAN },
		"Listen on all addresses instead of 127.0.0.1; refused while auth_mode is off.").restart(),
	oneOf("auth_mode", AuthOff, []AuthMode{AuthOff, AuthStrict, AuthAllExceptHealth, AuthAuto}, func(c *Config) *AuthMode { return &c.AuthMode },
		"Which requests of AI clients need a key; auto is off on loopback and all_except_health with allow_lan_access."),
	credential("api_key", func(c *Config) *secret.Text { return &c.APIKey }, unfit,
		"The key that AI clients show; generated at the first start if absent."),
	credential("admin_token", func(c *Config) *secret.Text { return &c.AdminToken }, unfit,
		"The token of the admin API, which always needs it; generated at the first start if absent."),
	texts("allowed_hosts", "host names without ports", 100, func(c *Config) *[]string { return &c.AllowedHosts }, host,
		"Host names beside the loopback ones under which clients may call."),
	texts("allowed_origins", "origins", 100, func(c *Config) *[]string { return &c.AllowedOrigins }, browserOrigin,
		"Browser origins that may call the AI endpoints."),
	texts("trusted_proxies", "addresses or ranges of them", 100, func(c *Config) *[]string { return &c.TrustedProxies }, addressRange,
		"Proxies before this server whose X-Forwarded-For says who a client is; nobody else's counts."),
	boolean("access.only_listed", false, func(c *Config) *bool { return &c.OnlyListed },
		"Take requests only from addresses that a rule lets in (/api/access/rules), and from this machine."),
	oneOf("secret_store", secret.Auto, []string{secret.Auto, secret.InKeychain, secret.InFile}, func(c *Config) *string { return &c.SecretStore },
		"Where the key lies that seals credentials: the system's keychain where there is one, or the file secret.key. auto asks the keychain when the key is made and leaves a key where it is; the others move it at the next start.").restart(),
	boolean("simulator", false, func(c *Config) *bool { return &c.Simulator },
		"Serve the built-in simulator, which needs no account."),
	proxyField("proxy", func(c *Config) *string { return &c.Proxy },
		"Outbound proxy of all accounts; empty takes HTTPS_PROXY and its kin."),
	proxyTable("provider_proxies", "a table of providers and proxies", 64, providerName, proxyChoice, func(c *Config) *map[string]string { return &c.ProviderProxies },
		"Outbound proxies of all accounts of a provider, before that of all."),
	proxyTable("proxies", "a table of names and URLs", 200, proxyName, proxyURL, func(c *Config) *map[string]string { return &c.Proxies },
		"The pool of outbound proxies, beside those that portico proxy add adds; env:NAME stands for an environment variable. An account takes pool:NAME, or with pool the one that its own name leads to."),
	duration("proxy_checks", "1m", 0, 24*time.Hour, func(c *Config) *time.Duration { return &c.ProxyChecks },
		"Time between two checks of a proxy of the pool; 0 checks only those that have failed."),
	file("ca_file", func(c *Config) *string { return &c.CAFile },
		"File of certificates in PEM that are trusted beside the system's, relative to this one.").restart(),
	oneOf("scheduling.mode", "cache_first", modes, func(c *Config) *string { return &c.Scheduling.Mode },
		"How an account is chosen among those that are able: cache_first keeps a conversation where its prompt cache is, balance spreads requests, performance_first takes who answers sooner, priority the first in order, weighted draws by weight, round_robin goes round, drain_expiring uses what lapses soonest, fixed takes scheduling.account."),
	text("scheduling.account", "the name of an account", func(c *Config) *string { return &c.Scheduling.Account }, accountName,
		"The account that mode fixed takes as long as it is able."),
	duration("scheduling.max_wait", "8s", 0, 10*time.Minute, func(c *Config) *time.Duration { return &c.Scheduling.MaxWait },
		"Longest time that a request waits for an account when none is able but one will be; 0 refuses at once."),
	oneOf("scheduling.hedge.mode", "off", []string{"off", "fixed", "learned"}, func(c *Config) *string { return &c.Scheduling.Hedge.Mode },
		"Ask a second account when an answer does not begin in time, carry the one that begins first and stop the other, which mostly bills what it read until then: fixed waits for scheduling.hedge.delay, learned for as long as scheduling.hedge.percentile of the model's answers at the account took to begin."),
	duration("scheduling.hedge.delay", "2s", 50*time.Millisecond, 10*time.Minute, func(c *Config) *time.Duration { return &c.Scheduling.Hedge.Delay },
		"Shortest wait for an answer's first word before a second account is asked."),
	integer("scheduling.hedge.percentile", 95, 50, 99, func(c *Config) *int { return &c.Scheduling.Hedge.Percentile },
		"How many of a hundred answers begin before a second account is asked, in mode learned."),
	integer("scheduling.hedge.share", 5, 1, 100, func(c *Config) *int { return &c.Scheduling.Hedge.Share },
		"For how many of a hundred requests a second account is asked at most."),
	integer("scheduling.hedge.max_input", 20_000, 0, 1<<40, func(c *Config) *int64 { return &c.Scheduling.Hedge.MaxInput },
		"Only for requests of at most so many input tokens, by an estimate; 0 is all."),
	duration("quota.poll", "15m", 0, 24*time.Hour, func(c *Config) *time.Duration { return &c.Quota.Poll },
		"How often vendors that can be asked are asked how much is left of an account, with its own key; 0 is never."),
	boolean("quota.protect.enabled", false, func(c *Config) *bool { return &c.Quota.Protect.Enabled },
		"Keep accounts of which little is left out of the choice, until their window resets or their vendor says that there is more."),
	integer("quota.protect.percent", 10, 1, 99, func(c *Config) *int { return &c.Quota.Protect.Percent },
		"How many percent of an account's quota are kept."),
	shareTable("quota.protect.groups", func(c *Config) *map[string]int { return &c.Quota.Protect.Groups },
		"The same for groups of models, by names or globs of them; the most specific decides, and 0 keeps nothing."),
	moneyTable("quota.protect.balance", func(c *Config) *map[string]float64 { return &c.Quota.Protect.Balance },
		"How much money is kept of the balances of accounts, by currency, such as {USD: 2, CNY: 10}; it needs no quota.protect.enabled."),
	boolean("quota.protect.last_resort", false, func(c *Config) *bool { return &c.Quota.Protect.LastResort },
		"Use what is kept if no other account is able; otherwise the client is told when it may go on."),
	size("limits.body", "100MiB", 1<<10, 2<<30, func(c *Config) *int64 { return &c.Limits.Body },
		"Largest body of a request."),
	integer("limits.attempts", 4, 1, 32, func(c *Config) *int { return &c.Limits.Attempts },
		"Tries at accounts for one request."),
	integer("limits.in_flight", 0, 0, 1_000_000, func(c *Config) *int { return &c.Limits.InFlight },
		"Requests served at one time; 0 is no limit."),
	duration("timeouts.connect", "10s", 100*time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.Timeouts.Connect },
		"Longest wait for TCP and TLS to an upstream.").restart(),
	duration("timeouts.first_byte", "2m", 100*time.Millisecond, 24*time.Hour, func(c *Config) *time.Duration { return &c.Timeouts.FirstByte },
		"Longest wait from the request sent to the first byte of the answer."),
	duration("timeouts.idle", "5m", 100*time.Millisecond, 24*time.Hour, func(c *Config) *time.Duration { return &c.Timeouts.Idle },
		"Longest silence of an upstream within an answer."),
	duration("timeouts.write_stall", "1m", 100*time.Millisecond, 24*time.Hour, func(c *Config) *time.Duration { return &c.Timeouts.WriteStall },
		"Longest time that a client may take nothing."),
	duration("timeouts.heartbeat", "15s", 100*time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.Timeouts.Heartbeat },
		"Silence after which the client of a stream gets a sign of life."),
	duration("timeouts.drain", "30s", 0, time.Hour, func(c *Config) *time.Duration { return &c.Timeouts.Drain },
		"Time for running requests at shutdown."),
	duration("retention.age", "90d", 0, 100*365*24*time.Hour, func(c *Config) *time.Duration { return &c.Retention.Age },
		"Age at which the ledger forgets a request; 0 keeps all."),
	integer("retention.rows", 1_000_000, 0, 1_000_000_000, func(c *Config) *int64 { return &c.Retention.Rows },
		"Requests that the ledger keeps; 0 is no bound."),
	size("retention.bytes", "1GiB", 0, 16<<40, func(c *Config) *int64 { return &c.Retention.Bytes },
		"Size of the ledger's file; 0 is no bound."),
	duration("responses.age", "30d", 0, 100*365*24*time.Hour, func(c *Config) *time.Duration { return &c.Responses.Age },
		"Age at which an answer or a conversation is forgotten that is kept for clients who name it (previous_response_id, conversation); 0 keeps all."),
	integer("responses.rows", 10_000, 0, 1_000_000, func(c *Config) *int { return &c.Responses.Rows },
		"Answers and conversations that are kept for clients who name them; 0 keeps none."),
	size("responses.bytes", "256MiB", 16<<20, 1<<40, func(c *Config) *int64 { return &c.Responses.Bytes },
		"Size of the files in which they are kept, sealed."),
	boolean("fetch.enabled", false, func(c *Config) *bool { return &c.Fetch.Enabled },
		"Fetch images, PDFs and sounds that clients name by address, for upstreams that take them by their bytes only."),
	size("fetch.bytes", "20MiB", 1<<10, 1<<30, func(c *Config) *int64 { return &c.Fetch.Bytes },
		"Most bytes that the files of one request have together."),
	integer("fetch.files", 16, 1, 100, func(c *Config) *int { return &c.Fetch.Files },
		"Most files that are fetched for one request."),
	duration("fetch.timeout", "10s", 100*time.Millisecond, 5*time.Minute, func(c *Config) *time.Duration { return &c.Fetch.Timeout },
		"Longest time that one file may take."),
	size("fetch.cache", "64MiB", 0, 64<<30, func(c *Config) *int64 { return &c.Fetch.Cache },
		"Bytes of memory that keep what was fetched, for the next turns of a conversation."),
	texts("fetch.networks", "networks such as 192.168.1.0/24", 32, func(c *Config) *[]string { return &c.Fetch.Networks }, network,
		"Private networks that files may be fetched from beside public addresses."),
	oneOf("log.level", "info", []string{"debug", "info", "warn", "error"}, func(c *Config) *string { return &c.Log.Level },
		"Least severe log line that is written, to standard error."),
	oneOf("log.format", "text", []string{"text", "json"}, func(c *Config) *string { return &c.Log.Format },
		"Form of a log line."),
	boolean("metrics.public", false, func(c *Config) *bool { return &c.Metrics.Public },
		"Show /metrics without the admin token."),
	records("accounts", "accounts", 1000, accountFields, freshAccount, func(c *Config) *[]Account { return &c.Accounts }, checkAccount,
		"Accounts at providers; declared here, they are read-only elsewhere."),
	records("routes", "routes", 1000, routeFields, func() Route { return Route{} }, func(c *Config) *[]Route { return &c.Routes },
		func(r *report, path string, n node, x *Route) {
			if len(x.To) == 0 && len(x.Prefer) == 0 {
				r.problem(n.line, path+".to", "is missing")
			}
		},
		"Model names that are mapped to others; the first match wins."),
	nameTable("aliases", func(c *Config) *map[string]string { return &c.Aliases },
		"Names, or globs of them, that stand for a model where no route decides; the most specific wins."),
	oneOf("routing.order", "listed", []string{"listed", "specific"}, func(c *Config) *string { return &c.Routing.Order },
		"Which of the routes that match decides: the first that is listed, or the most specific, a name before a glob and a glob before a regular expression."),
	text("routing.background", "a model name", func(c *Config) *string { return &c.Routing.Background }, orNone(glob),
		"Model that is asked for titles, topics and probes, which clients send beside a conversation; empty leaves them as they are."),
	presetTable("routing.presets", func(c *Config) *map[string]string { return &c.Routing.Presets },
		"Sets of routes that are on, and the model to which each leads: "+strings.Join(presets, ", ")+". They are looked at after the routes, before the aliases; portico route presets tells what they do."),
	oneOf("thinking.mode", "passthrough", []string{"passthrough", "auto", "custom", "adaptive"}, func(c *Config) *string { return &c.Thinking.Mode },
		"What becomes of thinking that a client asks for: passthrough leaves it, auto caps its budget at what the model takes, custom sets thinking.budget, adaptive lets the model decide within thinking.effort."),
	integer("thinking.budget", 24576, 128, 1_000_000, func(c *Config) *int64 { return &c.Thinking.Budget },
		"Budget in tokens of mode custom."),
	oneOf("thinking.effort", "medium", []string{"low", "medium", "high"}, func(c *Config) *string { return &c.Thinking.Effort },
		"Effort of mode adaptive."),
	text("system_prompt", "a text", func(c *Config) *string { return &c.SystemPrompt }, prose,
		"Instructions that are put before those of every conversation, at most 16 KiB; empty adds none."),
	records("models", "models", 5000, modelFields, freshModel, func(c *Config) *[]Model { return &c.Models },
		func(*report, string, node, *Model) {},
		"What the catalogue of models gets wrong."),
}

var routeFields = []field[Route]{
	text("match", "a glob, or /regular expression/", func(r *Route) *string { return &r.Match }, pattern,
		"Model names that the route is for.").required(),
	texts("to", "model names", 16, func(r *Route) *[]string { return &r.To }, glob,
		"The model to ask instead, or a chain: the next is asked when all accounts of one are unable. Needed without prefer; with it alone the name stays as it is."),
	texts("prefer", "names of accounts, tag:TAG, or globs of them", 16, func(r *Route) *[]string { return &r.Prefer }, accountGlob,
		"Accounts that come before others, whatever their priority, as long as they are able."),
	texts("on", "classes of faults", 32, func(r *Route) *[]string { return &r.On }, faultClass,
		"Faults after which the next model of the chain is asked at once, such as context_too_long or overloaded."),
	integer("over", 0, 0, 1<<40, func(r *Route) *int64 { return &r.Over },
		"Only for requests of more input tokens, by an estimate; 0 is all."),
	integer("under", 0, 0, 1<<40, func(r *Route) *int64 { return &r.Under },
		"Only for requests of fewer input tokens, by an estimate; 0 is all."),
	integer("output_over", 0, 0, 1<<40, func(r *Route) *int64 { return &r.OutputOver },
		"Only for requests that allow an answer of more tokens; 0 is all."),
	texts("needs", "abilities", 8, func(r *Route) *[]string { return &r.Needs }, ability,
		"Only for requests that need all of these: vision, audio, documents, tools, thinking, schema."),
	oneOf("background", "", backgrounds, func(r *Route) *string { return &r.Background },
		"Only for background work of clients of this kind; any is all but summary."),
}

// backgrounds are the kinds of background work.
var backgrounds = []string{"title", "topic", "probe", "summary", "any"}

var modelFields = []field[Model]{
	text("id", "a model name", func(m *Model) *string { return &m.ID }, glob, "The model.").required(),
	integer("context", 0, 0, 1<<40, func(m *Model) *int64 { return &m.Context }, "Context window in tokens."),
	integer("max_output", 0, 0, 1<<40, func(m *Model) *int64 { return &m.MaxOutput }, "Longest answer in tokens."),
	price("price_in", func(m *Model) *float64 { return &m.PriceIn }, "Price of input."),
	price("price_out", func(m *Model) *float64 { return &m.PriceOut }, "Price of output."),
	price("price_cache_read", func(m *Model) *float64 { return &m.PriceCacheRead }, "Price of input read from the cache."),
	price("price_cache_write", func(m *Model) *float64 { return &m.PriceCacheWrite }, "Price of input written to the cache."),
	price("price_reasoning", func(m *Model) *float64 { return &m.PriceReasoning }, "Price of reasoning; 0 is that of output."),
	price("price_audio_in", func(m *Model) *float64 { return &m.PriceAudioIn }, "Price of sound that is read; 0 is that of input."),
	price("price_audio_out", func(m *Model) *float64 { return &m.PriceAudioOut }, "Price of sound that is made; 0 is that of output."),
	price("price_image_in", func(m *Model) *float64 { return &m.PriceImageIn }, "Price of pictures that are read; 0 is that of input."),
	price("price_image_out", func(m *Model) *float64 { return &m.PriceImageOut }, "Price of pictures that are made; 0 is that of output."),
	price("price_search", func(m *Model) *float64 { return &m.PriceSearch }, "Price of a thousand searches of the web by the vendor's own tool, in US dollars; 0 does not count them."),
}

func freshModel() Model {
	return Model{PriceIn: -1, PriceOut: -1, PriceCacheRead: -1, PriceCacheWrite: -1}
}

// Keys lists every key of the configuration, those of a list of tables as
// accounts[].name.
func Keys() []Key {
	var out []Key
	for _, f := range fields {
		out = append(out, f.Key)
		switch f.Name {
		case "accounts":
			out = appendKeys(out, "accounts[].", accountFields)
		case "routes":
			out = appendKeys(out, "routes[].", routeFields)
		case "models":
			out = appendKeys(out, "models[].", modelFields)
		}
	}
	return out
}

func appendKeys[T any](out []Key, prefix string, fields []field[T]) []Key {
	for _, f := range fields {
		k := f.Key
		k.Name, k.FileOnly = prefix+k.Name, true
		out = append(out, k)
	}
	return out
}

func keyOf(name string) (field[Config], bool) {
	i := slices.IndexFunc(fields, func(f field[Config]) bool { return f.Name == name })
	if i < 0 {
		return field[Config]{}, false
	}
	return fields[i], true
}

// Default returns the configuration of nobody having decided anything: no
// keys, no accounts, no folder.
func Default() *Config {
	c := &Config{}
	r := &report{}
	for _, f := range fields {
		if f.Default != "" {
			f.set(r, f.Name, node{kind: scalar, text: f.Default}, c)
		}
	}
	return c
}
