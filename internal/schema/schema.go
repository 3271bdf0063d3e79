// Package schema fits JSON Schemas to what each upstream takes for the
// arguments of a tool and for structured answers.
//
// A schema is read by scanning and written anew by appending: members keep
// their order and numbers their text, so the same schema always gives the same
// bytes and the upstream's prompt cache finds what it knows. A keyword is one
// only where a keyword may stand; a property that happens to be called "type"
// or "$ref" is a property (spec: translation-traps C20).
//
// What an upstream has no keyword for goes into the description, where the
// model at least reads it, and is told as a loss. Nothing here fails: what is
// no schema gives the loosest one that its place allows.
package schema

import (
	"strconv"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
)

const (
	// maxDepth is how deep schemas may stand in one another. What lies
	// deeper becomes a schema that takes anything.
	maxDepth = 64
	// maxLosses is how many losses one schema tells. The last one counts the
	// rest.
	maxLosses = 32
	// maxHint is how much of one keyword's value goes into a description, in
	// bytes.
	maxHint = 256
	// minWork and perByte bound how many bytes of schemas are looked at while
	// references are inlined, so that a few that multiply one another stay
	// cheap: minWork and perByte for each byte of the whole schema.
	minWork = 1 << 20
	perByte = 8
)

// A pass is one schema on its way to one upstream.
type pass struct {
	root   []byte
	path   []string // where in the schema we are, the caller's path first
	losses []llm.Loss
	more   int               // losses beyond maxLosses
	work   int               // bytes that may still be looked at to inline references
	refs   []string          // references being inlined, outermost first
	found  map[string][]byte // what references point to
}

func newPass(schema []byte, path string) *pass {
	return &pass{root: schema, path: []string{path}, work: minWork + perByte*len(schema)}
}

// in runs f with name added to the path.
func (p *pass) in(name string, f func()) {
	p.path = append(p.path, name)
	f()
	p.path = p.path[:len(p.path)-1]
}

// deep reports whether the schemas stand too deep in one another.
func (p *pass) deep() bool { return len(p.path) > 2*maxDepth }

// lose tells that the keyword name of the schema at hand did not cross.
func (p *pass) lose(name, why string) {
	if len(p.losses) == maxLosses {
		p.more++
		return
	}
	at := strings.Join(p.path, ".")
	if name != "" {
		at += "." + name
	}
	p.losses = append(p.losses, llm.Loss{Path: at, Why: why})
}

// told is every loss.
func (p *pass) told() []llm.Loss {
	if p.more > 0 {
		return append(p.losses, llm.Loss{Path: p.path[0], Why: "approximated: " + strconv.Itoa(p.more) + " more keywords of this schema"})
	}
	return p.losses
}

// trim is raw without white space around it, or nil if it is no sound JSON.
func trim(raw []byte) []byte {
	from, to := 0, len(raw)
	for from < to && space(raw[from]) {
		from++
	}
	for to > from && space(raw[to-1]) {
		to--
	}
	raw = raw[from:to]
	if end, err := jsonedit.Skip(raw, 0); err != nil || end != len(raw) {
		return nil
	}
	return raw
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
