package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portico/internal/config"
	"portico/internal/provider/oauth/oauthtest"
)

// A thousand requests that wait for one token, which ended before its time, fetch
// one: each refresh token is used once, everybody is served, and the account is
// none the worse for it.
func TestThousandWait(t *testing.T) {
	const many = 1000
	s := oauthtest.New(t)
	s.Rotate(true, time.Hour)
	base, _ := upstream(t, s)
	doc := filepath.Join(t.TempDir(), "login.json")
	text := fmt.Sprintf(`{"type":"authorized_user","client_id":%q,"client_secret":%q,"refresh_token":%q,"token_uri":%q,"account":%q}`,
		oauthtest.ClientID, oauthtest.ClientSecret, s.Login("api"), s.URL+"/token", oauthtest.Email)
	if err := os.WriteFile(doc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file := fmt.Sprintf("port: %d\n%saccounts:\n  - {name: g, provider: gemini, key_file: %q, base_url: %q}\n", freePort(t), keys, doc, base+"/v1beta")
	a, err := Open(config.Options{DataDir: folder(t, file)}, &logs{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	h := a.Handler()
	ask := func() *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1beta/models/gemini-x:generateContent", strings.NewReader(askGemini))
		r.Host = address(a.Config())
		r.Header.Set("Authorization", "Bearer sk-0123456789abcdefghijklmnopqrstuvwxyz")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	if w := ask(); w.Code != http.StatusOK {
		t.Fatalf("with the first token: %d %s", w.Code, w.Body)
	}

	// The issuer answers when all of them wait.
	all := make(chan struct{})
	s.Intrude(func(http.ResponseWriter, url.Values) bool {
		<-all
		return false
	})
	s.Expire()
	var wait sync.WaitGroup
	var ended atomic.Int32
	for range many {
		wait.Go(func() {
			defer ended.Add(1)
			if w := ask(); w.Code != http.StatusOK {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	for a.pool.Views()[0].InFlight < many && ended.Load() == 0 {
		runtime.Gosched()
	}
	close(all)
	wait.Wait()
	if n, no := s.Granted("refresh_token"), s.Refused("refresh_token"); n != 2 || no != 0 {
		t.Errorf("%d tokens were fetched, %d refused; want one for the first request and one for the rest", n, no)
	}
	if v := a.pool.Views()[0]; v.InFlight != 0 || v.Health.State.String() != "ready" {
		t.Errorf("the account is %s with %d under way", v.Health.State, v.InFlight)
	}
}
