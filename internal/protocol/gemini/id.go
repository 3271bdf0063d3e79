package gemini

import (
	"strconv"
	"strings"

	"portico/internal/llm"
)

// ours is what ids that are made here begin with. Google is never told such an
// id: it knows none.
const ours = "call_gem_"

// mint makes the id of a call: of the answer that it is in, of its place, and
// of what it says.
func mint(salt string, turn, ordinal int, name string, args llm.Text) string {
	h := uint64(14695981039346656037) // FNV-1a
	add := func(b []byte) {
		for _, c := range b {
			h = (h ^ uint64(c)) * 1099511628211
		}
		h = (h ^ 0xFF) * 1099511628211 // no byte of UTF-8
	}
	var place [40]byte
	add([]byte(salt))
	add(strconv.AppendInt(append(strconv.AppendInt(place[:0], int64(turn), 10), '.'), int64(ordinal), 10))
	add([]byte(name))
	add(args.Append(nil))
	const digits = "0123456789abcdef"
	id := []byte(ours)
	for range 16 {
		id = append(id, digits[h>>60])
		h <<= 4
	}
	return string(id)
}

func minted(id string) bool { return strings.HasPrefix(id, ours) }
