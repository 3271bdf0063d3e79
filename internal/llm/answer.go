package llm

import "encoding/json/jsontext"

// A Response is a whole answer.
type Response struct {
	ID      string
	Model   string
	Created int64 // Unix seconds, 0: not told
	Answers []Answer
	Usage   Usage
	// HasUsage: the upstream told the usage.
	HasUsage bool
	Tier     string
	Extra    Extra
}

// An Answer is one of the answers that a request gets; mostly there is one.
type Answer struct {
	Parts    []Part
	Stop     Stop
	Sequence Text           // the stop sequence that ended it, or not set
	Logprobs jsontext.Value // OpenAI's object, or nil
	Extra    Extra
}

// A Stop says why the model stopped.
type Stop uint8

// The reasons.
const (
	StopUnset     Stop = iota // not told
	StopEnd                   // it was done
	StopSequence              // at a stop sequence
	StopLength                // at the limit of output tokens
	StopContext               // the context window was full
	StopCall                  // to have tools called
	StopRefusal               // it declined
	StopFilter                // the provider's filter cut it
	StopPause                 // a long turn pauses and wants to be continued
	StopMalformed             // its tool call was unreadable
	StopOther                 // a reason without a neutral name
)

// An EventKind says what an Event does.
type EventKind uint8

// The kinds. The parts of one answer are numbered from 0 in the order in which
// they open; several may be open at one time, since OpenAI interleaves calls.
const (
	Begin  EventKind = iota // opens the answer: ID, Model
	Open                    // opens part Part of answer Answer; What is its head, without text
	Grow                    // Text is appended to the part's text, arguments or data
	Sealed                  // the part gets Seal
	Cited                   // the part gets Cite
	Whole                   // What is a part that comes in one piece; no Open, no Close
	Close                   // ends the part
	Tally                   // Usage as far as it is known; each replaces the one before
	Halt                    // answer Answer stopped: Stop, Sequence
	Odds                    // Logprobs of the text that just grew
	End                     // the upstream's stream is complete
	Note                    // a step without a neutral meaning, verbatim in Extra
)

// An Event is one step of a streamed answer. It is a value that is reused, so
// that a chunk of text costs no allocation; texts in it are only valid until
// the next event is decoded.
type Event struct {
	Kind     EventKind
	Answer   int // which of several answers
	Part     int
	ID       string
	Model    string
	What     Part
	Text     Text
	Seal     *Seal
	Cite     *Citation
	Usage    Usage
	Stop     Stop
	Sequence Text
	Logprobs jsontext.Value
	Extra    Extra
}
