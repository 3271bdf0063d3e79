package journal

import (
	"errors"
	"os"

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
