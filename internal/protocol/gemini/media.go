package gemini

import (
	"bytes"
	"path"
	"strings"

	"portico/internal/llm"
)

// magic are media types by how the base64 of such data begins.
var magic = []struct{ base64, mime string }{
	{"iVBORw", "image/png"},
	{"/9j/", "image/jpeg"},
	{"R0lGOD", "image/gif"},
	{"UklGR", "image/webp"},
	{"JVBERi", "application/pdf"},
	{"SUQz", "audio/mpeg"},
	{"//s", "audio/mpeg"},
	{"T2dnUw", "audio/ogg"},
	{"ZkxhQw", "audio/flac"},
	{"AAAA", "video/mp4"},
}

// sniff is the media type of data of a kind that nobody told the type of (spec:
// translation-traps A41).
func sniff(kind llm.BlobKind, data llm.Text) string {
	head := data.Head(8)
	for _, m := range magic {
		if bytes.HasPrefix(head, []byte(m.base64)) {
			if m.mime == "image/webp" && kind == llm.Audio {
				return "audio/wav" // both are RIFF
			}
			return m.mime
		}
	}
	return usual[kind]
}

// usual are the types that are most likely.
var usual = [...]string{llm.Image: "image/jpeg", llm.Audio: "audio/wav", llm.Video: "video/mp4", llm.Document: "application/pdf"}

var extensions = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".heic": "image/heic", ".heif": "image/heif",
	".mp3": "audio/mpeg", ".wav": "audio/wav", ".ogg": "audio/ogg", ".flac": "audio/flac", ".aac": "audio/aac", ".m4a": "audio/mp4",
	".mp4": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm", ".mpeg": "video/mpeg",
	".pdf": "application/pdf", ".txt": "text/plain", ".md": "text/markdown", ".html": "text/html", ".csv": "text/csv", ".json": "application/json",
}

// mimeOf is the media type that a URL's name tells, or "".
func mimeOf(url string) string {
	url, _, _ = strings.Cut(url, "?")
	if strings.HasPrefix(url, "https://www.youtube.com/") || strings.HasPrefix(url, "https://youtu.be/") {
		return "video/mp4"
	}
	return extensions[strings.ToLower(path.Ext(url))]
}
