package rig

import (
	"fmt"
	"strings"
	"time"
)

// A Script tells the upstream how to answer. It travels in the prompt, so that
// it reaches the upstream through any gateway and in any protocol.
type Script struct {
	N       int64         // tells one request from another; the answer's text holds it
	In      int64         // tokens read, beyond Cached
	Cached  int64         // tokens read from a cache
	Out     int64         // tokens written, beyond Think
	Think   int64         // tokens of reasoning
	Chunks  int           // pieces of text, at least 1
	Size    int           // bytes that each piece has at least
	Wait    time.Duration // before the answer
	Pause   time.Duration // before each piece but the first
	Fault   string        // what goes wrong, see the constants; "": nothing
	Account string        // the fault is for an account whose key contains this; "": for all
}

// What an upstream can do wrong. A number is an HTTP status.
const (
	Early   = "early"   // the connection is reset before an answer
	Head    = "head"    // and after the headers
	Middle  = "middle"  // in the middle of an event
	Unended = "unended" // the connection is closed before the mark of the end
	Long    = "long"    // fewer bytes come than were announced
	Garbage = "garbage" // bytes that mean nothing
	Page    = "page"    // a page in HTML
	Empty   = "empty"   // nothing
	Stall   = "stall"   // half an answer, and then silence
	Error   = "error"   // half an answer, and then an error
)

const scriptOpen, scriptClose = "[rig ", "]"

// String is the script as it stands in a prompt.
func (s Script) String() string {
	fault, account := s.Fault, s.Account
	if fault == "" {
		fault = "none"
	}
	if account == "" {
		account = "any"
	}
	return fmt.Sprintf("%s%d %d %d %d %d %d %d %d %d %s %s%s", scriptOpen, s.N, s.In, s.Cached, s.Out, s.Think, s.Chunks, s.Size,
		s.Wait.Microseconds(), s.Pause.Microseconds(), fault, account, scriptClose)
}

// ParseScript finds the script in a request's body, in whichever protocol. A
// body without one is answered with a word.
func ParseScript(body string) Script {
	s := Script{In: 3, Out: 1, Chunks: 1}
	_, rest, ok := strings.Cut(body, scriptOpen)
	if !ok {
		return s
	}
	text, _, _ := strings.Cut(rest, scriptClose)
	var wait, pause int64
	n, _ := fmt.Sscan(text, &s.N, &s.In, &s.Cached, &s.Out, &s.Think, &s.Chunks, &s.Size, &wait, &pause, &s.Fault, &s.Account)
	if n != 11 {
		return Script{Chunks: 1, Fault: "500"} // a defect of the test, which should show
	}
	s.Wait, s.Pause = time.Duration(wait)*time.Microsecond, time.Duration(pause)*time.Microsecond
	if s.Fault == "none" {
		s.Fault = ""
	}
	if s.Account == "any" {
		s.Account = ""
	}
	return s
}

// Tokens is all that was read and written.
func (s Script) Tokens() int64 { return s.In + s.Cached + s.Out + s.Think }

// piece is the text of the i-th chunk.
func (s Script) piece(i int) string {
	p := fmt.Sprintf("%d.%d ", s.N, i)
	if n := s.Size - len(p); n > 0 {
		p += strings.Repeat("x", n-1) + " "
	}
	return p
}

// Text is all that a whole answer says.
func (s Script) Text() string {
	var b strings.Builder
	for i := range max(s.Chunks, 1) {
		b.WriteString(s.piece(i))
	}
	return b.String()
}
