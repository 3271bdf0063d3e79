// Gallery plays a gateway's past and its upstreams, for pictures of the page and
// for looking at it: `make shots`.
//
// It writes a configuration with accounts of all kinds and a ledger of some
// weeks into a folder, then plays the upstream of those accounts on loopback
// until its standard input ends. The same seed makes the same past.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"portico/internal/catalog"
	"portico/internal/journal"
	"portico/internal/llm"
	"portico/internal/store"
)

func main() {
	log.SetFlags(0)
	dir := flag.String("dir", "", "the data folder, which is empty")
	port := flag.Int("port", 0, "the gateway's port")
	token := flag.String("token", "", "the admin token")
	rows := flag.Int("requests", 12_000, "how many requests were made")
	accounts := flag.Int("accounts", 6, "how many accounts there are")
	flag.Parse()
	if err := run(*dir, *port, *token, *rows, *accounts); err != nil {
		log.Fatal("gallery: ", err)
	}
}

func run(dir string, port int, token string, rows, accounts int) error {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	cast := cast(accounts)
	if err := os.WriteFile(filepath.Join(dir, "portico.yaml"), configuration(port, token, l.Addr().String(), cast), 0o600); err != nil {
		return err
	}
	if err := remember(dir, past(rand.New(rand.NewPCG(1, 2)), time.Now(), rows, cast)); err != nil {
		return err
	}
	s := &http.Server{Handler: upstream(time.Now), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.Serve(l) }() // it ends with the program
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// remember keeps xs in the ledger of dir, at list prices.
func remember(dir string, xs []*journal.Exchange) error {
	prices := catalog.New(nil)
	s, err := store.Open(dir, store.Options{Price: func(model string, u llm.Usage) (float64, bool) {
		m, ok := prices.Lookup(model)
		if !ok {
			return 0, false
		}
		return catalog.Cost(u, m)
	}})
	if err != nil {
		return err
	}
	for len(xs) > 0 {
		n := min(len(xs), 1000)
		if err := s.Keep(xs[:n]); err != nil {
			return err
		}
		xs = xs[n:]
	}
	return s.Close()
}
