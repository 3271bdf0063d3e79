// Command judge lets real clients judge the gateway: command-line tools and
// SDKs that people use call a scripted upstream through it, and each says for
// itself whether it got what it needs.
//
//	go run ./internal/judge -gateway bin/portico
//	go run ./internal/judge -gateway bin/portico -clients FOLDER -upstream all
//
// FOLDER holds the upstream (mock/mock.mjs) and the programs that run the
// clients (programs/run-*), installed. Without it both are copied from -source
// and installed with the folder's own script, once, which takes npm and some
// minutes. The Vercel AI SDK and LangChain are run by programs of the project,
// which are installed by npm from their lock file.
//
// With -upstream own each client meets accounts of its own protocol; with the
// name of a protocol all clients meet accounts of that one, so that the
// gateway must translate; with all, each in turn. Nothing but loopback is
// spoken to. The program ends with status 1 if a client failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// options are what the command line says.
type options struct {
	gateway  string // binary
	clients  string // installed folder, or ""
	source   string // to copy and install, if there is no folder
	sdk      string // the project's own programs, or ""
	cache    string // where source and sdk are copied to
	upstream string // own, a protocol, or all
	only     string // part of the trials' names
	list     bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var o options
	flag.StringVar(&o.gateway, "gateway", "bin/portico", "the gateway's `binary`")
	flag.StringVar(&o.clients, "clients", "", "`folder` with the upstream and the installed clients; empty: copy -source and install it")
	flag.StringVar(&o.source, "source", "../shared/tools/clients", "`folder` that is copied and installed")
	flag.StringVar(&o.sdk, "sdk", filepath.Join("internal", "judge", "sdk"), "`folder` with programs over more SDKs, which is copied and installed, too; empty: leave them out")
	flag.StringVar(&o.cache, "cache", ".cache", "`folder` that they are copied to")
	flag.StringVar(&o.upstream, "upstream", own, "the upstream's protocol: "+strings.Join(append(upstreams(), "all"), ", "))
	flag.StringVar(&o.only, "only", "", "run only what has this `text` in its name")
	flag.BoolVar(&o.list, "list", false, "list what would run")
	flag.Parse()
	failed, err := run(ctx, o, os.Stdout)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(2)
	case failed > 0:
		os.Exit(1)
	}
}

// run runs what o asks for and returns how many trials failed.
func run(ctx context.Context, o options, out io.Writer) (failed int, err error) {
	columns := []string{o.upstream}
	if o.upstream == "all" {
		columns = upstreams()
	} else if !slices.Contains(upstreams(), o.upstream) {
		return 0, fmt.Errorf("there is no upstream %q: %s, all", o.upstream, strings.Join(upstreams(), ", "))
	}
	f, err := open(ctx, o, out)
	if err != nil {
		return 0, err
	}
	ts, err := f.trials(o.only)
	if err != nil {
		return 0, err
	}
	if o.list {
		for _, t := range ts {
			fmt.Fprintln(out, t)
		}
		return 0, nil
	}
	if o.gateway, err = filepath.Abs(o.gateway); err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "judge-") // short: some clients put sockets below it
	if err != nil {
		return 0, err
	}
	defer func() {
		if failed == 0 {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	r := report{columns: columns}
	for _, c := range columns {
		if err := try(ctx, f, o.gateway, dir, c, ts, &r, out); err != nil {
			failed = max(failed, 1) // keep the logs
			return failed, fmt.Errorf("%w; logs are in %s", err, dir)
		}
	}
	failed = r.print(out)
	if failed > 0 {
		fmt.Fprintln(out, "What each of them said, and the gateway's log, are in", dir)
	}
	return failed, nil
}

// try runs all trials against one upstream.
func try(ctx context.Context, f *folder, gateway, dir, upstream string, ts []trial, r *report, out io.Writer) error {
	s, err := f.stage(ctx, gateway, filepath.Join(dir, upstream), upstream)
	if err != nil {
		return err
	}
	defer s.close()
	for _, t := range ts {
		v := s.run(ctx, t)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.add(t.name, upstream, v)
		fmt.Fprintln(out, v.line(t.name, upstream))
	}
	return nil
}
