package wire

// Losses that several protocols have in common, in the ledger's words.
const (
	// TextOnly: a document that is text has no seat of its own.
	TextOnly = "approximated: a document that is text stands here as plain text"
	// ToolInWords: what a search for tools found has no seat of its own.
	ToolInWords = "approximated: a tool that a search found is named in words"
	// LateCitation: what a text rests on was told when it was whole already.
	LateCitation = "dropped: a citation came when its text was not open"
	// Drawn: a picture that a tool of the last upstream's drew stands in the
	// model's turn, where this one has no place for pictures.
	Drawn = "dropped: a picture that another upstream drew has no seat in the model's turn"
	// RanElsewhere: the last upstream ran a tool of its own.
	RanElsewhere = "dropped: the upstream knows nothing of what another one ran"
	// HeldElsewhere: a file was given to another provider than is asked.
	HeldElsewhere = "dropped: a file that only its provider holds"
)

// Losses of files that a client names by their addresses. None arises where the
// gateway fetches them (fetch.enabled).
const (
	// SoundInline: a sound is at an address.
	SoundInline = "dropped: the upstream takes sound only inline, and fetch.enabled is off"
	// DocumentInline: a document is at an address.
	DocumentInline = "dropped: the upstream takes documents only inline, and fetch.enabled is off"
	// AddressTold: words stand in the place of a file.
	AddressTold = "approximated: the upstream is told the address, since it takes no file by it and fetch.enabled is off"
)
