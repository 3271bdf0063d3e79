package cli

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"os/exec"
	"runtime"
)

// visit opens an address in the person's browser. The address is an argument
// of its own, and no shell reads it.
func visit(ctx context.Context, address string) error {
	if !opens(address) {
		return errors.New("the address is not https")
	}
	name, args := opener(runtime.GOOS)
	return exec.CommandContext(context.WithoutCancel(ctx), name, append(args, address)...).Start()
}

// opens reports whether address is one that a browser may be sent to: https, or
// this machine. Spec: security SEC-63.
func opens(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && err == nil && a.IsLoopback()
}
