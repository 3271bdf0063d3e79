package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Bounds of a file.
const (
	maxFile  = 1 << 20 // bytes
	maxDepth = 16      // tables and lists within each other; our keys need 4
	maxColon = 50_000  // colons, and so keys: the parser takes time by the square of a table's keys, 3 s for these
)

type kind uint8

const (
	null kind = iota
	scalar
	list
	table
)

func (k kind) String() string {
	return [...]string{"nothing", "a value", "a list", "a table"}[k]
}

// A node is one value of a file with the line it stands on. It is what is
// left of YAML once its spellings are gone: the text of a scalar says what the
// operator wrote, and the key that takes it decides what it means, so that
// `off` and `1.0` mean the same in a file, a variable and a flag.
type node struct {
	kind  kind
	line  int
	text  string
	items []node  // of a list
	pairs []entry // of a table, in the order of the file, duplicates too
}

type entry struct {
	name  string
	line  int
	value node
}

// find returns the first entry called name.
func (n node) find(name string) (entry, bool) {
	for _, e := range n.pairs {
		if e.name == name {
			return e, true
		}
	}
	return entry{}, false
}

// A syntaxError is a file that is not readable as YAML at all.
type syntaxError struct {
	line int
	text string
}

func (e *syntaxError) Error() string { return e.text }

// parse reads YAML. An empty file is an empty table.
func parse(src []byte) (root node, err error) {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	switch {
	case len(src) > maxFile:
		return root, &syntaxError{0, fmt.Sprintf("is larger than %d bytes", maxFile)}
	case !utf8.Valid(src):
		return root, &syntaxError{badLine(src), "is not UTF-8"}
	case bytes.IndexByte(src, 0) >= 0:
		return root, &syntaxError{1 + bytes.Count(src[:bytes.IndexByte(src, 0)], []byte("\n")), "holds a NUL byte"}
	case bytes.Count(src, []byte(":")) > maxColon:
		return root, &syntaxError{0, fmt.Sprintf("holds more than %d keys", maxColon)}
	case deep(src):
		return root, &syntaxError{0, fmt.Sprintf("nests more than %d deep", maxDepth)}
	}
	// The library's parser is foreign code on foreign bytes; a defect in it must
	// cost the operator a line of text, not the running server.
	defer func() {
		if p := recover(); p != nil {
			root, err = node{}, &syntaxError{0, "is not readable as YAML"}
		}
	}()
	file, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return root, syntax(err)
	}
	root.kind = table
	seen := false
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if _, ok := doc.Body.(*ast.CommentGroupNode); ok {
			continue
		}
		if seen {
			return root, &syntaxError{lineOf(doc.Body), "a second document begins here; there may be only one"}
		}
		seen = true
		if root, err = convert(doc.Body, 0); err != nil {
			return root, err
		}
	}
	switch root.kind {
	case null:
		root.kind = table
	case table:
	default:
		return root, &syntaxError{root.line, "must be a table of keys, not " + root.kind.String()}
	}
	return root, nil
}

// deep reports whether flow brackets nest too deep for the recursive parser
// behind us. Brackets in quotes and comments count too, which is harmless: a
// sound file is nowhere near the bound, which is far above maxDepth.
func deep(src []byte) bool {
	depth := 0
	for _, c := range src {
		switch c {
		case '[', '{':
			if depth++; depth > 64*maxDepth {
				return true
			}
		case ']', '}':
			depth = max(0, depth-1)
		}
	}
	return false
}

func badLine(src []byte) int {
	line := 1
	for len(src) > 0 {
		r, n := utf8.DecodeRune(src)
		if r == utf8.RuneError && n == 1 {
			return line
		}
		if r == '\n' {
			line++
		}
		src = src[n:]
	}
	return line
}

func syntax(err error) error {
	out := &syntaxError{0, "is not readable as YAML"}
	if e, ok := errors.AsType[yaml.Error](err); ok {
		out.text = "is not readable as YAML: " + strings.Join(strings.Fields(e.GetMessage()), " ")
		if t := e.GetToken(); t != nil && t.Position != nil {
			out.line = t.Position.Line
		}
	}
	return out
}

func lineOf(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

func convert(n ast.Node, depth int) (node, error) {
	if n == nil {
		return node{}, nil
	}
	out := node{kind: scalar, line: lineOf(n)}
	if depth > maxDepth {
		return out, &syntaxError{out.line, fmt.Sprintf("nests more than %d deep", maxDepth)}
	}
	switch n := n.(type) {
	case *ast.NullNode:
		out.kind = null
	case *ast.StringNode:
		out.text = n.Value
	case *ast.LiteralNode:
		if n.Value != nil {
			out.text = n.Value.Value
		}
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		out.text = n.GetToken().Value
	case *ast.MappingValueNode:
		return convertTable([]*ast.MappingValueNode{n}, depth)
	case *ast.MappingNode:
		t, err := convertTable(n.Values, depth)
		if t.line == 0 {
			t.line = out.line
		}
		return t, err
	case *ast.SequenceNode:
		out.kind = list
		for _, v := range n.Values {
			item, err := convert(v, depth+1)
			if err != nil {
				return out, err
			}
			if item.line == 0 {
				item.line = out.line
			}
			out.items = append(out.items, item)
		}
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return out, &syntaxError{out.line, "anchors, aliases and merge keys are not taken; write the value out"}
	case *ast.TagNode:
		return out, &syntaxError{out.line, "tags such as !!str are not taken; put the value in quotes"}
	default:
		return out, &syntaxError{out.line, "is not readable as YAML"}
	}
	return out, nil
}

func convertTable(values []*ast.MappingValueNode, depth int) (node, error) {
	out := node{kind: table}
	for _, v := range values {
		name, ok := v.Key.(ast.Node)
		if !ok {
			return out, &syntaxError{out.line, "is not readable as YAML"}
		}
		key, err := convert(name, depth+1)
		if err != nil {
			return out, err
		}
		if key.kind != scalar {
			return out, &syntaxError{key.line, "a key must be a word"}
		}
		value, err := convert(v.Value, depth+1)
		if err != nil {
			return out, err
		}
		if value.line == 0 {
			value.line = key.line
		}
		if out.line == 0 {
			out.line = key.line
		}
		out.pairs = append(out.pairs, entry{key.text, key.line, value})
	}
	return out, nil
}
