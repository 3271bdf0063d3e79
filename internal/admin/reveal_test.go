package admin

import (
	"net/http"
	"testing"
	"time"
)

// TestReveal: a secret is shown to a call that proves who asks, and to no other,
// and what was shown is audited.
func TestReveal(t *testing.T) {
	d, b, done := newDoors(t)
	if err := d.Book.SetPassword(t.Context(), password); err != nil {
		t.Fatal(err)
	}
	head := []string{CSRFHeader, "1", "Content-Type", "application/json"}
	s := decode[Session](t, b.do("POST", sessionPath, `{"token":"`+token+`"}`, head...))
	*done = nil
	for _, path := range []string{"/api/accounts/mine/reveal", "/api/config/reveal"} {
		for body, want := range map[string]struct {
			status int
			code   string
		}{
			"":   {http.StatusForbidden, CodeProof},
			"{}": {http.StatusForbidden, CodeProof},
			`{"password":"` + password + `","token":"` + token + `"}`: {http.StatusBadRequest, CodeMalformed},
			`{"token":"` + apiKey + `"}`:                              {http.StatusUnauthorized, CodeUnauthorised},
		} {
			isProblem(t, b.do("POST", path, body, head...), want.status, want.code)
		}
	}
	isProblem(t, b.do("POST", "/api/config/reveal", `{"password":"wrong horse battery"}`, head...), http.StatusUnauthorized, CodeWrongPassword)
	isProblem(t, b.do("POST", "/api/accounts/office/reveal", `{"token":"`+token+`"}`, head...), http.StatusConflict, CodeDeclared)
	isProblem(t, b.do("POST", "/api/accounts/nobody/reveal", `{"token":"`+token+`"}`, head...), http.StatusNotFound, CodeNoAccount)
	if len(*done) > 0 {
		t.Errorf("what was refused is audited as done: %+v", *done)
	}
	w := b.do("POST", "/api/accounts/mine/reveal", `{"password":"`+password+`"}`, head...)
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" || w.Body.String() != `{"api_key":"`+canary+`","headers":{"X-Team":"`+canary+`"}}`+"\n" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if r := decode[RevealedKey](t, call(t, b.h, "POST", "/api/config/reveal", "")); r.APIKey != apiKey {
		t.Errorf("the api_key is %q", r.APIKey)
	}
	if len(*done) != 2 || (*done)[0].What != "reveal-account" || (*done)[0].Whom != "mine" || (*done)[0].Who != "session "+s.ID || (*done)[1].What != "reveal-api-key" ||
		time.Since((*done)[1].At) > time.Minute {
		t.Errorf("audited is %+v", *done)
	}
}
