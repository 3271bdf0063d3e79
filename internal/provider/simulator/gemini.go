package simulator

import (
	"encoding/json/jsontext"
	"net/http"
	"net/url"
	"strings"

	"portico/internal/jsonedit"
)

// gemini answers in Google's protocol.
func (s *Simulator) gemini(q *inquiry) (*answer, error) {
	if q.path == "/models" {
		return q.only(http.MethodGet, geminiModels)
	}
	name, ok := strings.CutPrefix(q.path, "/models/")
	if !ok {
		return nil, unknown(q)
	}
	i := strings.LastIndexByte(name, ':')
	if i < 0 {
		return q.only(http.MethodGet, geminiModel)
	}
	name, method := name[:i], name[i+1:]
	var f func(q *inquiry, model string) (*answer, error)
	switch method {
	case "generateContent", "streamGenerateContent":
		f = func(q *inquiry, model string) (*answer, error) {
			return s.generate(q, model, method == "streamGenerateContent")
		}
	case "countTokens":
		f = countGemini
	case "embedContent":
		f = embedGemini
	case "batchEmbedContents":
		f = embedGeminiBatch
	default:
		return nil, unknown(q)
	}
	return q.only(http.MethodPost, func(q *inquiry) (*answer, error) { return f(q, name) })
}

// generate answers a conversation's next turn.
func (s *Simulator) generate(q *inquiry, model string, streamed bool) (*answer, error) {
	a, err := readGemini(q.body, model)
	if err != nil {
		return nil, err
	}
	p, err := plan(a)
	if err != nil {
		return nil, err
	}
	x := &answer{mime: "application/json; charset=UTF-8", mishaps: p.mishaps}
	if !streamed {
		x.whole = newGeminiWriter(s, model, p, false).whole()
		return x, nil
	}
	array := !eventsWanted(q.query)
	if !array {
		x.mime = "text/event-stream"
	}
	x.stream = newStream(p, newGeminiWriter(s, model, p, array))
	return x, nil
}

// eventsWanted reports whether a query asks for server-sent events, as alt=sse
// or $alt=sse%3Benum-encoding=int.
func eventsWanted(query string) bool {
	values, _ := url.ParseQuery(query)
	for _, name := range []string{"alt", "$alt"} {
		if kind, _, _ := strings.Cut(values.Get(name), ";"); kind == "sse" {
			return true
		}
	}
	return false
}

// countGemini counts contents, or a whole request that stands in
// generateContentRequest.
func countGemini(q *inquiry, model string) (*answer, error) {
	body := jsontext.Value(q.body)
	for _, name := range []string{"generateContentRequest", "generate_content_request"} {
		if v := jsonedit.Get(body, name); v != nil {
			body = v
		}
	}
	a, err := readGemini(body, model)
	if err != nil {
		return nil, err
	}
	n := a.input()
	return whole(object("totalTokens", n, "promptTokensDetails", list(object("modality", "TEXT", "tokenCount", n)))), nil
}
