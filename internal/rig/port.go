package rig

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken from below the range from which systems give ports to
// connections: a client that dials a port there which nobody listens on may be
// connected to itself, and then holds the port.
const firstPort, ports = 20_000, 12_000

// FreePort returns a port on which nobody listens now.
func FreePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	for range 200 {
		p := firstPort + rand.N(ports)
		l, err := lc.Listen(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(p))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return 0, err
		}
		return p, nil
	}
	return 0, errors.New("no free port was found")
}
