package admin

import (
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/catalog"
	"portico/internal/config"
	"portico/internal/fault"
	"portico/internal/journal"
	"portico/internal/pool"
	"portico/internal/store"
)

func TestStatus(t *testing.T) {
	f := newFake()
	f.views[0].Health.State = pool.Cooling
	got := decode[Status](t, call(t, New(f.options()), "GET", "/api/status", ""))
	if got.UptimeS <= 0 {
		t.Errorf("uptime %d", got.UptimeS)
	}
	got.UptimeS = 0
	want := Status{
		Name: "portico", Version: "v1", Address: "127.0.0.1:8045", Started: began, AuthMode: "off", Auth: "off", Simulator: true, DataDir: "/data", ConfigFile: "/data/portico.yaml",
		Accounts: Counts{Total: 3, Ready: 2, Cooling: 1}, InFlight: &Flying{3, 2}, Journal: &Journal{Files: 1, Kept: 5},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestListRequests(t *testing.T) {
	f := newFake()
	h := New(f.options())
	got := decode[List[Request]](t, call(t, h, "GET", "/api/requests", ""))
	usd := 3.0
	want := List[Request]{Items: []Request{{Exchange: *f.xs[0], CostUSD: &usd}, {Exchange: *f.xs[1]}}, Next: "next-page"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(store.Filter{Limit: 50}, f.asked); diff != "" {
		t.Error(diff)
	}
	decode[List[Request]](t, call(t, h, "GET", "/api/requests?since=2026-11-23T12:40:00Z&until=2026-11-24T00:00:00%2B01:00&account=a&model=m&key=k&client=c&session=s&protocol=gemini&outbound=anthropic&text=part&op=chat&fault=any&status=5xx&min_tokens=10000&min_took_ms=5000&limit=2&cursor=abc", ""))
	wanted := store.Filter{
		Since: began, Until: time.Date(2026, 11, 23, 23, 0, 0, 0, time.UTC), Account: "a", Model: "m", Key: "k", Client: "c", Session: "s",
		Protocol: "gemini", Outbound: "anthropic", Text: "part", Op: "chat", Fault: "any", MinStatus: 500, MaxStatus: 599, MinTokens: 10_000, MinTook: 5 * time.Second, Limit: 2, Cursor: "abc",
	}
	if diff := cmp.Diff(wanted, f.asked); diff != "" {
		t.Error(diff)
	}
	for status, want := range map[string][2]int{"429": {429, 429}, "%3E=400": {400, 0}, "%3C500": {0, 499}, "1xx": {100, 199}} {
		decode[List[Request]](t, call(t, h, "GET", "/api/requests?status="+status, ""))
		if got := [2]int{f.asked.MinStatus, f.asked.MaxStatus}; got != want {
			t.Errorf("%s: got %v, want %v", status, got, want)
		}
	}
	for query, where := range map[string]string{
		"limit=0": "query.limit", "limit=501": "query.limit", "limit=x": "query.limit", "since=yesterday": "query.since", "op=steal": "query.op", "status=9xx": "query.status",
		"status=20": "query.status", "status=%3E400": "query.status", "min_took_ms=-1": "query.min_took_ms", "sort=id": "query.sort", "model=" + strings.Repeat("m", 257): "query.model",
	} {
		p := isProblem(t, call(t, h, "GET", "/api/requests?"+query, ""), 422, CodeInvalid)
		if len(p.Errors) == 0 || p.Errors[0].Where != where {
			t.Errorf("%s: %+v", query, p.Errors)
		}
	}
	f.failed = errDisk
	isProblem(t, call(t, h, "GET", "/api/requests", ""), 500, CodeInternal)
	f.failed = store.ErrCursor
	isProblem(t, call(t, h, "GET", "/api/requests?cursor=x", ""), 400, CodeMalformed)
	f.failed = context.DeadlineExceeded
	isProblem(t, call(t, h, "GET", "/api/requests", ""), 504, CodeTimeout)
}

// What has ended is brought into the ledger first; a ledger that is behind is
// shown all the same.
func TestSettle(t *testing.T) {
	o := newFake().options()
	settled := 0
	o.Settle = func(context.Context) error { settled++; return errDisk }
	h := New(o)
	for _, path := range []string{"/api/requests", "/api/requests/req_1", "/api/usage"} {
		settled = 0
		if w := call(t, h, "GET", path, ""); w.Code != 200 || settled != 1 {
			t.Errorf("%s: %d, settled %d times", path, w.Code, settled)
		}
	}
}

func TestGetRequest(t *testing.T) {
	f := newFake()
	o := f.options()
	h := New(o)
	w := call(t, h, "GET", "/api/requests/req_2", "")
	got := decode[ExplainedRequest](t, w)
	if got.ID != "req_2" || *got.CostUSD != 3 || got.Explanation.Summary != "Served by mine in 2.0 s." || *got.Explanation.Usage.CostUSD != 3 {
		t.Errorf("got %+v", got)
	}
	for _, want := range []string{`"took_ns":2000000000`, `"explanation":{`, `"id":"req_2"`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s is not in %s", want, w.Body)
		}
	}
	isProblem(t, call(t, h, "GET", "/api/requests/req_9", ""), 404, CodeNoRequest)

	o.Feed.Heard(&journal.Exchange{ID: "req_9", Status: 200, Op: "count"})
	if got := decode[ExplainedRequest](t, call(t, h, "GET", "/api/requests/req_9", "")); got.Op != "count" {
		t.Errorf("what has just ended: %+v", got)
	}
	f.failed = errDisk
	isProblem(t, call(t, h, "GET", "/api/requests/req_1", ""), 500, CodeInternal)
}

// What clients sent need not be text; it must not spoil the answer. Nor does a
// client that leaves before it has it.
func TestAnswersAreWhole(t *testing.T) {
	f := newFake()
	f.xs[0].Asked, f.xs[0].Client, f.xs[0].Error = "a\xffb", "\xfe", "\x00\u2028"
	o := f.options()
	o.Feed.Heard(f.xs[0])
	h := New(o)
	for _, path := range []string{"/api/requests", "/api/requests/req_2"} {
		w := call(t, h, "GET", path, "")
		if w.Code != 200 || !jsontext.Value(w.Body.Bytes()).IsValid() || !strings.Contains(w.Body.String(), "a\ufffdb") {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/api/requests", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	h.ServeHTTP(gone{httptest.NewRecorder()}, r)
}

// gone is a client that has left.
type gone struct{ http.ResponseWriter }

func (gone) Write([]byte) (int, error) { return 0, net.ErrClosed }

func TestUsage(t *testing.T) {
	f := newFake()
	f.usage = []store.Sum{{Group: map[string]string{"model": "m"}, Requests: 5, Failed: 4, Partial: 3, Estimated: 2, Input: 1, Output: 2, USD: 1.5, Unpriced: 1}}
	h := New(f.options())
	got := decode[List[UsageRow]](t, call(t, h, "GET", "/api/usage?by=day,model&since=2026-11-23T12:40:00Z&account=a&model=m&key=k&client=c&protocol=gemini&zone=Europe/Berlin", ""))
	want := []UsageRow{{Group: map[string]string{"model": "m"}, Requests: 5, Failed: 4, Partial: 3, Estimated: 2, Input: 1, Output: 2, Total: 3, CostUSD: 1.5, Unpriced: 1}}
	if diff := cmp.Diff(want, got.Items); diff != "" {
		t.Error(diff)
	}
	wanted := store.UsageQuery{Since: began, Account: "a", Model: "m", Key: "k", Client: "c", Protocol: "gemini", By: []string{"day", "model"}}
	if f.summed.Location.String() != "Europe/Berlin" {
		t.Errorf("zone %v", f.summed.Location)
	}
	f.summed.Location = nil
	if diff := cmp.Diff(wanted, f.summed); diff != "" {
		t.Error(diff)
	}
	for _, query := range []string{"by=password", "by=day,day", "zone=Nowhere/Town", "zone=../../etc/passwd", "zone=Local"} {
		isProblem(t, call(t, h, "GET", "/api/usage?"+query, ""), 422, CodeInvalid)
	}
}

// The groups that may be asked for are those of the store.
func TestUsageGroups(t *testing.T) {
	h := New(newFake().options())
	for _, by := range store.Groups {
		if w := call(t, h, "GET", "/api/usage?by="+by, ""); w.Code != 200 {
			t.Errorf("%s: %d %s", by, w.Code, w.Body)
		}
	}
}

func TestModels(t *testing.T) {
	got := decode[List[Model]](t, call(t, New(newFake().options()), "GET", "/api/models", ""))
	want := []Model{
		{ID: "claude-sonnet-4", Protocols: []string{"anthropic"}, Price: &Price{In: 3, Out: 15, Own: true, AsOf: catalog.Day()}},
		{ID: "free", Name: "Free", Protocols: []string{"openai-chat", "openai-responses", "anthropic", "gemini"}, Context: 100, MaxOutput: 10},
	}
	if diff := cmp.Diff(want, got.Items); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestConfig(t *testing.T) {
	f := newFake()
	w := call(t, New(f.options()), "GET", "/api/config", "")
	got := decode[Configuration](t, w)
	if got.File != "/data/portico.yaml" || got.DataDir != "/data" || len(got.Keys) != len(f.cfg.Show()) {
		t.Errorf("got %+v", got)
	}
	for _, s := range []string{token, apiKey} {
		if strings.Contains(w.Body.String(), s) {
			t.Errorf("a secret is shown: %s", w.Body)
		}
	}
}

func TestReload(t *testing.T) {
	f := newFake()
	o := f.options()
	h := New(o)
	f.warn = []config.Problem{{Where: "portico.yaml", Line: 3, Key: "port", Text: "needs a restart"}}
	got := decode[Reloaded](t, call(t, h, "POST", "/api/reload", ""))
	if diff := cmp.Diff([]string{"portico.yaml:3: port: needs a restart"}, got.Warnings); diff != "" {
		t.Error(diff)
	}
	f.reload = &config.Error{Problems: []config.Problem{{Where: "portico.yaml", Line: 4, Key: "auth_mode", Text: "is not one of"}}}
	p := isProblem(t, call(t, h, "POST", "/api/reload", ""), 422, CodeConfig)
	if diff := cmp.Diff([]Error{{"auth_mode", "portico.yaml:4: auth_mode: is not one of"}}, p.Errors); diff != "" {
		t.Error(diff)
	}
	f.reload = errDisk
	isProblem(t, call(t, h, "POST", "/api/reload", ""), 500, CodeInternal)
	o.Reload = nil
	isProblem(t, call(t, New(o), "POST", "/api/reload", ""), 404, CodeNotFound)
}

func TestDoctor(t *testing.T) {
	f := newFake()
	h := New(f.options())
	got := decode[List[Check]](t, call(t, h, "GET", "/api/doctor", ""))
	var names []string
	for _, c := range got.Items {
		names = append(names, c.Name+" "+c.State)
	}
	if diff := cmp.Diff([]string{"exposure ok", "admin_token ok", "metrics ok", "accounts ok", "journal ok", "ledger ok", "disk ok"}, names); diff != "" {
		t.Error(diff)
	}
	f.failed = errDisk
	got = decode[List[Check]](t, call(t, h, "GET", "/api/doctor", ""))
	if c := got.Items[5]; c.State != Fail || c.Text != "The ledger does not answer: the disk is gone." {
		t.Errorf("got %+v", c)
	}
}

func TestDiagnose(t *testing.T) {
	view := func(s pool.State, disabled bool) pool.View {
		v := viewOf(config.Account{Name: "a", Disabled: disabled})
		v.Health = pool.Health{State: s, Why: fault.QuotaSpent}
		return v
	}
	for _, tt := range []struct {
		name  string
		set   func(*config.Config)
		views []pool.View
		j     journal.Stats
		want  Check
	}{
		{"on the network", func(c *config.Config) { c.AllowLAN, c.AuthMode = true, config.AuthStrict }, nil, journal.Stats{}, Check{"exposure", Warn, "Everybody on the network can connect; they need the api_key.", "Set allow_lan_access to false if only this machine is meant."}},
		{"a key on loopback", func(c *config.Config) { c.AuthMode = config.AuthStrict }, nil, journal.Stats{}, Check{"exposure", OK, "Only programs on this machine can connect; they need the api_key.", ""}},
		{"public metrics", func(c *config.Config) { c.Metrics.Public = true }, nil, journal.Stats{}, Check{"metrics", Warn, "Everybody who can connect may read the metrics.", "Set metrics.public to false if that is not meant."}},
		{"nobody", func(*config.Config) {}, nil, journal.Stats{}, Check{"accounts", Fail, "There is no account, so nothing can be served.", "Add an account (portico account add)."}},
		{"the simulator alone", func(c *config.Config) { c.Simulator = true }, nil, journal.Stats{}, Check{"accounts", Warn, "There is no account; only the simulator answers.", "Add an account (portico account add)."}},
		{"all off", func(*config.Config) {}, []pool.View{view(pool.Down, true)}, journal.Stats{}, Check{"accounts", Fail, "There is no account, so nothing can be served.", "Add an account (portico account add)."}},
		{"none able", func(*config.Config) {}, []pool.View{view(pool.Cooling, false)}, journal.Stats{}, Check{"accounts", Fail, "None of 1 accounts can serve now.", "See portico account list for why, and until when."}},
		{"some able", func(*config.Config) {}, []pool.View{view(pool.Cooling, false), view(pool.Trial, false)}, journal.Stats{}, Check{"accounts", Warn, "1 of 2 accounts can serve now.", "See portico account list for the others."}},
		{"one down", func(*config.Config) {}, []pool.View{view(pool.Down, false)}, journal.Stats{}, Check{"account:a", Fail, "The account a needs you: its allowance was used up.", "Mend it at the vendor's or give it a new key, then test it (portico account test a)."}},
		{"one that needs a login", func(*config.Config) {}, []pool.View{view(pool.NeedsLogin, false)}, journal.Stats{}, Check{"account:a", Fail, "The account a needs you: its allowance was used up.", "Sign in again (portico account login a); a service account is given a new key."}},
		{"lost", func(*config.Config) {}, nil, journal.Stats{Lost: 2, Backlog: 1}, Check{"journal", Fail, "2 requests could not be recorded since the start.", "Make room on the disk of the data folder."}},
		{"behind", func(*config.Config) {}, nil, journal.Stats{Backlog: 1}, Check{"journal", Warn, "1 requests wait in memory because the disk takes none.", "Make room on the disk of the data folder."}},
	} {
		c := config.Default()
		tt.set(c)
		found := false
		for _, got := range diagnose(c, tt.views, tt.j) {
			found = found || got == tt.want
		}
		if !found {
			t.Errorf("%s: %+v is not in %+v", tt.name, tt.want, diagnose(c, tt.views, tt.j))
		}
	}
}

// The document describes every route with a summary, its errors, and schemas
// that exist.
func TestOpenAPI(t *testing.T) {
	h := New(newFake().options())
	w := call(t, h, "GET", "/api/openapi.json", "")
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/openapi+json" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	var doc struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			ID        string         `json:"operationId"`
			Summary   string         `json:"summary"`
			Responses map[string]any `json:"responses"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
		Security []map[string][]string `json:"security"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || len(doc.Security) != 2 {
		t.Errorf("%s %v", doc.OpenAPI, doc.Security)
	}
	ids := map[string]bool{}
	for path, ops := range doc.Paths {
		for method, op := range ops {
			if op.ID == "" || ids[op.ID] || op.Summary == "" {
				t.Errorf("%s %s: id %q, summary %q", method, path, op.ID, op.Summary)
			}
			ids[op.ID] = true
			if path != "/api/openapi.json" && op.Responses["401"] == nil {
				t.Errorf("%s %s does not say that it may refuse", method, path)
			}
		}
	}
	for _, name := range []string{"Account", "Problem", "JournalAttempt", "ExplainAttempt", "ExplainExplanation", "LlmUsage"} {
		if doc.Components.Schemas[name] == nil {
			t.Errorf("there is no schema %s", name)
		}
	}
	for ref := range strings.SplitSeq(w.Body.String(), `"#/components/schemas/`) {
		name, _, _ := strings.Cut(ref, `"`)
		if !strings.HasPrefix(ref, "{") && doc.Components.Schemas[name] == nil {
			t.Errorf("the schema %s is missing", name)
		}
	}
}

// TestCodes: the API's description lists every code that there is, and no
// answer has another.
func TestCodes(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\tCode\w+\s+= "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			there[m[1]] = true
		}
	}
	var doc struct {
		Components struct {
			Schemas struct {
				Problem struct {
					Properties struct {
						Code struct {
							Enum []string `json:"enum"`
						} `json:"code"`
					} `json:"properties"`
				} `json:"Problem"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(call(t, New(newFake().options()), "GET", "/api/openapi.json", "").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, c := range doc.Components.Schemas.Problem.Properties.Code.Enum {
		if listed[c] {
			t.Errorf("%s is listed twice", c)
		}
		listed[c] = true
	}
	if len(there) < 30 || !maps.Equal(there, listed) {
		t.Errorf("there are %v, listed are %v", there, listed)
	}
}

func TestInvalidUnwraps(t *testing.T) {
	if !errors.Is(Invalid{errDisk}, errDisk) {
		t.Error("the reason is lost")
	}
}
