package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Options say where the configuration comes from.
type Options struct {
	DataDir string            // as given by --data-dir; see Dir
	File    string            // as given by --config; "" is portico.yaml in the data folder, which may be missing
	Env     []string          // as os.Environ returns it
	Flags   map[string]string // the value of each flag that was given, by the key's name; commas part a list

	// Init makes the data folder, and generates api_key and admin_token where
	// they are absent. Without it, nothing is written.
	Init bool

	Providers    []string            // names that provider may have; empty: any
	CheckAccount func(Account) error // refuses an account that its provider cannot take; may be nil
}

// An origin is the place that decided a key.
type origin struct {
	kind  string // "file", "env", "flag"
	where string
	line  int
}

func (o origin) String() string {
	switch o.kind {
	case "file":
		return fmt.Sprintf("%s:%d", o.where, o.line)
	case "env":
		return "env " + o.where
	}
	return "flag " + o.where
}

// Load reads the configuration. Flags win over the environment, it over the
// file, and the file over the defaults. The error is an *Error with every
// problem that was found; warnings do not keep the configuration from taking
// effect.
func Load(o Options) (*Config, []Problem, error) {
	c, warnings, err := load(o)
	if err != nil || !o.Init {
		return c, warnings, err
	}
	var missing []string
	for _, name := range []string{"api_key", "admin_token"} {
		if _, ok := c.origin[name]; !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return c, warnings, nil
	}
	if err := c.generate(o, missing); err != nil {
		return nil, warnings, &Error{[]Problem{{Where: c.DataDir, Text: err.Error()}}}
	}
	return load(o)
}

func load(o Options) (*Config, []Problem, error) {
	c := Default()
	c.origin = map[string]origin{}
	r := &report{options: &o, named: map[string]int{}, env: func(name string) (string, bool) { return lookup(o.Env, name) }}
	dir, err := Dir(o.DataDir, o.Env)
	if err == nil && o.Init {
		err = MakeDir(dir)
	} else if err == nil {
		if err = CheckDir(dir); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		return nil, nil, &Error{[]Problem{{Text: err.Error()}}}
	}
	c.DataDir = dir
	path := filepath.Join(dir, fileName)
	if o.File != "" {
		if path, err = filepath.Abs(o.File); err != nil {
			return nil, nil, &Error{[]Problem{{Where: o.File, Text: err.Error()}}}
		}
	}
	c.read = []string{path, filepath.Join(dir, generatedName)}
	c.seen = look(c.read)
	if readFile(r, path, fields, c) {
		c.File = path
	} else if o.File != "" {
		r.problem(0, "", "there is no such file")
	}
	r.readGenerated(filepath.Join(dir, generatedName), c)
	r.readEnv(o.Env, c)
	for _, f := range fields {
		if v, ok := o.Flags[f.Name]; ok && f.Flag() != "" {
			r.readText(f, origin{"flag", "--" + f.Flag(), 0}, v, c)
		}
	}
	cross(r, c)
	c.read, c.seen = append(c.read, r.files...), append(c.seen, r.seen...)
	if err := r.err(); err != nil {
		return nil, r.warn, err
	}
	return c, r.warn, nil
}

// readFile reads those keys of the file that are in fields, and reports
// whether there is a file.
func readFile(r *report, path string, fields []field[Config], c *Config) bool {
	r.where, r.base, r.sensitive = path, filepath.Dir(path), false
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err == nil {
		err = checkFile(path, info, false)
	}
	if err != nil {
		r.bad = append(r.bad, Problem{Text: err.Error()})
		return true
	}
	root, err := readTree(path)
	if err != nil {
		line := 0
		if e, ok := errors.AsType[*syntaxError](err); ok {
			line = e.line
		}
		r.problem(line, "", "%v", err)
		return true
	}
	readTable(r, fields, "", "", root, c, func(name string, line int) {
		c.origin[name] = origin{"file", path, line}
	})
	if r.sensitive {
		if err := checkFile(path, info, true); err != nil {
			r.bad = append(r.bad, Problem{Text: err.Error()})
		}
	}
	return true
}

func readTree(path string) (node, error) {
	f, err := os.Open(path)
	if err != nil {
		return node{}, err
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return node{}, err
	}
	return parse(src)
}

// readGenerated reads the credentials that were generated when the file could
// not be written; what the file itself says goes first.
func (r *report) readGenerated(path string, c *Config) {
	key, _ := keyOf("api_key")
	token, _ := keyOf("admin_token")
	second := &Config{origin: map[string]origin{}}
	readFile(r, path, []field[Config]{key, token}, second)
	for name, o := range second.origin {
		if _, ok := c.origin[name]; ok {
			continue
		}
		c.origin[name] = o
		if name == "api_key" {
			c.APIKey = second.APIKey
		} else {
			c.AdminToken = second.AdminToken
		}
	}
}

// readEnv reads the variables. An empty one counts as unset.
func (r *report) readEnv(env []string, c *Config) {
	known := []string{"PORTICO_HOME"}
	for _, f := range fields {
		name := f.Env()
		if name == "" {
			continue
		}
		known = append(known, name)
		v, _ := lookup(env, name)
		if strings.TrimSpace(v) == "" {
			continue
		}
		// Kubernetes sets PORTICO_PORT=tcp://10.0.0.1:8045 in every pod beside a
		// service called portico.
		if f.Name == "port" && strings.Contains(v, "://") {
			r.where = name
			r.warning(0, f.Name, "%s is left aside: it looks like a service link of Kubernetes or Docker", quote(v))
			continue
		}
		r.readText(f, origin{"env", name, 0}, v, c)
	}
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "PORTICO_") || slices.Contains(known, name) {
			continue
		}
		// Only a near miss is worth a word; others may use the prefix too.
		for _, k := range known {
			if distance(name, k) <= 2 && len(name) < 64 {
				r.where = name
				r.warning(0, "", "is not a variable that is read; did you mean %s?", k)
				break
			}
		}
	}
}

// readText reads a key out of a variable or a flag.
func (r *report) readText(f field[Config], from origin, v string, c *Config) {
	n := node{kind: scalar, text: v}
	if f.List {
		n = node{kind: list}
		for s := range strings.SplitSeq(v, ",") {
			if s = strings.TrimSpace(s); s != "" {
				n.items = append(n.items, node{kind: scalar, text: s})
			}
		}
	}
	r.where = from.where
	f.set(r, f.Name, n, c)
	c.origin[f.Name] = from
}
