// Package config is what the operator decides: the configuration file, the
// environment and the command line, read into one value that is never changed
// after it was loaded.
package config

import (
	"time"

	"portico/internal/secret"
)

// A Config is one consistent reading of everything the operator decides. It is
// immutable; a reload makes a new one.
type Config struct {
	Port           int      // TCP port, 1 to 65535
	AllowLAN       bool     // listen on all addresses instead of 127.0.0.1
	AuthMode       AuthMode // who must show a key
	APIKey         secret.Text
	AdminToken     secret.Text
	AllowedHosts   []string // Host names beside the loopback ones, without port
	AllowedOrigins []string // browser origins that may call the data plane
	// TrustedProxies are the addresses, or ranges of them, of proxies whose
	// X-Forwarded-For says who a client is.
	TrustedProxies []string
	// OnlyListed: only addresses that a rule lets in may call.
	OnlyListed bool
	// SecretStore is where the key lies that seals secrets: auto, keychain or
	// file.
	SecretStore string
	Simulator   bool   // the in-process provider is on
	Proxy       string // outbound proxy of all accounts: a URL, Direct, Pool, Pool:NAME, or "" for the environment's
	// ProviderProxies are the same for accounts of a provider, by its name.
	ProviderProxies map[string]string
	Proxies         map[string]string // the pool of outbound proxies: URLs by names
	ProxyChecks     time.Duration     // between two checks of one of them; 0: of those that have failed only
	CAFile          string            // absolute; "": the system's certificates alone

	Accounts []Account
	Routes   []Route
	Aliases  map[string]string // names, or globs of them, that stand for a model
	Models   []Model           // overrides of the catalogue
	Routing  Routing
	Thinking Thinking
	// SystemPrompt is put before the instructions of every conversation; "":
	// nothing is.
	SystemPrompt string
	Scheduling   Scheduling
	Quota        Quota
	Limits       Limits
	Timeouts     Timeouts
	Retention    Retention
	Responses    Responses
	Fetch        Fetch
	Log          Log
	Metrics      Metrics

	DataDir string // absolute; not a key of the file
	File    string // the file that was read, "" if there is none

	origin map[string]origin // where the value of a key comes from; absent: the default
	read   []string          // every file that a reload looks at, there or not
	seen   []stamp           // of those, from before they were read
}

// An AuthMode says which requests to the data plane need a key. The admin
// plane always needs its own.
type AuthMode string

// The auth modes.
const (
	AuthOff             AuthMode = "off"               // none; refused together with AllowLAN
	AuthStrict          AuthMode = "strict"            // all
	AuthAllExceptHealth AuthMode = "all_except_health" // all but /healthz and /readyz
	AuthAuto            AuthMode = "auto"              // off on loopback, all_except_health with AllowLAN
)

// Resolve returns the mode that holds, which is never AuthAuto.
func (c *Config) Resolve() AuthMode {
	if c.AuthMode != AuthAuto {
		return c.AuthMode
	}
	if c.AllowLAN {
		return AuthAllExceptHealth
	}
	return AuthOff
}

// An Account is an account that the file declares.
type Account struct {
	Name      string
	Provider  string
	Preset    string // for openai-compatible and anthropic-compatible
	Protocols []string
	BaseURL   string
	APIKey    secret.Text // from api_key, key_file or env:NAME
	Models    []string    // globs; empty: all
	Priority  int         // lower is tried first
	Weight    int         // at least 1
	Limits    AccountLimits
	Proxy     string
	Disabled  bool
	Label     string            // for people
	Tags      []string          // by which several are chosen at a time
	Headers   map[string]string // sent with every request
	Options   map[string]string // the provider's own settings
}

// AccountLimits are what the operator allows one account; 0 is no limit.
type AccountLimits struct {
	RPM         int // requests a minute
	TPM         int // tokens a minute
	Concurrency int // requests at one time
}

// A Route maps model names; the first whose Match fits wins, unless
// Routing.Order says otherwise.
type Route struct {
	Match string   // a glob, or /regex/
	To    []string // a chain: the next is asked when all accounts of one are unable
	On    []string // classes of faults after which the next is asked at once
	// Prefer are accounts that come before others: globs of their names.
	Prefer []string

	// What else must hold of a request; zero: it need not.
	Over, Under int64    // estimated input tokens: more than, less than
	OutputOver  int64    // the longest answer asked for: more than
	Needs       []string // what the model must be able to do
	Background  string   // a kind of background work, or any
}

