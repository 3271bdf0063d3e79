package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"portico/internal/config"
	"portico/internal/version"
)

type manCmd struct{}

// Help shows how to use the page.
func (manCmd) Help() string {
	return `Examples:
  portico man | man -l -
  portico man > /usr/local/share/man/man1/portico.1`
}

// Run prints the page in roff.
func (manCmd) Run(g *globals) error {
	m := g.parser.Model
	var b strings.Builder
	fmt.Fprintf(&b, ".TH PORTICO 1 \"\" %s \"Portico\"\n", roffQuote("portico "+version.String()))
	b.WriteString(".SH NAME\nportico \\- a local AI gateway\n.SH SYNOPSIS\n.B portico\n.I command\n[\\fIflags\\fR]\n.SH DESCRIPTION\n")
	b.WriteString(roff(m.Help) + "\n.SH COMMANDS\n")
	manCommands(&b, m.Node, "portico")
	b.WriteString(".SH CONFIGURATION\nEvery key stands in the file, in an environment variable or in a flag of \\fBportico serve\\fR, which win over each other in reverse order.\n")
	for _, k := range config.Keys() {
		names := []string{`\fB` + roff(k.Name) + `\fR`}
		if e := k.Env(); e != "" {
			names = append(names, roff(e))
		}
		fmt.Fprintf(&b, ".TP\n%s\n%s", strings.Join(names, ", "), roff(k.Doc))
		if k.Default != "" {
			fmt.Fprintf(&b, " Default: %s.", roff(k.Default))
		}
		b.WriteByte('\n')
	}
	_, err := fmt.Fprint(g.out, b.String())
	return err
}

func manCommands(b *strings.Builder, n *kong.Node, path string) {
	for _, c := range n.Children {
		if c.Hidden || c.Type != kong.CommandNode {
			continue
		}
		full := path + " " + c.Name
		if len(c.Children) == 0 {
			fmt.Fprintf(b, ".SS %s\n%s\n", roffQuote(strings.TrimPrefix(c.Summary(), "portico ")), roff(c.Help))
			for _, f := range c.Flags {
				if !f.Hidden && f.Name != "help" {
					fmt.Fprintf(b, ".TP\n\\fB%s\\fR\n%s\n", roff(f.String()), roff(f.Help))
				}
			}
			if c.Detail != "" {
				fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", roff(c.Detail))
			}
		}
		manCommands(b, c, full)
	}
}

// roff escapes text for a roff line.
func roff(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\e`), "-", `\-`)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

func roffQuote(s string) string { return `"` + strings.ReplaceAll(roff(s), `"`, `\(dq`) + `"` }
