package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"portico/internal/rig"
)

// generation is a configuration whose route tells its number: clients ask for
// "any" and are served "gen-N".
func generation(u *rig.Upstream, n int) string {
	return config(u, fmt.Sprintf("routes:\n  - {match: any, to: [gen-%d]}\nlog: {level: %s}\n", n, []string{"info", "debug"}[n%2]))
}

// reload changes the configuration again and again under load, with streams
// open (REL-45).
func (s *soak) reload() error {
	const name = "reload"
	g, u, end, err := s.gateway(name, "routes:\n  - {match: any, to: [gen-0]}\n")
	if err != nil {
		return err
	}
	defer end()
	c := rig.Client()
	o := rig.Operator{Base: g.Base, Token: adminToken, HTTP: c}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	var wg sync.WaitGroup
	var sent, bad, stale atomic.Int64
	var inForce atomic.Int64 // the generation that is known to be in force
	var mu sync.Mutex
	detail := ""
	fault := func(count *atomic.Int64, format string, args ...any) {
		count.Add(1)
		mu.Lock()
		defer mu.Unlock()
		if detail == "" {
			detail = fmt.Sprintf(format, args...)
		}
	}
	var open int64 = 20
	streams := make(chan *rig.Answer, open)
	for i := range open { // they last as long as all of it
		a := rig.Ask{
			Protocol: rig.Protocols[i%4], Stream: true, Model: "any", Key: apiKey,
			Script: rig.Script{N: i, In: 1, Out: 1, Chunks: 20 + s.size.reloads, Pause: 50 * time.Millisecond},
		}
		go func() { streams <- a.Do(s.ctx, c, g.Base, nil) }()
	}
	const workers, pace = 10, 20 * time.Millisecond // 500 requests a second
	for w := range workers {
		wg.Go(func() {
			tick := time.NewTicker(pace)
			defer tick.Stop()
			for n := int64(0); ; n++ {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				least := inForce.Load()
				a := rig.Ask{Protocol: rig.Protocols[(int(n)+w)%3], Stream: n%2 == 0, Model: "any", Key: apiKey, Script: rig.Script{N: n, In: 1, Out: 1, Chunks: 2}}
				got := a.Do(s.ctx, c, g.Base, nil)
				sent.Add(1)
				if !got.Whole || got.Status != http.StatusOK {
					fault(&bad, "%+v", got)
					continue
				}
				var row rig.Row
				if n%10 == 0 {
					if _, err := o.Call(s.ctx, http.MethodGet, "/api/requests/"+got.ID, nil, &row); err != nil {
						fault(&bad, "%v", err)
						continue
					}
					var gen int64
					if _, err := fmt.Sscanf(row.Served, "gen-%d", &gen); err != nil || gen < least {
						fault(&stale, "served by %q after generation %d was in force", row.Served, least)
					}
				}
			}
		})
	}
	began := time.Now()
	for n := 1; n <= s.size.reloads; n++ {
		if err := rig.WriteConfig(g.Dir, generation(u, n)); err != nil {
			return err
		}
		switch n % 3 {
		case 0: // it looks at the file by itself
			if !s.sleep(50 * time.Millisecond) {
				return s.ctx.Err()
			}
		case 1:
			if err := g.Signal(syscall.SIGHUP); err != nil {
				return err
			}
		default:
			if _, err := o.Call(s.ctx, http.MethodPost, "/api/reload", nil, nil); err != nil {
				return err
			}
			inForce.Store(int64(n))
		}
		if !s.sleep(30 * time.Millisecond) {
			return s.ctx.Err()
		}
	}
	took := time.Since(began)
	if err := s.badFile(g, u, o, c); err != nil {
		return err
	}
	cancel()
	wg.Wait()
	dropped := 0
	for range open {
		if got := <-streams; !got.Whole {
			dropped++
			detail = fmt.Sprintf("%+v", got)
		}
	}
	what := fmt.Sprintf("of %d requests (%.0f/s) with an error during %d reloads (REL-45)", sent.Load(), float64(sent.Load())/took.Seconds(), s.size.reloads)
	s.report.none(name, what, int(bad.Load()), detail)
	s.report.none(name, fmt.Sprintf("of %d open streams dropped", open), dropped, detail)
	s.report.none(name, "requests by a generation older than the one in force", int(stale.Load()), detail)
	return nil
}

// badFile writes a file that cannot be taken: what was in force stays, and the
// log says why, with the line.
func (s *soak) badFile(g *rig.Gateway, u *rig.Upstream, o rig.Operator, c *http.Client) error {
	const name = "reload"
	if err := rig.WriteConfig(g.Dir, generation(u, 9999)+"limits: {attempts: many}\n"); err != nil {
		return err
	}
	if err := g.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	status, err := o.Call(s.ctx, http.MethodPost, "/api/reload", nil, nil)
	s.report.add(name, "a bad file by the API", "422, with the key", status == http.StatusUnprocessableEntity && strings.Contains(fmt.Sprint(err), "limits.attempts"), "%d", status)
	a := rig.Ask{Protocol: rig.Chat, Model: "any", Key: apiKey, Script: rig.Script{N: 1, In: 1, Out: 1}}
	got := a.Do(s.ctx, c, g.Base, nil)
	var row struct {
		Served string `json:"served"`
	}
	if _, err := o.Call(s.ctx, http.MethodGet, "/api/requests/"+got.ID, nil, &row); err != nil {
		return err
	}
	s.report.add(name, "what was in force stays", "gen-N", got.Whole && row.Served != "gen-9999", "%d by %s", got.Status, row.Served)
	log, err := os.ReadFile(g.Log)
	if err != nil {
		return err
	}
	line := fmt.Sprintf("%s:%d", filepath.Join(g.Dir, "portico.yaml"), strings.Count(generation(u, 9999), "\n")+1)
	told := strings.Contains(string(log), line)
	s.report.add(name, "the log names the file and line", "yes", told, "%t", told)
	if err := rig.WriteConfig(g.Dir, generation(u, 10_000)); err != nil {
		return err
	}
	_, err = o.Call(s.ctx, http.MethodPost, "/api/reload", nil, nil)
	s.report.add(name, "a good file after it", "taken", err == nil, "%t", err == nil)
	return nil
}
