package wire

import (
	"bytes"
	"encoding/binary"

	"portico/internal/jsonedit"
)

// A Head is what a conversation begins with: its instructions and its turns.
type Head struct{ system, turns []byte }

// Take notes m if it is a part of the head, in whatever protocol.
func (h *Head) Take(m *jsonedit.Member) {
	switch {
	case m.Is("messages"), m.Is("contents"), m.Is("input"):
		h.turns = m.Value
	case m.Is("system"), m.Is("instructions"), m.Is("systemInstruction"), m.Is("system_instruction"):
		h.system = m.Value
	}
}

// maxLead bounds how many turns are looked at for the first of the user's.
const maxLead = 16

// Hash is the same for all turns of one conversation: it is of the
// instructions and of all up to the first turn of the user's, which clients
// send again as they were. It is 0 if there is no such turn.
func (h *Head) Hash() uint64 {
	d := digest{sum: seed}
	d.add(h.system)
	if len(h.turns) == 0 || h.turns[0] != '[' {
		if len(h.turns) == 0 || h.turns[0] != '"' {
			return 0
		}
		d.add(h.turns)
		return d.end()
	}
	n := 0
	for v, err := range jsonedit.Elements(h.turns) {
		if n++; err != nil || n > maxLead {
			break
		}
		d.add(v)
		if role := jsonedit.Get(v, "role"); role == nil || string(role) == `"user"` {
			return d.end()
		}
	}
	return 0
}

const (
	seed  = 0x9e3779b97f4a7c15
	prime = 0xff51afd7ed558ccd
)

// marker is a member that moves from turn to turn, and is no part of what is
// said.
var marker = []byte(`"cache_control"`)

// A digest is a hash that is the same in every process. It needs no strength:
// two conversations that fall together share an account, no more.
type digest struct {
	sum  uint64
	rest [8]byte // what does not fill a word yet
	n    int
}

// add adds v without its markers.
func (d *digest) add(v []byte) {
	for len(v) > 0 {
		part := v
		if i := bytes.Index(v, marker); i >= 0 {
			part, v = bytes.TrimRight(v[:i], ", \t\r\n"), after(v, i+len(marker))
		} else {
			v = nil
		}
		d.write(part)
	}
}

func (d *digest) write(v []byte) {
	if d.n > 0 {
		n := copy(d.rest[d.n:], v)
		d.n += n
		v = v[n:]
		if d.n < len(d.rest) {
			return
		}
		d.word(d.rest[:])
		d.n = 0
	}
	for ; len(v) >= 8; v = v[8:] {
		d.word(v)
	}
	d.n = copy(d.rest[:], v)
}

func (d *digest) word(v []byte) { d.sum = mix(d.sum ^ binary.LittleEndian.Uint64(v)) }

// end is the hash, which is not 0.
func (d *digest) end() uint64 {
	clear(d.rest[d.n:])
	d.word(d.rest[:])
	return mix(d.sum^uint64(d.n)) | 1
}

// after is v from behind the value of the member whose name ends at i.
func after(v []byte, i int) []byte {
	for i < len(v) && (v[i] == ':' || v[i] == ' ' || v[i] == '\t' || v[i] == '\r' || v[i] == '\n') {
		i++
	}
	end, err := jsonedit.Skip(v, i)
	if err != nil {
		return nil
	}
	return bytes.TrimLeft(v[end:], ", \t\r\n")
}

func mix(x uint64) uint64 {
	x *= prime
	return x ^ x>>32
}
