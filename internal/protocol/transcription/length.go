package transcription

import "encoding/binary"

// audioTokens is how many tokens Google takes a second of sound for (spec:
// upstreams §5.3).
const audioTokens = 32

// length is how long a recording is, in seconds, where its head tells it: that
// of a WAV or a FLAC file. 0: it does not.
func length(kind string, b []byte) float64 {
	switch kind {
	case "audio/wav":
		return wavLength(b)
	case "audio/flac":
		return flacLength(b)
	}
	return 0
}

// wavLength reads the chunks of a RIFF file: fmt tells the bytes of a second, and
// data holds the sound.
func wavLength(b []byte) float64 {
	var perSecond uint32
	for at := 12; at+8 <= len(b); {
		size := int64(binary.LittleEndian.Uint32(b[at+4:]))
		body := b[at+8:]
		switch string(b[at : at+4]) {
		case "fmt ":
			if len(body) >= 12 {
				perSecond = binary.LittleEndian.Uint32(body[8:])
			}
		case "data":
			if perSecond == 0 {
				return 0
			}
			return float64(min(size, int64(len(body)))) / float64(perSecond) // some who stream write no true size
		}
		if size > int64(len(body)) {
			return 0
		}
		at += 8 + int(size+size&1)
	}
	return 0
}

// flacLength reads STREAMINFO, which comes first: 20 bits of samples a second
// and 36 of samples in all.
func flacLength(b []byte) float64 {
	const info = 4 + 4 // the mark and the block's head
	if len(b) < info+18 || b[4]&0x7f != 0 {
		return 0
	}
	v := binary.BigEndian.Uint64(b[info+10:])
	rate, samples := v>>44, v&(1<<36-1)
	if rate == 0 {
		return 0
	}
	return float64(samples) / float64(rate)
}
