package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A digest is what a reader understands of a request or an answer, whatever
// protocol it is written in. The readers here share no code with the gateway's
// codecs: they decode into trees and take what they know.
type digest struct {
	instructions string
	user         string // the user's texts, white space apart
	assistant    string // the model's texts
	thinking     string
	calls        []string // name and canonical arguments
	results      []string
	images       []string // hashes of inline data, or URLs
	tools        []string // name and sorted property names
	finish       string
	in, out      int64
	bad          string // what breaks the protocol's own rules
	failed       bool   // it ends with an error
	other        bool   // it holds something that is not compared: a picture, a search
}

type object = map[string]any

func tree(b []byte) (v any, err error) {
	err = json.Unmarshal(b, &v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return v, err
}

func obj(v any) object { o, _ := v.(object); return o }
func list(v any) []any { l, _ := v.([]any); return l }
func str(v any) string { s, _ := v.(string); return s }
func num(v any) int64  { f, _ := v.(float64); return int64(f) }
func first(v any) object { // of a list, or nothing
	if l := list(v); len(l) > 0 {
		return obj(l[0])
	}
	return nil
}

// pick is the first member of o that is there.
func pick(o object, names ...string) any {
	for _, n := range names {
		if v, ok := o[n]; ok && v != nil {
			return v
		}
	}
	return nil
}

// canonical is v as one text: arguments that are JSON in a string are read.
func canonical(v any) string {
	if s, ok := v.(string); ok {
		if s == "" {
			return "{}"
		}
		in, err := tree([]byte(s))
		if err != nil {
			return s
		}
		v = in
	}
	if v == nil {
		return "{}"
	}
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// texts joins the texts of a string, or of parts.
func texts(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	var b strings.Builder
	for _, p := range list(v) {
		if s, ok := p.(string); ok {
			b.WriteString(s)
			continue
		}
		b.WriteString(str(obj(p)["text"]))
	}
	return b.String()
}

// image is a picture's fingerprint: of its bytes, however they are spelled.
func image(data string) string {
	data = strings.NewReplacer("-", "+", "_", "/", "=", "", "\n", "").Replace(data)
	raw, err := base64.RawStdEncoding.DecodeString(data)
	if err != nil {
		raw = []byte(data)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:6])
}

// located is the fingerprint of a data: URL, or the URL.
func located(url string) string {
	if _, data, ok := strings.Cut(url, ";base64,"); ok && strings.HasPrefix(url, "data:") {
		return image(data)
	}
	return url
}

// result is what a tool said, whatever it was wrapped in.
func result(v any) string {
	switch v := v.(type) {
	case string:
		if in, err := tree([]byte(v)); err == nil {
			if _, ok := in.(string); !ok {
				return result(in)
			}
		}
		return squeeze(v)
	case object:
		if len(v) == 0 {
			return "" // an object that says nothing
		}
		if len(v) == 1 {
			for name, in := range v {
				if slices.Contains([]string{"result", "output", "content", "response", "error"}, name) {
					return result(in)
				}
			}
		}
	case nil:
		return ""
	}
	return canonical(v)
}

// properties are the names of a schema's properties, wherever at its root they
// stand.
func properties(schema any) string {
	var names []string
	var gather func(s object, depth int)
	gather = func(s object, depth int) {
		for n := range obj(s["properties"]) {
			names = append(names, n)
		}
		if depth > 4 {
			return
		}
		for _, k := range []string{"anyOf", "oneOf", "allOf"} {
			for _, y := range list(s[k]) {
				gather(obj(y), depth+1)
			}
		}
		for _, k := range []string{"$defs", "definitions"} {
			if name, ok := strings.CutPrefix(str(s["$ref"]), "#/"+k+"/"); ok {
				gather(obj(obj(obj(schema)[k])[name]), depth+1)
			}
		}
	}
	gather(obj(schema), 0)
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ",")
}

func (d *digest) tool(name string, schema any) {
	d.tools = append(d.tools, name+"("+properties(schema)+")")
}

func (d *digest) call(name string, args any) { d.calls = append(d.calls, name+canonical(args)) }

