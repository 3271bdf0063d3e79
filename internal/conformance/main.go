// Command conformance plays recorded traffic through the running gateway and
// compares bytes: what the upstream got with what the client sent, and what
// the client got with what the upstream sent. It lists every case that is not
// the same, with the reason where there is one.
//
//	go run ./internal/conformance -corpus FOLDER -gateway bin/portico
//
// FOLDER holds the recordings as <protocol>/<case>/{meta,request,response}, or
// an archive dev.tar.gz of them. Nothing but loopback is spoken to.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	folder := flag.String("corpus", "../shared/corpus", "`folder` of the recordings")
	gateway := flag.String("gateway", "bin/portico", "the gateway's `binary`")
	only := flag.String("only", "", "play only the cases whose name holds this `text`")
	show := flag.Int("show", 20, "how many of the cases that differ without a reason are shown")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := run(ctx, *folder, *gateway, *only, *show)
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(ctx context.Context, folder, gateway, only string, show int) (bool, error) {
	root, clean, err := open(folder)
	if err != nil {
		return false, err
	}
	defer clean()
	cases, err := load(root, only)
	if err != nil {
		return false, err
	}
	up := newUpstream()
	defer up.close()
	g, err := start(ctx, gateway, up.url)
	if err != nil {
		return false, err
	}
	defer g.stop()
	t := tally{show: show}
	for i := range cases {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		v, err := play(ctx, g, up, &cases[i])
		if err != nil {
			return false, fmt.Errorf("%s: %w", cases[i].name, err)
		}
		t.add(&cases[i], v)
	}
	return t.print(os.Stdout), nil
}
