package llm

import "encoding/json/jsontext"

// A Request asks a model to continue a conversation. Its slices and texts
// point into the body that it was decoded from.
//
// What the client did not say is absent here (nil, zero, not set), and an
// encoder then says nothing either: defaults are the upstream's business.
type Request struct {
	Protocol string // the wire protocol that it was read in
	Model    string
	Messages []Message // instructions included, where they stand
	Tools    []Tool
	Choice   Choice
	Parallel *bool // may several tools be called in one turn
	Sampling Sampling
	Reason   Reason
	Output   Output
	Cache    Caching
	Stream   bool
	// StreamUsage: a streaming client of a protocol in which usage must be
	// asked for has asked for it.
	StreamUsage bool

	User     Text           // who the end user is, as the client names them
	Tier     string         // the service tier, in the client's own words
	Store    *bool          // keep the answer for later retrieval
	Previous string         // the answer that this request continues, or ""
	Metadata jsontext.Value // free pairs, echoed where the protocol does that
	Extra    Extra
}

// A Message is one turn, or an instruction. Consecutive messages of one role
// are legal. Results of tools stand in messages of the User.
type Message struct {
	Role  Role
	Name  string // who speaks, if the client tells; rarely
	Parts []Part
	Extra Extra
}

// A Role says who speaks.
type Role uint8

// The roles. System and Developer are instructions; those before the first
// turn are the prompt's head, later ones stand in mid-conversation.
const (
	System Role = iota
	Developer
	User
	Assistant
)

// IsInstruction reports whether r tells the model what to be.
func (r Role) IsInstruction() bool { return r == System || r == Developer }

// Head returns how many messages at the beginning are instructions.
func (r *Request) Head() int {
	for i := range r.Messages {
		if !r.Messages[i].Role.IsInstruction() {
			return i
		}
	}
	return len(r.Messages)
}

// A ToolKind says how a tool is called.
type ToolKind uint8

// The kinds of tools.
const (
	Function ToolKind = iota // arguments are a JSON object that fits Schema
	Custom                   // the input is free text, perhaps by a grammar (Format)
	Server                   // the upstream runs it; Server says which
)

// A Tool is something that the model may call.
type Tool struct {
	Kind        ToolKind
	Namespace   string // of Codex, or ""
	Name        string
	Description Text
	Schema      jsontext.Value // JSON Schema of a Function, or nil
	Strict      *bool
	Format      jsontext.Value // of a Custom tool: OpenAI's format object, or nil
	Deferred    bool           // not shown to the model until a search finds it
	Joined      bool           // declared in mid-conversation, by a part that still stands there
	// Server is the neutral name of what the upstream runs: "web_search",
	// "web_fetch", "code_execution", "image_generation", "file_search",
	// "computer", "mcp", "tool_search", or the protocol's own name if there
	// is no neutral one. Config is the tool's declaration, verbatim, in the
	// protocol that Extra names; of a Function it is the schema as that
	// protocol spells it, where that is no JSON Schema.
	Server string
	Config jsontext.Value
	Cache  *Breakpoint
	Extra  Extra
}

// A ChoiceMode says whether tools are called.
type ChoiceMode uint8

// The modes. ChoiceUnset leaves it to the upstream.
const (
	ChoiceUnset ChoiceMode = iota
	ChoiceAuto
	ChoiceNone
	ChoiceRequired // some tool must be called
	ChoiceNamed    // the one tool of Tools must be called
	ChoiceAllowed  // only those of Tools may be called; with Must, one of them must
)

// A Choice says whether and which tools are called.
type Choice struct {
	Mode  ChoiceMode
	Tools []ToolRef
	Must  bool
	Extra Extra
}

// A ToolRef names a tool.
type ToolRef struct {
	Kind      ToolKind
	Namespace string
	Name      string // of a Server tool the neutral name
}

// A Number is a JSON number as it was written, or "" if absent.
type Number string

// Sampling holds the usual knobs.
type Sampling struct {
	MaxTokens   *int64
	Temperature Number
	TopP        Number
	TopK        Number
	Frequency   Number // penalty
	Presence    Number // penalty
	Seed        Number
	N           int // answers wanted; 0: not said
	Logprobs    bool
	TopLogprobs int
	LogitBias   jsontext.Value
	Stop        []Text
}

// A ReasonMode says how the client steers reasoning.
type ReasonMode uint8

// The modes.
const (
	ReasonUnset  ReasonMode = iota // not at all
	ReasonOff                      // none wanted
	ReasonAuto                     // the model decides
	ReasonEffort                   // Effort says how hard
	ReasonBudget                   // Budget says how many tokens
)

// Show says how much of the reasoning the client wants to see.
type Show uint8

// What may be shown.
const (
	ShowUnset Show = iota
	ShowNone
	ShowSummary
	ShowAll
)

// Reason says how hard to think.
type Reason struct {
	Mode ReasonMode
	// Effort is one of minimal, low, medium, high, xhigh, max. It may be set
	// beside any mode: Claude takes an effort with its thinking switched off.
	Effort string
	Budget int64
	Show   Show
	// Sealed: the client asks for encrypted reasoning that it will send back.
	Sealed bool
	Extra  Extra
}

// An OutputKind is the form of an answer.
type OutputKind uint8

// The forms.
const (
	OutputUnset OutputKind = iota
	OutputText
	OutputJSON   // any JSON object
	OutputSchema // JSON that fits Schema
)

// Output says what an answer must look like.
type Output struct {
	Kind        OutputKind
	Name        string
	Description Text
	Schema      jsontext.Value
	// Config is the schema as the protocol that Extra names spells it, where
	// that is no JSON Schema, or nil.
	Config     jsontext.Value
	Strict     *bool
	Verbosity  string         // low, medium, high
	Modalities []string       // "text", "image", "audio", in lower case
	Image      jsontext.Value // the protocol's own settings for images, see Extra
	Audio      jsontext.Value // the protocol's own settings for speech, see Extra
	Extra      Extra
}

// Caching is what the client says of the prompt cache beside breakpoints.
type Caching struct {
	Key       string // groups requests that share a prefix
	Retention string // "in_memory", "24h", …, in the client's own words
	Content   string // the name of a cached content at Google
}

// A Breakpoint says that the prefix up to here is worth caching.
type Breakpoint struct {
	TTL   string // "5m", "1h", or "" for the default
	Extra Extra
}
