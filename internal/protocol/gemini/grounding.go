package gemini

import (
	"bytes"
	"encoding/json/jsontext"
	"unicode/utf8"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// maxSources bounds how many sources and how many supports of one answer are
// read.
const maxSources = 512

// A visible is a text of an answer that its reader sees, no thought.
type visible struct {
	part  int // its number among the parts
	start int // where it begins in all of them, in bytes
	text  []byte
}

// A cited is a citation and the part that it belongs to.
type cited struct {
	part int
	cite llm.Citation
}

// A grounds is what an answer rests on: what was searched and read, and what of
// its texts comes from where.
type grounds struct {
	cites []cited
	parts []llm.Part // what Google ran, as calls and results
}

// ground reads the metadata of a candidate (spec: upstreams §1D.4, §2.9). said
// are the texts that can be seen; ran names the tools of which the answer
// itself has a trace. Ranges are bytes at Google and characters here.
func (d *decoder) ground(grounding, pages, citations []byte, said []visible, ran map[string]bool) (g grounds) {
	var all []byte
	for i := range said {
		all = append(all, said[i].text...)
	}
	var chunks []llm.Citation
	each(jsonedit.Get(grounding, "groundingChunks"), func(e []byte) { chunks = append(chunks, source(e)) })
	each(jsonedit.Get(grounding, "groundingSupports"), func(e []byte) {
		part, start, end := place(jsonedit.Get(e, "segment"), all, said)
		each(jsonedit.Get(e, "groundingChunkIndices"), func(i []byte) {
			if n, ok := jsonedit.Int(i); ok && n >= 0 && n < int64(len(chunks)) && part >= 0 {
				c := chunks[n]
				c.Start, c.End = start, end
				g.cites = append(g.cites, cited{part, c})
			}
		})
	})
	list := jsonedit.Get(citations, "citations")
	if list == nil {
		list = jsonedit.Get(citations, "citationSources")
	}
	each(list, func(e []byte) {
		c := llm.Citation{URL: wire.Text(jsonedit.Get(e, "uri")), Title: wire.Text(jsonedit.Get(e, "title"))}
		if c.URL == "" || len(said) == 0 {
			return
		}
		part := 0
		part, c.Start, c.End = place(e, all, said)
		if part >= 0 {
			g.cites = append(g.cites, cited{part, c})
		}
	})
	queries := jsonedit.Get(grounding, "webSearchQueries")
	if name := searched(grounding, queries); name != "" && !ran[name] {
		g.add(d, name, texts(queries), grounding, chunks)
	}
	var read []llm.Citation
	each(jsonedit.Get(pages, "urlMetadata"), func(e []byte) {
		read = append(read, llm.Citation{URL: wire.Text(jsonedit.Get(e, "retrievedUrl"))})
	})
	if len(read) > 0 && !ran["web_fetch"] {
		g.add(d, "web_fetch", llm.Plain(read[0].URL), pages, read)
	}
	return g
}

// searched is the neutral name of what found the sources, "" if nothing did.
func searched(grounding, queries []byte) string {
	switch {
	case !wire.Empty(queries):
		return "web_search"
	case !wire.Empty(jsonedit.Get(grounding, "retrievalQueries")), bytes.Contains(grounding, []byte(`"fileSearchStore"`)):
		return "file_search"
	}
	return ""
}

// add adds a call and its result of something that Google ran.
func (g *grounds) add(d *decoder, name string, query llm.Text, raw []byte, sources []llm.Citation) {
	id := mint(d.salt, d.turn, len(g.parts), name, llm.PlainBytes(raw))
	x := llm.Extra{Protocol: protocol.Gemini}
	g.parts = append(g.parts,
		&llm.ServerCall{ID: id, Name: name, Query: query, Extra: x},
		&llm.ServerResult{CallID: id, Name: name, Sources: sources, Raw: jsontext.Value(raw), Extra: x})
}

// each calls f for the elements of v, if it is an array, maxSources at most.
func each(v []byte, f func(e []byte)) {
	if len(v) == 0 || v[0] != '[' {
		return
	}
	n := 0
	for e, err := range jsonedit.Elements(v) {
		if n++; err != nil || n > maxSources {
			return
		}
		f(e)
	}
}

// source reads a groundingChunk of any kind.
func source(v []byte) (c llm.Citation) {
	for m := range wire.Object(v) {
		for x := range wire.Object(m.Value) {
			switch string(x.Name) {
			case "uri", "sourceUri":
				if c.URL == "" {
					c.URL = wire.Text(x.Value)
				}
			case "title":
				c.Title = wire.Text(x.Value)
			case "text":
				if string(m.Name) == "retrievedContext" && x.Value[0] == '"' {
					c.Quote = llm.Wire(x.Value)
				}
			}
		}
	}
	return c
}

// place finds a segment: the part that it begins in, and its range in that
// part in characters. The range counts over all texts that can be seen, or
// those of one part; Google is known to miscount, so the text of the segment,
// where it is told, counts more. part is -1 if there is no such text.
func place(segment, all []byte, said []visible) (part, start, end int) {
	if len(said) == 0 {
		return -1, 0, 0
	}
	from, _ := jsonedit.Int(jsonedit.Get(segment, "startIndex"))
	to, _ := jsonedit.Int(jsonedit.Get(segment, "endIndex"))
	if i, ok := jsonedit.Int(jsonedit.Get(segment, "partIndex")); ok && i > 0 && i < int64(len(said)) {
		from, to = from+int64(said[i].start), to+int64(said[i].start)
	}
	text := []byte(wire.Text(jsonedit.Get(segment, "text")))
	n := int64(len(all))
	if from < 0 || to > n || from >= to || len(text) > 0 && !bytes.Equal(all[from:to], text) {
		at := bytes.Index(all, text)
		if len(text) == 0 || at < 0 {
			return said[0].part, 0, 0
		}
		from, to = int64(at), int64(at+len(text))
	}
	v := &said[0]
	for i := range said {
		if said[i].start <= int(from) {
			v = &said[i]
		}
	}
	a, b := int(from)-v.start, min(int(to)-v.start, len(v.text))
	return v.part, utf8.RuneCount(v.text[:a]), utf8.RuneCount(v.text[:b])
}
