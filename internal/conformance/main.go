// Command conformance plays recorded traffic through the running gateway and
// compares bytes: what the upstream got with what the client sent, and what
// the client got with what the upstream sent. It lists every case that is not
// the same, with the reason where there is one.
//
// With -matrix it plays every recording through every pair of different
// protocols, too, and writes docs/conformance.md: what was carried by the
// reading of readers that share no code with the gateway, what the gateway's
// ledger of losses names, and every other case. With -clients as well, which
// names an installed folder of clients as internal/judge knows it, the official
// SDKs for JavaScript have to decode every answer.
//
//	go run ./internal/conformance -corpus FOLDER -gateway bin/portico [-matrix FILE [-clients FOLDER]]
//
// FOLDER holds the recordings as <protocol>/<case>/{meta,request,response}, or
// an archive dev.tar.gz of them. Nothing but loopback is spoken to.
package main

import (
	"bytes"
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
	crossed := flag.String("matrix", "", "play all pairs of protocols, and write the matrix to this `file`")
	least := flag.Float64("least", 0.995, "the least share of a pair that must be carried or named")
	clients := flag.String("clients", "", "have the SDKs of this `folder` decode every answer of the matrix")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := run(ctx, *folder, *gateway, *only, *show, *crossed, *clients, *least)
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(ctx context.Context, folder, gateway, only string, show int, crossed, clients string, least float64) (bool, error) {
	root, clean, err := open(folder)
	if err != nil {
		return false, err
	}
	defer clean()
	cases, err := load(root, only)
	if err != nil {
		return false, err
	}
	ok, err := same(ctx, gateway, cases, show)
	if err != nil || crossed == "" {
		return ok, err
	}
	m := newMatrix(cases)
	if err := m.play(ctx, gateway); err != nil {
		return false, err
	}
	var b bytes.Buffer
	b.WriteString("# Conformance\n\nWritten by `make conformance`. Recorded traffic goes through the running gateway between every pair of different protocols;\n" +
		"readers that share no code with it compare instructions, texts, thinking, tools, calls, results, images, finish and usage.\n" +
		"A request must besides be one that the upstream's vendor takes: pairs of calls and results, ids, names, the form of every part.\n" +
		"A case counts as named if the ledger of losses says that the pair has no seat for what differs.\n" +
		"The command itself prints the cases that are neither, one by one.\n")
	m.print(&b, 0)
	m.printLeft(&b, false)
	if err := os.WriteFile(crossed, b.Bytes(), 0o644); err != nil {
		return false, err
	}
	m.print(os.Stdout, show)
	m.printLeft(os.Stdout, true)
	if clients != "" {
		decoded, err := m.decode(ctx, gateway, clients, os.Stdout)
		if err != nil {
			return false, err
		}
		ok = ok && decoded
	}
	return ok && m.least() >= least, nil
}

// same plays every recording in its own protocol.
func same(ctx context.Context, gateway string, cases []recording, show int) (bool, error) {
	up := newUpstream()
	defer up.close()
	g, err := start(ctx, gateway, up.url, ownAccounts)
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
