// Package portico is the root of the Portico gateway's module. The program is
// in cmd/portico; ARCHITECTURE.md is the map of everything below internal.
package portico
