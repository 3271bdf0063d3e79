package main

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"portico/internal/rig"
)

// stop ends the gateway with streams open (REL-47): those that end soon end
// well, those that do not are told in their own dialect, and all are in the
// ledger.
func (s *soak) stop() error {
	const name = "stop"
	const drain = 1500 * time.Millisecond
	g, u, end, err := s.gateway(name, fmt.Sprintf("timeouts:\n  drain: %s\n", drain))
	if err != nil {
		return err
	}
	defer end()
	c := rig.Client()
	got := make([]*rig.Answer, s.size.streams)
	asks := make([]rig.Ask, s.size.streams)
	var ready, done sync.WaitGroup
	for i := range got {
		// One half lasts half as long as the drain, the other one a minute.
		chunks := 15
		if i%2 == 1 {
			chunks = 1200
		}
		asks[i] = rig.Ask{
			Protocol: rig.Protocols[(i/2)%4], Stream: true, Key: apiKey,
			Script: rig.Script{N: int64(i), In: 1, Out: 1, Chunks: chunks, Pause: 50 * time.Millisecond},
		}
		ready.Add(1)
		done.Go(func() {
			var once sync.Once
			got[i] = asks[i].Do(s.ctx, c, g.Base, func(*rig.Answer) { once.Do(ready.Done) })
			once.Do(ready.Done)
		})
	}
	ready.Wait()
	at := time.Now()
	if err := g.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	refused := false
	d := net.Dialer{Timeout: time.Second}
	for time.Since(at) < time.Second && !refused {
		conn, err := d.DialContext(s.ctx, "tcp", "127.0.0.1:"+strconv.Itoa(g.Port))
		if refused = err != nil; conn != nil {
			_ = conn.Close()
		}
	}
	s.report.add(name, "new connections after SIGTERM (REL-47)", "refused", refused, "refused: %t", refused)
	done.Wait()
	<-g.Exited()
	took := time.Since(at)
	var cut, untold int
	detail := ""
	for i, x := range got {
		switch {
		case i%2 == 0 && !x.Whole:
			cut++
			detail = fmt.Sprintf("%+v", x)
		case i%2 == 1 && (x.Told == "" || x.Whole || x.Err != nil):
			untold++
			detail = fmt.Sprintf("%s: %+v", asks[i].Protocol, x)
		}
	}
	s.report.none(name, fmt.Sprintf("of %d streams that end within the drain cut", (len(got)+1)/2), cut, detail)
	s.report.none(name, fmt.Sprintf("of %d longer ones not told in their dialect", len(got)/2), untold, detail)
	s.report.add(name, "exit code", "0", g.ExitCode() == 0, "%d", g.ExitCode())
	s.report.within(name, "until the end, with a drain of 1.5s", took, drain+2*time.Second)
	if err := s.after(g, got, asks); err != nil {
		return err
	}
	return s.twice(u)
}

// after starts the gateway again and looks whether the ledger has all.
func (s *soak) after(g *rig.Gateway, got []*rig.Answer, asks []rig.Ask) error {
	const name = "stop"
	again, err := rig.Start(s.ctx, rig.Options{Binary: s.binary, Dir: g.Dir, Port: g.Port})
	if err != nil {
		return err
	}
	defer again.Kill()
	if err := again.Healthy(s.ctx, startWithin*s.size.slack); err != nil {
		return err
	}
	o := rig.Operator{Base: again.Base, Token: adminToken, HTTP: rig.Client()}
	rows, err := o.Ledger(s.ctx, time.Time{})
	if err != nil {
		return err
	}
	byID := map[string]*rig.Row{}
	for i := range rows {
		byID[rows[i].ID] = &rows[i]
	}
	wrong, detail := 0, ""
	for i, x := range got {
		if row := byID[x.ID]; row == nil || row.Partial != (i%2 == 1) || i%2 == 1 && row.Fault == "" {
			wrong++
			detail = fmt.Sprintf("%s: %+v", asks[i].Protocol, row)
		}
	}
	s.report.none(name, fmt.Sprintf("of %d streams not in the ledger as they ended", len(got)), wrong, detail)
	return again.Stop(10 * time.Second)
}

// twice sends a second SIGTERM, which means at once.
func (s *soak) twice(*rig.Upstream) error {
	const name = "stop"
	g, u, end, err := s.gateway("twice", "timeouts:\n  drain: 1m\n")
	if err != nil {
		return err
	}
	defer end()
	open := make(chan struct{})
	result := make(chan *rig.Answer, 1)
	go func() {
		var once sync.Once
		result <- rig.Ask{Protocol: rig.Messages, Stream: true, Key: apiKey, Script: rig.Script{N: 1, In: 1, Out: 1, Chunks: 9, Fault: rig.Stall}}.
			Do(s.ctx, rig.Client(), g.Base, func(*rig.Answer) { once.Do(func() { close(open) }) })
	}()
	<-open
	_ = g.Signal(syscall.SIGTERM)
	if !s.sleep(300 * time.Millisecond) {
		return s.ctx.Err()
	}
	select {
	case <-g.Exited():
		s.report.add(name, "the first SIGTERM waits for the stream", "yes", false, "it ended")
		return nil
	default:
	}
	at := time.Now()
	_ = g.Signal(syscall.SIGTERM)
	x := <-result
	<-g.Exited()
	s.report.within(name, "a second SIGTERM means now", time.Since(at), 3*time.Second)
	s.report.add(name, "the stream is told even then", "an error", x.Told != "" && x.Status == http.StatusOK, "%s", x.Told)
	u.Close()
	return nil
}
