package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"portico/internal/rig"
)

// keys is an operator who makes, changes, renews and revokes client keys all
// the time, and knows what was acknowledged. A change that was under way at a
// kill may have happened or not.
type keys struct {
	n      int
	known  map[string]issued
	ended  []string // texts that open nothing any more
	unsure string   // the key whose last change was not acknowledged, or ""
	maybe  [2]issued
	acked  int
	faults []string
}

// An issued key is what a client was given. The zero value is none.
type issued struct {
	text string // "" if the answer with it did not come
	rpm  int
}

// maxEnded bounds how many revoked keys are tried again at each start.
const maxEnded = 5

func newKeys() keys { return keys{known: map[string]issued{}} }

// work changes keys until the gateway is gone.
func (x *keys) work(ctx context.Context, o rig.Operator) {
	for ctx.Err() == nil {
		var name string
		for n := range x.known {
			name = n
			break
		}
		before, after := x.known[name], issued{rpm: 100 + rand.N(1000)}
		method, path, body := http.MethodPost, "/api/keys", any(nil)
		switch what := rand.N(4); {
		case len(x.known) == 0 || what == 0 && len(x.known) < maxKnown:
			x.n++
			name, before = fmt.Sprintf("key-%d", x.n), issued{}
			body = map[string]any{"name": name, "rpm": after.rpm}
		case what == 1:
			method, path, after.text = http.MethodPatch, path+"/"+name, before.text
			body = map[string]any{"rpm": after.rpm}
		case what == 2:
			path, after.rpm = path+"/"+name+"/rotate", before.rpm
		default:
			method, path, after = http.MethodDelete, path+"/"+name, issued{}
		}
		x.unsure, x.maybe = name, [2]issued{before, after}
		var made struct {
			Key string `json:"key"`
		}
		if status, err := o.Call(ctx, method, path, body, &made); err != nil {
			if status != 0 {
				x.faults = append(x.faults, err.Error())
			}
			return
		}
		x.acked++
		if method == http.MethodPost {
			after.text = made.Key
		}
		if before.text != "" && before.text != after.text {
			x.ended = append(x.ended, before.text)
			x.ended = x.ended[max(0, len(x.ended)-maxEnded):]
		}
		x.set(name, after)
		x.unsure = ""
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (x *keys) set(name string, to issued) {
	if to.rpm == 0 {
		delete(x.known, name)
	} else {
		x.known[name] = to
	}
}

// compare compares with what the gateway knows, and with whom it lets in.
func (x *keys) compare(ctx context.Context, o rig.Operator) error {
	var list struct {
		Items []struct {
			Name  string `json:"name"`
			State string `json:"state"`
			RPM   int    `json:"rpm"`
		} `json:"items"`
	}
	if _, err := o.Call(ctx, http.MethodGet, "/api/keys", nil, &list); err != nil {
		return err
	}
	got := map[string]int{}
	for _, k := range list.Items {
		got[k.Name] = k.RPM
		if k.State != "active" {
			x.wrong("%s is %s", k.Name, k.State)
		}
	}
	if name := x.unsure; name != "" {
		is := got[name] // 0: it is not there
		if is != x.maybe[0].rpm && is != x.maybe[1].rpm {
			x.wrong("%s allows %d, which is neither %d nor %d", name, is, x.maybe[0].rpm, x.maybe[1].rpm)
		}
		now := issued{rpm: is}
		if x.maybe[0].text != "" && x.maybe[0].text == x.maybe[1].text || x.maybe[0].text != "" && is != 0 && x.admits(ctx, o, x.maybe[0].text) {
			now.text = x.maybe[0].text // it was not renewed
		}
		x.set(name, now)
		x.unsure = ""
	}
	for name, want := range x.known {
		if is, ok := got[name]; !ok || is != want.rpm {
			x.wrong("%s: allows %d (there: %t), acknowledged was %d", name, is, ok, want.rpm)
		}
		if want.text != "" && !x.admits(ctx, o, want.text) {
			x.wrong("%s: the key that was given out opens nothing", name)
		}
		delete(got, name)
	}
	for name := range got {
		x.wrong("%s was revoked and is back", name)
	}
	for _, text := range x.ended {
		if x.admits(ctx, o, text) {
			x.wrong("a key that was renewed or revoked is taken")
			break
		}
	}
	x.ended = x.ended[:0] // each costs a guess
	return nil
}

// admits reports whether a client with that key is let in. A request for
// nothing costs the key none of its requests a minute.
func (x *keys) admits(ctx context.Context, o rig.Operator, text string) bool {
	status, err := rig.Operator{Base: o.Base, Token: text, HTTP: o.HTTP}.Call(ctx, http.MethodGet, "/v1/models", nil, nil)
	if status == 0 {
		x.wrong("%v", err)
	}
	return status != http.StatusUnauthorized && status != http.StatusTooManyRequests
}

func (x *keys) wrong(format string, args ...any) {
	if len(x.faults) < 20 {
		x.faults = append(x.faults, fmt.Sprintf(format, args...))
	}
}
