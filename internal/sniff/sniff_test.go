package sniff

import (
	"strings"
	"testing"
)

// TestType: each type by its first bytes, and nothing else.
func TestType(t *testing.T) {
	for head, want := range map[string]string{
		"\x89PNG\r\n\x1a\n\x00\x00":           "image/png",
		"\x89PNG":                             "",
		"\xff\xd8\xff\xe0\x00\x10JFIF":        "image/jpeg",
		"GIF89a\x01\x00":                      "image/gif",
		"GIF87a":                              "image/gif",
		"RIFF\x00\x00\x00\x00WEBPVP8 ":        "image/webp",
		"RIFF\x24\x00\x00\x00WAVEfmt ":        "audio/wav",
		"RIFF\x24\x00\x00\x00AVI ":            "",
		"RIFF":                                "",
		"FORM\x00\x00\x00\x00AIFFCOMM":        "audio/aiff",
		"FORM\x00\x00\x00\x00AIFCCOMM":        "audio/aiff",
		"%PDF-1.7\n":                          "application/pdf",
		"ID3\x04\x00":                         "audio/mpeg",
		"\xff\xfb\x90\x64":                    "audio/mpeg",
		"\xff\xf3\x40\xc4":                    "audio/mpeg",
		"\xff\xf1\x50\x80":                    "audio/aac",
		"\xff\xf9\x50\x80":                    "audio/aac",
		"\xff\xfb\xf0\x64":                    "", // no such bit rate
		"\xff\xeb\x90\x64":                    "", // no such version
		"\xff\xfe<\x00":                       "", // text in UTF-16
		"OggS\x00\x02":                        "audio/ogg",
		"fLaC\x00\x00":                        "audio/flac",
		"\x00\x00\x00\x20ftypM4A \x00":        "audio/mp4",
		"\x00\x00\x00\x20ftypisom\x00":        "video/mp4",
		"\x00\x00\x00\x14ftypqt  \x00":        "video/quicktime",
		"\x00\x00\x00\x18ftypheic\x00":        "image/heic",
		"\x00\x00\x00\x18ftypmif1\x00":        "image/heif",
		"\x00\x00\x00\x18ftypavif\x00":        "image/avif",
		"\x1a\x45\xdf\xa3\x9f":                "video/webm",
		"<!doctype html><title>x</title>":     "",
		"<svg xmlns=":                         "",
		"{\"AccessKeyId\":\"x\"}":             "",
		"":                                    "",
		"\x00":                                "",
		strings.Repeat(" ", 2*Head) + "%PDF-": "",
	} {
		if got := Type([]byte(head)); got != want {
			t.Errorf("%q: got %q, want %q", head[:min(len(head), 20)], got, want)
		}
	}
}
