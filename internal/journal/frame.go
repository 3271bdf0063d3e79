package journal

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// A record lies in a segment as a frame: four bytes of magic, the length of
// the payload, a checksum over the length and the payload, the payload. Frames
// begin at multiples of align, so that a reader finds the next one after bytes
// that are no frame.
//
// The checksum begins with the segment's own random salt. Text that a client
// chose can therefore never pass for a frame, nor can what a disk block held
// before.
const (
	frameHeader = 12
	align       = 64
	maxFrame    = frameHeader + maxPayload
)

const frameMagic = 0x314a_5250 // "PRJ1", little endian

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// padded is the room that n bytes take in a segment.
func padded(n int64) int64 { return (n + align - 1) &^ (align - 1) }

// sealFrame fills in the header of b, which is frameHeader bytes and then the
// payload.
func sealFrame(b []byte, salt uint32) {
	binary.LittleEndian.PutUint32(b, frameMagic)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-frameHeader))
	binary.LittleEndian.PutUint32(b[8:], sum(b, salt))
}

func sum(b []byte, salt uint32) uint32 {
	return crc32.Update(crc32.Update(salt, castagnoli, b[4:8]), castagnoli, b[frameHeader:])
}

// openFrame returns the payload of the frame at the front of b. If b is too
// short to say, payload is nil and need is the length that it takes to know
// more; if b begins with no whole frame, both are zero.
func openFrame(b []byte, salt uint32) (payload []byte, need int) {
	if len(b) < frameHeader {
		return nil, frameHeader
	}
	if binary.LittleEndian.Uint32(b) != frameMagic {
		return nil, 0
	}
	n := binary.LittleEndian.Uint32(b[4:])
	if n == 0 || n > maxPayload {
		return nil, 0
	}
	end := frameHeader + int(n)
	if len(b) < end {
		return nil, end
	}
	if binary.LittleEndian.Uint32(b[8:]) != sum(b[:end], salt) {
		return nil, 0
	}
	return b[frameHeader:end], 0
}

// A scan reads frames from a segment.
type scan struct {
	r    io.ReaderAt
	salt uint32
	end  int64 // nothing is read from here on
	// gaps: bytes that are no frame are skipped. Otherwise the scan stops at
	// them, because somebody may still be writing there.
	gaps bool
	buf  []byte // grows to the largest frame
}

// run calls each with every payload from at on, which lies at a multiple of
// align, until each returns false. It returns where it stopped: scan.end, the
// place after the last payload, or the gap.
func (s *scan) run(at int64, each func(payload []byte) bool) (int64, error) {
	if cap(s.buf) == 0 {
		s.buf = make([]byte, 64<<10)
	}
	s.buf = s.buf[:cap(s.buf)]
	base, have := at, 0 // buf[:have] is what stands at base
	for at < s.end {
		window := s.buf[at-base : have]
		payload, need := openFrame(window, s.salt)
		if need > 0 && at+int64(need) <= s.end {
			if need > len(s.buf) {
				s.buf = make([]byte, padded(int64(need)))
			}
			n, err := s.r.ReadAt(s.buf[:min(int64(len(s.buf)), s.end-at)], at)
			if n < need {
				return at, err
			}
			base, have = at, n
			continue
		}
		if payload == nil {
			if !s.gaps {
				return at, nil
			}
			at += align
			continue
		}
		at += padded(int64(frameHeader + len(payload)))
		if !each(payload) {
			return at, nil
		}
	}
	return at, nil
}
