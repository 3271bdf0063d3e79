package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"portico/internal/rig"
)

// accounts is an operator who adds, changes and removes accounts all the time,
// and knows what was acknowledged. A change that was under way at a kill may
// have happened or not.
type accounts struct {
	base   string
	n      int
	known  map[string]int // priority by name
	unsure string         // the account whose last change was not acknowledged, or ""
	maybe  [2]int         // its priority before and after, absent for none
	acked  int
	faults []string
}

const absent = -1

// maxKnown keeps the number of accounts small enough for a request to stay
// cheap.
const maxKnown = 20

func newAccounts(u *rig.Upstream) accounts {
	return accounts{base: u.Base(rig.Chat), known: map[string]int{}}
}

// work changes accounts until the gateway is gone.
func (x *accounts) work(ctx context.Context, o rig.Operator) {
	for ctx.Err() == nil {
		method, path, name, to := http.MethodPost, "/api/accounts", "", 1+rand.N(1000)
		var body any
		for n := range x.known {
			name = n
			break
		}
		switch what := rand.N(3); {
		case len(x.known) == 0 || what == 0 && len(x.known) < maxKnown:
			x.n++
			name = fmt.Sprintf("op-%d", x.n)
			body = map[string]any{"name": name, "provider": "openai", "base_url": x.base, "api_key": "sk-CANARY-op-0123456789", "models": []string{"no-*"}, "priority": to}
		case what == 1:
			method, path = http.MethodPatch, path+"/"+name
			body = map[string]any{"priority": to}
		default:
			method, path, to = http.MethodDelete, path+"/"+name, absent
		}
		before, ok := x.known[name]
		if !ok {
			before = absent
		}
		x.unsure, x.maybe = name, [2]int{before, to}
		if status, err := o.Call(ctx, method, path, body, nil); err != nil {
			if status != 0 {
				x.faults = append(x.faults, err.Error())
			}
			return
		}
		x.acked++
		x.set(name, to)
		x.unsure = ""
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (x *accounts) set(name string, to int) {
	if to == absent {
		delete(x.known, name)
	} else {
		x.known[name] = to
	}
}

// compare compares with what the gateway knows.
func (x *accounts) compare(ctx context.Context, o rig.Operator) error {
	var list struct {
		Items []struct {
			Name     string `json:"name"`
			Origin   string `json:"origin"`
			Priority int    `json:"priority"`
			State    string `json:"state"`
			Key      string `json:"key"`
		} `json:"items"`
	}
	if _, err := o.Call(ctx, http.MethodGet, "/api/accounts", nil, &list); err != nil {
		return err
	}
	got := map[string]int{}
	for _, a := range list.Items {
		if a.Origin != "store" {
			continue
		}
		got[a.Name] = a.Priority
		if a.State != "ready" || a.Key == "" {
			x.faults = append(x.faults, fmt.Sprintf("%s is %s with the key %q", a.Name, a.State, a.Key))
		}
	}
	if x.unsure != "" {
		is, ok := got[x.unsure]
		if !ok {
			is = absent
		}
		if is != x.maybe[0] && is != x.maybe[1] {
			x.faults = append(x.faults, fmt.Sprintf("%s has the priority %d, which is neither %d nor %d", x.unsure, is, x.maybe[0], x.maybe[1]))
		}
		x.set(x.unsure, is)
		x.unsure = ""
	}
	for name, want := range x.known {
		if is, ok := got[name]; !ok || is != want {
			x.faults = append(x.faults, fmt.Sprintf("%s: priority %d (there: %t), acknowledged was %d", name, is, ok, want))
		}
		delete(got, name)
	}
	for name := range got {
		x.faults = append(x.faults, name+" was removed and is back")
	}
	return nil
}