// settle brings a digest into the form that is compared.
func (d *digest) settle() {
	d.instructions, d.user, d.assistant = squeeze(d.instructions), squeeze(d.user), squeeze(d.assistant)
	d.thinking = squeeze(d.thinking)
	slices.Sort(d.tools)
}

// An aspect is one thing that is compared, and the losses by which the ledger
// names that it did not cross: path and reason, with an equals sign between. A
// loss of a seal, or of how a tool is set up, is none of what was said.
type aspect struct {
	name  string
	get   func(*digest) string
	names *regexp.Regexp
}

// part is the path of a part of a message or of an answer, or of all of them.
const part = `^(messages|input|output|content|answer|candidates|choices)(\[\d+\])?(\.content\[\d+\])*=`

var aspects = []aspect{
	{"instructions", func(d *digest) string { return d.instructions }, regexp.MustCompile(part + `(moved|approximated|dropped: Claude Code's billing)|^(output|response_format|tool_choice)=emulated`)},
	{"user's text", func(d *digest) string { return d.user }, regexp.MustCompile(part + `(moved|emulated|approximated|dropped: (a file|the upstream (takes|knows) ))|^(output|response_format|tool_choice)=emulated`)},
	{"model's text", func(d *digest) string { return d.assistant }, regexp.MustCompile(part + `(moved|approximated|dropped)`)},
	{"thinking", func(d *digest) string { return d.thinking }, regexp.MustCompile(part + `(dropped|approximated)`)},
	{"calls", func(d *digest) string { return strings.Join(d.calls, "\n") }, regexp.MustCompile(part + `(approximated: arguments|dropped: a further call)|^(messages|answer|candidates)[^=]*\.arguments=approximated`)},
	{"results", func(d *digest) string { return strings.Join(d.results, "\n") }, regexp.MustCompile(part + `(moved|emulated: the call|emulated: a result|approximated|dropped: (a file|it has|the upstream (knows|takes) no (part|document|sound|picture)|there is no seat))`)},
	{"images", func(d *digest) string { return strings.Join(d.images, "\n") }, regexp.MustCompile(part + `.*(picture|image|shows|a file|the address|of kind)`)},
	{"tools", func(d *digest) string { return strings.Join(d.tools, "\n") }, regexp.MustCompile(`^tools(\[\d+\]|\.web_search)?=|^tool_choice=emulated: only the tools`)},
	{"finish", func(d *digest) string { return d.finish }, regexp.MustCompile(`^(finish|stop|answer)[^=]*=`)},
	{"usage", func(d *digest) string { return fmt.Sprint(d.in, "/", d.out) }, regexp.MustCompile(`^usage=`)},
}

// compare lists the aspects in which got differs from want, and those of them
// that losses name.
func compare(want, got *digest, losses []string) (differ, named []string) {
	switch {
	case got.failed && want.useless():
		return nil, nil
	case got.failed != want.failed:
		return []string{fmt.Sprintf("an error was told: want %t got %t", want.failed, got.failed)}, nil
	case got.failed:
		return nil, nil // what came before the error is not compared: the readers put it together at the end
	case got.bad != "":
		return []string{"unlawful: " + got.bad}, nil
	}
	// An instruction in mid-conversation may stand among the user's words.
	if order(want.instructions+want.user) == order(got.instructions+got.user) {
		got.instructions, got.user = want.instructions, want.user
	}
	for _, a := range aspects {
		w, g := a.get(want), a.get(got)
		if w == g || a.name == "finish" && (w == "" || w == other) || a.name == "usage" && w == "0/0" {
			continue // the same, or not told by the recording
		}
		if slices.ContainsFunc(losses, a.names.MatchString) {
			named = append(named, a.name)
			continue
		}
		differ = append(differ, fmt.Sprintf("%s: want %s got %s", a.name, short(w), short(g)))
	}
	return differ, named
}

func order(s string) string {
	r := []rune(s)
	slices.Sort(r)
	return string(r)
}

func short(s string) string {
	if len(s) > 90 {
		s = s[:90] + "…"
	}
	return fmt.Sprintf("%q", s)
}
