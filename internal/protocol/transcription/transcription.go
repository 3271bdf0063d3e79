// Package transcription puts OpenAI's requests to write down what is said (POST
// /audio/transcriptions, /audio/translations) to models of Google's that hear
// (spec: upstreams §1D.2, parity §1.9): the recording goes along with words that
// say what is wanted, and the answer is put into the format that the client
// asks for.
//
// Times are the model's own estimate. What a model that speaks cannot know,
// such as the odds of each token, is refused or named as a loss.
package transcription

import (
	"slices"

	"portico/internal/fault"
	"portico/internal/llm"
)

const (
	// MaxAudio is the largest recording, in bytes: OpenAI's own limit.
	MaxAudio  = 25 << 20
	maxLosses = 64
	maxHint   = 64 // bytes of a language's name
	maxHints  = 32 // languages, and words to look out for
)

// The paths of the API.
const (
	Transcriptions = "/audio/transcriptions"
	Translations   = "/audio/translations"
)

// The formats of an answer.
const (
	asJSON    = "json"
	asText    = "text"
	asSRT     = "srt"
	asVTT     = "vtt"
	asVerbose = "verbose_json"
	byVoice   = "diarized_json"
)

// A Request is what is to be written down.
type Request struct {
	Stream bool
	Losses []llm.Loss

	english     bool // whatever is spoken
	kind        string
	audio       []byte
	format      string
	languages   []string
	words       []string // that may occur
	before      string   // what was said before, or how it is to be written
	temperature string   // a JSON number, or ""
}

// timed reports whether the answer says when what was said.
func (r *Request) timed() bool {
	return r.format == asSRT || r.format == asVTT || r.format == asVerbose
}

// lose notes a loss once: a request is put to several upstreams.
func (r *Request) lose(path, why string) {
	if len(r.Losses) < maxLosses && !slices.ContainsFunc(r.Losses, func(l llm.Loss) bool { return l.Path == path }) {
		r.Losses = append(r.Losses, llm.Loss{Path: path, Why: why})
	}
}

func refuse(class fault.Class, param, format string, args ...any) error {
	f := fault.New(class, format, args...)
	f.Param = param
	return f
}
