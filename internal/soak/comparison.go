package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// A comparison is the two tables of what came of a scene on the virtual clock
// and in the gateway: figures, and who served.
type comparison struct {
	names            []string
	figures, serving strings.Builder
}

func newComparison(parts []part) *comparison {
	c := &comparison{}
	head := []string{"strategy"}
	for _, f := range figures {
		head = append(head, f.name)
	}
	row(&c.figures, append(head, "within noise"))
	row(&c.figures, dashes(len(head)+1))
	head = []string{"strategy"}
	for _, p := range parts {
		c.names = append(c.names, p.Name)
		head = append(head, p.Name)
	}
	row(&c.serving, append(head, "within noise"))
	row(&c.serving, dashes(len(head)+1))
	return c
}

// shareNoise is by how much an account's share of what was served may be apart
// beyond what chance does.
const shareNoise = .03

// add adds a strategy, and says what is further apart than noise; "" for
// nothing.
func (c *comparison) add(mode string, virtual []*play, live *play) string {
	var apart []string
	cells := []string{"`" + mode + "`"}
	for _, f := range figures {
		s, x := spreadOf(virtual, f.of), f.of(live)
		cells = append(cells, fmt.Sprintf(f.number+" / "+f.number, s.mean*f.unit, x*f.unit))
		if !s.holds(x, f.floor+f.share*s.mean) {
			apart = append(apart, fmt.Sprintf("%s "+f.number+", simulated "+f.number+" ± "+f.number, f.name, x*f.unit, s.mean*f.unit, s.deviation*f.unit))
		}
	}
	row(&c.figures, append(cells, within(len(apart))))
	cells, before := []string{"`" + mode + "`"}, len(apart)
	for i, name := range c.names {
		of := func(p *play) float64 { return float64(p.Accounts[i].Served) / float64(max(p.Served, 1)) }
		s, x := spreadOf(virtual, of), of(live)
		cells = append(cells, fmt.Sprintf("%.0f / %.0f", 100*s.mean, 100*x))
		if !s.holds(x, shareNoise) {
			apart = append(apart, fmt.Sprintf("share of %s %.1f %%, simulated %.1f ± %.1f %%", name, 100*x, 100*s.mean, 100*s.deviation))
		}
	}
	row(&c.serving, append(cells, within(len(apart)-before)))
	return strings.Join(apart, "; ")
}

func within(apart int) string {
	if apart == 0 {
		return "yes"
	}
	return fmt.Sprintf("%d not", apart)
}

// text is both tables, as the documentation shows them.
func (c *comparison) text(length time.Duration) string {
	return fmt.Sprintf("Simulated / by the gateway, of %d requests a second for %s:\n\n%s\nWho served, in percent:\n\n%s", sceneRate, length, c.figures.String(), c.serving.String())
}

func row(b *strings.Builder, cells []string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func dashes(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "---"
	}
	return out
}

// writeBetween writes text into a page, between the marks of name.
func writeBetween(page, name, text string) error {
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	begin, end := "<!-- begin measured: "+name+" -->\n", "<!-- end measured: "+name+" -->\n"
	head, rest, ok := strings.Cut(string(old), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s has no marks for %s", page, name)
	}
	return os.WriteFile(page, []byte(head+begin+text+end+tail), 0o644)
}
