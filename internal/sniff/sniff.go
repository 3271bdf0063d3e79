// Package sniff tells what a file is by its first bytes, whatever its name or
// whoever sent it says.
package sniff

import "bytes"

// Head is how many of a file's first bytes are looked at.
const Head = 64

// A mark is how files of one type begin. Where inner is set it stands at the
// offset at.
type mark struct {
	outer string
	at    int
	inner string
	mime  string
}

// The marks of what models see, read and hear, the more exact first.
var marks = []mark{
	{"\x89PNG\r\n\x1a\n", 0, "", "image/png"},
	{"\xff\xd8\xff", 0, "", "image/jpeg"},
	{"GIF87a", 0, "", "image/gif"},
	{"GIF89a", 0, "", "image/gif"},
	{"RIFF", 8, "WEBP", "image/webp"},
	{"RIFF", 8, "WAVE", "audio/wav"},
	{"FORM", 8, "AIFF", "audio/aiff"},
	{"FORM", 8, "AIFC", "audio/aiff"},
	{"%PDF-", 0, "", "application/pdf"},
	{"ID3", 0, "", "audio/mpeg"},
	{"OggS", 0, "", "audio/ogg"},
	{"fLaC", 0, "", "audio/flac"},
	{"", 4, "ftypM4A", "audio/mp4"},
	{"", 4, "ftypM4B", "audio/mp4"},
	{"", 4, "ftypheic", "image/heic"},
	{"", 4, "ftypmif1", "image/heif"},
	{"", 4, "ftypavif", "image/avif"},
	{"", 4, "ftypqt", "video/quicktime"},
	{"", 4, "ftyp", "video/mp4"},
	{"\x1a\x45\xdf\xa3", 0, "", "video/webm"},
}

// Type is the media type of a file that begins with head, or "" for one that is
// none of those that models take. MP4 and WebM are told as films, though they
// may hold nothing but sound.
func Type(head []byte) string {
	head = head[:min(len(head), Head)]
	for _, m := range marks {
		if bytes.HasPrefix(head, []byte(m.outer)) && len(head) >= m.at && bytes.HasPrefix(head[m.at:], []byte(m.inner)) {
			return m.mime
		}
	}
	return frames(head)
}

// frames tells MPEG audio without a tag, which begins with a frame at once: 11
// bits set, then the version and the layer, which ADTS leaves at 0. Layer I is
// left out: nobody sends it, and text in UTF-16 looks like it.
func frames(head []byte) string {
	if len(head) < 4 || head[0] != 0xff || head[1]&0xe0 != 0xe0 || head[1]>>3&3 == 1 {
		return ""
	}
	switch {
	case head[1]&0xf6 == 0xf0:
		return "audio/aac"
	case head[1]>>1&3 == 0, head[1]>>1&3 == 3, head[2]>>4 == 15: // no such layer, or bit rate
		return ""
	}
	return "audio/mpeg"
}
