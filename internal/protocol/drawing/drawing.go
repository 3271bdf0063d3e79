// Package drawing puts OpenAI's requests for pictures (POST
// /images/generations, /images/edits) to models that draw in a conversation
// (spec: upstreams §1D.2, parity §1.8): Google's and chat models that draw as a
// part of their answer, and OpenAI's that draw with a tool. One request becomes
// one of theirs for each picture, and their answers become one answer, whole or
// as a stream.
//
// What such a model cannot be told is refused or named as a loss, never dropped
// in silence.
package drawing

import (
	"slices"

	"portico/internal/fault"
	"portico/internal/llm"
)

const (
	// MaxPictures is how many one request may ask for, which is OpenAI's own
	// limit.
	MaxPictures = 10
	maxGiven    = 16 // pictures that an edit begins with, OpenAI's own limit, too
	maxDrafts   = 3  // of one picture that are shown, likewise
	maxLosses   = 64
)

// A Request is what is to be drawn.
type Request struct {
	N      int // pictures, 1 to MaxPictures
	Stream bool
	Losses []llm.Loss

	edit   bool // of pictures that are given
	model  string
	prompt llm.Text
	given  []picture
	mask   *picture
	shape  shape
	url    bool // pictures are wanted as addresses
	drafts int  // of each picture, to be shown while it is drawn
	// settings are those that some upstreams know.
	settings []setting
	files    map[string]file
}

// A setting is one that the client made.
type setting struct{ name, value string }

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