// Routing says how routes decide.
type Routing struct {
	Order      string            // listed: the first that matches; specific: the most specific
	Background string            // the model of background work, "": as it is asked for
	Presets    map[string]string // sets of routes that are on, and the model that each leads to
}

// Thinking says what becomes of the thinking that clients ask for.
type Thinking struct {
	Mode   string // passthrough, auto, custom, adaptive
	Budget int64  // tokens, of mode custom
	Effort string // of mode adaptive
}

// A Model overrides what the catalogue says of a model; zero fields keep it.
type Model struct {
	ID        string
	Context   int64 // tokens
	MaxOutput int64 // tokens
	// Prices in US dollars for a million tokens; negative: not set.
	PriceIn, PriceOut, PriceCacheRead, PriceCacheWrite float64
	// Prices of what the catalogue has none for, likewise; 0: there is none of
	// its own. PriceSearch is for a thousand searches.
	PriceReasoning, PriceAudioIn, PriceAudioOut, PriceImageIn, PriceImageOut, PriceSearch float64
}

// Scheduling chooses among able accounts.
type Scheduling struct {
	Mode    string        // one of modes
	Account string        // the account that mode fixed prefers
	MaxWait time.Duration // for an account to be able, 8 s by default, 0: nobody waits
	Hedge   Hedge
}

// A Hedge says when a second account is asked for an answer that the first has
// not begun.
type Hedge struct {
	Mode       string        // off, fixed, learned
	Delay      time.Duration // the shortest wait, 2 s by default
	Percentile int           // of mode learned: so many of a hundred answers begin sooner
	Share      int           // of a hundred calls, at most
	MaxInput   int64         // tokens of a request, 0: any
}

// Quota says what is done about what accounts may use in hours, days or months.
type Quota struct {
	Poll    time.Duration // how often vendors are asked who can be, 0: never
	Protect Protect
}

// Protect keeps a rest of what accounts may use.
type Protect struct {
	Enabled    bool
	Percent    int                // that is kept, 10 by default
	Groups     map[string]int     // the same for models by names or globs of them
	Balance    map[string]float64 // money that is kept, by currency; it needs no Enabled
	LastResort bool               // it is used if nobody else is able
}

// Limits bound what one request may cost the gateway.
type Limits struct {
	Body     int64 // bytes of a request's body, 100 MiB by default
	Attempts int   // tries for one request, 4 by default
	InFlight int   // requests at one time, 0: no limit
}

// Timeouts bound waiting; there is none on a living stream as a whole.
type Timeouts struct {
	Connect    time.Duration // TCP and TLS, 10 s
	FirstByte  time.Duration // from the request sent to the answer's first byte, 120 s; 600 s for unstreamed chat
	Idle       time.Duration // between two reads of a stream, 300 s
	WriteStall time.Duration // a client that takes nothing, 60 s
	Heartbeat  time.Duration // silence before the client gets a sign of life, 15 s
	Drain      time.Duration // for running requests at shutdown, 30 s
}

// Responses bounds the answers and conversations that are kept for clients who
// name them later; what is first reached counts.
type Responses struct {
	Age   time.Duration // 0: no bound
	Rows  int           // 0: nothing is kept
	Bytes int64         // of all files
}

// Fetch says which files are fetched that clients name by their addresses.
type Fetch struct {
	Enabled  bool
	Bytes    int64 // of all files of one request
	Files    int   // of one request
	Timeout  time.Duration
	Cache    int64    // bytes of memory, 0: nothing is kept
	Networks []string // private ones that may be asked, as prefixes
}

// Retention bounds the ledger; what is first reached counts. 0 is no bound.
type Retention struct {
	Age   time.Duration // 90 days by default
	Rows  int64         // 1,000,000 by default
	Bytes int64         // of the database file, 1 GiB by default
}

// Log says what is logged, to standard error.
type Log struct {
	Level  string // debug, info, warn, error
	Format string // text, json
}

// Metrics says who may read /metrics.
type Metrics struct {
	Public bool // without the admin token
}
