package translate

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json/v2"

	"portico/internal/llm"
)

// A seal goes back to its issuer, unchanged, and to nobody else (spec: upstreams
// §2.6). Where a client speaks another protocol than the issuer, the seal is
// wrapped: the client keeps it where its own protocol has a seat for one, and
// brings it back with the name of its issuer on it.

// SealMark begins every wrapped seal, wherever a client's protocol keeps it. An
// upstream that is asked in the client's own protocol must not see one. All of a
// wrapped seal is base64, because Google's clients keep a signature as bytes; the
// mark's length is a multiple of four for the same reason, and it begins with a
// letter that is rare in texts because each request is searched for it.
const SealMark = "Zportic1"

// An issuer is who can read a seal. Reasoning is bound to all four.
type issuer struct {
	Protocol string `json:"p"`
	Vendor   string `json:"v"`
	Account  string `json:"a"` // a hash of its name, which is nobody's business
	Model    string `json:"m"`
}

func issuerOf(proto string, to *Upstream) issuer {
	sum := sha256.Sum256([]byte(to.Account))
	return issuer{proto, to.Fit.Vendor, hex.EncodeToString(sum[:4]), to.Fit.Model}
}

// A seat is what a seal belongs to.
type seat string

const (
	onThought seat = "t" // reasoning, which Text may repeat
	onCall    seat = "c" // a call; the next one, if the seal stands elsewhere
	onProse   seat = "x" // a text
)

// A sealed is one seal out of its protocol.
type sealed struct {
	Seat     seat         `json:"w"`
	Kind     llm.SealKind `json:"k,omitzero"`
	ID       string       `json:"i,omitzero"`
	Data     string       `json:"d"`
	Text     string       `json:"t,omitzero"` // of the reasoning, where the client does not keep it
	Summary  bool         `json:"s,omitzero"`
	Redacted bool         `json:"r,omitzero"`
}

// A capsule is what a wrapped seal holds: all that was sealed at one place.
type capsule struct {
	issuer
	Seals []sealed `json:"s"`
}

// wrap is the text that a client keeps.
func (c *capsule) wrap() string {
	raw, err := json.Marshal(c)
	if err != nil {
		return "" // texts of upstreams that are no UTF-8 cannot be kept
	}
	return SealMark + base64.StdEncoding.EncodeToString(raw)
}

// unwrap reads what wrap wrote.
func unwrap(t llm.Text) (c capsule, ok bool) {
	if string(t.Head(len(SealMark))) != SealMark {
		return c, false
	}
	raw, err := base64.StdEncoding.DecodeString(t.String()[len(SealMark):])
	if err != nil {
		return c, false
	}
	return c, json.Unmarshal(raw, &c) == nil
}

// wrapped reports whether s is the gateway's own wrapping of a seal.
func wrapped(s *llm.Seal) bool {
	return s != nil && string(s.Data.Head(len(SealMark))) == SealMark
}

// sealOf is s for the protocol of its issuer.
func (s *sealed) sealOf(proto string) *llm.Seal {
	return &llm.Seal{Protocol: proto, Kind: s.Kind, ID: s.ID, Data: llm.Plain(s.Data)}
}

// thought is the reasoning that s seals, with the text that the client brought
// back or, where it did not, with its own.
func (s *sealed) thought(proto string, text llm.Text) *llm.Thought {
	t := &llm.Thought{Text: text, Summary: s.Summary, Redacted: s.Redacted, Seal: s.sealOf(proto)}
	if s.Text != "" {
		t.Text = llm.Plain(s.Text)
	}
	if s.Redacted {
		t.Text = llm.Text{}
	}
	return t
}
