package journal

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSync: a sync through the kernel's queue tells success and failure like
// the system call does.
func TestSync(t *testing.T) {
	q := queueOf()
	if q == nil {
		t.Skip("this system has no queue")
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if _, err := f.Write([]byte("x")); err != nil {
					t.Error(err)
				}
				if err := q.sync(f.Fd()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()

	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if err := q.sync(w.Fd()); !errors.Is(err, unix.EINVAL) && !errors.Is(err, errNoQueue) {
		t.Errorf("the sync of a pipe: %v, want EINVAL", err)
	}
	if err := (dataFile{w}).Sync(); !errors.Is(err, unix.EINVAL) {
		t.Errorf("the sync of a pipe: %v, want EINVAL", err)
	}
	if err := (*queue)(nil).sync(f.Fd()); !errors.Is(err, errNoQueue) {
		t.Errorf("without a queue: %v", err)
	}
}
