package admin

import (
	"context"
	"encoding/json/v2"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/internal/access"
	"portico/internal/catalog"
	"portico/internal/config"
	"portico/internal/fault"
	"portico/internal/glob"
	"portico/internal/journal"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/secret"
	"portico/internal/store"
)

const (
	token  = "at-8c1v4hn2xq7zr0kp5sdy9wbg3jt6maef0qhz2r"
	apiKey = "sk-2m9x4w7c1z8q5v0t3r6y8p1k4j7h0g3f6d9s2a"
	canary = "sk-CANARY-0123456789abcdefghij"
)

var began = time.Date(2026, 11, 23, 12, 40, 0, 0, time.UTC)

// fake is everything behind the API, in memory.
type fake struct {
	cfg    *config.Config
	views  []pool.View
	stored map[string]config.Account
	xs     []*journal.Exchange // newest first
	asked  store.Filter
	summed store.UsageQuery
	usage  []store.Sum
	tested Tested
	probed []config.Account

	imported Import
	restored []string
	ordered  []string
	failed   error // what the next call of the ledger or the accounts returns
	healed   []string
	races    int // how many changes are forestalled
	warn     []config.Problem
	reload   error
	hits     int
}

func (f *fake) Views() []pool.View { f.hits++; return f.views }

func (f *fake) Stored(name string) (config.Account, bool) {
	f.hits++
	a, ok := f.stored[name]
	return a, ok
}

func (f *fake) Add(_ context.Context, a config.Account) error {
	f.hits++
	if f.failed != nil {
		return f.failed
	}
	if slices.ContainsFunc(f.views, func(v pool.View) bool { return v.Name == a.Name }) {
		return ErrTaken
	}
	f.put(a)
	return nil
}

func (f *fake) put(a config.Account) {
	f.stored[a.Name] = a
	f.views = slices.DeleteFunc(f.views, func(v pool.View) bool { return v.Name == a.Name })
	f.views = append(f.views, viewOf(a))
}

func (f *fake) Versions() map[string]int64 {
	f.hits++
	out := map[string]int64{}
	for name := range f.stored {
		out[name] = 7
	}
	return out
}

// stale reports whether a change was made for another version than there is.
func stale(versions map[string]int64) bool {
	for _, v := range versions {
		if v != 0 && v != 7 {
			return true
		}
	}
	return false
}

func (f *fake) Replace(_ context.Context, as []config.Account, versions map[string]int64) error {
	f.hits++
	if f.races > 0 || stale(versions) {
		f.races--
		return store.ErrVersion
	}
	if f.failed != nil {
		return f.failed
	}
	for _, a := range as {
		f.put(a)
	}
	return nil
}

func (f *fake) Remove(_ context.Context, names []string, versions map[string]int64) error {
	f.hits++
	if stale(versions) {
		return store.ErrVersion
	}
	for _, name := range names {
		delete(f.stored, name)
		f.views = slices.DeleteFunc(f.views, func(v pool.View) bool { return v.Name == name })
	}
	return f.failed
}

func (f *fake) Restore(_ context.Context, names []string) error {
	f.hits++
	f.restored = names
	return f.failed
}

func (f *fake) Order(_ context.Context, names []string) error {
	f.hits++
	f.ordered = names
	return f.failed
}

func (f *fake) Heal(name string) { f.hits++; f.healed = append(f.healed, name) }

func (f *fake) Test(context.Context, string) (Tested, error) { f.hits++; return f.tested, f.failed }

func (f *fake) Probe(_ context.Context, a config.Account) (Tested, error) {
	f.hits++
	f.probed = append(f.probed, a)
	return f.tested, f.failed
}

func (f *fake) Import(_ context.Context, i Import) ([]Imported, error) {
	f.hits++
	f.imported = i
	return []Imported{{Name: "a", Verdict: "add"}, {Name: "b", Verdict: "refused", Why: "Because."}}, f.failed
}

func (f *fake) Document(name string, refresh, client secret.Text) (secret.Text, error) {
	f.hits++
	if client.IsZero() {
		return client, Invalid{errDisk}
	}
	return secret.Of("{" + name + " " + refresh.Reveal() + " " + client.Reveal() + "}"), nil
}

func (f *fake) Requests(_ context.Context, q store.Filter) (page []store.Request, next string, err error) {
	f.hits++
	f.asked = q
	for _, x := range f.xs {
		page = append(page, priced(x))
	}
	return page, "next-page", f.failed
}

// priced is x at 3 dollars a million tokens.
func priced(x *journal.Exchange) store.Request {
	return store.Request{Exchange: x, USD: float64(x.Usage.Input) * 3 / 1e6, Priced: x.Usage.Input > 0}
}

func (f *fake) Request(_ context.Context, id string) (store.Request, bool, error) {
	f.hits++
	for _, x := range f.xs {
		if x.ID == id {
			return priced(x), true, f.failed
		}
	}
	return store.Request{}, false, f.failed
}

func (f *fake) Usage(_ context.Context, q store.UsageQuery) ([]store.Sum, error) {
	f.hits++
	f.summed = q
	return f.usage, f.failed
}

func (f *fake) List(name string) []protocol.Model {
	f.hits++
	if name == protocol.Anthropic {
		return []protocol.Model{{ID: "claude-sonnet-4"}, {ID: "free", Context: 100}}
	}
	return []protocol.Model{{ID: "free", Context: 100, MaxOutput: 10, DisplayName: "Free"}}
}

