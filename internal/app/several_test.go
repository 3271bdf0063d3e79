package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/provider/oauth/oauthtest"
	"portico/internal/store"
)

// A removal that is undone gives back all of a login: its refresh token, which
// was replaced since it was given, too. Meanwhile nothing of it is on the disk.
func TestUndo(t *testing.T) {
	s := oauthtest.New(t)
	s.Rotate(true, time.Hour)
	base, _ := upstream(t, s)
	r := serve(t, "")
	add := fmt.Sprintf(`{"name":"g","provider":"gemini","base_url":%q,"refresh_token":%q,"client":%q,"tags":["x"],"test":false}`, base+"/v1beta", s.Login("api openid"), s.ClientFile())
	if status, body := r.operate("POST", "/api/accounts", add); status != 201 {
		t.Fatalf("added: %d %s", status, body)
	}
	served := func() int {
		status, _ := r.ask("POST", "/v1beta/models/gemini-x:generateContent", askGemini)
		return status
	}
	if got := served(); got != 200 {
		t.Fatalf("before: %d", got)
	}
	if status, body := r.operate("POST", "/api/accounts/bulk", `{"select":{"tags":["x"]},"remove":true}`); status != 200 || !strings.Contains(body, `"done":["g"]`) {
		t.Errorf("removed: %d %s", status, body)
	}
	if got := served(); got == 200 {
		t.Error("a removed account serves")
	}
	r.leaks()
	if status, body := r.operate("POST", "/api/accounts/restore", `{"names":["g"]}`); status != 204 {
		t.Errorf("restored: %d %s", status, body)
	}
	s.Expire()
	if got := served(); got != 200 || s.Refused("refresh_token") != 0 {
		t.Errorf("after: %d, %d refresh tokens were refused", got, s.Refused("refresh_token"))
	}
	if status, body := r.operate("POST", "/api/accounts/restore", `{"names":["g"]}`); status != 404 || !strings.Contains(body, "account_gone") {
		t.Errorf("restored twice: %d %s", status, body)
	}
	for _, name := range []string{"a", "b"} {
		if status, body := r.operate("POST", "/api/accounts", fmt.Sprintf(`{"name":%q,"provider":"ollama","label":"L"}`, name)); status != 201 {
			t.Errorf("added: %d %s", status, body)
		}
	}
	if status, body := r.operate("POST", "/api/accounts/order", `{"names":["b"]}`); status != 204 {
		t.Errorf("ordered: %d %s", status, body)
	}
	var order []string
	for _, v := range r.app.pool.Views() {
		order = append(order, v.Name+v.Label)
	}
	if !slices.Equal(order, []string{"bL", "g", "aL"}) {
		t.Errorf("the order is %q", order)
	}
	for _, body := range []string{`{"name":"c","provider":"ollama","label":"a\u0007b"}`, `{"name":"c","provider":"ollama","tags":["a b"]}`, `{"name":"c","provider":"ollama","models":["/(/"]}`} {
		if status, says := r.operate("POST", "/api/accounts", body); status != 422 {
			t.Errorf("%s: %d %s", body, status, says)
		}
	}
	r.leaks()
}

// What was removed is kept for ten seconds, and in bounds.
func TestBin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bin
		of := func(names ...string) (all []binned) {
			for _, n := range names {
				all = append(all, binned{account: store.Account{ID: n, Name: n}})
			}
			return all
		}
		b.put(of("a", "b"))
		time.Sleep(undoTime - time.Second)
		if _, ok := b.take([]string{"a", "c"}); ok {
			t.Error("one that is not there was taken")
		}
		if all, ok := b.take([]string{"a"}); !ok || all[0].account.ID != "a" {
			t.Errorf("%v, %v", all, ok)
		}
		b.put(of("a")) // removed anew
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, ok := b.take([]string{"b"}); ok {
			t.Error("it is kept for more than ten seconds")
		}
		if _, ok := b.take([]string{"a"}); !ok {
			t.Error("it is forgotten with the removal before")
		}
		many := make([]string, store.MaxAccounts)
		for i := range many {
			many[i] = fmt.Sprint(i)
		}
		b.put(of(many...))
		b.put(of("x", "y"))
		kept := func() int {
			b.mu.Lock()
			defer b.mu.Unlock()
			return len(b.all)
		}
		if n := kept(); n != 2 {
			t.Errorf("%d are kept", n)
		}
		time.Sleep(undoTime)
		synctest.Wait()
		if n := kept(); n != 0 {
			t.Errorf("%d are kept at the end", n)
		}
	})
}
