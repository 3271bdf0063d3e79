//go:build !linux

package journal

import "os"

type dataFile struct{ *os.File }
