package jsonedit

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// walk tells all that there is in v, level by level.
func walk(o *Outline, v []byte, depth int, said *strings.Builder) {
	if len(v) == 0 || depth > 6 {
		return
	}
	switch v[0] {
	case '{':
		for m, err := range o.Members(v) {
			fmt.Fprintf(said, "%d %q at %d: %d bytes, %v\n", depth, m.Name, m.From, len(m.Value), err)
			walk(o, m.Value, depth+1, said)
		}
		fmt.Fprintf(said, "%q\n", o.Get(v, "b"))
	case '[':
		for e, err := range o.Elements(v) {
			fmt.Fprintf(said, "%d: %d bytes, %v\n", depth, len(e), err)
			walk(o, e, depth+1, said)
		}
	}
}

// same fails unless a walk with the outline says what one without it does.
func same(t *testing.T, doc []byte) {
	t.Helper()
	o := &Outline{doc: doc}
	o.read()
	var with, without strings.Builder
	walk(o, doc, 0, &with)
	walk(nil, doc, 0, &without)
	if with.String() != without.String() {
		t.Fatalf("%.300q:\nwith the outline\n%.2000s\nwithout\n%.2000s", doc, with.String(), without.String())
	}
	for i := range o.ends {
		if i > 0 && o.ends[i].from <= o.ends[i-1].from {
			t.Fatalf("%.300q: extents out of order: %v", doc, o.ends)
		}
	}
}

var outlined = []string{
	`{}`, `[]`, ``, `{`, `"`, `}`, `{"a":1}`, `{"a":[1,2,{"b":"c"}],"b":{"b":[[],[{}]]}}`,
	`{"a":{"b":"` + strings.Repeat("x", 100) + `"},"b":"` + strings.Repeat(`\"y`, 50) + `","c":[` + strings.Repeat(`{"b":1},`, 30) + `2]}`,
	`{"a":[` + strings.Repeat(" ", 100) + `},"b":1}`,
	`{"a":"` + strings.Repeat("x", 100) + `,"b":1}`,
	`{"a":{"b":"` + strings.Repeat("x", 100) + `"},"b":[` + strings.Repeat("1,", 50) + `}`,
	`[` + strings.Repeat(`"`+strings.Repeat("z", 70)+`",`, 5) + `{"b":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}]`,
	strings.Repeat("[", MaxDepth+5) + strings.Repeat(" ", 100) + strings.Repeat("]", MaxDepth+5),
	`{"a":` + strings.Repeat("9", 100) + `,"b":"x"} {"b":"` + strings.Repeat("x", 100) + `"}`,
}

func TestOutline(t *testing.T) {
	for _, doc := range outlined {
		same(t, []byte(doc))
	}
}

func FuzzOutline(f *testing.F) {
	for _, doc := range outlined {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) { same(t, doc) })
}

// TestOutlineOfOthers: what is no part of the document is read as ever.
func TestOutlineOfOthers(t *testing.T) {
	doc := []byte(outlined[8])
	o := &Outline{doc: doc}
	o.read()
	other := bytes.Replace(bytes.Clone(doc), []byte("x"), []byte(`"`), 1)
	for name, v := range map[string][]byte{
		"another document": other, "a copy": bytes.Clone(doc), "a clipped slice": slices.Clip(doc), "nothing": nil,
		"a longer document": append(bytes.Clone(doc), ` `...),
	} {
		var with, without strings.Builder
		walk(o, v, 0, &with)
		walk(nil, v, 0, &without)
		if with.String() != without.String() {
			t.Errorf("%s:\n%s\nwithout\n%s", name, with.String(), without.String())
		}
	}
}

// TestOutlineBounds: a hostile document costs little more than an honest one.
func TestOutlineBounds(t *testing.T) {
	if o := NewOutline(make([]byte, worthwhile-1)); o != nil {
		t.Error("a small document has an outline")
	}
	pad := strings.Repeat(" ", long)
	doc := []byte("[" + strings.Repeat("["+pad+"],", 3*maxExtents) + "0]")
	o := NewOutline(doc)
	if n := len(o.ends); n > maxExtents {
		t.Errorf("%d extents", n)
	}
	n := 0
	for _, err := range o.Elements(doc) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 3*maxExtents+1 {
		t.Errorf("%d elements", n)
	}
	short := NewOutline([]byte("[" + strings.Repeat(`{"a":[1]},`, 100_000) + "0]"))
	if n := len(short.ends); n != 1 {
		t.Errorf("%d extents of short values", n)
	}
	if got := reflect.TypeFor[extent]().Size(); got != 8 {
		t.Errorf("an extent has %d bytes", got)
	}
}
