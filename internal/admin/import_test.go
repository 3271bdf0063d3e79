package admin

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/config"
	"portico/internal/secret"
)

func TestImport(t *testing.T) {
	f := newFake()
	h := New(f.options())
	got := decode[ImportResult](t, call(t, h, "POST", "/api/accounts/import", `{"file":"1//CANARY","client":"{CANARY}","preview":true,"test":true,"account":{"provider":"vertex","options":{"project":"p"}}}`))
	if got.Added != 1 || len(got.Items) != 2 || got.Items[1].Why != "Because." {
		t.Errorf("got %+v", got)
	}
	want := Import{File: []byte("1//CANARY"), Client: secret.Of("{CANARY}"), Preview: true, Like: config.Account{Provider: "vertex", Weight: 1, Options: map[string]string{"project": "p"}}}
	if diff := cmp.Diff(want, f.imported, compareSecrets); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	large := strings.Repeat("1//CANARY ", 200_000) // more than other bodies may have
	decode[ImportResult](t, call(t, h, "POST", "/api/accounts/import", `{"file":"`+large+`","test":true}`))
	if !f.imported.Test || f.imported.Like.Provider != "gemini" || len(f.imported.File) != len(large) {
		t.Errorf("asked for %v of %+v, %d bytes", f.imported.Test, f.imported.Like, len(f.imported.File))
	}
	for _, body := range []string{`{"file":""}`, `{}`, `{"file":"x","account":{"provider":"gemini","api_key":"sk-CANARY"}}`} {
		isProblem(t, call(t, h, "POST", "/api/accounts/import", body), 422, CodeInvalid)
	}
	isProblem(t, call(t, h, "POST", "/api/accounts/import", `{"file":"`+strings.Repeat("x", maxImport)+`"}`), 413, CodeTooLarge)
	f.failed = Invalid{errDisk}
	isProblem(t, call(t, h, "POST", "/api/accounts/import", `{"file":"x"}`), 422, CodeInvalid)
}
