// Command soak finds out what takes long to find out: it runs the real gateway
// and kills it a thousand times under load, lets upstreams and clients misbehave
// in every known way, reloads it under load, stops it with streams open, and
// looks for what is left afterwards. It prints what was measured beside what is
// asked for, and fails if they do not fit.
//
//	go run ./internal/soak -gateway bin/portico
//	go run ./internal/soak -gateway bin/portico -only kill -rounds 100
//
// It speaks to loopback only and ends every process that it starts.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"portico/internal/rig"
)

// A size is how much of everything is done. The zero of a member leaves its
// check out.
type size struct {
	rounds  int // kill -9
	each    int // requests for a figure with a percentile
	crowd   int // clients that leave at one moment
	slow    int // clients that read slowly
	reloads int // under load
	streams int // open at SIGTERM
	// accounts is how many accounts there are at one time.
	accounts int
	labs     int // of each kind, for the pool
	kinds    int // of them
	// window is how long a rate is measured, stall the write_stall of the
	// clients that take nothing.
	window, stall time.Duration
	lab           time.Duration // how long one offers load
	scene         time.Duration // how long the scene of the strategies plays
	limited       time.Duration // how long 20 accounts, of which 19 are limited, are loaded
	strategies    int           // that play it
	seeds         int           // on the virtual clock, for what chance does
	seed          uint64        // of the first lab, 0: by chance
	// slack is by how much times may be longer than is asked for: tests run
	// beside other tests and are no measurement.
	slack time.Duration
}

// full is what `make soak` does, brief what the tests do.
var (
	full  = size{rounds: 1000, accounts: 9990, each: 500, crowd: 2000, slow: 100, reloads: 100, streams: 500, labs: 6, kinds: len(goals), lab: 15 * time.Second, scene: 30 * time.Second, limited: 24 * time.Second, strategies: len(strategies), seeds: 16, window: 2 * time.Second, stall: 2 * time.Second, slack: 1}
	brief = size{rounds: 4, accounts: 500, each: 40, crowd: 100, slow: 8, reloads: 8, streams: 20, labs: 1, kinds: 2, lab: time.Second, scene: time.Second, limited: time.Second, strategies: 2, seeds: 2, window: 300 * time.Millisecond, stall: 300 * time.Millisecond, slack: 10}
)

// A soak is one run.
type soak struct {
	ctx    context.Context
	binary string
	dir    string
	size   size
	out    io.Writer
	report report
	scene  string // the file of accounts for the strategies
	docs   string // the page that gets their table, "" for none
}

// checks are all there are, in the order in which they run.
var checks = []struct {
	name string
	run  func(*soak) error
}{
	{"kill", (*soak).kill},
	{"folder", (*soak).folder},
	{"failover", (*soak).failover},
	{"storm", (*soak).storm},
	{"gone", (*soak).gone},
	{"slow", (*soak).slow},
	{"reload", (*soak).reload},
	{"stop", (*soak).stop},
	{"accounts", (*soak).many},
	{"pool", (*soak).pool},
	{"strategies", (*soak).strategies},
	{"limited", (*soak).limited},
	{"rest", (*soak).rest},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, out, errw io.Writer) int {
	s := &soak{ctx: ctx, size: full, out: out}
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	f.SetOutput(errw)
	var names []string
	for _, c := range checks {
		names = append(names, c.name)
	}
	f.StringVar(&s.binary, "gateway", "bin/portico", "the gateway's `binary`")
	rounds := f.Int("rounds", 0, "how often it is killed; 0: 1000 times, or 4 with -brief")
	f.Uint64Var(&s.size.seed, "seed", 0, "`number` that the limits and the load of the pool's first lab follow from; 0: by chance")
	few := f.Bool("brief", false, "do little of everything, in seconds")
	f.StringVar(&s.scene, "scene", "docs/strategies.yaml", "`file` of the accounts on which strategies are compared")
	f.StringVar(&s.docs, "docs", "", "write the table of strategies into this `page`, between its marks")
	only := f.String("only", "", "`names` of checks, with commas: "+strings.Join(names, ", "))
	if err := f.Parse(args); err != nil {
		return 2
	}
	if *few {
		seed := s.size.seed
		s.size = brief
		s.size.seed = seed
	}
	s.report.slack = s.size.slack
	s.size.rounds = cmp.Or(*rounds, s.size.rounds)
	if err := s.all(*only); err != nil {
		fmt.Fprintln(errw, "soak:", err)
		return 1
	}
	return 0
}

