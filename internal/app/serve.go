package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/net/netutil"

	"portico/internal/config"
	"portico/internal/fault"
	"portico/internal/gauge"
	"portico/internal/ingress"
	"portico/internal/socket"
)

// Serve listens and serves until ctx ends, then lets running requests finish
// for as long as the configuration says. It calls listening once it does.
func (a *App) Serve(ctx context.Context, listening func(address string)) error {
	c := a.config.Load()
	collect()
	l, err := listen(ctx, c)
	if err != nil {
		return err
	}
	duties, stop := context.WithCancel(context.WithoutCancel(ctx))
	requests, end := context.WithCancelCause(duties)
	defer end(nil)
	done := a.duties(duties, c)
	server := ingress.HTTPServer(a.Handler())
	server.BaseContext = func(net.Listener) context.Context { return requests }
	if err := a.lock.Announce(c.Port, "http://"+address(c)); err != nil {
		a.log.Warn("the address cannot be written down", "error", err)
	}
	a.ready.Store(true)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	if listening != nil {
		listening("http://" + address(c))
	}
	select {
	case err = <-served:
	case <-ctx.Done():
		err = a.drain(server, end)
	}
	a.ready.Store(false)
	stop()
	<-done
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// drain stops accepting and waits. What still runs when the time is over is
// ended so that each client is told in its own dialect; a second signal ends
// it at once.
func (a *App) drain(server *http.Server, end context.CancelCauseFunc) error {
	a.ready.Store(false)
	wait := a.config.Load().Timeouts.Drain
	a.log.Info("stopping", "in_flight", a.flying.requests.Load(), "drain", wait.String())
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(again)
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	go func() {
		select {
		case <-again:
			cancel()
		case <-ctx.Done():
		}
	}()
	sockets := make(chan error, 1) // of which the server knows nothing
	go func() { sockets <- a.ingress.Drain(ctx) }()
	jobs := make(chan struct{}) // nor of answers that are made in the background
	go func() { defer close(jobs); a.relay.Drain(ctx) }()
	if err := server.Shutdown(ctx); err == nil && <-sockets == nil {
		<-jobs
		return nil
	}
	end(fault.New(fault.Busy, "the gateway was stopped before the answer was complete"))
	last, cancelLast := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancelLast()
	err := server.Shutdown(last)
	_ = a.ingress.Drain(last)
	if err != nil {
		return server.Close()
	}
	return nil
}

// duties runs what goes on in the background; the channel is closed when all
// of it has ended.
func (a *App) duties(ctx context.Context, c *config.Config) <-chan struct{} {
	done := make(chan struct{})
	ended := make(chan struct{}, 16)
	n := 0
	run := func(name string, f func(context.Context) error) {
		n++
		go func() {
			defer func() { ended <- struct{}{} }()
			if err := f(ctx); err != nil && ctx.Err() == nil {
				a.log.Error("a background duty ended", "duty", name, "error", err)
			}
		}()
	}
	run("memory of the start", settle)
	run("journal", a.journal.Run)
	run("retention", func(ctx context.Context) error {
		return a.store.Run(ctx, func() config.Retention { return a.config.Load().Retention })
	})
	run("gate", a.noteDuty)
	run("sessions", a.sessions.Run)
	run("models", a.shelf.Run)
	meter := &gauge.Poller{Pool: a.pool, Every: func() time.Duration { return a.config.Load().Quota.Poll }, Agent: agent(), Log: a.log.Logger}
	run("gauge", meter.Run)
	run("pool", func(ctx context.Context) error {
		return a.pool.Run(ctx, filepath.Join(c.DataDir, poolFile), a.log.Logger)
	})
	run("tokens", a.vault.Run)
	run("proxies", func(ctx context.Context) error {
		return a.out.Run(ctx, func() time.Duration { return a.config.Load().ProxyChecks })
	})
	for _, k := range a.keepers {
		run("memory", k.Run)
	}
	hup := hangups() // before anybody is answered: who is may send one
	run("configuration", func(ctx context.Context) error { return a.watch(ctx, c, hup) })
	go func() {
		for range n {
			<-ended
		}
		close(done)
	}()
	return done
}

// listen opens the listener: on loopback, or on all addresses if the operator
// wants that and a key is asked for.
func listen(ctx context.Context, c *config.Config) (net.Listener, error) {
	host := "127.0.0.1"
	if c.AllowLAN {
		if c.Resolve() == config.AuthOff {
			return nil, errors.New("allow_lan_access needs an auth_mode other than off")
		}
		host = ""
	}
	lc := net.ListenConfig{}
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(c.Port)))
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("port %d is taken by another program; choose one with --port", c.Port)
		}
		return nil, fmt.Errorf("listen: %w", err)
	}
	// Whoever may connect must not be able to take what upstreams and the
	// ledger need (spec: security SEC-48).
	return netutil.LimitListener(socket.Listen(l), connections(openFiles())), nil
}
