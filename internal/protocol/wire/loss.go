package wire

// Losses that several protocols have in common, in the ledger's words.
const (
	// TextOnly: a document that is text has no seat of its own.
	TextOnly = "approximated: a document that is text stands here as plain text"
	// ToolInWords: what a search for tools found has no seat of its own.
	ToolInWords = "approximated: a tool that a search found is named in words"
	// HeldElsewhere: a file was given to another provider than is asked.
	HeldElsewhere = "dropped: a file that only its provider holds"
)
