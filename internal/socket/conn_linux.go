package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// maxPiece bounds in bytes what is read or written without the scheduler
// knowing: copying so much takes some 10 µs. Larger pieces go the usual way,
// and cost little more by it.
const maxPiece = 64 << 10

// A conn is a TCP connection. Deadlines, Close and waiting are those of the
// net package: only the system call itself is another.
type conn struct {
	*net.TCPConn
	raw           syscall.RawConn
	reads, writes half
}

// A half is one direction of a connection. Its lock is held by whoever reads
// or writes, also while it waits; nobody waits for it who does not take turns
// in the net package, too.
type half struct {
	sync.Mutex
	p     []byte
	n     int // bytes done, while a call is under way
	errno syscall.Errno
	step  func(fd uintptr) (done bool) // made once
}

func wrap(c net.Conn) net.Conn {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return c
	}
	s := &conn{TCPConn: t, raw: raw}
	s.reads.step, s.writes.step = s.reads.read, s.writes.write
	return s
}

// read is one try to read; false: there is nothing yet.
func (h *half) read(fd uintptr) bool {
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(h.p))), uintptr(len(h.p)))
		switch errno {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		case 0:
			h.n = int(n)
		}
		h.errno = errno
		return true
	}
}

// write writes what is left of p; false: there is no room for all.
func (h *half) write(fd uintptr) bool {
	for h.n < len(h.p) {
		rest := h.p[h.n:]
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(rest))), uintptr(len(rest)))
		switch errno {
		case 0:
			h.n += int(n)
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			h.errno = errno
			return true
		}
	}
	return true
}

// do has by try until all is done, which is told by the counts and the error
// that the system gave.
func (h *half) do(p []byte, by func(func(uintptr) bool) error) (n int, errno syscall.Errno, err error) {
	h.Lock()
	defer h.Unlock()
	h.p, h.n, h.errno = p, 0, 0
	err = by(h.step)
	h.p = nil
	return h.n, h.errno, err
}

func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 || len(p) > maxPiece {
		return c.TCPConn.Read(p)
	}
	n, errno, err := c.reads.do(p, c.raw.Read)
	switch {
	case err != nil:
		return 0, c.fault("read", err)
	case errno != 0:
		return 0, c.fault("read", os.NewSyscallError("read", errno))
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

func (c *conn) Write(p []byte) (int, error) {
	if len(p) == 0 || len(p) > maxPiece {
		return c.TCPConn.Write(p)
	}
	n, errno, err := c.writes.do(p, c.raw.Write)
	switch {
	case err != nil:
		return n, c.fault("write", err)
	case errno != 0:
		return n, c.fault("write", os.NewSyscallError("write", errno))
	}
	return n, nil
}

// ReadFrom writes what r has. It is there because that of net.TCPConn would
// write past this connection's own Write.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, r)
}

// fault is err as the net package tells it: net/http looks at Op.
func (c *conn) fault(op string, err error) error {
	if raw := (*net.OpError)(nil); errors.As(err, &raw) {
		err = raw.Err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}
