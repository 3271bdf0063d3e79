package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"portico/internal/config"
	"portico/internal/fault"
	"portico/internal/route"
)

// TestWordsOfRoutes: the configuration and the operator's API list by themselves
// what routes can ask for, since neither may know the other rooms; the lists
// must agree.
func TestWordsOfRoutes(t *testing.T) {
	takes := func(key, word string) bool {
		dir := folder(t, keys+fmt.Sprintf("routes: [{match: m, to: x, %s: %s}]\n", key, word))
		_, _, err := config.Load(config.Options{DataDir: dir})
		return err == nil
	}
	for c := fault.Unknown; c <= fault.Canceled; c++ {
		want := c == fault.Unknown || c >= fault.BadRequest && c <= fault.Network && c != fault.SealMismatch
		if got := takes("on", "["+c.String()+"]"); got != want {
			t.Errorf("on: [%s] is taken: %t", c, got)
		}
	}
	r := serve(t, "simulator: true\n")
	asks := func(body string) bool {
		status, _ := r.do(http.MethodPost, "/api/explain", body, append([]string{"Content-Type", "application/json"}, operator...)...)
		return status == http.StatusOK
	}
	for _, need := range append(route.Needs(), "speed") {
		if want := need != "speed"; takes("needs", "["+need+"]") != want || asks(`{"model":"m","needs":["`+need+`"]}`) != want {
			t.Errorf("the need %s is not taken alike", need)
		}
	}
	for _, kind := range []string{route.Title, route.Topic, route.Probe, route.Summary, "chat"} {
		if want := kind != "chat"; takes("background", kind) != want || asks(`{"model":"m","background":"`+kind+`"}`) != want {
			t.Errorf("background work of the kind %s is not taken alike", kind)
		}
	}
	if !takes("background", route.Any) {
		t.Error("any background work is not taken")
	}
}

// TestVouch: the test of an account that succeeds ends what its failures said.
func TestVouch(t *testing.T) {
	var mended atomic.Bool
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if w.Header().Set("Content-Type", "application/json"); !mended.Load() {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"Incorrect API key provided.","type":"invalid_request_error","code":"invalid_api_key"}}`)
			return
		}
		_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"m","object":"model"}]}`)
	}))
	t.Cleanup(up.Close)
	r := serve(t, fmt.Sprintf("accounts: [{name: a, provider: openai, protocols: [openai-chat], base_url: %q, api_key: sk-test-0123456789abcdef, models: [m]}]\n", up.URL+"/v1"))
	state := func() string {
		_, got := r.do(http.MethodGet, "/api/accounts", "", operator...)
		_, rest, _ := strings.Cut(got, `"state":"`)
		state, _, _ := strings.Cut(rest, `"`)
		return state
	}
	r.do(http.MethodPost, "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"x"}]}`, "Content-Type", "application/json")
	if got := state(); got != "down" {
		t.Fatalf("after a refused key it is %s", got)
	}
	test := func() { r.do(http.MethodPost, "/api/accounts/a/test", "", operator...) }
	if test(); state() != "down" {
		t.Errorf("after a test that failed it is %s", state())
	}
	mended.Store(true)
	if test(); state() != "ready" {
		t.Errorf("after a test that succeeded it is %s", state())
	}
}
