package app

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"portico/internal/config"
)

// reloaded is what came of reading the configuration anew.
type reloaded struct {
	warnings []config.Problem
	err      error
}

// hangups are the SIGHUPs from now on. Until somebody wants them, one ends the
// process.
func hangups() chan os.Signal {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	return hup
}

// watch reads the configuration anew when a file changes, on SIGHUP, and when
// the operator asks for it.
func (a *App) watch(ctx context.Context, c *config.Config, hup chan os.Signal) error {
	defer signal.Stop(hup)
	wake := make(chan struct{})
	waiting := make(chan chan reloaded, 1) // who asked
	heard := func(next *config.Config, warnings []config.Problem, err error) {
		if err == nil {
			err = a.apply(next)
		}
		for _, w := range warnings {
			a.log.Warn("configuration", "problem", w.String())
		}
		if err != nil {
			a.log.Error("the configuration was not taken over", "error", err)
		} else {
			a.log.Info("the configuration was taken over")
		}
		select {
		case asked := <-waiting:
			asked <- reloaded{warnings, err}
		default: // it was the file, or a signal
		}
	}
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hup:
			case asked := <-a.reloaded:
				select {
				case waiting <- asked:
				case <-ctx.Done():
					return
				}
			}
			select {
			case wake <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	config.Watch(ctx, a.options, c, wake, heard)
	return nil
}

// Reload reads the configuration anew and returns the warnings. Without a
// server running it reads it here.
func (a *App) Reload(ctx context.Context) ([]config.Problem, error) {
	if !a.ready.Load() {
		next, warnings, err := config.Reload(a.config.Load(), a.options)
		if err == nil {
			err = a.apply(next)
		}
		return warnings, err
	}
	answer := make(chan reloaded, 1)
	select {
	case a.reloaded <- answer:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case r := <-answer:
		return r.warnings, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
