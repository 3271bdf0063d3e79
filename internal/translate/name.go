package translate

import (
	"strconv"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
)

// A tool is what a call of the upstream's means to the client.
type tool struct {
	kind      llm.ToolKind
	namespace string
	name      string
	as        disguise
	item      string // of OpenAI's own tools: the type of a call
	hold      bool   // the arguments are looked at before the client gets them
}

// A disguise is what a tool was turned into.
type disguise uint8

const (
	asItself disguise = iota
	asInput           // a custom tool as a function of one argument
	asItem            // one of OpenAI's own tools as a function
	asAnswer          // the form of the answer as a function
)

// A handle is how the client calls a tool.
type handle struct {
	kind            llm.ToolKind
	namespace, name string
}

// names are the tools of one request: by the client's handles the upstream's
// names, and the way back.
type names struct {
	words  words
	out    map[handle]string
	back   map[string]*tool
	flat   bool // the upstream has no namespaces
	custom bool // it has tools that take free text
}

// add gives the tool of h a name, the same for the same tools in every request.
// A name that fits and is free is kept; the tools without a namespace come
// first (spec: translation-traps A11, B16, C24, F4).
func (n *names) add(h handle) string {
	if name, ok := n.out[h]; ok {
		return name
	}
	want := h.name
	if h.namespace != "" && n.flat {
		want = h.namespace + "__" + h.name
	}
	key := h.namespace + "\x00" + h.name + "\x00" + strconv.Itoa(int(h.kind))
	name := n.words.fit(want)
	for i := 0; n.taken(name, h); i++ {
		name = n.words.mark(want, key+strconv.Itoa(i))
	}
	t := &tool{kind: h.kind, namespace: h.namespace, name: h.name}
	if h.kind == llm.Custom && !n.custom {
		t.as = asInput
	}
	n.out[h], n.back[n.key(name, h)] = name, t
	return name
}

// key is how a name is found again; in a namespace it is not alone.
func (n *names) key(name string, h handle) string {
	if h.namespace != "" && !n.flat {
		return h.namespace + "\x00" + name
	}
	return name
}

func (n *names) taken(name string, h handle) bool {
	_, ok := n.back[n.key(name, h)]
	return ok
}

// name makes the tools, and the calls of them, such as the upstream takes:
// their names, their kinds, and their namespaces.
func (d *draft) name() {
	d.once()
	n := &names{
		words: d.takes.name, flat: !d.takes.namespaces, custom: d.takes.custom,
		out: make(map[handle]string, len(d.Tools)), back: make(map[string]*tool, len(d.Tools)),
	}
	for _, plain := range [...]bool{true, false} {
		for i := range d.Tools {
			if t := &d.Tools[i]; t.Kind != llm.Server && (t.Namespace == "" && n.words.takes(t.Name)) == plain {
				n.add(handle{t.Kind, t.Namespace, t.Name})
			}
		}
	}
	for i := range d.Tools {
		if t := &d.Tools[i]; t.Kind != llm.Server {
			t.Name = n.add(handle{t.Kind, t.Namespace, t.Name})
			if n.flat && t.Namespace != "" {
				introduce(t)
				t.Namespace = ""
			}
			if t.Kind == llm.Custom && !n.custom {
				d.freeText(i, t)
			}
		}
	}
	d.calls(n)
	for i := range d.Choice.Tools {
		ref := &d.Choice.Tools[i]
		if ref.Kind == llm.Server {
			continue
		}
		h := handle{ref.Kind, ref.Namespace, ref.Name}
		if _, known := n.out[h]; !known && h.kind == llm.Function {
			h.kind = llm.Custom // some name a custom tool as they name any
		}
		if name, known := n.out[h]; known {
			ref.Name = name
			if n.flat {
				ref.Namespace = ""
			}
			if ref.Kind = h.kind; !n.custom {
				ref.Kind = llm.Function
			}
		}
	}
	for h, name := range n.out {
		t := n.back[n.key(name, h)]
		if item := d.items[h.name]; item != "" && h.kind == llm.Function && h.namespace == "" {
			t.as, t.item = asItem, item
		}
		t.hold = t.as == asItem || padded[h.name] != nil && d.Protocol == protocol.Anthropic
	}
	d.plan.tools = n.back
}

// once leaves each tool declared once: OpenAI passes over a second declaration,
// which the others refuse.
func (d *draft) once() {
	if d.home {
		return
	}
	seen := make(map[handle]bool, len(d.Tools))
	kept := d.Tools[:0]
	for i, t := range d.Tools {
		h := handle{t.Kind, t.Namespace, t.Name}
		if t.Kind != llm.Server && seen[h] {
			d.lose("tools["+strconv.Itoa(i)+"]", "dropped: a tool of this name is declared before it")
			continue
		}
		seen[h] = true
		kept = append(kept, t)
	}
	d.Tools = kept
}

// introduce puts what a client says of a namespace before what it says of its
// first tool, where the codec keeps it.
func introduce(t *llm.Tool) {
	if t.Extra.Protocol != protocol.OpenAIResponses || len(t.Extra.Members) == 0 {
		return
	}
	all := append(append([]byte{'{'}, t.Extra.Members...), '}')
	about := jsonedit.Get(all, "namespace.description")
	if len(about) <= 2 || about[0] != '"' {
		return
	}
	t.Description = llm.Join([]llm.Text{llm.Plain("[" + t.Namespace + "] " + llm.Wire(about).String()), t.Description}, "\n\n")
}

// calls renames the calls of the history and what answers them. Results tell
// the upstream's name of their call, which Gemini needs (spec: translation-traps
// C4).
func (d *draft) calls(n *names) {
	var known map[string]string // the names of calls, by their ids
	for i := range d.Messages {
		parts := d.Messages[i].Parts
		for j, p := range parts {
			switch p := p.(type) {
			case *llm.Call:
				c := *p
				c.Name = n.add(n.meant(handle{p.Kind, p.Namespace, p.Name}))
				if n.flat {
					c.Namespace = ""
				}
				if c.Kind == llm.Custom && !n.custom {
					c.Kind, c.Args = llm.Function, wrapInput(p.Args)
				}
				if known == nil {
					known = map[string]string{}
				}
				known[c.ID] = c.Name
				parts[j] = &c
			case *llm.Result:
				r := *p
				if r.Name = known[p.CallID]; r.Kind == llm.Custom && !n.custom {
					r.Kind = llm.Function
				}
				r.Parts = d.references(n, p.Parts)
				parts[j] = &r
			}
		}
	}
}

// meant is the tool that a call of h is one of. OpenAI gives a tool that its
// search found a namespace of its own, in which nobody declared it.
func (n *names) meant(h handle) handle {
	plain := handle{h.kind, "", h.name}
	if _, declared := n.out[h]; !declared && h.namespace != "" {
		if _, declared = n.out[plain]; declared {
			return plain
		}
	}
	return h
}

// references renames the tools that a search found.
func (d *draft) references(n *names, parts []llm.Part) []llm.Part {
	for i, p := range parts {
		ref, ok := p.(*llm.Reference)
		if !ok {
			continue
		}
		if name, known := n.out[handle{name: ref.Name}]; known && name != ref.Name {
			own := *ref
			own.Name = name
			parts = append(append(parts[:i:i], &own), parts[i+1:]...)
		}
	}
	return parts
}
