package admin

import (
	"context"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"portico/internal/access"
	"portico/internal/store"
)

// fakeAccess are rules and acts in memory. Whoever adds a rule that denies, or
// removes the rule "mine", is kept out.
type fakeAccess struct {
	f     *fake
	rules []store.Rule
	acts  []store.Act
	asked store.Past
}

func (a *fakeAccess) Rules(context.Context) ([]store.Rule, map[string]store.Hits, error) {
	a.f.hits++
	return a.rules, map[string]store.Hits{"mine": {Hits: 7, Last: began}}, nil
}

func (a *fakeAccess) AddRule(_ context.Context, r store.Rule) (store.Rule, error) {
	a.f.hits++
	for _, old := range a.rules {
		if old.Range == r.Range {
			return r, store.ErrRuleTaken
		}
	}
	r.ID, r.Created = "new", began
	a.rules = append(a.rules, r)
	return r, nil
}

func (a *fakeAccess) RemoveRule(_ context.Context, id string) error {
	a.f.hits++
	if id == "none" {
		return store.ErrNoRule
	}
	return nil
}

func (a *fakeAccess) KeepsOut(_ netip.Addr, add *store.Rule, remove string) bool {
	return add != nil && add.Deny || remove == "mine"
}

func (a *fakeAccess) Notes(_ context.Context, p store.Past) ([]store.Note, string, error) {
	a.f.hits++
	a.asked = p
	if p.Cursor == "!" {
		return nil, "", store.ErrCursor
	}
	return []store.Note{{First: began, Last: began, Peer: "10.0.0.1", Code: "invalid_key", Path: "/v1/models", Count: 3}}, "next", nil
}

func (a *fakeAccess) KeepAct(_ context.Context, x store.Act) error {
	a.acts = append(a.acts, x)
	return a.f.failed
}

func (a *fakeAccess) Acts(context.Context, store.Past) ([]store.Act, string, error) {
	a.f.hits++
	return a.acts, "", nil
}

func TestAccess(t *testing.T) {
	f := newFake()
	o := f.options()
	a := &fakeAccess{f: f, rules: []store.Rule{{ID: "mine", Range: netip.MustParsePrefix("10.0.0.0/8"), Expires: began}}}
	o.Access, o.Acts = a, a
	o.ClientOf = ClientOf(func() *access.Policy { return access.NewPolicy(f.cfg) })
	h := New(o)
	list := decode[List[AddressRule]](t, call(t, h, "GET", "/api/access/rules", ""))
	if len(list.Items) != 1 || list.Items[0].State != "expired" || list.Items[0].Kind != "allow" || list.Items[0].Hits != 7 {
		t.Errorf("rules: %+v", list)
	}
	for _, tt := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"POST", "/api/access/rules", `{"kind":"deny","range":"192.0.2.0/24"}`, 409, CodeLockOut},
		{"POST", "/api/access/rules", `{"kind":"allow","range":"10.0.0.0/8"}`, 409, CodeRuleTaken},
		{"POST", "/api/access/rules", `{"kind":"allow","range":"10.0.0.0/80"}`, 422, CodeInvalid},
		{"POST", "/api/access/rules", `{"kind":"allow","range":"10.0.0.1","expires":"soon"}`, 422, CodeInvalid},
		{"POST", "/api/access/rules", `{"kind":"other","range":"10.0.0.1"}`, 422, CodeInvalid},
		{"DELETE", "/api/access/rules/mine", "", 409, CodeLockOut},
		{"DELETE", "/api/access/rules/none", "", 404, CodeNoRule},
		{"GET", "/api/access/log?cursor=!", "", 400, CodeMalformed},
	} {
		isProblem(t, call(t, h, tt.method, tt.path, tt.body), tt.status, tt.code)
	}
	if len(a.acts) != 0 {
		t.Errorf("what was refused is in the audit log: %+v", a.acts)
	}
	made := decode[AddressRule](t, call(t, h, "POST", "/api/access/rules", `{"kind":"deny","range":"192.0.2.7","force":true,"reason":"noise"}`))
	if made.Range != "192.0.2.7/32" || made.Kind != "deny" || made.Reason != "noise" || made.State != "active" {
		t.Errorf("made: %+v", made)
	}
	if w := call(t, h, "DELETE", "/api/access/rules/mine?force=true", ""); w.Code != 204 {
		t.Errorf("removed: %d", w.Code)
	}
	notes := decode[List[GateNote]](t, call(t, h, "GET", "/api/access/log?code=invalid_key&address=10.0.0.1&limit=5", ""))
	if len(notes.Items) != 1 || notes.Items[0].Count != 3 || notes.Next != "next" || a.asked.What != "invalid_key" || a.asked.Peer != "10.0.0.1" || a.asked.Limit != 5 {
		t.Errorf("notes: %+v, asked for %+v", notes, a.asked)
	}
}

// TestAudit: what changed is kept with who did it, from where, and to what;
// nothing else of a request is.
func TestAudit(t *testing.T) {
	f := newFake()
	o := f.options()
	a := &fakeAccess{f: f}
	o.Access, o.Acts = a, a
	o.ClientOf = ClientOf(func() *access.Policy { return access.NewPolicy(f.cfg) })
	h := New(o)
	for _, x := range [][3]string{
		{"POST", "/api/keys", `{"name":"audited","note":"secret"}`},
		{"PATCH", "/api/keys/audited", `{"disabled":true}`},
		{"POST", "/api/access/rules", `{"kind":"allow","range":"10.0.0.0/8","reason":"secret"}`},
		{"GET", "/api/keys", ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), x[0], x[1], strings.NewReader(x[2]))
		r.Header.Set("Authorization", "Bearer "+token)
		r.RemoteAddr = "192.0.2.9:1234"
		if w := do(h, r); w.Code/100 != 2 {
			t.Fatalf("%v: %d %s", x, w.Code, w.Body)
		}
	}
	list := decode[List[Act]](t, call(t, h, "GET", "/api/audit", ""))
	want := [][2]string{{"add-key", "audited"}, {"change-key", "audited"}, {"add-address-rule", "10.0.0.0/8"}}
	if len(list.Items) != len(want) {
		t.Fatalf("acts: %+v", list)
	}
	for i, x := range list.Items {
		if x.Who != "token" || x.Address != "192.0.2.9" || x.What != want[i][0] || x.Whom != want[i][1] {
			t.Errorf("act %d: %+v, want %v", i, x, want[i])
		}
	}
}
