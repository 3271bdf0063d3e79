//go:build !linux

package app

// forgetStart is there for Linux only.
func forgetStart() {}
