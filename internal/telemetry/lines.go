package telemetry

import (
	"context"
	"log/slog"

	"portico/internal/fault"
	"portico/internal/journal"
)

// Lines listens to the journal and writes one log line for each request that
// ended: at level warn if the gateway or an upstream failed, at info else.
type Lines struct{ Log *Log }

// Heard implements journal.Listener.
func (l Lines) Heard(x *journal.Exchange) {
	level := slog.LevelInfo
	if x.Status >= 500 || x.Partial && x.Fault != fault.Canceled.String() {
		level = slog.LevelWarn
	}
	ctx := context.Background()
	if !l.Log.requests.Enabled(ctx, level) {
		return
	}
	as := make([]slog.Attr, 0, 24)
	text := func(key, s string) {
		if s != "" {
			as = append(as, slog.String(key, clip(s)))
		}
	}
	number := func(key string, n int64) {
		if n != 0 {
			as = append(as, slog.Int64(key, n))
		}
	}
	as = append(as, Request(x.ID), slog.Int("status", x.Status))
	text("op", x.Op)
	text("inbound", x.Inbound)
	if x.Outbound != x.Inbound {
		text("outbound", x.Outbound)
	}
	if x.Stream {
		as = append(as, slog.Bool("stream", true))
	}
	text("path", x.Path)
	text("model", x.Asked)
	if x.Served != x.Asked {
		text("served", x.Served)
	}
	text("account", x.Account)
	text("key", x.Key)
	text("client", x.Client)
	as = append(as, slog.Int64("took_ms", x.Took.Milliseconds()))
	number("first_ms", x.First.Milliseconds())
	number("tokens_in", x.Usage.Input+x.Usage.CacheRead+x.Usage.CacheWrite)
	number("tokens_out", x.Usage.Output+x.Usage.Reasoning)
	if n := len(x.Attempts); n > 1 {
		number("attempts", int64(n))
	}
	if x.Partial {
		as = append(as, slog.Bool("partial", true))
	}
	number("losses", int64(len(x.Losses)))
	text("fault", x.Fault)
	text("code", x.Code)
	text("error", x.Error)
	l.Log.requests.LogAttrs(ctx, level, "request", as...)
}
