package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"portico/internal/secret"
)

const head = "# The configuration of Portico. It holds credentials: only you may read it.\n# `portico config keys` lists every key.\n"

// generate makes the missing credentials and keeps them: in the file, below
// what the operator wrote, or in a file of their own if it cannot be written.
func (c *Config) generate(o Options, missing []string) error {
	path := filepath.Join(c.DataDir, fileName)
	if c.File != "" {
		path = c.File
	}
	err := appendTo(path, missing)
	if err != nil {
		err = appendTo(filepath.Join(c.DataDir, generatedName), missing)
	}
	return err
}

// appendTo generates names at the end of the file, whose bytes before stay as
// they are.
func appendTo(path string, names []string) error {
	src, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		src, err = []byte(head), nil
	}
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.Write(src)
	eol := "\n"
	if bytes.Contains(src, []byte("\r\n")) {
		eol = "\r\n"
	}
	if len(src) > 0 && src[len(src)-1] != '\n' {
		b.WriteString(eol)
	}
	values := map[string]string{}
	for _, name := range names {
		values[name] = Generate(name).Reveal()
		b.WriteString(name + ": " + values[name] + eol)
	}
	return replace(path, src, b.Bytes(), values)
}

// replace writes after in the place of before, if it reads as before does but
// for values. A file that ends within a flow table or a block of text would
// not.
func replace(path string, before, after []byte, values map[string]string) error {
	was, err := parse(before)
	if err != nil {
		return err
	}
	is, err := parse(after)
	if err != nil {
		return fmt.Errorf("%s cannot be extended by a line at its end", path)
	}
	for name, v := range values {
		if e, ok := is.find(name); !ok || e.value.text != v {
			return fmt.Errorf("%s cannot be extended by a line at its end", path)
		}
	}
	strip := func(n node) (out []node) {
		for _, e := range n.pairs {
			if _, ours := values[e.name]; !ours {
				out = append(out, node{text: e.name}, e.value)
			}
		}
		return out
	}
	if !reflect.DeepEqual(strip(was), strip(is)) {
		return fmt.Errorf("%s cannot be extended by a line at its end", path)
	}
	return writeFile(path, after)
}

// Rotate generates api_key or admin_token anew in the file that decided it,
// and returns it with the file's path. A running server takes it over when it
// reloads. It fails, and changes nothing, if a variable or a flag decides.
func Rotate(o Options, name string) (secret.Text, string, error) {
	if name != "api_key" && name != "admin_token" {
		return secret.Text{}, "", fmt.Errorf("%s is not a credential of the server; there are api_key and admin_token", quote(name))
	}
	o.Init = true
	c, _, err := Load(o)
	if err != nil {
		return secret.Text{}, "", err
	}
	from := c.origin[name]
	if from.kind != "file" {
		return secret.Text{}, "", fmt.Errorf("%s comes from %s; change it there", name, from)
	}
	src, err := os.ReadFile(from.where)
	if err != nil {
		return secret.Text{}, "", err
	}
	fresh := Generate(name)
	after, ok := setLine(src, from.line, name, fresh.Reveal())
	if !ok {
		return secret.Text{}, "", fmt.Errorf("%s: %s is written in a way that cannot be edited in place; change it by hand", from, name)
	}
	if err := replace(from.where, src, after, map[string]string{name: fresh.Reveal()}); err != nil {
		return secret.Text{}, "", err
	}
	return fresh, from.where, nil
}

// setLine changes the scalar of a top-level key on a line of its own; a
// comment behind it stays.
func setLine(src []byte, line int, name, value string) ([]byte, bool) {
	lines := bytes.SplitAfter(src, []byte("\n"))
	if line < 1 || line > len(lines) {
		return nil, false
	}
	m := assignment.FindStringSubmatchIndex(string(lines[line-1]))
	if m == nil {
		return nil, false
	}
	l := string(lines[line-1])
	if strings.Trim(l[m[2]:m[3]], `"'`) != name || strings.HasPrefix(l[m[4]:m[5]], "env:") {
		return nil, false
	}
	lines[line-1] = []byte(l[:m[4]] + value + l[m[5]:])
	return bytes.Join(lines, nil), true
}

var assignment = regexp.MustCompile(`^(?:\x{FEFF})?(["']?[a-z_]+["']?)[ \t]*:[ \t]+("[^"\n]*"|'[^'\n]*'|[^\s"'|>&*!][^\s]*)[ \t]*(?:#[^\n]*)?\r?\n?$`)
