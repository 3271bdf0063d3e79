// Command portico is the gateway: server, command line and web page in one
// binary.
package main

import (
	"os"

	"portico/internal/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}
