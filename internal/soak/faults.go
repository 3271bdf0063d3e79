package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/rig"
)

// failover lets the first accounts do everything wrong that an upstream can do
// while the second ones are well. What goes wrong before the answer's first
// event the client never sees; afterwards it is told, in its own dialect.
func (s *soak) failover() error {
	const name = "failover"
	g, _, end, err := s.gateway(name, "")
	if err != nil {
		return err
	}
	defer end()
	c := rig.Client()
	o := rig.Operator{Base: g.Base, Token: adminToken, HTTP: c}
	unseen := []string{rig.Early, rig.Head, rig.Page, rig.Empty, rig.Garbage, "401", "403", "500", "503", "529"}
	broken := []string{rig.Middle, rig.Unended, rig.Long, rig.Error}
	var clean, seen, told, silent, ledger, untried int
	var faults []string
	n := int64(0)
	try := func(p string, stream bool, fault string) error {
		n++
		a := rig.Ask{
			Protocol: p, Stream: stream, Key: apiKey,
			Script: rig.Script{N: n, In: 10, Out: 20, Chunks: 6, Fault: fault, Account: family("a")},
		}
		late := stream && slices.Contains(broken, fault)
		if late {
			a.Script.Pause = 10 * time.Millisecond // so that the first event is out before the fault
		}
		got := a.Do(s.ctx, c, g.Base, nil)
		isClean := got.Whole && got.Status == http.StatusOK && got.Text == a.Script.Text()
		switch {
		case late && got.Told != "" && !got.Whole:
			told++
		case late:
			silent++
			faults = append(faults, fmt.Sprintf("%s after the first event of %s: %+v", fault, p, got))
		case isClean:
			clean++
		default:
			seen++
			faults = append(faults, fmt.Sprintf("%s at %s, stream %t: %+v", fault, p, stream, got))
		}
		var row rig.Row
		if _, err := o.Call(s.ctx, http.MethodGet, "/api/requests/"+got.ID, nil, &row); err != nil {
			return err
		}
		if len(row.Attempts) == 0 || !strings.HasPrefix(row.Attempts[0].Account, "a-") {
			untried++ // and so the fault did not happen
			faults = append(faults, fmt.Sprintf("%s at %s, stream %t: the first account was not asked", fault, p, stream))
		}
		if late != (row.Fault != "") || late != row.Partial {
			ledger++
			faults = append(faults, fmt.Sprintf("the ledger says of %s at %s, stream %t: fault %q, partial %t", fault, p, stream, row.Fault, row.Partial))
		}
		for _, provider := range []string{"openai", "anthropic", "gemini"} {
			if _, err := o.Call(s.ctx, http.MethodPost, "/api/accounts/a-"+provider+"/heal", nil, nil); err != nil {
				return err
			}
		}
		return nil
	}
	// A 429 teaches the gateway a pace, which an account keeps when its faults
	// are forgotten; so it comes last, once for each account.
	for _, p := range rig.Protocols {
		for _, stream := range []bool{false, true} {
			for _, f := range slices.Concat(unseen, broken) {
				if err := try(p, stream, f); err != nil {
					return err
				}
			}
		}
	}
	for i, p := range []string{rig.Chat, rig.Messages, rig.Gemini} {
		if err := try(p, i%2 == 0, "429"); err != nil {
			return err
		}
	}
	s.report.none(name, fmt.Sprintf("of %d faults before the first event seen by the client (REL-30)", clean+seen), seen, join(faults))
	s.report.none(name, fmt.Sprintf("of %d later ones not told, or taken for whole (REL-30, 31)", told+silent), silent, join(faults))
	s.report.none(name, "faults that did not happen, since the account was not asked", untried, join(faults))
	s.report.none(name, "of them not in the ledger as they were", ledger, join(faults))
	return s.nobody(g, c)
}

// nobody asks while all accounts are down (REL-40, 41).
func (s *soak) nobody(g *rig.Gateway, c *http.Client) error {
	const name = "failover"
	ask := func(fault string) *rig.Answer {
		return rig.Ask{Protocol: rig.Messages, Key: apiKey, Script: rig.Script{N: 1, In: 1, Out: 1, Fault: fault}}.Do(s.ctx, c, g.Base, nil)
	}
	for range 5 { // a request's own mistake is nobody's fault
		ask("400")
	}
	got := ask("")
	s.report.add(name, "an account after five requests with a mistake (REL-41)", "serves", got.Whole && got.Status == http.StatusOK, "%d", got.Status)
	ask("401") // both are down now
	began := time.Now()
	got = ask("")
	took := time.Since(began)
	// Anthropic's own status for it is 529.
	ok := got.Whole && (got.Status == http.StatusServiceUnavailable || got.Status == http.StatusTooManyRequests || got.Status == 529) &&
		strings.Contains(got.Told, "a-anthropic") && strings.Contains(got.Told, "b-anthropic") && got.Header.Get("Retry-After") != ""
	s.report.add(name, "all accounts down: a typed answer with reasons and a time (REL-40)", "≤ 100ms", ok && took <= 100*time.Millisecond*s.size.slack, "%d in %s", got.Status, took.Round(100*time.Microsecond))
	return nil
}

// storm lets the first accounts answer with 429 and a time under load. Nobody
// may be asked before its time (REL-36), and the clients notice nothing.
func (s *soak) storm() error {
	const name = "storm"
	g, u, end, err := s.gateway(name, "")
	if err != nil {
		return err
	}
	defer end()
	var mu sync.Mutex
	until := map[string]time.Time{} // by key: when it may be asked again
	flying := map[string]int{}
	limits, early := 0, 0
	u.Answer(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		key := r.Header.Get("Authorization") + r.Header.Get("X-Api-Key") + r.Header.Get("X-Goog-Api-Key")
		if r.Method != http.MethodPost || !strings.Contains(key, family("a")) {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		// Requests that were under way when the limit was told are no
		// violation; a few milliseconds are the way of the answer.
		if t := until[key]; time.Now().Before(t) && time.Until(t) < 950*time.Millisecond {
			early++
		}
		flying[key]++
		if flying[key]%50 != 0 {
			return false
		}
		limits++
		until[key] = time.Now().Add(time.Second)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	c := rig.Client()
	ctx, cancel := context.WithTimeout(s.ctx, min(time.Duration(s.size.each)*25*time.Millisecond, 10*time.Second))
	defer cancel()
	var sent, bad atomic.Int64
	var first atomic.Pointer[string]
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for n := int64(0); ctx.Err() == nil; n++ {
				a := rig.Ask{Protocol: rig.Protocols[(i+int(n))%4], Stream: n%2 == 0, Key: apiKey, Script: rig.Script{N: n, In: 5, Out: 5, Chunks: 2}}
				got := a.Do(s.ctx, c, g.Base, nil)
				sent.Add(1)
				if !got.Whole || got.Status != http.StatusOK {
					bad.Add(1)
					detail := fmt.Sprintf("%+v", got)
					first.CompareAndSwap(nil, &detail)
				}
				time.Sleep(2 * time.Millisecond) // a client's pace
			}
		})
	}
	wg.Wait()
	detail := ""
	if p := first.Load(); p != nil {
		detail = *p
	}
	s.report.none(name, fmt.Sprintf("of %d requests not served while accounts hit limits %d times", sent.Load(), limits), int(bad.Load()), detail)
	s.report.none(name, "requests to an account before the time that it told (REL-36)", early, "")
	return nil
}
