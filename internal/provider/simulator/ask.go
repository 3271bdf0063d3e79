package simulator

import (
	"encoding/base64"
	"encoding/json/jsontext"
	"strings"
)

// An ask is what a request asks for, without its dialect. The turn is what
// came after the last answer of the model: it alone holds directives.
type ask struct {
	model   string
	turn    []string // the user's texts
	results []result // of tools, in the turn
	media   []medium // in the turn

	tools  []tool
	choice choice
	single bool // at most one call

	think  bool           // reasoning is enabled
	hide   bool           // … but the thought is not to be shown
	image  bool           // an image is asked for
	seat   bool           // the dialect has a seat for an image in an answer
	format format         // of the text
	schema jsontext.Value // for formatSchema and formatEnum
	stops  []string
	limit  *int64 // tokens of the answer, nil: no limit
	copies int    // how many choices, at least 1

	bytes   int64 // of all text
	prefix  int64 // of the text before the turn
	blobs   int64 // images, documents and sounds
	history bool  // the model has answered before
	marked  bool  // caching goes by marks in the request, as Anthropic's does
	marks   bool  // … and it has some
}

// A format is the form of the text that is asked for.
type format uint8

const (
	formatText   format = iota
	formatJSON          // any JSON object
	formatSchema        // JSON that satisfies ask.schema
	formatEnum          // one bare word of the enum in ask.schema
)

// A result is what a tool returned.
type result struct{ name, text string }

// A medium is an image, a document or a sound in the request.
type medium struct {
	kind string // "image", "document", "audio", "video", "file"
	mime string
	size int    // bytes, for what came with the request
	at   string // an address or a file's id, for what did not
}

// A tool is one that the request offers and the client runs.
type tool struct {
	name, namespace string
	custom          bool           // takes free text instead of JSON
	schema          jsontext.Value // of the arguments, may be empty
}

// A choice says whether a tool must be called.
type choice struct {
	none   bool
	forced bool
	name   string   // of the one that must be called, "" for any
	among  []string // the only ones allowed, nil for all
}

// count adds text that costs tokens.
func (a *ask) count(texts ...string) {
	for _, s := range texts {
		a.bytes += int64(len(s))
	}
}

// heard adds text of the user.
func (a *ask) heard(text string) {
	a.count(text)
	a.turn = append(a.turn, text)
}

// got adds the result of a tool.
func (a *ask) got(r result) {
	a.count(r.text)
	a.results = append(a.results, r)
}

// saw adds an image, a document or a sound.
func (a *ask) saw(m medium) {
	a.blobs++
	a.media = append(a.media, m)
}

// offered adds a tool.
func (a *ask) offered(t tool, description string) {
	a.count(t.name, description, string(t.schema))
	a.tools = append(a.tools, t)
}

// opens marks where the turn begins: what was counted so far lies before it.
func (a *ask) opens() { a.prefix = a.bytes }

// answered marks an answer of the model: the turn begins anew.
func (a *ask) answered() {
	a.turn, a.results, a.media = nil, nil, nil
	a.history = true
	a.opens()
}

// blobTokens is what an image, a document or a sound counts, whatever its
// size: what Gemini bills for a small image.
const blobTokens = 258

// tokens estimates what n bytes of text cost. Text that is there costs at
// least one token, and so does a request without any.
func tokens(n int64) int64 { return max(1, (n+3)/4) }

// input estimates the tokens of the whole request.
func (a *ask) input() int64 { return tokens(a.bytes) + a.blobs*blobTokens }

// inline is a medium whose bytes came in base64, as a data URL or bare.
func inline(kind, mime, data string) medium {
	if rest, ok := strings.CutPrefix(data, "data:"); ok {
		head, body, _ := strings.Cut(rest, ",")
		mime, data = strings.TrimSuffix(head, ";base64"), body
	}
	return medium{kind: kind, mime: mime, size: base64.RawStdEncoding.DecodedLen(len(strings.TrimRight(data, "=")))}
}

// remote is a medium that the request only points at.
func remote(kind, mime, at string) medium { return medium{kind: kind, mime: mime, at: at} }

// located is inline for a data URL and remote for any other.
func located(kind, url string) medium {
	if strings.HasPrefix(url, "data:") {
		return inline(kind, "", url)
	}
	return remote(kind, "", url)
}
