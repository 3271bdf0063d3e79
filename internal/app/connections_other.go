//go:build !linux && !darwin

package app

import "math"

// openFiles is how many files the process may open; it is not known here.
func openFiles() uint64 { return math.MaxUint64 }
