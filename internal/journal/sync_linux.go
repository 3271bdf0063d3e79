package journal

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dataFile is a file whose sync leaves out what is not needed to read its data
// again, such as the time of the last change.
type dataFile struct{ *os.File }

func (f dataFile) Sync() error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	failed := c.Control(func(fd uintptr) {
		if err = queueOf().sync(fd); !errors.Is(err, errNoQueue) {
			return
		}
		for {
			if err = unix.Fdatasync(int(fd)); !errors.Is(err, unix.EINTR) {
				return
			}
		}
	})
	if failed != nil {
		return failed
	}
	return os.NewSyscallError("fdatasync", err)
}

// A queue has the kernel sync a file while no thread of this process waits for
// it (io_submit(2), IOCB_CMD_FDSYNC). A thread that waits in a system call
// looks to Go's scheduler like one that is lost: it gives its processor to
// another thread and polls every 20 µs for a while, for each sync. On a gateway
// with one core that cost more than the sync.
type queue struct {
	mu   sync.Mutex
	id   uintptr
	fd   int      // of an eventfd: something is done
	done *os.File // the same, to wait at
}

var errNoQueue = errors.New("the kernel takes no asynchronous sync")

// queueOf returns the process's queue, nil where there can be none: kernels
// before 4.18, and sandboxes that forbid it.
var queueOf = sync.OnceValue(func() *queue {
	q := &queue{}
	if _, _, e := unix.Syscall(unix.SYS_IO_SETUP, 1, uintptr(unsafe.Pointer(&q.id)), 0); e != 0 {
		return nil
	}
	var err error
	if q.fd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		unix.Syscall(unix.SYS_IO_DESTROY, q.id, 0, 0)
		return nil
	}
	q.done = os.NewFile(uintptr(q.fd), "eventfd")
	return q
})

// The kernel's own layouts, see io_submit(2).
type iocb struct {
	_     uint64    // what comes back with the event
	_     [2]uint32 // the kernel's, and flags of reads and writes
	op    uint16
	_     int16 // priority
	fd    uint32
	_     [3]uint64 // buffer, length, offset
	_     uint64
	flags uint32
	resfd uint32
}

type ioEvent struct {
	_   [2]uint64 // what was given, and where the iocb was
	res int64
	_   int64
}

const (
	cmdFDSync = 3
	flagResFD = 1
)

// sync returns once the data of fd is on the disk, or with errNoQueue at once.
func (q *queue) sync(fd uintptr) error {
	if q == nil {
		return errNoQueue
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	cb := &iocb{op: cmdFDSync, fd: uint32(fd), flags: flagResFD, resfd: uint32(q.fd)}
	// Neither call waits for anything, so nobody is warned of them.
	if n, _, e := unix.RawSyscall(unix.SYS_IO_SUBMIT, q.id, 1, uintptr(unsafe.Pointer(&cb))); e != 0 || n != 1 {
		return errNoQueue
	}
	var told [8]byte
	if _, err := q.done.Read(told[:]); err != nil {
		return err
	}
	var ev ioEvent
	for {
		n, _, e := unix.RawSyscall6(unix.SYS_IO_GETEVENTS, q.id, 1, 1, uintptr(unsafe.Pointer(&ev)), 0, 0)
		switch {
		case e == unix.EINTR:
			continue
		case e != 0:
			return e
		case n != 1:
			return errors.New("the kernel lost a sync")
		case ev.res < 0:
			return syscall.Errno(-ev.res)
		}
		return nil
	}
}
