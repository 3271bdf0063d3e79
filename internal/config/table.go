package config

import (
	"fmt"
	"slices"
	"strings"
)

// records is a list of tables of another kind, at most bound.
func records[T, V any](name, typ string, bound int, fields []field[V], fresh func() V, at func(*T) *[]V, check func(r *report, path string, n node, v *V), doc string) field[T] {
	return field[T]{
		Key{Name: name, Type: "a list of " + typ, Doc: doc, FileOnly: true},
		func(r *report, path string, n node, into *T) {
			if n.kind == null {
				return
			}
			if n.kind != list {
				r.problem(n.line, path, "takes a list, not %s", n.kind)
				return
			}
			if len(n.items) > bound {
				r.problem(n.line, path, "has %d entries; at most %d are taken", len(n.items), bound)
				return
			}
			out := make([]V, 0, len(n.items))
			for i, item := range n.items {
				v, at, before := fresh(), fmt.Sprintf("%s[%d]", path, i), len(r.bad)
				if item.kind != table {
					r.problem(item.line, at, "takes a table, not %s", item.kind)
					continue
				}
				readTable(r, fields, at, "", item, &v, nil)
				if len(r.bad) == before {
					check(r, at, item, &v)
				}
				out = append(out, v)
			}
			*at(into) = out
		},
		func(t *T) any {
			out := make([]any, 0, len(*at(t)))
			for i := range *at(t) {
				out = append(out, shownRecord(fields, &(*at(t))[i]))
			}
			return out
		},
	}
}

// readTable reads the entries of n, whose path in the file is path and whose
// names begin with prefix, into the T. seen, if not nil, hears of each key.
func readTable[T any](r *report, fields []field[T], path, prefix string, n node, into *T, seen func(name string, line int)) {
	lines := map[string]int{}
	for _, e := range n.pairs {
		name := prefix + e.name
		at := strings.TrimPrefix(path+"."+name, ".")
		if line, twice := lines[e.name]; twice {
			r.problem(e.line, at, "is there twice; it was first on line %d", line)
			continue
		}
		lines[e.name] = e.line
		i := slices.IndexFunc(fields, func(f field[T]) bool { return f.Name == name })
		switch {
		case i >= 0 && !strings.Contains(e.name, "."):
			if seen != nil {
				seen(name, e.line)
			}
			fields[i].set(r, at, e.value, into)
		case !slices.ContainsFunc(fields, func(f field[T]) bool { return strings.HasPrefix(f.Name, name+".") }):
			r.problem(e.line, at, "is not a key that is known here%s", suggest(e.name, names(fields, prefix)))
		case e.value.kind == table:
			readTable(r, fields, path, name+".", e.value, into, seen)
		case e.value.kind != null:
			r.problem(e.line, at, "takes a table of %s", strings.Join(names(fields, name+"."), ", "))
		}
	}
	if prefix != "" {
		return
	}
	for _, f := range fields {
		if _, ok := lines[f.Name]; f.Required && !ok {
			r.problem(n.line, strings.TrimPrefix(path+"."+f.Name, "."), "is missing")
		}
	}
}

// names lists what may follow prefix, each once.
func names[T any](fields []field[T], prefix string) []string {
	var out []string
	for _, f := range fields {
		if rest, ok := strings.CutPrefix(f.Name, prefix); ok {
			head, _, _ := strings.Cut(rest, ".")
			if !slices.Contains(out, head) {
				out = append(out, head)
			}
		}
	}
	return out
}
