package main

import (
	"encoding/json/v2"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"portico/internal/rig"
)

// What may take how long with as many accounts as a pool takes, ten times as
// many as the reliability sheet asks for (REL-10).
const (
	crowdStart  = 1500 * time.Millisecond // from the start to the first answer
	crowdList   = time.Second             // all accounts
	crowdSearch = 100 * time.Millisecond  // a page of those that match
	crowdChange = time.Second             // of one account
	crowdPick   = 10 * time.Millisecond   // a request, from the client to its answer, p99
)

// crowdModels is how many models the accounts serve, each an equal share.
const crowdModels = 50

// many puts many accounts into a gateway and looks how it is with them.
func (s *soak) many() error {
	const name = "accounts"
	if s.size.accounts == 0 {
		return nil
	}
	g, u, end, err := s.gateway(name, "")
	if err != nil {
		return err
	}
	defer func() { end() }()
	o := rig.Operator{Base: g.Base, Token: adminToken, HTTP: rig.Client()}
	began := time.Now()
	if err := s.fill(o, u); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "accounts: %d were imported in %s\n", s.size.accounts, time.Since(began).Round(time.Millisecond))
	g.Kill()
	again, err := rig.Start(s.ctx, rig.Options{Binary: s.binary, Dir: filepath.Join(s.dir, name), Port: g.Port})
	if err != nil {
		return err
	}
	end = func() { again.Kill(); u.Close() }
	if err := again.Healthy(s.ctx, 60*time.Second); err != nil {
		return err
	}
	r := &s.report
	r.within(name, fmt.Sprintf("start with %d accounts", s.size.accounts), again.Startup, crowdStart)

	var list struct {
		Items []struct {
			Name string `json:"name"`
		} `json:"items"`
	}
	took, err := timed(func() error { _, err := o.Call(s.ctx, http.MethodGet, "/api/accounts", nil, &list); return err })
	if err != nil {
		return err
	}
	want := s.size.accounts + 6 // those of the configuration
	r.add(name, "accounts in the list of all", fmt.Sprint(want), len(list.Items) == want, "%d", len(list.Items))
	r.within(name, "the list of all", took, crowdList)
	last := fmt.Sprintf("crowd-%05d", s.size.accounts-1)
	took, err = timed(func() error {
		list.Items = nil
		_, err := o.Call(s.ctx, http.MethodGet, "/api/accounts?"+url.Values{"q": {last}, "limit": {"50"}}.Encode(), nil, &list)
		return err
	})
	if err != nil {
		return err
	}
	r.add(name, "accounts found by a name", "1", len(list.Items) == 1, "%d", len(list.Items))
	r.within(name, "a search", took, crowdSearch)
	took, err = timed(func() error {
		_, err := o.Call(s.ctx, http.MethodPatch, "/api/accounts/"+last, map[string]any{"priority": 3}, nil)
		return err
	})
	if err != nil {
		return err
	}
	r.within(name, "a change of one", took, crowdChange)

	var all times
	failed := 0
	for n := range s.size.each {
		a := rig.Ask{Protocol: rig.Chat, Model: fmt.Sprintf("crowd-%d", n%crowdModels), Key: apiKey, Script: rig.Script{N: int64(n), In: 1, Out: 1, Chunks: 1}}
		began := time.Now()
		if got := a.Do(s.ctx, o.HTTP, again.Base, nil); !got.Whole || got.Status != http.StatusOK {
			failed++
		}
		all = append(all, time.Since(began))
	}
	r.none(name, fmt.Sprintf("of %d requests refused", s.size.each), failed, "")
	r.within(name, "a request, p99", all.at(.99), crowdPick)
	return nil
}

// fill imports the accounts in one file.
func (s *soak) fill(o rig.Operator, u *rig.Upstream) error {
	type account struct {
		Name     string   `json:"name"`
		Provider string   `json:"provider"`
		BaseURL  string   `json:"base_url"`
		APIKey   string   `json:"api_key"`
		Models   []string `json:"models"`
	}
	file := struct {
		Form     int       `json:"portico_accounts"`
		Accounts []account `json:"accounts"`
	}{1, make([]account, s.size.accounts)}
	for i := range file.Accounts {
		file.Accounts[i] = account{
			fmt.Sprintf("crowd-%05d", i), "openai", u.Base(rig.Chat), fmt.Sprintf("sk-CANARY-crowd-%05d-0123456789", i), []string{fmt.Sprintf("crowd-%d", i%crowdModels)},
		}
	}
	text, err := json.Marshal(file)
	if err != nil {
		return err
	}
	var done struct {
		Added int `json:"added"`
	}
	if _, err := o.Call(s.ctx, http.MethodPost, "/api/accounts/import", map[string]any{"file": string(text)}, &done); err != nil {
		return err
	}
	if done.Added != s.size.accounts {
		return fmt.Errorf("%d of %d accounts were imported", done.Added, s.size.accounts)
	}
	return nil
}

func timed(f func() error) (time.Duration, error) {
	began := time.Now()
	err := f()
	return time.Since(began), err
}
