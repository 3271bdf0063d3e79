package config

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Shown is one key as it is shown: secrets are masked.
type Shown struct {
	Key    string `json:"key"`
	Value  any    `json:"value"`            // bool, int64, float64, string, []string, map[string]string, or records: []any of []Shown
	Source string `json:"source,omitempty"` // default, or the file and line, the variable, the flag, that it comes from
}

// Show lists every key with its value and where it comes from.
func (c *Config) Show() []Shown {
	out := make([]Shown, 0, len(fields))
	for _, f := range fields {
		source := "default"
		if o, ok := c.origin[f.Name]; ok {
			source = o.String()
		}
		out = append(out, Shown{f.Name, f.get(c), source})
	}
	return out
}

// Masked writes the configuration as YAML, each value with a comment that
// says where it comes from. It reads like the file, but is none: the secrets
// are masked.
func (c *Config) Masked(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# data folder: %s\n", c.DataDir)
	group := ""
	for _, s := range c.Show() {
		name := s.Key
		if head, rest, ok := strings.Cut(name, "."); ok {
			if head != group {
				b.WriteString(head + ":\n")
			}
			group, name = head, "  "+rest
		} else {
			group = ""
		}
		writeYAML(&b, name, s.Value, "  # "+s.Source, 0)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeYAML writes one key; note is the comment at its end.
func writeYAML(b *strings.Builder, name string, v any, note string, indent int) {
	pad := strings.Repeat(" ", indent)
	switch v := v.(type) {
	case []any:
		if len(v) == 0 {
			fmt.Fprintf(b, "%s%s: []%s\n", pad, name, note)
			return
		}
		fmt.Fprintf(b, "%s%s:%s\n", pad, name, note)
		for _, record := range v {
			mark := pad + "  - "
			for _, s := range record.([]Shown) {
				var line strings.Builder
				writeYAML(&line, s.Key, s.Value, "", indent+4)
				b.WriteString(mark + strings.TrimPrefix(line.String(), pad+"    "))
				mark = pad + "    "
			}
		}
	case map[string]string:
		fmt.Fprintf(b, "%s%s: {", pad, name)
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(yamlText(k) + ": " + yamlText(v[k]))
		}
		fmt.Fprintf(b, "}%s\n", note)
	case []string:
		words := make([]string, len(v))
		for i, s := range v {
			words[i] = yamlText(s)
		}
		fmt.Fprintf(b, "%s%s: [%s]%s\n", pad, name, strings.Join(words, ", "), note)
	case string:
		fmt.Fprintf(b, "%s%s: %s%s\n", pad, name, yamlText(v), note)
	default:
		fmt.Fprintf(b, "%s%s: %v%s\n", pad, name, v, note)
	}
}

// yamlText is s as a YAML scalar: plain where that is safe, in quotes else.
func yamlText(s string) string {
	plain := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._/-…•", r)
	}) < 0 && s[0] != '-' && s[0] != '.'
	if plain {
		return s
	}
	return strconv.Quote(s)
}

// shownRecord lists what differs from nothing, in the order of the fields.
func shownRecord[T any](fields []field[T], t *T) []Shown {
	var out []Shown
	for _, f := range fields {
		v := f.get(t)
		if empty(v) {
			continue
		}
		head, rest, nested := strings.Cut(f.Name, ".")
		if !nested {
			out = append(out, Shown{Key: f.Name, Value: v})
			continue
		}
		if n := len(out); n == 0 || out[n-1].Key != head {
			out = append(out, Shown{Key: head, Value: map[string]string{}})
		}
		out[len(out)-1].Value.(map[string]string)[rest] = fmt.Sprint(v)
	}
	return out
}

func empty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case bool:
		return !v
	case int64:
		return v == 0
	case float64:
		return false
	case []string:
		return len(v) == 0
	case map[string]string:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}
