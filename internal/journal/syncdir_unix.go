//go:build unix

package journal

import (
	"errors"
	"os"
)

// syncDir makes the names in dir outlive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
