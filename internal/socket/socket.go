// Package socket makes TCP connections cheaper to read and write in small
// pieces, which is what streams of tokens are.
//
// Go tells its scheduler before each system call that the call may block, so
// that another thread can take over. A socket of Go's never blocks: when there
// is nothing to read it says so, and the goroutine is parked. What the warning
// costs is seen in a stream: the monitor thread wakes up every 20 µs to look
// after calls under way, and takes the processor from those that last longer,
// as a write to a neighbour on the same machine does. Connections of this
// package do without the warning for pieces of up to 64 KiB.
//
// It is done on Linux only. Elsewhere, and for what is no TCP connection, the
// functions return what they were given.
package socket

import (
	"context"
	"net"
)

// Listen returns l whose connections are cheap.
func Listen(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return wrap(c), nil
}

// A Dial makes a connection, like [net.Dialer.DialContext].
type Dial = func(ctx context.Context, network, addr string) (net.Conn, error)

// Dialing returns dial whose connections are cheap.
func Dialing(dial Dial) Dial {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return wrap(c), nil
	}
}
