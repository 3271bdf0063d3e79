package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/rig"
)

const (
	killWorkers = 12                     // clients at one time
	killWithin  = 400 * time.Millisecond // the process is killed within this time from the load's begin
	startWithin = 2 * time.Second
	// Every so many rounds the process is killed while it starts, too.
	killStarting = 7
	// Every so many rounds the upstream does not pause and the load lasts
	// longer, so that files of the journal are filled and changed.
	killFlood, floodWithin = 40, 3 * time.Second
)

// A killing is the state of all rounds.
type killing struct {
	*soak
	dir      string
	port     int
	upstream *rig.Upstream
	book     book
	accounts accounts
	keys     keys
	starts   times
	next     atomic.Int64 // the number of the next request

	early  int // rounds killed while starting
	faults []string
}

// kill kills the gateway under load, again and again, and compares what its
// clients got with what the ledger says after the next start.
func (s *soak) kill() error {
	if s.size.rounds == 0 {
		return nil
	}
	u, err := rig.NewUpstream()
	if err != nil {
		return err
	}
	defer u.Close()
	k := &killing{soak: s, dir: filepath.Join(s.dir, "kill"), upstream: u, book: newBook(), accounts: newAccounts(u), keys: newKeys()}
	if k.port, err = rig.FreePort(s.ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return err
	}
	if err := rig.WriteConfig(k.dir, config(u, "")); err != nil {
		return err
	}
	began := time.Now()
	for r := range s.size.rounds {
		if err := k.round(r); err != nil {
			return fmt.Errorf("round %d: %w", r, err)
		}
		if r%100 == 99 {
			fmt.Fprintf(s.out, "kill: %d rounds, %s, start at most %s\n", r+1, k.book.summary(), k.starts.at(1).Round(time.Millisecond))
		}
	}
	if err := k.last(); err != nil {
		return err
	}
	k.tell(time.Since(began))
	return nil
}

// round starts the gateway, checks what the rounds before have left, and kills
// it under load.
func (k *killing) round(r int) error {
	if r%killStarting == killStarting-1 {
		g, err := k.start()
		if err != nil {
			return err
		}
		time.Sleep(rand.N(60 * time.Millisecond)) // the moment is the test
		g.Kill()
		k.early++
	}
	g, err := k.start()
	if err != nil {
		return err
	}
	defer g.Kill()
	if err := k.check(g); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(k.ctx)
	defer cancel()
	client := rig.Client()
	defer client.CloseIdleConnections()
	k.book.begin()
	flood, within := r%killFlood == killFlood-1, killWithin
	if flood {
		within = floodWithin
	}
	var wg sync.WaitGroup
	for range killWorkers {
		wg.Go(func() { k.work(ctx, client, g, flood) })
	}
	wg.Go(func() { k.accounts.work(ctx, rig.Operator{Base: g.Base, Token: adminToken, HTTP: client}) })
	wg.Go(func() { k.keys.work(ctx, rig.Operator{Base: g.Base, Token: adminToken, HTTP: client}) })
	time.Sleep(rand.N(within)) // the moment is the test
	g.Kill()
	cancel()
	wg.Wait()
	return nil
}

// start starts the gateway; what its log says goes to one file.
func (k *killing) start() (*rig.Gateway, error) {
	return rig.Start(k.ctx, rig.Options{Binary: k.binary, Dir: k.dir, Port: k.port, Log: filepath.Join(k.soak.dir, "kill.log")})
}

// check waits until g is healthy and compares.
func (k *killing) check(g *rig.Gateway) error {
	if err := g.Healthy(k.ctx, 30*time.Second); err != nil {
		return err
	}
	k.starts = append(k.starts, g.Startup)
	client := rig.Client()
	defer client.CloseIdleConnections()
	o := rig.Operator{Base: g.Base, Token: adminToken, HTTP: client}
	rows, err := o.Ledger(k.ctx, k.book.since)
	if err != nil {
		return err
	}
	k.book.compare(rows)
	return errors.Join(k.accounts.compare(k.ctx, o), k.keys.compare(k.ctx, o))
}

// work sends one request after another until the gateway is gone.
func (k *killing) work(ctx context.Context, c *http.Client, g *rig.Gateway, flood bool) {
	for ctx.Err() == nil {
		a := mixed(k.next.Add(1))
		if flood {
			a.Script.Wait, a.Script.Pause = 0, 0
		}
		k.book.send(a.Agent)
		got := a.Do(ctx, c, g.Base, nil)
		k.book.got(a, got)
		if got.Err != nil && got.ID == "" {
			return // nobody is there any more
		}
	}
}

