package telemetry

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"portico/internal/fault"
	"portico/internal/journal"
	"portico/internal/llm"
	"portico/internal/protocol"
)

// Bounds of what labels can take. The largest family has
// maxModels × 5 series.
const (
	maxModels    = 100
	maxProviders = 50
)

// Sources are what the metrics ask at the moment when they are read. A nil
// one leaves its metrics out.
type Sources struct {
	Version  string
	Provider func(account string) string    // the provider of an account, "" if it is gone
	Accounts func() map[string]int          // how many accounts are in each state
	Flying   func() (requests, streams int) // requests being served, and those of them that stream
	Journal  func() journal.Stats
}

// Metrics listens to the journal and counts. It is written by one listener and
// read by whoever scrapes; the lock between the two is held for well under a
// millisecond and no request ever waits for it.
//
// The format is written here, in some fifty lines: the usual modules for it
// read files and log while the program starts, or link a megabyte of protobuf.
type Metrics struct {
	sources Sources
	started time.Time

	mu        sync.Mutex
	requests  map[request]uint64
	attempts  map[try]uint64
	tokens    map[string]*llm.Usage // by model
	took      map[string]*histogram // by protocol
	first     map[string]*histogram
	in, out   int64
	partial   uint64
	losses    uint64
	models    *namer
	providers *namer
}

// request and try are the labels of a series.
type (
	request struct {
		protocol, op, fault string
		status              byte // of an HTTP status the first digit
	}
	try struct{ provider, fault string }
)

// NewMetrics returns metrics that count from now on.
func NewMetrics(s Sources) *Metrics {
	return &Metrics{
		sources: s, started: time.Now(),
		requests: map[request]uint64{}, attempts: map[try]uint64{}, tokens: map[string]*llm.Usage{},
		took: map[string]*histogram{}, first: map[string]*histogram{},
		models: newNamer(maxModels), providers: newNamer(maxProviders),
	}
}

// Heard implements journal.Listener.
func (m *Metrics) Heard(x *journal.Exchange) {
	p := protocolLabel(x.Inbound)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[request{p, opLabel(x.Op), faultLabel(x.Fault), statusLabel(x.Status)}]++
	for i := range x.Attempts {
		a, provider := &x.Attempts[i], ""
		if m.sources.Provider != nil {
			provider = m.sources.Provider(a.Account)
		}
		m.attempts[try{m.providers.of(provider), faultLabel(a.Fault)}]++
	}
	observe(m.took, p, x.Took)
	if x.First > 0 {
		observe(m.first, p, x.First)
	}
	m.in += x.BytesIn
	m.out += x.BytesOut
	m.losses += uint64(len(x.Losses))
	if x.Partial {
		m.partial++
	}
	if x.Usage != (llm.Usage{}) {
		// Only a model that an upstream answered for has a name of its own:
		// what clients merely ask for could fill the list with anything.
		model := other
		if x.Status < 400 {
			model = m.models.of(x.Served)
		}
		u := m.tokens[model]
		if u == nil {
			u = &llm.Usage{}
			m.tokens[model] = u
		}
		*u = u.Plus(x.Usage)
	}
}

// Write writes all metrics in the text format of Prometheus.
func (m *Metrics) Write(w io.Writer) error {
	var e exposition
	e.gauge("portico_info", "Which build this is.")
	e.sample(1, "version", cmp.Or(m.sources.Version, other))
	m.counted(&e)
	m.asked(&e)
	process(&e, m.started)
	_, err := w.Write(e.Bytes())
	return err
}

