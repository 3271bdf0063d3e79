package admin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/internal/budget"
	"portico/internal/clientkey"
	"portico/internal/store"
)

// fakeKeys are client keys in memory.
type fakeKeys struct {
	f   *fake
	all []KeyView
}

func (k *fakeKeys) Views(context.Context) ([]KeyView, error) {
	k.f.hits++
	return slices.Clone(k.all), k.f.failed
}

func (k *fakeKeys) find(name string, version int64) (int, error) {
	k.f.hits++
	i := slices.IndexFunc(k.all, func(v KeyView) bool { return v.Name == name })
	switch {
	case i < 0:
		return i, store.ErrNoKey
	case version != 0 && k.all[i].Version != version:
		return i, store.ErrVersion
	}
	return i, nil
}

func (k *fakeKeys) Add(_ context.Context, name string, s clientkey.Settings) (string, error) {
	if _, err := k.find(name, 0); err == nil {
		return "", store.ErrKeyTaken
	}
	r := clientkey.Record{Name: name, Hint: "sk-…ab12", Version: 1, Created: began, Updated: began, Settings: s}
	if _, err := clientkey.New(r); err != nil {
		return "", Invalid{err}
	}
	k.all = append(k.all, KeyView{Record: r})
	return "sk-the-text-of-" + name, nil
}

func (k *fakeKeys) Change(_ context.Context, name string, version int64, change func(*clientkey.Settings) error) error {
	i, err := k.find(name, version)
	if err != nil {
		return err
	}
	s := k.all[i].Settings
	if err := change(&s); err != nil {
		return err
	}
	k.all[i].Settings = s
	k.all[i].Version++
	return nil
}

func (k *fakeKeys) Rotate(_ context.Context, name string, version int64) (string, error) {
	i, err := k.find(name, version)
	if err != nil {
		return "", err
	}
	k.all[i].Version++
	return "sk-another", nil
}

func (k *fakeKeys) Remove(_ context.Context, name string, version int64) error {
	i, err := k.find(name, version)
	if err == nil {
		k.all = slices.Delete(k.all, i, i+1)
	}
	return err
}

func TestClientKeys(t *testing.T) {
	f := newFake()
	o := f.options()
	keys := o.Keys.(*fakeKeys)
	keys.all = nil
	h := New(o)
	made := decode[MadeKey](t, call(t, h, "POST", "/api/keys", `{"name":"ci","models":["gpt-*"],"expires":"2030-01-02T03:04:05+01:00","rpm":60,"day":{"usd":1.5,"tokens":10},"hours":["mon-fri 08:00-18:00"],"zone":"Europe/Berlin"}`))
	if made.Key != "sk-the-text-of-ci" || made.Name != "ci" || made.Day.USD != 1.5 || made.Day.Tokens != 10 || !made.Expires.Equal(time.Date(2030, 1, 2, 2, 4, 5, 0, time.UTC)) || made.State != "active" {
		t.Errorf("made: %+v", made)
	}
	if got := keys.all[0].Settings; got.Day.Nanos != 1_500_000_000 || got.RPM != 60 || got.Zone != "Europe/Berlin" {
		t.Errorf("kept: %+v", got)
	}
	keys.all[0].Usage = budget.Usage{InFlight: 2, Day: budget.Amount{Tokens: 3, Nanos: 2e8}, Held: budget.Amount{Tokens: 1, Nanos: 1e8}, DayEnds: began}
	w := call(t, h, "GET", "/api/keys/ci", "")
	one := decode[ClientKey](t, w)
	if w.Header().Get("ETag") != `"1"` || one.InFlight != 2 || one.Day.SpentUSD != 0.2 || one.Day.HeldUSD != 0.1 || one.Day.SpentTokens != 3 || !one.Day.Ends.Equal(began) {
		t.Errorf("%s: %+v", w.Header().Get("ETag"), one)
	}
	if strings.Contains(w.Body.String(), "sk-the-text") {
		t.Error("the key is shown again")
	}
	list := decode[List[ClientKey]](t, call(t, h, "GET", "/api/keys", ""))
	if len(list.Items) != 1 || list.Items[0].Name != "ci" {
		t.Errorf("listed: %+v", list)
	}
	changed := decode[ClientKey](t, call(t, h, "PATCH", "/api/keys/ci", `{"models":[],"day":{"usd":0},"expires":"never","disabled":true}`))
	if len(changed.Models) != 0 || changed.Day.USD != 0 || changed.Day.Tokens != 10 || !changed.Expires.IsZero() || changed.State != "disabled" || changed.RPM != 60 || changed.Version != 2 {
		t.Errorf("changed: %+v", changed)
	}
	if again := decode[MadeKey](t, call(t, h, "POST", "/api/keys/ci/rotate", "")); again.Key != "sk-another" || again.Version != 3 {
		t.Errorf("rotated: %+v", again)
	}
	for _, tt := range []struct {
		method, path, body, match string
		status                    int
		code                      string
	}{
		{"POST", "/api/keys", `{"name":"ci"}`, "", 409, CodeKeyTaken},
		{"POST", "/api/keys", `{"name":"default"}`, "", 422, CodeInvalid},
		{"POST", "/api/keys", `{"name":"x","addresses":["10.0.0.0/33"]}`, "", 422, CodeInvalid},
		{"POST", "/api/keys", `{"name":"x","expires":"tomorrow"}`, "", 422, CodeInvalid},
		{"POST", "/api/keys", `{"name":"x","rpm":-1}`, "", 422, CodeInvalid},
		{"GET", "/api/keys/none", "", "", 404, CodeNoKey},
		{"PATCH", "/api/keys/none", "{}", "", 404, CodeNoKey},
		{"PATCH", "/api/keys/ci", "{}", `"1"`, 412, CodeVersion},
		{"PATCH", "/api/keys/ci", "{}", "x", 412, CodeVersion},
		{"POST", "/api/keys/ci/rotate", "", `"1"`, 412, CodeVersion},
		{"DELETE", "/api/keys/ci", "", `"1"`, 412, CodeVersion},
		{"DELETE", "/api/keys/none", "", "", 404, CodeNoKey},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, strings.NewReader(tt.body))
		r.Header.Set("Authorization", "Bearer "+token)
		if tt.match != "" {
			r.Header.Set("If-Match", tt.match)
		}
		isProblem(t, do(h, r), tt.status, tt.code)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/api/keys/ci", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("If-Match", `"3"`)
	if w := do(h, r); w.Code != http.StatusNoContent || len(keys.all) != 0 {
		t.Errorf("removed: %d %s", w.Code, w.Body)
	}
}
