// Package attack holds the attack tests: what an attacker may try against the
// running gateway, and what must happen. It has no code of its own.
//
// Each test is named by its id in the threat model and runs the real binary
// with a data folder of its own, upstreams on loopback that take down what
// reaches them, and a canary in every place that holds a secret; whatever a
// test does, no canary may be in any answer, log line or file but those that
// hold secrets. docs/security-tests.md lists all ids and what became of each.
//
// The tests take seconds with small numbers; -full takes those of the threat
// model.
package attack
