package ingress

import "strings"

const (
	maxTypo = 4  // edits that a mistyped path may be away from the right one
	maxPath = 48 // bytes of a path that are compared
)

// suggest is the known path that is most like rest, which has no version
// prefix, or "" if none is like it. It costs at most the square of maxPath for
// every known path.
func suggest(rest string) string {
	if len(rest) > maxPath {
		return ""
	}
	rest = strings.ToLower(rest)
	best, least := "", min(maxTypo, len(rest)/3)+1
	for i := range entries {
		if strings.HasPrefix(entries[i].path, rest+"/") && rest != "" {
			return entries[i].path
		}
		if d := distance(rest, entries[i].path, least); d < least {
			best, least = entries[i].path, d
		}
	}
	return best
}

// distance is how many bytes must be inserted, removed or replaced to make b
// of a, whatever the case of b; limit if that many or more.
func distance(a, b string, limit int) int {
	b = strings.ToLower(b)
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(b) > maxPath {
		return limit
	}
	var row [maxPath + 1]int
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := range len(a) {
		diagonal, least := row[0], i+1
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
			least = min(least, d)
		}
		if least >= limit {
			return limit
		}
	}
	return min(limit, row[len(b)])
}

// hint is what a client is told that asked for a path that there is not: the
// likely right path with its version, or the most used ones.
func hint(m *match, rest string) string {
	p := suggest(rest)
	switch {
	case p == "" && m.in == asGemini:
		return "Gemini's models are at /v1beta/models/MODEL:generateContent"
	case p == "" && m.in == asAnthropic:
		return "messages go to /v1/messages"
	case p == "":
		return "chats go to /v1/chat/completions, /v1/responses, /v1/messages or /v1beta/models/MODEL:generateContent"
	}
	e, more := byPath[p], ""
	if e.take == 0 {
		more = "/…"
	}
	if e.in == asGemini || e.in == byHeader && m.in == asGemini {
		return "did you mean /v1beta" + p + more + "?"
	}
	return "did you mean /v1" + p + more + "?"
}