// mixed makes the n-th request: any protocol, streamed or whole, mostly
// without a fault.
func mixed(n int64) rig.Ask {
	a := rig.Ask{
		Protocol: rig.Protocols[rand.N(len(rig.Protocols))], Stream: rand.N(10) < 6,
		Key: apiKey, Agent: fmt.Sprintf("soak-%d", n),
	}
	a.Script = rig.Script{
		N: n, In: 1 + rand.N[int64](1000), Cached: rand.N[int64](300), Out: 1 + rand.N[int64](500), Think: rand.N[int64](100),
		Chunks: 1 + rand.N(6), Pause: rand.N(4 * time.Millisecond), Wait: rand.N(5 * time.Millisecond), Size: rand.N(300),
	}
	if rand.N(4) == 0 {
		a.Model = rig.Own(rig.Protocols[rand.N(len(rig.Protocols))], "1") // which may be another's
	}
	switch p := rand.N(100); {
	case p < 8:
		a.Script.Fault = "400"
	case p < 12:
		a.Script.Fault, a.Script.Account = "500", family("a")
	case p < 14:
		a.Script.Fault, a.Script.Account = rig.Early, family("a")
	case p < 16:
		a.Script.Fault, a.Script.Account = rig.Middle, family("a")
	}
	return a
}

// last starts the gateway once more, compares, reads the whole ledger, and
// stops it well.
func (k *killing) last() error {
	g, err := k.start()
	if err != nil {
		return err
	}
	defer g.Kill()
	if err := k.check(g); err != nil {
		return err
	}
	client := rig.Client()
	defer client.CloseIdleConnections()
	o := rig.Operator{Base: g.Base, Token: adminToken, HTTP: client}
	rows, err := o.Ledger(k.ctx, time.Time{})
	if err != nil {
		return err
	}
	k.book.whole(rows)
	if err := k.usage(o); err != nil {
		return err
	}
	if err := g.Stop(40 * time.Second); err != nil {
		return err
	}
	k.faults = append(k.faults, leftovers(k.dir)...)
	log, err := os.ReadFile(g.Log)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "level=ERROR") && len(k.faults) < 20 {
			k.faults = append(k.faults, strings.TrimSpace(line))
		}
	}
	return nil
}

// usage compares the sum that the API tells with the sum of the ledger.
func (k *killing) usage(o rig.Operator) error {
	var sums struct {
		Items []struct {
			Requests int64 `json:"requests"`
			Input    int64 `json:"input"`
			Output   int64 `json:"output"`
		} `json:"items"`
	}
	if _, err := o.Call(k.ctx, http.MethodGet, "/api/usage", nil, &sums); err != nil {
		return err
	}
	var requests, in, out int64
	for _, s := range sums.Items {
		requests, in, out = requests+s.Requests, in+s.Input, out+s.Output
	}
	if b := &k.book; requests != b.rows || in != b.in || out != b.out {
		b.wrong("/api/usage tells %d requests, %d tokens in and %d out; the ledger has %d, %d and %d", requests, in, out, b.rows, b.in, b.out)
	}
	return nil
}

// leftovers are files that a crash has left and a start has not cleared away.
func leftovers(dir string) (out []string) {
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if path != dir && (strings.HasPrefix(name, ".") || strings.Contains(name, ".tmp") || strings.Contains(name, ".broken")) {
			out = append(out, "left over: "+name)
		}
		return nil
	})
	return out
}

func (k *killing) tell(took time.Duration) {
	const name = "kill"
	b, r := &k.book, &k.report
	fmt.Fprintf(k.out, "kill: %d rounds in %s (%d of them killed while starting, too), %s; start p50 %s p99 %s max %s\n", k.size.rounds, took.Round(time.Second), k.early,
		b.summary(), k.starts.at(.5).Round(time.Millisecond), k.starts.at(.99).Round(time.Millisecond), k.starts.at(1).Round(time.Millisecond))
	r.none(name, fmt.Sprintf("of %d acknowledged answers missing in the ledger", b.acked), b.missing, "")
	r.none(name, "requests twice in the ledger", b.doubled, "")
	r.none(name, "rows that do not say what the client got", len(b.faults), join(b.faults))
	r.none(name, fmt.Sprintf("of %d acknowledged changes of accounts lost", k.accounts.acked), len(k.accounts.faults), join(k.accounts.faults))
	r.none(name, fmt.Sprintf("of %d acknowledged changes of client keys lost", k.keys.acked), len(k.keys.faults), join(k.keys.faults))
	r.none(name, "files left over and errors in the log", len(k.faults), join(k.faults))
	r.within(name, fmt.Sprintf("start, the longest of %d", len(k.starts)), k.starts.at(1), startWithin)
}

// join is the first of some faults.
func join(faults []string) string { return strings.Join(faults[:min(len(faults), 3)], "; ") }
