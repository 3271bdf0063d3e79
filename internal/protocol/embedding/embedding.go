// Package embedding puts requests for embeddings between the two protocols that
// have them: OpenAI's /embeddings and Google's embedContent and
// batchEmbedContents (spec: upstreams §1A.6, §1D.6).
//
// Texts and numbers cross as they are written. What the other side does not
// know is refused or named as a loss, never dropped in silence.
package embedding

import (
	"slices"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
)

const (
	// MaxTexts is how many texts one request may have, which is OpenAI's own
	// limit.
	MaxTexts = 2048
	// PerBatch is how many texts Google takes in one batch.
	PerBatch = 100
	// maxVector is how many numbers a vector may have; the longest known has
	// 4096.
	maxVector = 1 << 16
	maxLosses = 64
)

// A Request is what is asked for, in either protocol.
type Request struct {
	Texts      []llm.Text // 1 to MaxTexts
	Dimensions int64      // of the vectors, 0: as the model has them
	Losses     []llm.Loss // what the other protocol has no seat for

	form form // of the client's answer
}

// A form is how a client wants its vectors.
type form uint8

const (
	numbers form = iota // OpenAI's, as arrays
	coded               // OpenAI's, as base64 of little-endian float32
	single              // Google's answer to one text
	batch               // Google's answer to several
)

// lose notes what is lost, once for all texts of a batch.
func (r *Request) lose(path, why string) {
	if len(r.Losses) < maxLosses && !slices.ContainsFunc(r.Losses, func(l llm.Loss) bool { return l.Path == path }) {
		r.Losses = append(r.Losses, llm.Loss{Path: path, Why: why})
	}
}

// size notes how long vectors are to be.
func (r *Request) size(param string, v []byte) error {
	n, ok := jsonedit.Int(v)
	if !ok || n < 1 || n > maxVector {
		return malformed(param, "it must be a whole number from 1 to %d", maxVector)
	}
	r.Dimensions = n
	return nil
}

func malformed(param, format string, args ...any) error {
	f := fault.New(fault.Malformed, format, args...)
	f.Param = param
	return f
}

func unsupported(param, format string, args ...any) error {
	f := fault.New(fault.Unsupported, format, args...)
	f.Code, f.Param = "unsupported_parameter", param
	return f
}
