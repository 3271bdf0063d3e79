package admin

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"portico/internal/config"
)

func TestAccountFilter(t *testing.T) {
	f := newFake() // office (declared), simulator, mine (stored)
	f.put(config.Account{Name: "München 2", Provider: "openai-compatible", Preset: "groq", BaseURL: "https://eu.example.org/v1", Disabled: true})
	h := New(f.options())
	list := func(query string) (names []string, next string) {
		t.Helper()
		l := decode[List[Account]](t, call(t, h, "GET", "/api/accounts?"+query, ""))
		for _, a := range l.Items {
			names = append(names, a.Name)
		}
		return names, l.Next
	}
	for query, want := range map[string][]string{
		"":                           {"office", "simulator", "mine", "München 2"},
		"q=MINE":                     {"mine"},
		"q=" + url.QueryEscape("mü"): {"München 2"},
		"q=groq":                     {"München 2"},
		"q=example.org":              {"München 2"},
		"q=example":                  {"mine", "München 2"},
		"q=CANARY":                   nil, // not the key, nor a header
		"provider=openai":            {"office"},
		"state=off":                  {"München 2"},
		"state=ready&origin=store":   {"mine"},
		"origin=file":                {"office"},
		"origin=built_in":            {"simulator"},
		"limit=10":                   {"office", "simulator", "mine", "München 2"},
	} {
		if got, next := list(query); !slices.Equal(got, want) || next != "" {
			t.Errorf("%s: %q, next %q", query, got, next)
		}
	}
	var all []string
	for next, pages := "", 0; ; pages++ {
		names, more := list("q=e&limit=1&cursor=" + next)
		all = append(all, names...)
		if next = more; next == "" || pages > 9 {
			break
		}
	}
	if !slices.Equal(all, []string{"office", "mine", "München 2"}) {
		t.Errorf("page by page: %q", all)
	}
	isProblem(t, call(t, h, "GET", "/api/accounts?cursor=-1", ""), http.StatusBadRequest, CodeMalformed)
	if got, _ := list("cursor=zzzz"); len(got) > 0 {
		t.Errorf("behind the end: %q", got)
	}
}

// TestAccountVersions: a change that was made for another version is refused,
// and one that was made for any is made anew if somebody else was faster.
func TestAccountVersions(t *testing.T) {
	f := newFake()
	h := New(f.options())
	if w := call(t, h, "GET", "/api/accounts/mine", ""); w.Header().Get("ETag") != `"7"` || decode[Account](t, w).Version != 7 {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
	with := func(method, match, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "/api/accounts/mine", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("If-Match", match)
		return do(h, r)
	}
	for _, match := range []string{`"6"`, `"8"`, "nonsense", `"0"`} {
		isProblem(t, with("PATCH", match, `{"priority":5}`), http.StatusPreconditionFailed, CodeVersion)
		isProblem(t, with("DELETE", match, ""), http.StatusPreconditionFailed, CodeVersion)
	}
	if w := with("PATCH", `"7"`, `{"priority":5}`); w.Code != 200 || f.stored["mine"].Priority != 5 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	f.races = 2
	if w := call(t, h, "PATCH", "/api/accounts/mine", `{"priority":6}`); w.Code != 200 || f.stored["mine"].Priority != 6 {
		t.Errorf("after two were faster: %d %s", w.Code, w.Body)
	}
	f.races = 100
	isProblem(t, call(t, h, "PATCH", "/api/accounts/mine", `{"priority":7}`), http.StatusPreconditionFailed, CodeVersion)
	f.races = 1
	isProblem(t, with("PATCH", `"7"`, `{"priority":7}`), http.StatusPreconditionFailed, CodeVersion)
	f.races = 0
	if w := with("DELETE", `"7"`, ""); w.Code != 204 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
