package simulator

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"math"
)

// pictureSide is the width and height of every picture in pixels, whatever
// size was asked for.
const pictureSide = 64

// picture draws a PNG: a disc on a gradient, its colours taken from the text.
func picture(text string) []byte {
	h := fnv.New32a()
	h.Write([]byte(text))
	hue := h.Sum32()
	img := image.NewRGBA(image.Rect(0, 0, pictureSide, pictureSide))
	for y := range pictureSide {
		for x := range pictureSide {
			c := color.RGBA{R: byte(hue)/2 + byte(2*x), G: byte(hue>>8)/2 + byte(2*y), B: byte(hue >> 16), A: 255}
			if dx, dy := x-pictureSide/2, y-pictureSide/2; dx*dx+dy*dy < pictureSide*pictureSide/9 {
				c = color.RGBA{R: 255 - c.R, G: 255 - c.G, B: 255 - c.B, A: 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic("simulator: a picture in memory does not encode: " + err.Error()) // no error is possible on a Buffer
	}
	return b.Bytes()
}

// Form of every sound: 16-bit mono PCM.
const (
	soundRate    = 8000             // samples a second
	soundSamples = soundRate / 4    // a quarter of a second
	soundBytes   = 2 * soundSamples // without a header
)

// sound is a soft tone of 440 Hz as raw little-endian samples.
func sound() []byte {
	b := make([]byte, 0, soundBytes)
	for i := range soundSamples {
		v := int16(4000 * math.Sin(2*math.Pi*440*float64(i)/soundRate))
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

// wav puts the header of a RIFF WAVE file (format 1, PCM) before samples.
func wav(samples []byte) []byte {
	b := append(make([]byte, 0, 44+len(samples)), "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(36+len(samples)))
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)          // size of this chunk
	b = binary.LittleEndian.AppendUint16(b, 1)           // PCM
	b = binary.LittleEndian.AppendUint16(b, 1)           // channels
	b = binary.LittleEndian.AppendUint32(b, soundRate)   // samples a second
	b = binary.LittleEndian.AppendUint32(b, 2*soundRate) // bytes a second
	b = binary.LittleEndian.AppendUint16(b, 2)           // bytes a sample
	b = binary.LittleEndian.AppendUint16(b, 16)          // bits a sample
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(samples)))
	return append(b, samples...)
}
