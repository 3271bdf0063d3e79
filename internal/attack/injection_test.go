package attack

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/internal/rig"
)

// SEC-31: no text becomes SQL or a pattern, and no question takes long.
func TestSEC31Injection(t *testing.T) {
	x := begin(t, "off", "")
	names := []string{"m' OR 1=1--", "100%", "loop_u", "x\\y", "plain", "ünïcode", `"quoted"`}
	for i, name := range names {
		a := ask(rig.Chat, false)
		a.Model, a.Script.N = name, int64(i)
		if got := a.Do(t.Context(), x.operator.HTTP, x.Base, nil); !got.Whole {
			t.Fatalf("%q: %+v", name, got)
		}
	}
	list := func(query string) (n, status int) {
		t.Helper()
		began := time.Now()
		var page struct {
			Items []rig.Row `json:"items"`
		}
		status, _ = x.operator.Call(t.Context(), http.MethodGet, "/api/requests?"+query, nil, &page)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%.80s took %s", query, took)
		}
		return len(page.Items), status
	}
	for text, want := range map[string]int{
		"": len(names), "' OR 1=1--": 1, "%": 1, "loop_u": 1, "loopXu": 0, "loop%u": 0, `\`: 1, "plain": 1, "PLAIN": 1, "nothing'; DROP TABLE exchanges;--": 0, strings.Repeat("%", 200): 0,
		"*": 0, "' UNION SELECT 1--": 0, `"quoted"`: 1,
	} {
		if n, status := list("text=" + url.QueryEscape(text)); n != want || status != http.StatusOK {
			t.Errorf("text %q: %d rows, status %d, want %d", text, n, status, want)
		}
	}
	for _, field := range []string{"account", "model", "key", "client", "session"} {
		for _, value := range []string{"' OR '1'='1", "%", "x' OR 1=1--", "\x00"} {
			if n, status := list(field + "=" + url.QueryEscape(value)); n != 0 || status >= 500 {
				t.Errorf("%s %q: %d rows, status %d", field, value, n, status)
			}
		}
		if _, status := list(field + "=" + strings.Repeat("a", 50_000)); status < 400 || status >= 500 {
			t.Errorf("%s of 50 KB: status %d", field, status)
		}
	}
	for _, q := range []string{"sort=id%3BDROP", "order=1", "cursor=%27", "cursor=" + strings.Repeat("z", 300), "limit=-1", "limit=1000000000", "fault=%27", "status=2xx%27", "op=%27", "protocol=%27", "since=%27", "by=id%27"} {
		if _, status := list(q); status >= 500 || status == http.StatusOK && !strings.HasPrefix(q, "fault") {
			t.Errorf("%s: status %d", q, status)
		}
	}
	if _, status := list("text=%ff%fe%00"); status >= 500 {
		t.Errorf("bytes that are no text: %d", status)
	}
	for _, id := range []string{"' OR 1=1--", "%25", "..%2f..", strconv.Itoa(rand.N(1000)), strings.Repeat("a", 5000)} {
		if got := x.send(request{path: "/api/requests/" + url.PathEscape(id), key: adminToken}); got.status < 400 || got.status >= 500 {
			t.Errorf("the request %.40q: %d", id, got.status)
		}
	}
	if got := x.send(request{path: "/api/usage?by=model&zone=../../etc/passwd", key: adminToken}); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a zone of the file system: %d %s", got.status, got.body)
	}
	if n, _ := list(""); n < len(names) {
		t.Errorf("only %d rows are left", n)
	}
}
