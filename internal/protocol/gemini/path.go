package gemini

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"portico/internal/protocol"
)

// A Path is what a path that names a model asks for.
type Path struct {
	Op protocol.Op
	// Model is the model's name without escapes. A collection other than
	// models is part of it: "tunedModels/x", "dynamic/x".
	Model  string
	Method string // "generateContent" and the like; "" for a look-up
	Stream bool   // the answer comes piece by piece
}

// methods are the methods of models that clients are known to call. What is
// not among them is a method all the same if it is written in camel case.
var methods = map[string]Path{
	"generateContent":       {Op: protocol.Chat},
	"streamGenerateContent": {Op: protocol.Chat, Stream: true},
	"countTokens":           {Op: protocol.Count},
	"embedContent":          {Op: protocol.Embed},
	"batchEmbedContents":    {Op: protocol.Embed},
	"predict":               {},
}

// maxPath is the longest path that is looked at, in bytes.
const maxPath = 4096

// ParsePath reads a path below the protocol's base URL, escaped as on the wire:
// "/models/NAME:METHOD", the same with tunedModels or dynamic, without a
// method, or with what belongs to the model behind it ("/operations/ID",
// "/permissions"). NAME may hold slashes and colons, since a gateway's names
// do ("vendor/model", "llama3:8b"), raw or as escapes, and so may the colon
// before the method be escaped.
//
// ok is false if the path names no model, or one that could lead a server out
// of the collection ("..").
func ParsePath(path string) (p Path, ok bool) {
	s, ok := split(path)
	if !ok {
		return Path{}, false
	}
	p = methods[s.method]
	p.Method, p.Model = s.method, s.model
	if s.collection != "models" {
		p.Model = s.collection + "/" + s.model
	}
	return p, true
}

// SetPathModel returns path, which ParsePath takes, with model for the model's
// name; the method and what follows it stay. The name is escaped but for its
// slashes and colons, and may begin with a collection. ok is false if path
// names no model or model cannot stand in a path.
func SetPathModel(path, model string) (out string, ok bool) {
	s, ok := split(path)
	if !ok {
		return "", false
	}
	collection, name := "models", model
	if inCollection(model) {
		collection, name, _ = strings.Cut(model, "/")
	}
	if !sound(name) {
		return "", false
	}
	var b strings.Builder
	b.WriteString("/" + collection)
	for seg := range strings.SplitSeq(name, "/") {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(seg))
	}
	if s.method != "" {
		b.WriteString(":" + s.method)
	}
	b.WriteString(s.tail)
	if b.Len() > maxPath {
		return "", false
	}
	return b.String(), true
}

// A pathParts is a path taken apart: "/" collection "/" model [":" method] tail.
type pathParts struct {
	collection, model, method string
	tail                      string // raw
}

func split(path string) (s pathParts, ok bool) {
	if len(path) > maxPath || !strings.HasPrefix(path, "/") {
		return s, false
	}
	c, raw, found := strings.Cut(path[1:], "/")
	if !found || !isCollection(c) {
		return s, false
	}
	s.collection = c
	for i := 1; i < len(raw); i++ {
		if raw[i] != '/' {
			continue
		}
		if seg, _, _ := strings.Cut(raw[i+1:], "/"); seg == "operations" || seg == "permissions" {
			raw, s.tail = raw[:i], raw[i:]
		}
	}
	name, err := url.PathUnescape(raw)
	if err != nil {
		return s, false
	}
	if i := strings.LastIndexByte(name, ':'); i >= 0 && s.tail == "" && isMethod(name[i+1:]) {
		name, s.method = name[:i], name[i+1:]
	}
	s.model = name
	return s, sound(name)
}

// inCollection reports whether a model's name begins with its collection.
func inCollection(model string) bool {
	c, _, found := strings.Cut(model, "/")
	return found && isCollection(c)
}

func isCollection(s string) bool { return s == "models" || s == "tunedModels" || s == "dynamic" }

// isMethod tells a method from the tag of a model's name, such as "latest" or
// "Q4_K_M": it is known, or begins with a small letter, holds a capital one and
// nothing but letters.
func isMethod(s string) bool {
	if _, ok := methods[s]; ok {
		return true
	}
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	capital := false
	for _, c := range []byte(s) {
		switch {
		case c >= 'A' && c <= 'Z':
			capital = true
		case c < 'a' || c > 'z':
			return false
		}
	}
	return capital
}

// sound reports whether a name, unescaped, can stand in a path and stays where
// it is put.
func sound(name string) bool {
	if !utf8.ValidString(name) {
		return false
	}
	for seg := range strings.SplitSeq(name, "/") {
		if seg == "" || seg == "." || seg == ".." {
			return false
		}
		for _, c := range []byte(seg) {
			if c < ' ' || c == 0x7F || c == '\\' {
				return false
			}
		}
	}
	return true
}
