package journal

import (
	"encoding/binary"
	"unicode/utf8"

	"portico/internal/llm"
)

// version is the first byte of an encoded exchange. A field that is added gets
// a new version; a reader takes all versions up to its own.
//
// 2: why an account was taken, how many were able, and how long it was waited
// for. 3: what the settings changed in the request. 4: of attempts that share an
// answer, which part of it they were for, and what they used. 5: what of it is
// cached for an hour. 6: the other details of what was used.
const version = 6

// What an encoded exchange can hold. Longer texts and lists are cut, so that
// one exchange never exceeds maxPayload.
const (
	maxText     = 4096 // bytes of a text of an exchange
	maxNote     = 1024 // bytes of a text of an attempt, of a loss, of an account passed over
	maxAttempts = 64
	maxPassed   = 32
	maxLosses   = 256
	maxEdits    = 8
	maxPayload  = 1 << 20
)

// The flags of an exchange.
const (
	flagStream = 1 << iota
	flagEstimated
	flagPartial
	flagOpen
)

// Append appends the encoding of x to b: the version, then all fields in the
// order of the struct; numbers as varints, texts with their length before
// them. The order is the format. What is empty takes one byte.
func Append(b []byte, x *Exchange) []byte {
	b = append(b, version)
	b = appendText(b, x.ID, maxText)
	b = binary.AppendVarint(b, x.Start.Unix())
	b = binary.AppendUvarint(b, uint64(x.Start.Nanosecond()))
	for _, s := range [...]*string{
		&x.Key, &x.Client, &x.Peer, &x.Session, &x.Op, &x.Path, &x.Inbound, &x.Outbound, &x.Asked, &x.Served,
		&x.Rule, &x.Account, &x.Stop, &x.Upstream, &x.Fault, &x.Code, &x.Error,
	} {
		b = appendText(b, *s, maxText)
	}
	var flags byte
	if x.Stream {
		flags |= flagStream
	}
	if x.Estimated {
		flags |= flagEstimated
	}
	if x.Partial {
		flags |= flagPartial
	}
	if x.Open {
		flags |= flagOpen
	}
	b = append(b, flags)
	for _, n := range [...]int64{
		int64(x.Status), int64(x.First), int64(x.Took), x.BytesIn, x.BytesOut,
		x.Usage.Input, x.Usage.CacheRead, x.Usage.CacheWrite, x.Usage.Output, x.Usage.Reasoning,
	} {
		b = binary.AppendVarint(b, n)
	}

	attempts := x.Attempts[:min(len(x.Attempts), maxAttempts)]
	b = binary.AppendUvarint(b, uint64(len(attempts)))
	for i := range attempts {
		b = appendAttempt(b, &attempts[i])
	}
	passed := x.Passed[:min(len(x.Passed), maxPassed)]
	b = binary.AppendUvarint(b, uint64(len(passed)))
	for i := range passed {
		b = appendText(b, passed[i].Account, maxNote)
		b = appendText(b, passed[i].Why, maxNote)
	}
	losses := x.Losses[:min(len(x.Losses), maxLosses)]
	b = binary.AppendUvarint(b, uint64(len(losses)))
	for _, l := range losses {
		b = appendText(b, l, maxNote)
	}
	edits := x.Edits[:min(len(x.Edits), maxEdits)]
	b = binary.AppendUvarint(b, uint64(len(edits)))
	for _, e := range edits {
		b = appendText(b, e, maxNote)
	}
	b = binary.AppendVarint(appendShares(b, attempts), x.Usage.CacheHour)
	return appendDetails(b, x.Usage)
}

// appendDetails appends those details of u that there are, behind a byte that
// says which. Mostly there are none.
func appendDetails(b []byte, u llm.Usage) []byte {
	at := len(b)
	b = append(b, 0)
	for i, n := range u.Details() {
		if *n != 0 {
			b[at] |= 1 << i
			b = binary.AppendVarint(b, *n)
		}
	}
	return b
}

// appendShares appends what attempts say of their share in an answer, each after
// its number. Mostly there is none.
func appendShares(b []byte, attempts []Attempt) []byte {
	n := 0
	for i := range attempts {
		if attempts[i].shares() {
			n++
		}
	}
	b = binary.AppendUvarint(b, uint64(n))
	for i := range attempts {
		a := &attempts[i]
		if !a.shares() {
			continue
		}
		var flags byte
		if a.Estimated {
			flags = flagEstimated
		}
		b = append(binary.AppendUvarint(b, uint64(i)), flags)
		for _, n := range [...]int64{int64(a.Leg), a.Usage.Input, a.Usage.CacheRead, a.Usage.CacheWrite, a.Usage.Output, a.Usage.Reasoning, a.Usage.CacheHour} {
			b = binary.AppendVarint(b, n)
		}
		b = appendDetails(b, a.Usage)
	}
	return b
}

// shares reports whether a says anything of its share in an answer.
func (a *Attempt) shares() bool { return a.Leg != 0 || a.Estimated || a.Usage != (llm.Usage{}) }

func appendAttempt(b []byte, a *Attempt) []byte {
	for _, s := range [...]*string{&a.Account, &a.Model, &a.Fault, &a.Scope, &a.Phase, &a.Code, &a.Error, &a.Step} {
		b = appendText(b, *s, maxNote)
	}
	for _, n := range [...]int64{int64(a.Start), int64(a.Took), int64(a.Status), int64(a.After)} {
		b = binary.AppendVarint(b, n)
	}
	b = appendText(b, a.Why, maxNote)
	for _, n := range [...]int64{int64(a.Of), int64(a.Waited)} {
		b = binary.AppendVarint(b, n)
	}
	return b
}

func appendText(b []byte, s string, limit int) []byte {
	if len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit]
	}
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
