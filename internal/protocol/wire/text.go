package wire

import (
	"bytes"
	"html"
	"strings"

	"portico/internal/fault"
)

// readText reads an error that is no JSON. Of an HTML page the title is the
// message and the text is in the details.
func readText(s *fault.Sign, body []byte) {
	const look = 64 << 10 // a page's words stand at its beginning
	body = body[:min(len(body), look)]
	if body[0] != '<' {
		s.Message = clip(flow(string(body)), maxText)
		return
	}
	text := clip(stripTags(body), maxMessage)
	title := clip(flow(html.UnescapeString(string(titleOf(body)))), maxText-len("HTML page: "))
	if title == "" {
		title = clip(text, maxText-len("HTML page: "))
	}
	s.Message = strings.TrimSpace("HTML page: " + title)
	s.Details = text
}

// stripTags is the text of a page without its tags, scripts and styles.
func stripTags(page []byte) string {
	low := lower(page)
	var out []byte
	for i := 0; i < len(page); {
		tag := bytes.IndexByte(page[i:], '<')
		if tag < 0 {
			out = append(out, page[i:]...)
			break
		}
		out = append(append(out, page[i:i+tag]...), ' ')
		i += tag
		for _, name := range []string{"script", "style"} {
			if isTag(low[i:], name) {
				n := bytes.Index(low[i:], []byte("</"+name))
				if n < 0 {
					n = len(page) - i
				}
				i += n
			}
		}
		end := bytes.IndexByte(page[i:], '>')
		if end < 0 {
			break
		}
		i += end + 1
	}
	return flow(html.UnescapeString(string(out)))
}

// titleOf is what stands in the title of page, or nil.
func titleOf(page []byte) []byte {
	low := lower(page)
	from := bytes.Index(low, []byte("<title"))
	if from < 0 || !isTag(low[from:], "title") {
		return nil
	}
	open := bytes.IndexByte(low[from:], '>')
	end := bytes.Index(low[from:], []byte("</title"))
	if open < 0 || end < open {
		return nil
	}
	return page[from+open+1 : from+end]
}

// isTag reports whether page, in lower case, begins with the opening tag of
// name.
func isTag(page []byte, name string) bool {
	n := len(name) + 1
	return len(page) > n && string(page[1:n]) == name && (page[n] == '>' || page[n] == ' ' || page[n] == '\n')
}

// lower is page with ASCII letters in lower case and its length kept.
func lower(page []byte) []byte {
	out := make([]byte, len(page))
	for i, c := range page {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		out[i] = c
	}
	return out
}

// flow makes one line of text: control characters and runs of white space
// become one blank each, broken UTF-8 a replacement character.
func flow(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return r <= ' ' || r == 0x7F || r >= 0x80 && r <= 0xA0
	}), " ")
}

// clip is s, valid UTF-8 and at most n bytes long.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	n -= len("…")
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:max(n, 0)] + "…"
}
