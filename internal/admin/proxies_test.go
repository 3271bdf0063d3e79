package admin

import (
	"context"
	"errors"
	"testing"

	"portico/internal/store"
)

// fakeProxies has the proxy "mine", which an account names, and "office" of the
// file.
type fakeProxies struct {
	all     []Proxy
	address string
	off     *bool
}

func (f *fakeProxies) Views(context.Context) ([]Proxy, error) { return f.all, nil }

func (f *fakeProxies) Add(_ context.Context, name, address string, off bool) error {
	switch {
	case name == "mine":
		return store.ErrProxyTaken
	case address == "x":
		return Invalid{errors.New("it is no proxy")}
	}
	f.all = append(f.all, Proxy{Name: name, State: map[bool]string{true: "off", false: "unchecked"}[off]})
	f.address = address
	return nil
}

func (f *fakeProxies) Change(_ context.Context, name string, address *string, off *bool) error {
	switch name {
	case "office":
		return ErrProxyDeclared
	case "mine":
		f.off = off
		if address != nil {
			f.address = *address
		}
		return nil
	}
	return store.ErrNoProxy
}

func (f *fakeProxies) Remove(_ context.Context, name string) error {
	if name == "mine" {
		return InUse{"the account work"}
	}
	return nil
}

func (f *fakeProxies) Test(_ context.Context, name string) (Proxy, error) {
	if name == "mine" {
		return Proxy{Name: name, State: "alive", LatencyMS: 7}, nil
	}
	return Proxy{}, store.ErrNoProxy
}

func TestProxies(t *testing.T) {
	o := newFake().options()
	p := &fakeProxies{all: []Proxy{{Name: "mine"}, {Name: "office"}}}
	o.Proxies = p
	h := New(o)
	for _, tt := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/api/proxies/none", "", 404, CodeNoProxy},
		{"POST", "/api/proxies", `{"name":"mine","url":"http://p:1"}`, 409, CodeProxyTaken},
		{"POST", "/api/proxies", `{"name":"a","url":"x"}`, 422, CodeInvalid},
		{"POST", "/api/proxies", `{"name":"a"}`, 422, CodeInvalid},
		{"PATCH", "/api/proxies/office", `{"disabled":true}`, 409, CodeDeclared},
		{"PATCH", "/api/proxies/none", `{"disabled":true}`, 404, CodeNoProxy},
		{"DELETE", "/api/proxies/mine", "", 409, CodeProxyUsed},
		{"POST", "/api/proxies/none/test", "", 404, CodeNoProxy},
	} {
		isProblem(t, call(t, h, tt.method, tt.path, tt.body), tt.status, tt.code)
	}
	made := decode[Proxy](t, call(t, h, "POST", "/api/proxies", `{"name":"new","url":"socks5://u:p@h:1","disabled":true}`))
	if made.Name != "new" || made.State != "off" || p.address != "socks5://u:p@h:1" {
		t.Errorf("made: %+v of %q", made, p.address)
	}
	changed := decode[Proxy](t, call(t, h, "PATCH", "/api/proxies/mine", `{"url":"http://q:2"}`))
	if changed.Name != "mine" || p.off != nil || p.address != "http://q:2" {
		t.Errorf("changed: %+v, %v, %q", changed, p.off, p.address)
	}
	if list := decode[List[Proxy]](t, call(t, h, "GET", "/api/proxies", "")); len(list.Items) != 3 {
		t.Errorf("the list: %+v", list)
	}
	if tested := decode[Proxy](t, call(t, h, "POST", "/api/proxies/mine/test", "")); tested.State != "alive" || tested.LatencyMS != 7 {
		t.Errorf("tested: %+v", tested)
	}
	if w := call(t, h, "DELETE", "/api/proxies/new", ""); w.Code != 204 {
		t.Errorf("removed: %d", w.Code)
	}
}
