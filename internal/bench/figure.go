package main

import (
	"fmt"
	"slices"
	"strings"
)

// A load is one kind of traffic.
type load struct {
	Client string // the protocol that the client speaks: chat or anthropic
	Model  string // how it begins decides which account serves, and so the upstream's protocol
	Stream bool
	Paced  bool // chunks come one by one, as from a model, and not as fast as they can
	Large  bool // a megabyte of an agent's conversation instead of a kilobyte
}

// A figure is a load and the most that it may cost of the bare proxy's CPU.
type figure struct {
	name string
	load load
	bare load // what the bare proxy carries meanwhile
	goal float64
}

// turns is how often gateway and bare proxy take turns in one round. What a
// paced chunk costs depends on how the pauses of the streams happen to fall:
// chunks that come together are read in one waking. For the same program it
// goes up and down by half from one load to the next, so one turn tells little.
func (f *figure) turns() int {
	if f.load.Paced {
		return 3
	}
	return 1
}

// Loads that the bare proxy carries. It carries chat for every client, since
// the protocol makes no difference to it.
var (
	small  = load{Client: "chat", Model: "gpt"}
	chunks = load{Client: "chat", Model: "gpt", Stream: true}
	paced  = load{Client: "chat", Model: "gpt", Stream: true, Paced: true}
	mega   = load{Client: "chat", Model: "gpt", Large: true}
)

// as is l asked in another client's protocol, of another upstream.
func (l load) as(client, model string) load {
	l.Client, l.Model = client, model
	return l
}

// figures are the goals of the project.
var figures = []figure{
	{name: "small request, chat", load: small, bare: small, goal: 1.5},
	{name: "small request, anthropic", load: small.as("anthropic", "claude"), bare: small, goal: 1.5},
	{name: "paced chunk, chat", load: paced, bare: paced, goal: 1.2},
	{name: "unpaced chunk, chat", load: chunks, bare: chunks, goal: 3},
	{name: "1 MB request, chat", load: mega, bare: mega, goal: 2},
	{name: "small request, anthropic to chat", load: small.as("anthropic", "gpt"), bare: small, goal: 1.8},
	{name: "small request, chat to anthropic", load: small.as("chat", "claude"), bare: small, goal: 1.8},
	{name: "small request, chat to gemini", load: small.as("chat", "gemini"), bare: small, goal: 1.8},
	{name: "paced chunk, anthropic to chat", load: paced.as("anthropic", "gpt"), bare: paced, goal: 1.3},
	{name: "unpaced chunk, anthropic to chat", load: chunks.as("anthropic", "gpt"), bare: chunks, goal: 3},
	{name: "unpaced chunk, chat to anthropic", load: chunks.as("chat", "claude"), bare: chunks, goal: 3},
	{name: "1 MB request, anthropic to chat", load: mega.as("anthropic", "gpt"), bare: mega, goal: 7},
}

// A sample is one turn of a figure: the CPU time in seconds of each side for
// each request or chunk.
type sample struct{ gateway, bare float64 }

func (s sample) ratio() float64 { return s.gateway / s.bare }

// judge is a line of the report about f, and whether it is within its goal: the
// middle of the ratios of all turns.
func (f *figure) judge(turns []sample) (line string, ok bool) {
	ratios := make([]float64, len(turns))
	gateway, bare := make([]float64, len(turns)), make([]float64, len(turns))
	rounds := make([]string, len(turns))
	for i, t := range turns {
		ratios[i], gateway[i], bare[i] = t.ratio(), t.gateway, t.bare
		rounds[i] = fmt.Sprintf("%.2f", t.ratio())
	}
	r := median(ratios)
	ok = r <= f.goal
	return fmt.Sprintf("%-34s %9.1f µs %9.1f µs %6.2f× ≤ %.1f× %-5s %s", f.name, 1e6*median(gateway), 1e6*median(bare), r, f.goal,
		verdict(ok), strings.Join(rounds, " ")), ok
}

func verdict(ok bool) string {
	if ok {
		return "ok"
	}
	return "over"
}

// A bound is a figure that is no ratio.
type bound struct {
	name, unit string
	value      float64
	goal       float64
}

func (b bound) judge() (line string, ok bool) {
	ok = b.value <= b.goal
	return fmt.Sprintf("%-34s %9.1f %s ≤ %.0f %s %s", b.name, b.value, b.unit, b.goal, b.unit, verdict(ok)), ok
}

// median is the middle of xs, which is not empty, or the mean of its two
// middles.
func median(xs []float64) float64 {
	xs = slices.Sorted(slices.Values(xs))
	n := len(xs)
	return (xs[(n-1)/2] + xs[n/2]) / 2
}
