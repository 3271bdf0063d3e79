package intake

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A tree is an object of JSON, or a table of YAML. What is asked of it and is of
// another type is not there.
type tree map[string]any

// treeOf is v as a tree, nil if it is none.
func treeOf(v any) tree { m, _ := v.(map[string]any); return m }

func (t tree) has(name string) bool { _, ok := t[name]; return ok }

// text is the first of the members called names that is a text which is not
// empty, without space around it.
func (t tree) text(names ...string) string {
	for _, name := range names {
		switch v := t[name].(type) {
		case string:
			if v = strings.TrimSpace(v); v != "" {
				return v
			}
		case float64:
			if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
				return strconv.FormatInt(int64(v), 10)
			}
		}
	}
	return ""
}

// number is a whole number within a billion, else 0.
func (t tree) number(name string) int {
	switch v := t[name].(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= 1e9 {
			return int(v)
		}
	case string: // of YAML
		if n, err := strconv.Atoi(v); err == nil && n >= -1e9 && n <= 1e9 {
			return n
		}
	}
	return 0
}

func (t tree) list(name string) []any { l, _ := t[name].([]any); return l }

func (t tree) in(name string) tree { return treeOf(t[name]) }

// texts are the texts of a list, or of a text with commas between them.
func (t tree) texts(name string) (out []string) {
	switch v := t[name].(type) {
	case string:
		for s := range strings.SplitSeq(v, ",") {
			if s = strings.TrimSpace(s); s != "" {
				out = append(out, s)
			}
		}
	case []any:
		for _, x := range v {
			if s, ok := x.(string); ok && strings.TrimSpace(s) != "" {
				out = append(out, strings.TrimSpace(s))
			}
		}
	}
	return out
}

// pairs are the texts of an object.
func (t tree) pairs(name string) map[string]string {
	out := map[string]string{}
	for k := range t.in(name) {
		if s := t.in(name).text(k); s != "" {
			out[k] = s
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// Bounds of YAML, whose parser takes time by the square of a table's keys.
const (
	maxYAML  = 512 << 10
	maxKeys  = 5000
	maxDepth = 16
)

// parseYAML reads a table of YAML. A text that is none is no error: it may be
// lines.
func parseYAML(src []byte) (t tree, ok bool) {
	if len(src) > maxYAML || bytes.Count(src, []byte(":")) > maxKeys || bytes.Count(src, []byte("[")) > maxKeys || bytes.Count(src, []byte("{")) > maxKeys {
		return nil, false
	}
	// The parser is foreign code on foreign bytes.
	defer func() {
		if recover() != nil {
			t, ok = nil, false
		}
	}()
	file, err := parser.ParseBytes(src, 0)
	if err != nil || len(file.Docs) == 0 {
		return nil, false
	}
	v, ok := plain(file.Docs[0].Body, 0)
	t = treeOf(v)
	return t, ok && len(t) > 0
}

// plain is n as JSON would have it; scalars are texts. Anchors and their like
// are not taken, for a few of them can stand for any number of values.
func plain(n ast.Node, depth int) (v any, ok bool) {
	if depth > maxDepth {
		return nil, false
	}
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return nil, true
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		if n.Value == nil {
			return "", true
		}
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	case *ast.MappingValueNode:
		return table([]*ast.MappingValueNode{n}, depth)
	case *ast.MappingNode:
		return table(n.Values, depth)
	case *ast.SequenceNode:
		out := make([]any, 0, len(n.Values))
		for _, x := range n.Values {
			item, ok := plain(x, depth+1)
			if !ok {
				return nil, false
			}
			out = append(out, item)
		}
		return out, true
	}
	return nil, false
}

func table(values []*ast.MappingValueNode, depth int) (any, bool) {
	out := map[string]any{}
	for _, v := range values {
		key, ok := v.Key.(ast.Node)
		if !ok {
			return nil, false
		}
		name, ok := plain(key, depth+1)
		if !ok {
			return nil, false
		}
		value, ok := plain(v.Value, depth+1)
		if !ok {
			return nil, false
		}
		if s, is := name.(string); is {
			out[s] = value
		}
	}
	return out, true
}
