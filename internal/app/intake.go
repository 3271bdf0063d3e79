package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"portico/internal/admin"
	"portico/internal/config"
	"portico/internal/credential"
	"portico/internal/intake"
	"portico/internal/provider/simulator"
	"portico/internal/secret"
)

const (
	// maxTested bounds the accounts of a file that are tested, testedAtOnce those
	// at one time, and testedIn how long that may take.
	maxTested, testedAtOnce, testedIn = 100, 4, 100 * time.Second
)

// Import implements admin.Accounts.
func (a accounts) Import(ctx context.Context, i admin.Import) ([]admin.Imported, error) {
	items, err := intake.Read(i.File)
	if err != nil {
		return nil, admin.Invalid{Err: err}
	}
	if _, err := a.issuer(i.Like.Provider); err != nil {
		return nil, err
	}
	intake.Fill(items, i.Like, func(refresh secret.Text) (secret.Text, error) { return a.Document(i.Like.Provider, refresh, i.Client) })
	existing, err := a.all(ctx)
	if err != nil {
		return nil, err
	}
	steps := intake.Plan(items, existing, checking(a.providers))
	out := make([]admin.Imported, len(steps))
	var adds []int
	for n := range steps {
		out[n] = imported(&steps[n])
		if steps[n].Verdict == intake.Add {
			adds = append(adds, n)
		}
	}
	if i.Preview {
		return out, nil
	}
	if i.Test {
		if len(adds) > maxTested {
			return nil, admin.Invalid{Err: fmt.Errorf("the file has %d accounts to add; at most %d are tested at one time, so split it, or add them without a test", len(adds), maxTested)}
		}
		a.probeAll(ctx, steps, adds, out)
		adds = slices.DeleteFunc(adds, func(n int) bool { return out[n].Verdict == failed })
	}
	added := make([]config.Account, len(adds))
	for k, n := range adds {
		added[k], out[n].Verdict = steps[n].Account, "added"
	}
	return out, a.addAll(ctx, added)
}

// failed is the verdict on an account whose upstream would not serve.
const failed = "failed"

// probeAll tests the accounts adds of steps, and writes into out what was found.
func (a accounts) probeAll(ctx context.Context, steps []intake.Step, adds []int, out []admin.Imported) {
	ctx, cancel := context.WithTimeout(ctx, testedIn)
	defer cancel()
	places := make(chan struct{}, testedAtOnce)
	var all sync.WaitGroup
	for _, n := range adds {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			t, err := a.Probe(ctx, steps[n].Account)
			switch {
			case err != nil:
				out[n].Verdict, out[n].Why = failed, sentence(err.Error())
			case !t.OK:
				out[n].Verdict, out[n].Why = failed, t.Text
			default:
				out[n].Why = strings.TrimSpace(out[n].Why + " " + t.Text)
			}
		})
	}
	all.Wait()
}

func imported(s *intake.Step) admin.Imported {
	c := &s.Account
	return admin.Imported{
		Name: c.Name, From: s.From, Provider: c.Provider, Preset: c.Preset, BaseURL: c.BaseURL, Key: hint(c.APIKey), Models: c.Models, Disabled: c.Disabled,
		Verdict: string(s.Verdict), Why: s.Why, Lost: s.Lost,
	}
}

// hint is enough of a credential to tell two apart.
func hint(t secret.Text) string {
	switch {
	case t.IsZero():
		return ""
	case credential.IsDocument(t):
		return credential.Owner(t)
	}
	return t.Hint()
}

// all are the accounts that there are, wherever they were made.
func (a *App) all(ctx context.Context) ([]config.Account, error) {
	all := slices.Clone(a.config.Load().Accounts)
	stored, err := a.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	for i := range stored {
		all = append(all, stored[i].Account)
	}
	return append(all, config.Account{Name: simulator.Name}), nil // which may be switched on later
}

// addAll adds accounts that are sound, all or none.
func (a *App) addAll(ctx context.Context, cs []config.Account) error {
	if len(cs) == 0 {
		return nil
	}
	if err := a.store.AddAccounts(ctx, cs); err != nil {
		return told(err)
	}
	return a.refresh()
}
