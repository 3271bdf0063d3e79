package relay

import (
	"net/http"
	"strings"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/provider"
)

// forward holds the request headers that cross to an upstream that is asked in
// the client's own form: those that change what is asked. Credentials,
// organisations, cookies, addresses, hop-by-hop headers and the client's
// telemetry stay here; spec: security SEC-38. Codex names the features in its
// headers that change the shape of the answer.
var forward = set("Content-Type", "Accept", "Anthropic-Version", "Anthropic-Beta", "Openai-Beta", "Idempotency-Key",
	"X-Client-Request-Id", "X-Codex-Beta-Features", "X-Codex-Turn-State", "X-Goog-Fieldmask", "X-Goog-Request-Params",
	"X-Server-Timeout", "Range", "If-None-Match")

// forwardPrefixes holds families of request headers that cross.
var forwardPrefixes = []string{"X-Goog-Upload-"}

// forwardAny holds those that mean the same in every form.
var forwardAny = set("Accept", "Idempotency-Key", "X-Client-Request-Id")

// back holds the response headers that cross to the client: what describes the
// body, paces the client, or identifies the request at the vendor's.
var back = set("Content-Type", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Range", "Etag", "Last-Modified",
	"Request-Id", "X-Request-Id", "Retry-After", "Retry-After-Ms", "Openai-Processing-Ms", "Openai-Version", "Openai-Model",
	"X-Reasoning-Included", "X-Models-Etag")

// backPrefixes holds families of response headers that cross.
var backPrefixes = []string{"X-Ratelimit-", "Anthropic-Ratelimit-", "Anthropic-Fast-", "Anthropic-Priority-", "X-Codex-"}

// The gateway's own headers.
const (
	idHeader    = "X-Portico-Request-Id"
	lossHeader  = "X-Portico-Loss"
	countHeader = "X-Portico-Token-Count"
	// strictHeader set to 1 asks for a refusal instead of losses.
	strictHeader = "X-Portico-Strict"
	// hopHeader names the gateways that a request went through, so that a
	// gateway that is its own upstream stops instead of going round.
	hopHeader = "X-Portico-Hop"
)

// Values that all answers share; nobody changes them.
var (
	jsonType   = []string{"application/json"}
	streamType = []string{"text/event-stream; charset=utf-8"}
	noCache    = []string{"no-cache"}
	noBuffer   = []string{"no"}
	never      = []string{"false"}
	exact      = []string{"exact"}
	estimated  = []string{"estimate"}
)

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

func crosses(name string, names map[string]bool, prefixes []string) bool {
	if names[name] {
		return true
	}
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// maxHops is how many gateways one request may pass.
const maxHops = 4

// A forwarder is a provider that takes further headers of the client.
type forwarder interface {
	// Forwards lists their canonical names.
	Forwards() []string
}

// outgoing makes the headers of an attempt from the client's. With other, the
// upstream is asked in another form than the client's. The values are shared
// with the client's, which nobody changes.
func (r *Relay) outgoing(client http.Header, by provider.Provider, other bool) http.Header {
	h := make(http.Header, 8)
	names, prefixes := forward, forwardPrefixes
	if other {
		names, prefixes = forwardAny, nil
		h["Content-Type"] = jsonType
	}
	for name, values := range client {
		if crosses(name, names, prefixes) {
			h[name] = values
		}
	}
	if f, ok := by.(forwarder); ok {
		for _, name := range f.Forwards() {
			if v, ok := client[name]; ok {
				h[name] = v
			}
		}
	}
	h["User-Agent"] = r.agent
	h[hopHeader] = r.via
	if via := client[hopHeader]; len(via) > 0 {
		h[hopHeader] = []string{strings.Join(via, ", ") + ", " + r.hop}
	}
	return h
}

// loops reports whether a request with these headers went through the gateway
// hop already, or through too many.
func loops(client http.Header, hop string) bool {
	via := client[hopHeader]
	if len(via) == 0 {
		return false
	}
	all := strings.Join(via, ",")
	return strings.Contains(all, hop) || strings.Count(all, ",") >= maxHops-1
}

// returning copies into dst what may cross to the client, without the
// account's key.
func (a *answer) returning(dst, upstream http.Header) {
	key := a.key()
	for name, values := range upstream {
		if !crosses(name, back, backPrefixes) {
			continue
		}
		for _, v := range values {
			if len(key) >= pieceOfKey && strings.Contains(v, key[:pieceOfKey]) {
				values = []string{a.clean(strings.Join(values, ", "))}
				break
			}
		}
		dst[name] = values
	}
	if v := upstream["X-Should-Retry"]; len(v) == 1 && v[0] == "false" {
		dst["X-Should-Retry"] = never // a "true" would come after the relay's own tries
	}
}

// announce sets what the gateway itself says with an answer.
func (a *answer) announce(h http.Header) {
	if lost := a.losses(); len(lost) > 0 {
		h[lossHeader] = []string{headerText(strings.Join(lost, ", "))}
	}
	if a.c.Op == protocol.Count {
		h[countHeader] = exact
	}
}

// maxLoss bounds what a header tells of losses; the ledger has them all.
const maxLoss = 2 << 10

// headerText is s fit for the value of a header.
func headerText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, clip(s, maxLoss))
}

// strict reports whether the client, or the operator for its key, wants no
// losses.
func (c *Call) strict() bool {
	v := c.Header[strictHeader]
	return c.Strict || len(v) == 1 && (v[0] == "1" || v[0] == "true")
}

// lossy is the refusal of a request that cannot be carried without losses.
func lossy(lost []string) *fault.Fault {
	f := fault.New(fault.Unsupported, "the request cannot be carried without a loss, which %s or the key forbids: %s", strictHeader, clip(strings.Join(lost, ", "), maxLoss))
	f.Code = "lossy"
	return f
}
