package admin

import (
	"testing"
)

// An account that would not serve is not stored, if its test is asked for; what
// was found is told.
func TestAddTested(t *testing.T) {
	f := newFake()
	h := New(f.options())
	f.tested = Tested{Why: "credential_invalid", Text: "Its key was rejected."}
	p := isProblem(t, call(t, h, "POST", "/api/accounts", `{"name":"new","provider":"openai","api_key":"sk-CANARY","test":true}`), 422, CodeTestFailed)
	if p.Detail != "Its key was rejected. Nothing was stored." {
		t.Errorf("it says %q", p.Detail)
	}
	if _, stored := f.stored["new"]; stored || len(f.probed) != 1 || f.probed[0].APIKey.Reveal() != "sk-CANARY" {
		t.Errorf("stored %v, tested %+v", stored, f.probed)
	}
	f.tested = Tested{OK: true, Models: 3, TookMS: 80, Login: "a@x.example", Text: "It works."}
	got := decode[AddedAccount](t, call(t, h, "POST", "/api/accounts", `{"name":"new","provider":"openai","api_key":"sk-CANARY","test":true}`))
	if got.Name != "new" || got.Tested == nil || *got.Tested != f.tested {
		t.Errorf("got %+v", got)
	}
	asked := len(f.probed)
	isProblem(t, call(t, h, "POST", "/api/accounts", `{"name":"new","provider":"openai","test":true}`), 409, CodeTaken)
	if got := decode[AddedAccount](t, call(t, h, "POST", "/api/accounts", `{"name":"other","provider":"openai"}`)); got.Tested != nil || len(f.probed) != asked {
		t.Errorf("without a test: %+v, %d tests", got, len(f.probed)-asked)
	}
}

func TestTestDraft(t *testing.T) {
	f := newFake()
	h := New(f.options())
	f.tested = Tested{Why: "network", Text: "It could not be reached."}
	if got := decode[Tested](t, call(t, h, "POST", "/api/accounts/test", `{"provider":"openai","api_key":"sk-CANARY"}`)); got != f.tested {
		t.Errorf("got %+v", got)
	}
	if len(f.stored) != 1 {
		t.Errorf("stored %v", f.stored)
	}
	f.failed = Invalid{errDisk}
	isProblem(t, call(t, h, "POST", "/api/accounts/test", `{"provider":"openai"}`), 422, CodeInvalid)
}

// A refresh token becomes a credential together with the client that it was
// given to.
func TestRefreshToken(t *testing.T) {
	f := newFake()
	h := New(f.options())
	decode[AddedAccount](t, call(t, h, "POST", "/api/accounts", `{"name":"new","provider":"gemini","refresh_token":"1//CANARY","client":"{}"}`))
	if got := f.stored["new"].APIKey.Reveal(); got != "{gemini 1//CANARY {}}" {
		t.Errorf("stored %q", got)
	}
	for _, body := range []string{
		`{"name":"x","provider":"gemini","refresh_token":"1//CANARY"}`,
		`{"name":"x","provider":"gemini","client":"{}"}`,
		`{"name":"x","provider":"gemini","refresh_token":"1//CANARY","client":"{}","api_key":"sk-CANARY"}`,
	} {
		isProblem(t, call(t, h, "POST", "/api/accounts", body), 422, CodeInvalid)
	}
}
