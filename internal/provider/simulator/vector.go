package simulator

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"math"
	"strings"
)

// Dimensions of a vector.
const (
	defaultDimensions = 256
	maxDimensions     = 3072
)

// maxVectorWords is how many words of a text a vector looks at.
const maxVectorWords = 256

// vector is a unit vector that depends on the words of text only, so that
// texts which share words lie near each other: the sum of one pseudo-random
// direction per word.
func vector(text string, dimensions int) []float32 {
	sum := make([]float64, dimensions)
	n := 0
	for word := range strings.FieldsSeq(strings.ToLower(text)) {
		if n++; n > maxVectorWords {
			break
		}
		addDirection(sum, word)
	}
	if n == 0 {
		addDirection(sum, text)
	}
	var square float64
	for _, v := range sum {
		square += v * v
	}
	norm := math.Sqrt(square)
	out := make([]float32, dimensions)
	for i, v := range sum {
		if norm > 0 {
			out[i] = float32(v / norm)
		}
	}
	if norm == 0 {
		out[0] = 1
	}
	return out
}

// addDirection adds the direction of a word, drawn by SplitMix64 (Steele, Lea
// and Flood, 2014) from the word's hash.
func addDirection(sum []float64, word string) {
	h := fnv.New64a()
	h.Write([]byte(word))
	state := h.Sum64()
	for i := range sum {
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		sum[i] += float64(int64(z)) / (1 << 63)
	}
}

// packed is a vector as OpenAI's encoding_format "base64": little-endian
// 32-bit floats.
func packed(v []float32) string {
	b := make([]byte, 0, 4*len(v))
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return base64.StdEncoding.EncodeToString(b)
}
