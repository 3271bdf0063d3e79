//go:build linux

package socket

import (
	"net"
	"syscall"
)

var errReset error = syscall.ECONNRESET

func (c *conn) plain() net.Conn { return c.TCPConn }
