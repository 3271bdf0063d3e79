// Command bench measures what the gateway costs beside a bare reverse proxy,
// and holds each figure against its goal.
//
//	go run ./internal/bench -gateway bin/portico
//
// The gateway and a bare httputil.ReverseProxy take turns at the same load. The
// figure is the CPU time that a process spent, user and system, for each
// request or each chunk of a stream, as a ratio of the two: that holds on any
// machine, while a time does not. What runs is pinned: the gateway and the bare
// proxy to one core, the upstream and the load to another. The gateway runs
// with everything on: a key, the ledger, metrics, a log.
//
// The program starts itself again as upstream, bare proxy and load, and speaks
// to nothing but loopback. It ends with status 1 if a figure is over its goal
// or could not be measured.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func main() {
	runtime.LockOSThread() // what is started inherits the cores of the thread that starts it
	role := flag.String("role", "", "internal: what this process is started as")
	to := flag.String("to", "", "internal: where the bare proxy sends")
	gateway := flag.String("gateway", "bin/portico", "the gateway's `binary`")
	rounds := flag.Int("rounds", 6, "how often gateway and bare proxy take turns")
	quick := flag.Bool("quick", false, "one short round: shows that all works, not how fast it is")
	only := flag.String("only", "", "measure only the figures whose name holds this `text`")
	profiles := flag.String("profile", "", "write a CPU profile of the gateway for each figure into this `folder`")
	flag.Parse()
	switch *role {
	case "upstream":
		fail(serveUpstream())
	case "bare":
		fail(serveBare(*to))
	case "load":
		fail(runLoad(os.Stdin, os.Stdout))
	}
	if *role != "" {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	o := options{binary: *gateway, rounds: max(*rounds, 1), pace: full, only: *only, profiles: *profiles}
	if *quick {
		o.rounds, o.pace = 1, brief
	}
	ok, err := run(ctx, o)
	stop()
	fail(err)
	if !ok {
		os.Exit(1)
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
}
