package jsonedit

import (
	"iter"
	"math"
	"sort"
)

// An Outline knows where the long values of a document end, so that whoever
// walks a conversation level by level does not look at every byte of it once
// for each level. It may be asked about any slice; of what is no part of its
// document, and if it is nil, it knows nothing, and the answers are those of
// the functions of the same names.
//
// It is used by one goroutine, and the document is not changed meanwhile.
type Outline struct {
	doc  []byte
	ends []extent // in the order of from
	at   int      // of ends, where the last one was found
}

// An extent is where a value begins and ends; to is 0 where its end is not
// known.
type extent struct{ from, to uint32 }

const (
	// long is how long a value must be to be worth remembering.
	long = 64
	// worthwhile is how long a document must be to be worth an outline.
	worthwhile = 16 << 10
	// maxExtents bounds what is remembered, at 8 bytes each. The rest of the
	// document is scanned as if there were no outline.
	maxExtents = 64 << 10
)

// NewOutline returns the outline of doc after one pass over it; nil if doc is
// small. What is unsound is found by those who read it.
func NewOutline(doc []byte) *Outline {
	if len(doc) < worthwhile || len(doc) > math.MaxUint32 {
		return nil
	}
	o := &Outline{doc: doc, ends: make([]extent, 0, len(doc)/512)}
	o.read()
	return o
}

// read fills ends as far as doc is sound.
func (o *Outline) read() {
	var open [MaxDepth]int // of ends, what is not closed yet
	depth := 0
	for i := 0; i < len(o.doc) && len(o.ends) < maxExtents; i++ {
		switch c := o.doc[i]; c {
		case '"':
			end, err := skipString(o.doc, i)
			if err != nil {
				return
			}
			if end-i >= long {
				o.ends = append(o.ends, extent{uint32(i), uint32(end)})
			}
			i = end - 1
		case '{', '[':
			if depth == MaxDepth {
				return
			}
			open[depth] = len(o.ends)
			depth++
			o.ends = append(o.ends, extent{from: uint32(i)})
		case '}', ']':
			if depth == 0 {
				return
			}
			depth--
			at := open[depth]
			e := &o.ends[at]
			if o.doc[e.from] != c-2 { // in ASCII an opening bracket stands two before its closing one
				return
			}
			if e.to = uint32(i + 1); i+1-int(e.from) < long {
				o.ends = o.ends[:at] // with what is in it, which is no longer
			}
		}
	}
}

// offset is where v, a slice of the document, begins in it, or -1.
func (o *Outline) offset(v []byte) int {
	if o == nil || len(v) == 0 {
		return -1
	}
	at := cap(o.doc) - cap(v)
	if at < 0 || at+len(v) > len(o.doc) || &o.doc[at] != &v[0] {
		return -1
	}
	return at
}

// skip is Skip for a v that begins at base in the document.
func (o *Outline) skip(v []byte, i, base int) (int, error) {
	if base >= 0 && i < len(v) && (v[i] == '"' || v[i] == '{' || v[i] == '[') {
		if to := o.end(uint32(base + i)); to != 0 && int(to)-base <= len(v) {
			return int(to) - base, nil
		}
	}
	return Skip(v, i)
}

// end is where the value ends that begins at from, or 0.
func (o *Outline) end(from uint32) uint32 {
	at := o.at
	if at < len(o.ends) && o.ends[at].from <= from {
		// Mostly it is one of the next.
		for n := at; n < len(o.ends) && n < at+8; n++ {
			if o.ends[n].from >= from {
				return o.found(n, from)
			}
		}
	}
	return o.found(sort.Search(len(o.ends), func(n int) bool { return o.ends[n].from >= from }), from)
}

func (o *Outline) found(n int, from uint32) uint32 {
	if n == len(o.ends) || o.ends[n].from != from {
		return 0
	}
	o.at = n
	return o.ends[n].to
}

// Members is the function of that name.
func (o *Outline) Members(v []byte) iter.Seq2[Member, error] { return members(o, v) }

// Elements is the function of that name.
func (o *Outline) Elements(v []byte) iter.Seq2[[]byte, error] { return elements(o, v) }

// Get is the function of that name.
func (o *Outline) Get(v []byte, name string) []byte { return get(o, v, name) }
