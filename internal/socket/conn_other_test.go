//go:build !linux

package socket

// errReset is not told apart here.
var errReset error