// viewOf is a stored account as the pool shows it.
func viewOf(a config.Account) pool.View {
	v := pool.View{Account: &pool.Account{
		Account:  &provider.Account{Name: a.Name, Provider: a.Provider, Preset: a.Preset, Protocols: a.Protocols, Key: a.APIKey, Options: a.Options},
		Priority: a.Priority, Weight: a.Weight, RPM: a.Limits.RPM, TPM: a.Limits.TPM, Parallel: a.Limits.Concurrency, Disabled: a.Disabled, Label: a.Label, Tags: a.Tags,
	}}
	for _, m := range a.Models {
		g, err := glob.Compile(m)
		if err != nil {
			panic(err)
		}
		v.Account.Models = append(v.Account.Models, g)
	}
	if a.BaseURL != "" {
		u, err := url.Parse(a.BaseURL)
		if err != nil {
			panic(err)
		}
		v.BaseURL = u
	}
	if len(a.Headers) > 0 {
		v.Header = http.Header{}
		for k, s := range a.Headers {
			v.Header.Set(k, s)
		}
	}
	return v
}

// newFake has one account of the file, one of the store, and the simulator.
func newFake() *fake {
	f := &fake{cfg: config.Default(), stored: map[string]config.Account{}}
	f.cfg.AdminToken, f.cfg.APIKey = secret.Of(token), secret.Of(apiKey)
	f.cfg.DataDir, f.cfg.File = "/data", "/data/portico.yaml"
	f.cfg.Simulator = true
	declared := viewOf(config.Account{Name: "office", Provider: "openai", Protocols: []string{"openai-chat"}, APIKey: secret.Of(canary), Weight: 1, Options: map[string]string{"region": canary}})
	declared.Declared = true
	sim := viewOf(config.Account{Name: "simulator", Provider: "simulator", Weight: 1})
	f.views = []pool.View{declared, sim}
	f.put(config.Account{
		Name: "mine", Provider: "anthropic", Protocols: []string{"anthropic"}, BaseURL: "https://api.example.com", APIKey: secret.Of(canary),
		Models: []string{"claude-*"}, Weight: 1, Headers: map[string]string{"X-Team": canary},
	})
	f.xs = []*journal.Exchange{{
		ID: "req_2", Start: began, Op: "chat", Inbound: "anthropic", Outbound: "anthropic", Asked: "claude-sonnet-4", Served: "claude-sonnet-4",
		Account: "mine", Status: 200, Took: 2 * time.Second, BytesOut: 10, Attempts: []journal.Attempt{{Account: "mine", Took: 2 * time.Second, Status: 200, Step: "served"}},
	}, {ID: "req_1", Start: began, Op: "chat", Inbound: "gemini", Status: 404, Fault: "no_account"}}
	f.xs[0].Usage.Input = 1_000_000
	return f
}

func (f *fake) options() Options {
	policy := access.NewPolicy(f.cfg)
	return Options{
		Version: "v1", Address: "127.0.0.1:8045", Started: began,
		Authorise: ByToken(&access.Gate{}, func() *access.Policy { return policy }),
		Config:    func() *config.Config { return f.cfg }, Accounts: f, Ledger: f, Keys: &fakeKeys{f: f, all: []KeyView{{Name: "mine", Hint: "sk-…ab12", Version: 1}}}, Models: f, Feed: NewFeed(), Backups: &fakeBackups{}, File: &fakeFile{},
		Catalog: func() *catalog.Catalog {
			return catalog.New([]config.Model{{ID: "claude-sonnet-4", PriceIn: 3, PriceOut: 15, PriceCacheRead: -1, PriceCacheWrite: -1}})
		},
		Reload:  func(context.Context) ([]config.Problem, error) { return f.warn, f.reload },
		Doctor:  func(context.Context) []Check { return []Check{{"disk", OK, "There is room.", ""}} },
		Flying:  func() (int, int) { return 3, 2 },
		Journal: func() journal.Stats { return journal.Stats{Segments: 1, Kept: 5} },
		Metrics: func(w io.Writer) error { _, err := io.WriteString(w, "portico_info 1\n"); return err },
	}
}

// call sends a request with the admin token.
func call(t *testing.T, h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	return do(h, r)
}

func do(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// decode reads a body of 2xx into v.
func decode[T any](t *testing.T, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if w.Code/100 != 2 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v, inJSON); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if strings.Contains(w.Body.String(), "CANARY") {
		t.Errorf("a secret is shown: %s", w.Body)
	}
	return v
}

// isProblem checks that w is a problem and returns it.
func isProblem(t *testing.T, w *httptest.ResponseRecorder, status int, code string) Problem {
	t.Helper()
	var p Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%v: %q", err, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	if w.Code != status || p.Status != status || p.Code != code || p.Title == "" || p.Detail == "" {
		t.Errorf("got %d %+v, want %d %s", w.Code, p, status, code)
	}
	if strings.Contains(w.Body.String(), "CANARY") {
		t.Errorf("a secret is shown: %s", w.Body)
	}
	return p
}

var errDisk = errors.New("the disk is gone")

// denied refuses with f.
func denied(f *fault.Fault) func(*http.Request) (Operator, *fault.Fault) {
	return func(*http.Request) (Operator, *fault.Fault) { return Operator{}, f }
}
