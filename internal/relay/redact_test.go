package relay

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"portico/internal/fault"
)

func TestRedact(t *testing.T) {
	const key = "sk-proj-AbCdEfGhIjKl/MnOpQ+rStUv=="
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"nothing here", "nothing here"},
		{"key " + key + " is wrong", "key *** is wrong"},
		{`{"key":"` + strings.ReplaceAll(key, "/", `\/`) + `"}`, `{"key":"***"}`},
		{"?key=sk-proj-AbCdEfGhIjKl%2FMnOpQ%2BrStUv%3D%3D&x", "?key=***&x"},
		{"Basic " + base64.StdEncoding.EncodeToString([]byte(key)), "Basic ***"},
		{"Incorrect API key provided: sk-proj-AbCd********Uv==. You", "Incorrect API key provided: *************. You"[:len("Incorrect API key provided: ***********")] + "Uv==. You"},
		{"begins with sk-proj-Ab", "begins with ***"},
		{"ends with StUv==", "ends with ***"},
		{"sk-pr is a piece, sk-p is none", "*** is a piece, sk-p is none"},
		{key + key, "******"},
	} {
		if got := string(redact([]byte(tt.text), key)); got != tt.want {
			t.Errorf("redact(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
	if got := string(redact([]byte("test-message with test-key"), "test-key")); got != "test-message with ***" {
		t.Errorf("of a short key: %q", got)
	}
	text := []byte("the same slice")
	if got := redact(text, key); &got[0] != &text[0] {
		t.Error("a text without the key was copied")
	}
}

// FuzzRedact: no text keeps the key or a longer piece of it.
func FuzzRedact(f *testing.F) {
	const key = "sk-proj-AbCdEfGhIjKlMnOpQrStUv"
	f.Add("x" + key + "y")
	f.Add("sk-prsk-proj-AbCdEfsk-projrStUvtUvrStUv")
	f.Fuzz(func(t *testing.T, s string) {
		got := string(redact([]byte(s), key))
		if strings.Contains(got, key[:pieceOfKey]) || strings.Contains(got, key[len(key)-pieceOfKey:]) {
			t.Errorf("redact(%q) = %q", s, got)
		}
	})
}

// TestEchoedKey: an upstream that tells the account's key does not tell it to
// the client, the ledger or the log, wherever it puts it.
func TestEchoedKey(t *testing.T) {
	key := testKey + "a"
	for name, d := range dialects {
		echo := strings.Replace(d.errorBody, "it burns", "your key "+key+" burns", 1)
		event := strings.Replace(d.errorEvent, "it burns", "your key "+key+" burns", 1)
		for _, tt := range []struct {
			name   string
			up     upstream
			stream bool
		}{
			{"refusal", replyWith(400, "application/json", echo), false},
			{"page", replyWith(400, "text/html", "<html><body>"+echo+"</body></html>"), false},
			{"failure", replyWith(500, "application/json", echo), false},
			{"denied", replyWith(404, "application/json", echo), false},
			{"code", replyWith(400, "application/json", fmt.Sprintf(`{"error":{"message":"no","code":%q,"type":%q,"status":%q,"param":%q}}`, key, key, key, key)), false},
			{"error in a 200", replyWith(200, "application/json", echo), false},
			{"error in a stream", streaming(event), true},
			{"error in a stream that has begun", streaming(append(append([]string{}, d.middle...), event)...), true},
			{"garbage in a stream that has begun", streaming(append(append([]string{}, d.middle...), "data: {"+key+"\n\n")...), true},
			{"transport", failing(fmt.Errorf("cannot send %s", key)), false},
			{"header", func(*http.Request, []byte) (*http.Response, error) {
				a := answerOf(200, "application/json", d.whole)
				a.Header["X-Request-Id"] = []string{"id-" + key}
				a.Header["X-Ratelimit-Reset"] = []string{key[:9]}
				return a, nil
			}, false},
			{"header of a refusal", func(*http.Request, []byte) (*http.Response, error) {
				a := answerOf(400, "application/json", d.errorBody)
				a.Header["X-Request-Id"] = []string{"id-" + key}
				return a, nil
			}, false},
		} {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				r := newRig(t, tt.up)
				log := r.logTo()
				w := r.run(r.call(d, tt.stream))
				all := w.text() + fmt.Sprint(w.sent) + log.String()
				for _, x := range r.ledger.all {
					all += fmt.Sprintf("%+v", *x)
				}
				if v := r.pool.Views()[0]; strings.Contains(v.Health.Msg, key[:pieceOfKey]) {
					t.Errorf("in the account's health: %s", v.Health.Msg)
				}
				if i := strings.Index(all, key[:pieceOfKey]); i >= 0 {
					t.Errorf("told: …%s", all[max(0, i-100):min(len(all), i+100)])
				}
			})
		}
	}
}

// TestLogsFailures: every attempt that failed leaves a line with the request's
// id.
func TestLogsFailures(t *testing.T) {
	d := dialects["openai-chat"]
	r := newRig(t, replyWith(500, "application/json", d.errorBody), replyWith(200, "application/json", d.whole))
	log := r.logTo()
	r.run(r.call(d, false))
	if s := log.String(); strings.Count(s, "\n") != 1 || !strings.Contains(s, "request_id=req_test") || !strings.Contains(s, "class="+fault.Broken.String()) || !strings.Contains(s, "account=a") {
		t.Errorf("logged: %s", s)
	}
}
