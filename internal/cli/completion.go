package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help shows how to use the script.
func (completionCmd) Help() string {
	return `Examples:
  portico completion bash > ~/.local/share/bash-completion/completions/portico
  portico completion zsh > "${fpath[1]}/_portico"
  portico completion fish > ~/.config/fish/completions/portico.fish`
}

// Run prints the script.
func (c *completionCmd) Run(g *globals) error {
	words := vocabulary(g.parser.Model.Node, "")
	var b strings.Builder
	switch c.Shell {
	case "fish":
		for _, w := range words {
			fishLines(&b, w)
		}
	case "zsh":
		b.WriteString("#compdef portico\nautoload -U +X bashcompinit && bashcompinit\n")
		fallthrough
	default:
		bashScript(&b, words)
	}
	_, err := fmt.Fprint(g.out, b.String())
	return err
}

// A word is a command with what may follow it.
type word struct {
	path  string // "account add", "" for the program itself
	help  string
	subs  []*kong.Node
	flags []*kong.Flag
}

func vocabulary(n *kong.Node, path string) []word {
	w := word{path: path, help: n.Help}
	for _, group := range n.AllFlags(true) {
		w.flags = append(w.flags, group...)
	}
	out := []word{}
	for _, c := range n.Children {
		if c.Hidden || c.Type != kong.CommandNode {
			continue
		}
		w.subs = append(w.subs, c)
		out = append(out, vocabulary(c, strings.TrimSpace(path+" "+c.Name))...)
	}
	return append([]word{w}, out...)
}

func bashScript(b *strings.Builder, words []word) {
	b.WriteString("_portico() {\n  local cur=${COMP_WORDS[COMP_CWORD]} path= w\n  for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do case $w in -*) ;; *) path=\"${path:+$path }$w\" ;; esac; done\n  case $path in\n")
	for _, w := range slices.Backward(words) { // the longest first

		var say []string
		for _, s := range w.subs {
			say = append(say, s.Name)
		}
		for _, f := range w.flags {
			say = append(say, "--"+f.Name)
		}
		pattern := "'" + w.path + "'*"
		if w.path == "" {
			pattern = "*"
		}
		fmt.Fprintf(b, "    %s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")) ;;\n", pattern, strings.Join(say, " "))
	}
	b.WriteString("  esac\n}\ncomplete -o default -F _portico portico\n")
}

func fishLines(b *strings.Builder, w word) {
	condition := "__fish_use_subcommand"
	if w.path != "" {
		parts := strings.Fields(w.path)
		for i, p := range parts {
			parts[i] = "__fish_seen_subcommand_from " + p
		}
		condition = strings.Join(parts, "; and ")
	}
	for _, s := range w.subs {
		fmt.Fprintf(b, "complete -c portico -f -n %s -a %s -d %s\n", fishQuote(condition), s.Name, fishQuote(s.Help))
	}
	for _, f := range w.flags {
		fmt.Fprintf(b, "complete -c portico -n %s -l %s -d %s\n", fishQuote(condition), f.Name, fishQuote(f.Help))
	}
}

func fishQuote(s string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", `\'`) + "'"
}
