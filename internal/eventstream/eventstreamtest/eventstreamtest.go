// Package eventstreamtest writes binary event streams for tests, which play an
// upstream of Amazon Web Services.
package eventstreamtest

import (
	"encoding/binary"
	"hash/crc32"
)

// Append appends one message to dst. Headers are pairs of names and values, all
// of them strings.
func Append(dst []byte, payload string, headers ...string) []byte {
	var h []byte
	for i := 0; i+1 < len(headers); i += 2 {
		h = append(append(h, byte(len(headers[i]))), headers[i]...)
		h = binary.BigEndian.AppendUint16(append(h, 7), uint16(len(headers[i+1])))
		h = append(h, headers[i+1]...)
	}
	at := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(12+len(h)+len(payload)+4))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(h)))
	dst = binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[at:]))
	dst = append(append(dst, h...), payload...)
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[at:]))
}

// Event appends an event as Bedrock sends it.
func Event(dst []byte, name, payload string) []byte {
	return Append(dst, payload, ":event-type", name, ":content-type", "application/json", ":message-type", "event")
}

// Exception appends an exception as Bedrock sends it.
func Exception(dst []byte, name, message string) []byte {
	return Append(dst, `{"message":"`+message+`"}`, ":exception-type", name, ":content-type", "application/json", ":message-type", "exception")
}
