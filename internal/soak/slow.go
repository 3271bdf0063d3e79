package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"portico/internal/rig"
)

const (
	slowHolds = 256 << 10 // bytes that the gateway may hold for one slow reader
	// slowRuntime is what the process has without any of them, and what its
	// collector leaves lying.
	slowRuntime = 64 << 20
)

// slow lets clients read slowly what a fast upstream sends (REL-23): the
// gateway holds little, the upstream has to wait, others are served as ever,
// and a client that takes nothing at all is cut.
func (s *soak) slow() error {
	const name = "slow"
	g, u, end, err := s.gateway(name, fmt.Sprintf("timeouts:\n  write_stall: %s\n", s.size.stall))
	if err != nil {
		return err
	}
	defer end()
	quick := rig.Client()
	before, err := s.usual(quick, g, 200)
	if err != nil {
		return err
	}
	base, err := s.figure(g)
	if err != nil {
		return err
	}
	if err := rig.ResetPeak(g.PID()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	narrow := narrowClient()
	defer narrow.CloseIdleConnections()
	var wg sync.WaitGroup
	left := newParting()
	u.Tell(rig.Watch{Left: left.left})
	for i := range s.size.slow {
		// 1 GB each, if somebody read it.
		a := rig.Ask{Protocol: rig.Protocols[i%4], Stream: true, Key: apiKey, Script: rig.Script{N: int64(i), In: 1, Out: 1, Chunks: 1 << 14, Size: 64 << 10}}
		wg.Go(func() { trickle(ctx, narrow, g, a) })
	}
	// First the systems on the way fill their own buffers, some megabytes for
	// each connection. Then the upstreams have to wait.
	bound := int64(s.size.slow) * (64 << 10) // each reads 1 KB/s, and the system moves larger pieces
	var sent, moved int64
	for range 30 {
		sent = u.Sent.Load()
		if !s.sleep(s.size.window) {
			return s.ctx.Err()
		}
		if moved = u.Sent.Load() - sent; moved <= bound {
			break
		}
	}
	during, err := s.usual(quick, g, 200)
	if err != nil {
		return err
	}
	peak, err := rig.UsageOf(g.PID())
	if err != nil {
		return err
	}
	now, err := s.figure(g)
	if err != nil {
		return err
	}
	each := (now.heap - base.heap) / s.size.slow
	s.report.add(name, fmt.Sprintf("memory held for each of %d slow readers (REL-23)", s.size.slow), "≤ 256 KiB", each <= slowHolds, "%d KiB", each>>10)
	most := int64(s.size.slow*slowHolds + slowRuntime)
	s.report.add(name, "memory of the whole process, at most", fmt.Sprintf("≤ %d MiB", most>>20), peak.Peak <= most, "%d MiB", peak.Peak>>20)
	s.report.add(name, fmt.Sprintf("upstreams wait: bytes sent in %s, after %d KiB each", s.size.window, u.Sent.Load()>>10/int64(s.size.slow)),
		fmt.Sprintf("≤ %d KiB", bound>>10), moved <= bound, "%d KiB", moved>>10)
	s.report.add(name, "p99 of others meanwhile", fmt.Sprintf("≤ 2 × %s + 10ms", before.Round(100*time.Microsecond)), during <= (2*before+10*time.Millisecond)*s.size.slack, "%s", during.Round(100*time.Microsecond))
	cancel()
	wg.Wait()
	if err := u.Wait(s.ctx); err != nil {
		return err
	}
	return s.stalled(g, u)
}

// sleep reports false if the run was ended.
func (s *soak) sleep(d time.Duration) bool {
	select {
	case <-s.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// usual is the p99 of n small requests, one after the other.
func (s *soak) usual(c *http.Client, g *rig.Gateway, n int) (time.Duration, error) {
	var ts times
	for i := range n {
		a := rig.Ask{Protocol: rig.Protocols[i%4], Key: apiKey, Script: rig.Script{N: int64(i), In: 1, Out: 1}}
		began := time.Now()
		if got := a.Do(s.ctx, c, g.Base, nil); !got.Whole {
			return 0, fmt.Errorf("a small request: %+v", got)
		}
		ts = append(ts, time.Since(began))
	}
	return ts.at(.99), nil
}

// narrowClient is a client whose system takes little on its behalf.
func narrowClient() *http.Client {
	var d net.Dialer
	return &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: -1, ReadBufferSize: 1 << 10,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := d.DialContext(ctx, network, addr)
			if t, ok := c.(*net.TCPConn); ok {
				err = errors.Join(err, t.SetReadBuffer(4<<10))
			}
			return c, err
		},
	}}
}

// trickle reads 1 KB/s of an answer.
func trickle(ctx context.Context, c *http.Client, g *rig.Gateway, a rig.Ask) {
	resp := open(ctx, c, g, a)
	if resp == nil {
		return
	}
	defer resp.Body.Close()
	buf := make([]byte, 100)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := io.ReadFull(resp.Body, buf); err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// open sends a and returns the answer unread, nil if none came.
func open(ctx context.Context, c *http.Client, g *rig.Gateway, a rig.Ask) *http.Response {
	r, err := a.Request(ctx, g.Base)
	if err != nil {
		return nil
	}
	resp, err := c.Do(r)
	if err != nil {
		return nil
	}
	return resp
}

// stalled lets a client take nothing.
func (s *soak) stalled(g *rig.Gateway, u *rig.Upstream) error {
	const name = "slow"
	c := narrowClient()
	defer c.CloseIdleConnections()
	cut := make(chan time.Time, 1)
	u.Tell(rig.Watch{Left: func(_ int64, at time.Time) {
		select {
		case cut <- at:
		default:
		}
	}})
	began := time.Now()
	resp := open(s.ctx, c, g, rig.Ask{Protocol: rig.Chat, Stream: true, Key: apiKey, Script: rig.Script{N: 1, In: 1, Out: 1, Chunks: 1 << 14, Size: 64 << 10}})
	if resp == nil {
		return errors.New("no answer")
	}
	defer resp.Body.Close()
	bound := 3*s.size.stall + time.Second
	what := fmt.Sprintf("a client that takes nothing is cut (write_stall %s)", s.size.stall)
	select {
	case at := <-cut:
		s.report.within(name, what, at.Sub(began), bound)
	case <-time.After(2 * bound * s.size.slack):
		s.report.add(name, what, "≤ "+bound.String(), false, "not within %s", 2*bound*s.size.slack)
	}
	return nil
}
