package intake

import (
	"encoding/json/v2"
	"fmt"
	"strings"

	"portico/internal/config"
	"portico/internal/secret"
)

// A Verdict is what becomes of an item.
type Verdict string

// The verdicts.
const (
	Add       Verdict = "add"
	Duplicate Verdict = "duplicate" // the account is there
	Refused   Verdict = "refused"
)

// A Step is an item with its verdict.
type Step struct {
	Item
	Verdict Verdict
	Why     string // a sentence, "" for an account that is added as it is
}

// Fill gives the refresh tokens among items their provider and credential:
// document makes one of a token, and like is what else the accounts are.
func Fill(items []Item, like config.Account, document func(refresh secret.Text) (secret.Text, error)) {
	for i := range items {
		x := &items[i]
		if x.Refresh.IsZero() {
			continue
		}
		name := x.Account.Name
		x.Account = like
		x.Account.Name, x.Account.Weight = nameOf(strings.TrimPrefix(name, "imported"), like.Provider), max(like.Weight, 1)
		var err error
		if x.Account.APIKey, err = document(x.Refresh); err != nil {
			x.Refused = sentence(err)
		}
	}
}

// Plan says what becomes of each item, beside the accounts that exist. check
// says why an account can be none.
func Plan(items []Item, existing []config.Account, check func(config.Account) error) []Step {
	names, same := map[string]bool{}, map[string]string{}
	for i := range existing {
		names[existing[i].Name] = true
		if id := identity(&existing[i]); id != "" {
			same[id] = existing[i].Name
		}
	}
	next := map[string]int{}
	out := make([]Step, len(items))
	for i := range items {
		s := &out[i]
		s.Item = items[i]
		id := identity(&s.Account)
		twin, twice := same[id]
		switch {
		case s.Item.Refused != "":
			s.Verdict, s.Why = Refused, s.Item.Refused
		case twice && id != "":
			s.Verdict, s.Why = Duplicate, fmt.Sprintf("The account %q has the same credential.", twin)
		default:
			if err := check(s.Account); err != nil {
				s.Verdict, s.Why = Refused, sentence(err)
				continue
			}
			s.Verdict = Add
			if own := s.Account.Name; names[own] {
				for n := max(next[own], 2); names[s.Account.Name]; n++ {
					s.Account.Name, next[own] = fmt.Sprintf("%s-%d", own, n), n+1
				}
				s.Why = fmt.Sprintf("The name %q is taken by another account.", own)
			}
			names[s.Account.Name] = true
			if id != "" {
				same[id] = s.Account.Name
			}
		}
	}
	return out
}

// identity is the same for two accounts that use one credential at one place, ""
// if the account has none. It holds secrets.
func identity(a *config.Account) string {
	key := a.APIKey.Reveal()
	if key == "" {
		return ""
	}
	if strings.HasPrefix(strings.TrimSpace(key), "{") {
		var d struct {
			Email   string `json:"client_email"`
			KeyID   string `json:"private_key_id"`
			Refresh string `json:"refresh_token"`
		}
		if json.Unmarshal([]byte(key), &d) == nil && (d.Email != "" || d.Refresh != "") {
			key = d.Email + "\x00" + d.KeyID + "\x00" + d.Refresh
		}
	}
	return strings.Join([]string{a.Provider, a.Preset, a.BaseURL, key}, "\x00")
}

func sentence(err error) string {
	s := err.Error()
	return strings.ToUpper(s[:min(len(s), 1)]) + strings.TrimSuffix(s[min(len(s), 1):], ".") + "."
}
