package rig

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports are taken from below the range from which systems give ports to
// connections: a client that dials a port there which nobody listens on may be
// connected to itself, and then holds the port.
const firstPort, ports = 20_000, 12_000

// given holds the ports that this process was given, so that tests that run at
// one time do not take each other's.
var given sync.Map

// FreePort returns a port on which nobody listens now, and which it has not
// returned before.
func FreePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	for range 1000 {
		p := firstPort + rand.N(ports)
		if _, taken := given.Load(p); taken {
			continue
		}
		l, err := lc.Listen(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(p))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return 0, err
		}
		if _, taken := given.LoadOrStore(p, true); !taken {
			return p, nil
		}
	}
	return 0, errors.New("no free port was found")
}
