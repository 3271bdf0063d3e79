package admin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/internal/store"
)

// fakeBackups takes down what it was asked.
type fakeBackups struct {
	asked *RestoreAsk
	file  string
	err   error
}

func (f *fakeBackups) Backup(_ context.Context, passphrase string, ledger bool) (io.ReadCloser, error) {
	if f.err != nil {
		return nil, f.err
	}
	return io.NopCloser(strings.NewReader("age of " + passphrase)), nil
}

func (f *fakeBackups) Snapshots() ([]store.Snapshot, error) {
	return []store.Snapshot{{Name: "accounts-x-daily.db", Why: "daily", Made: began, Bytes: 9}}, f.err
}

func (f *fakeBackups) Restore(_ context.Context, in *RestoreAsk) (Restored, error) {
	f.asked = in
	if in.File != nil {
		b, err := io.ReadAll(in.File)
		if err != nil {
			return Restored{}, err
		}
		f.file = string(b)
	}
	return Restored{Preview: in.Preview, Changes: []RestoreChange{{"account", "a", "add"}}}, f.err
}

// form is a form as browsers and the command line send it.
func form(t *testing.T, file string, fields ...string) (kind, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if file != "" {
		part, err := w.CreateFormFile("file", "x.age")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(part, file)
	}
	w.Close()
	return w.FormDataContentType(), b.String()
}

func withBackups(t *testing.T) (*fakeBackups, *browser, *acts) {
	t.Helper()
	_, b, done := newDoors(t)
	f := &fakeBackups{}
	h, ok := b.h.(*Handler)
	if !ok {
		t.Fatal("another handler")
	}
	h.o.Backups = f
	decode[Session](t, b.do("POST", sessionPath, `{"token":"`+token+`"}`, "Content-Type", "application/json"))
	*done = nil
	return f, b, done
}

// TestBackupNeedsProof: neither a backup nor a restore is had by a session
// alone, and each is audited.
func TestBackupNeedsProof(t *testing.T) {
	f, b, done := withBackups(t)
	head := []string{CSRFHeader, "1", "Content-Type", "application/json"}
	isProblem(t, b.do("POST", "/api/backup", `{"passphrase":"correct horse battery"}`, head...), http.StatusForbidden, CodeProof)
	isProblem(t, b.do("POST", "/api/backup", `{"passphrase":"correct horse battery","token":"at-wrong"}`, head...), http.StatusUnauthorized, CodeUnauthorised)
	kind, body := form(t, "age", "passphrase", "x")
	isProblem(t, b.do("POST", "/api/restore", body, CSRFHeader, "1", "Content-Type", kind), http.StatusForbidden, CodeProof)
	isProblem(t, b.do("POST", "/api/restore", body, "Content-Type", kind), http.StatusForbidden, CodeForbidden)
	if f.asked != nil || len(*done) > 0 {
		t.Errorf("asked %+v, audited %+v", f.asked, *done)
	}
	w := b.do("POST", "/api/backup", `{"passphrase":"correct horse battery","token":"`+token+`"}`, head...)
	if w.Code != 200 || w.Body.String() != "age of correct horse battery" || w.Header().Get("Content-Type") != "application/octet-stream" || !strings.Contains(w.Header().Get("Content-Disposition"), ".age") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	kind, body = form(t, "age", "token", token, "preview", "true", "passphrase", "x")
	if r := decode[Restored](t, b.do("POST", "/api/restore", body, CSRFHeader, "1", "Content-Type", kind)); !r.Preview || len(r.Changes) != 1 {
		t.Errorf("the preview: %+v", r)
	}
	kind, body = form(t, "", "token", token, "snapshot", "accounts-x-daily.db")
	decode[Restored](t, b.do("POST", "/api/restore", body, CSRFHeader, "1", "Content-Type", kind))
	var whats []string
	for _, a := range *done {
		whats = append(whats, a.What+" "+a.Whom)
	}
	if !slices.Equal(whats, []string{"backup ", "restore accounts-x-daily.db"}) {
		t.Errorf("audited is %q", whats)
	}
	f.err = Busy{errors.New("under way")}
	isProblem(t, b.do("POST", "/api/backup", `{"passphrase":"correct horse battery","token":"`+token+`"}`, head...), http.StatusServiceUnavailable, CodeUnavailable)
	f.err = Invalid{errors.New("too short")}
	isProblem(t, b.do("POST", "/api/backup", `{"passphrase":"x","token":"`+token+`"}`, head...), http.StatusUnprocessableEntity, CodeInvalid)
	isProblem(t, b.do("POST", "/api/restore", body, CSRFHeader, "1", "Content-Type", kind), http.StatusUnprocessableEntity, CodeInvalid)
}

func TestRestoreForms(t *testing.T) {
	f := newFake()
	backups := &fakeBackups{}
	o := f.options()
	o.Backups = backups
	h := New(o)
	b := &browser{t: t, h: h, peer: "127.0.0.1:1"}
	send := func(kind, body string) int {
		backups.asked = nil
		return b.do("POST", "/api/restore", body, "Content-Type", kind, "Authorization", "Bearer "+token).Code
	}
	kind, body := form(t, "the file", "passphrase", "päss", "keep", "true", "parts", "accounts, ledger")
	if got := send(kind, body); got != 200 || backups.file != "the file" || backups.asked.Passphrase != "päss" || !backups.asked.Keep || backups.asked.Preview ||
		!maps.Equal(backups.asked.Parts, map[string]bool{"accounts": true, "ledger": true}) {
		t.Errorf("%d, asked %+v", got, backups.asked)
	}
	kind, body = form(t, "the file")
	if got := send(kind, body); got != 200 || len(backups.asked.Parts) != 5 || backups.asked.Parts["ledger"] {
		t.Errorf("%d, asked %+v", got, backups.asked)
	}
	many := []string{}
	for range maxFields + 1 {
		many = append(many, "x"+string(rune('a'+len(many))), "")
	}
	for name, tt := range map[string]struct {
		file   string
		fields []string
		want   int
	}{
		"neither": {"", nil, 422}, "both": {"x", []string{"snapshot", "y"}, 422}, "another part": {"x", []string{"parts", "accounts,all"}, 422},
		"a long field": {"x", []string{"passphrase", strings.Repeat("x", maxField+1)}, 400}, "many fields": {"x", many, 400},
	} {
		kind, body := form(t, tt.file, tt.fields...)
		if got := send(kind, body); got != tt.want || backups.asked != nil {
			t.Errorf("%s: %d, asked %+v", name, got, backups.asked)
		}
	}
	for kind, want := range map[string]int{"application/json": 415, "multipart/form-data": 415, "": 415, "multipart/form-data; boundary=x": 422} {
		if got := send(kind, "{}"); got != want {
			t.Errorf("%q: %d", kind, got)
		}
	}
	l := decode[List[Snapshot]](t, call(t, h, "GET", "/api/backups", ""))
	if len(l.Items) != 1 || l.Items[0] != (Snapshot{"accounts-x-daily.db", "daily", time.Date(2026, 11, 23, 12, 40, 0, 0, time.UTC), 9}) {
		t.Errorf("%+v", l.Items)
	}
}
