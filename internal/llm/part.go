package llm

import "encoding/json/jsontext"

// A Part is one piece of a message or of an answer.
//
//sumtype:decl
type Part interface{ part() }

// A Prose is plain text.
type Prose struct {
	Text  Text
	Cites []Citation
	Cache *Breakpoint
	Seal  *Seal // Gemini seals text, too
	Extra Extra
}

// A Refusal is text by which the model declines.
type Refusal struct {
	Text  Text
	Extra Extra
}

// A Thought is the model's reasoning: what may be shown of it, and the seal
// that its issuer wants back.
type Thought struct {
	Text Text
	// Summary: the text is a summary of the reasoning, not the reasoning.
	Summary bool
	// Redacted: there is nothing to show but the seal.
	Redacted bool
	Seal     *Seal
	Extra    Extra
}

// A Call asks the client to run a tool.
type Call struct {
	ID        string
	Kind      ToolKind
	Namespace string
	Name      string
	// Args is the JSON text of a Function's arguments as the model wrote it,
	// which may be broken JSON, or the input of a Custom tool.
	Args  Text
	Seal  *Seal
	Cache *Breakpoint
	Extra Extra
}

// A Result answers a Call. Its parts are Prose, Blob, Reference and Opaque.
type Result struct {
	CallID string
	Kind   ToolKind
	Name   string // if the protocol tells it; else look the call up
	Parts  []Part
	Failed bool
	Cache  *Breakpoint
	Extra  Extra
}

// A BlobKind says what a Blob is.
type BlobKind uint8

// The kinds of blobs.
const (
	Image BlobKind = iota
	Audio
	Video
	Document
)

// A Blob is an image, a sound, a film or a document: inline (Data), at a URL,
// as a file that the upstream holds (File), or as text (Prose). Exactly one of
// the four is set.
type Blob struct {
	Kind  BlobKind
	Type  string // media type such as image/png; "" if nobody told
	Data  Text   // base64
	URL   string // not a data: URL
	File  string // an id that only its own provider knows
	Prose Text   // a document that is plain text
	Name  string // file name or title, or ""
	// Detail: how closely to look: "low", "high", "original", "auto", or "".
	Detail string
	Cache  *Breakpoint
	Seal   *Seal
	Extra  Extra
}

// A Reference names a tool that a tool search found.
type Reference struct {
	Name  string
	Extra Extra
}

// A ServerCall is a tool that the upstream ran, or runs, by itself. Name is a
// neutral name of Tool.Server.
type ServerCall struct {
	ID    string
	Name  string
	Input jsontext.Value // in the protocol's own form, or nil
	// Query is what was searched, run or drawn, for those who cannot show
	// Input, or not set.
	Query Text
	Extra Extra
}

// A ServerResult is what came of a ServerCall. Sources and Blobs are its
// neutral reading; Raw is verbatim, in the protocol that Extra names.
type ServerResult struct {
	CallID  string
	Name    string
	Sources []Citation
	Text    Text // output of code, an error, or not set
	Blobs   []Blob
	Failed  bool
	Raw     jsontext.Value
	Extra   Extra
}

// An Opaque is a part of a kind that only its own protocol knows, verbatim.
type Opaque struct {
	Protocol string
	Kind     string         // its type there
	Raw      jsontext.Value // the whole part
	Alt      Text           // says the same in words for everybody else, or not set
}

func (*Prose) part()        {}
func (*Refusal) part()      {}
func (*Thought) part()      {}
func (*Call) part()         {}
func (*Result) part()       {}
func (*Blob) part()         {}
func (*Reference) part()    {}
func (*ServerCall) part()   {}
func (*ServerResult) part() {}
func (*Opaque) part()       {}

// A Citation says where a piece of text comes from.
type Citation struct {
	URL, Title string
	// Start and End are the range of the answer's text, in characters
	// (Unicode code points) of the part that carries the citation; both are 0
	// if the protocol does not tell it.
	Start, End int
	Quote      Text // what was cited, or not set
	Extra      Extra
}

// A Seal is data that only its issuer can read: a thinking signature,
// encrypted reasoning, a thought signature. It goes back to its issuer
// unchanged, and to nobody else.
type Seal struct {
	Protocol string // the wire protocol that it was read in, or ""
	Kind     SealKind
	Data     Text
	ID       string // the id of the item that it came in, where the protocol has one
}

// A SealKind tells seals of one protocol apart.
type SealKind uint8

// The kinds of seals.
const (
	Signature SealKind = iota // proves that the text beside it is the model's
	Encrypted                 // is the reasoning itself
)

// Extra holds members of one protocol that have no neutral name, verbatim. An
// encoder of the same protocol puts them back; another reports each as a Loss.
type Extra struct {
	Protocol string
	// Members are the members as they were written, joined by commas and
	// without braces; nil: there are none.
	Members []byte
}

// A Loss is something that did not cross as it was.
type Loss struct {
	Path string // in the client's own body, such as "messages[2].content[0].cache_control"
	Why  string // a LossKind and a few words: "dropped: the upstream has no logit_bias"
}
