//go:build unix

package secret

import (
	"errors"
	"fmt"
	"os"
)

// checkMode refuses a file that others may read or change.
func checkMode(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s may be read or changed by others (mode %04o); run: chmod 600 %s", f.Name(), mode, f.Name())
	}
	return nil
}

// syncDir makes the names in dir outlive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
