package gemini

import (
	"portico/internal/jsonedit"
	"portico/internal/protocol/wire"
)

// A load is how much a content carries.
type load uint8

const (
	nothing   load = iota // no parts, or a text of no characters
	signed                // only a signature that wants to be sent back
	substance             // text, a thought, a call, an image, …
)

// carries reports what a candidate's content carries, and how many bytes of
// text, thoughts, code and arguments.
func carries(content []byte) (n int64, most load) {
	list := parts(content)
	if len(list) == 0 || list[0] != '[' {
		return 0, nothing
	}
	for p, err := range jsonedit.Elements(list) {
		if err != nil {
			break // the chunk was skipped as sound
		}
		for m := range wire.Object(p) {
			if wire.Empty(m.Value) {
				continue
			}
			switch string(m.Name) {
			case "text":
				n += wire.StringLen(m.Value)
			case "thought", "partMetadata", "videoMetadata", "mediaResolution": // of the data beside them
				continue
			case "thoughtSignature":
				most = max(most, signed)
				continue
			case "functionCall":
				n += int64(len(jsonedit.Get(m.Value, "args")))
			case "executableCode":
				n += wire.StringLen(jsonedit.Get(m.Value, "code"))
			}
			most = substance
		}
	}
	return n, most
}

// parts is the list of parts of a content, or nil.
func parts(content []byte) (list []byte) {
	for m := range wire.Object(content) {
		if string(m.Name) == "parts" {
			list = m.Value
		}
	}
	return list
}
