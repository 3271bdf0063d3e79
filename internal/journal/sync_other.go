//go:build !linux

package journal

import "os"

// dataFile is a file; there is no sync of the data alone that can be relied on.
type dataFile struct{ *os.File }