// all runs the checks that only names, or all.
func (s *soak) all(only string) error {
	var err error
	if s.binary, err = filepath.Abs(s.binary); err != nil {
		return err
	}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "portico-soak-"); err != nil {
			return err
		}
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(only, ",") {
		wanted[name] = true
	}
	ran := 0
	for _, c := range checks {
		if only != "" && !wanted[c.name] {
			continue
		}
		ran++
		began := time.Now()
		if err := c.run(s); err != nil {
			s.report.fail(c.name, err)
		}
		if s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		fmt.Fprintf(s.out, "%s: %s\n", c.name, time.Since(began).Round(time.Millisecond))
	}
	if ran == 0 {
		return fmt.Errorf("there is no check %q", only)
	}
	s.report.print(s.out)
	if n := s.report.failed(); n > 0 {
		return fmt.Errorf("%d of %d do not hold; logs and data are in %s", n, len(s.report.lines), s.dir)
	}
	return errors.Join(os.RemoveAll(s.dir))
}

// The keys that the gateway asks for.
const (
	apiKey     = "sk-CANARY-soak-client-0123456789abcdef"
	adminToken = "at-CANARY-soak-admin-0123456789abcdef"
)

// config is a configuration with two accounts for each protocol, of which
// those of the family a are tried first, and more lines at its end.
func config(u *rig.Upstream, more string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "auth_mode: strict\napi_key: %s\nadmin_token: %s\naccounts:\n", apiKey, adminToken)
	for i, family := range []string{"a", "b"} {
		for _, x := range []struct{ provider, protocol, speaks string }{
			{"openai", rig.Chat, "openai-chat, openai-responses"},
			{"anthropic", rig.Messages, "anthropic"},
			{"gemini", rig.Gemini, "gemini"},
		} {
			fmt.Fprintf(&b, "  - {name: %s-%s, provider: %s, protocols: [%s], base_url: %q, api_key: %s, priority: %d, models: [%q, \"gen-*\"]}\n",
				family, x.provider, x.provider, x.speaks, u.Base(x.protocol), upstreamKey(family, x.provider), i, rig.Own(x.protocol, "*"))
		}
	}
	b.WriteString(more)
	return b.String()
}

// upstreamKey is the key of an account; a Script names accounts by a part of
// it.
func upstreamKey(family, provider string) string {
	return "sk-CANARY-" + family + "-" + provider + "-0123456789"
}

// family is the part of a key that all accounts of a family have.
func family(name string) string { return "CANARY-" + name + "-" }

// gateway starts a gateway with an upstream for one check and waits for it.
// The function ends both.
func (s *soak) gateway(name, more string) (g *rig.Gateway, u *rig.Upstream, end func(), err error) {
	if u, err = rig.NewUpstream(); err != nil {
		return nil, nil, nil, err
	}
	g, err = rig.Start(s.ctx, rig.Options{Binary: s.binary, Dir: filepath.Join(s.dir, name), Config: config(u, more)})
	if err != nil {
		u.Close()
		return nil, nil, nil, err
	}
	end = func() {
		g.Kill()
		u.Close()
	}
	if err = g.Healthy(s.ctx, 10*time.Second); err != nil {
		end()
		return nil, nil, nil, err
	}
	return g, u, end, nil
}