// counted writes what was heard.
func (m *Metrics) counted(e *exposition) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e.counter("portico_requests_total", "Requests that ended, by what the client was told; fault none is success.")
	for _, k := range slices.SortedFunc(maps.Keys(m.requests), func(a, b request) int {
		return cmp.Or(cmp.Compare(a.protocol, b.protocol), cmp.Compare(a.op, b.op), cmp.Compare(a.status, b.status), cmp.Compare(a.fault, b.fault))
	}) {
		e.sample(float64(m.requests[k]), "protocol", k.protocol, "op", k.op, "status", string(k.status)+"xx", "fault", k.fault)
	}
	e.counter("portico_attempts_total", "Tries at accounts, by what came of them.")
	for _, k := range slices.SortedFunc(maps.Keys(m.attempts), func(a, b try) int {
		return cmp.Or(cmp.Compare(a.provider, b.provider), cmp.Compare(a.fault, b.fault))
	}) {
		e.sample(float64(m.attempts[k]), "provider", k.provider, "fault", k.fault)
	}
	e.counter("portico_tokens_total", "Tokens as they are billed, by the model that served.")
	for _, model := range slices.Sorted(maps.Keys(m.tokens)) {
		u := m.tokens[model]
		e.sample(float64(u.Input), "model", model, "kind", "input")
		e.sample(float64(u.CacheRead), "model", model, "kind", "cache_read")
		e.sample(float64(u.CacheWrite), "model", model, "kind", "cache_write")
		e.sample(float64(u.Output), "model", model, "kind", "output")
		e.sample(float64(u.Reasoning), "model", model, "kind", "reasoning")
	}
	e.histograms("portico_request_seconds", "Time from a request to the end of its answer.", "protocol", m.took)
	e.histograms("portico_first_byte_seconds", "Time from a request to the first meaningful byte of its answer.", "protocol", m.first)
	e.counter("portico_bytes_total", "Bytes of bodies, from clients and to them.")
	e.sample(float64(m.in), "direction", "in")
	e.sample(float64(m.out), "direction", "out")
	e.counter("portico_partial_total", "Answers that broke off, or that the client did not wait for.")
	e.sample(float64(m.partial))
	e.counter("portico_losses_total", "Parts of requests and answers that a translation could not carry.")
	e.sample(float64(m.losses))
}

// asked writes what the sources say now.
func (m *Metrics) asked(e *exposition) {
	if f := m.sources.Flying; f != nil {
		requests, streams := f()
		e.gauge("portico_requests_in_flight", "Requests that are being served.")
		e.sample(float64(requests))
		e.gauge("portico_streams_in_flight", "Streams that are being served.")
		e.sample(float64(streams))
	}
	if f := m.sources.Accounts; f != nil {
		states := f()
		e.gauge("portico_accounts", "Accounts by state.")
		for _, s := range slices.Sorted(maps.Keys(states)) {
			e.sample(float64(states[s]), "state", s)
		}
	}
	if f := m.sources.Journal; f != nil {
		j := f()
		e.gauge("portico_journal_bytes", "Size of the journal's files.")
		e.sample(float64(j.Bytes))
		e.gauge("portico_journal_backlog", "Exchanges that wait in memory because the disk takes none.")
		e.sample(float64(j.Backlog))
		for _, c := range [...]struct {
			name, help string
			n          int64
		}{
			{"portico_journal_kept_total", "Exchanges that the database has taken over.", j.Kept},
			{"portico_journal_lost_total", "Exchanges that could not be recorded.", j.Lost},
			{"portico_journal_unheard_total", "Exchanges that a listener was too slow for.", j.Unheard},
			{"portico_journal_errors_total", "Writes, syncs and hand-overs of the journal that failed.", j.WriteErrors + j.SyncErrors + j.KeepErrors},
		} {
			e.counter(c.name, c.help)
			e.sample(float64(c.n))
		}
	}
}

func observe(hs map[string]*histogram, label string, d time.Duration) {
	h := hs[label]
	if h == nil {
		h = &histogram{}
		hs[label] = h
	}
	h.observe(d.Seconds())
}

// The labels below have as many values as the program has names.

func protocolLabel(s string) string {
	switch s {
	case protocol.OpenAIChat, protocol.OpenAIResponses, protocol.Anthropic, protocol.Gemini:
		return s
	}
	return other
}

func opLabel(s string) string {
	for op := protocol.Other + 1; op <= protocol.Embed; op++ {
		if s == op.String() {
			return s
		}
	}
	return protocol.Other.String()
}

func faultLabel(s string) string {
	if s == "" {
		return "none"
	}
	return fault.ParseClass(s).String()
}

func statusLabel(status int) byte {
	if status < 100 || status > 599 {
		return '5'
	}
	return '0' + byte(status/100)
}
