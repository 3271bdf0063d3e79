package bedrock

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"portico/internal/eventstream"
	"portico/internal/jsonedit"
)

// version is that of Claude's protocol at Bedrock; spec: upstreams §1E.
const version = "bedrock-2023-05-31"

// known are the betas of Claude that Bedrock takes. It refuses a request that
// names another one, so those are left out: clients such as Claude Code name
// all they know with every request (spec: upstreams §1C.2, pains 19). An
// account may name further ones.
var known = []string{
	"computer-use-2025-01-24", "computer-use-2025-11-24", "token-efficient-tools-2025-02-19", "interleaved-thinking-2025-05-14",
	"output-128k-2025-02-19", "context-1m-2025-08-07", "context-management-2025-06-27", "compact-2026-01-12",
}

// betasOf is known with the further ones of an account.
func betasOf(more string) map[string]bool {
	m := map[string]bool{}
	for _, b := range known {
		m[b] = true
	}
	for b := range strings.SplitSeq(more, ",") {
		if b != "" {
			m[b] = true
		}
	}
	return m
}

// askClaude makes of a request for Messages the body of InvokeModel: the model
// and whether it streams stand in the path, version and betas in the body.
func askClaude(w *way, req *http.Request, body []byte) ([]byte, error) {
	out := append(make([]byte, 0, len(body)+256), '{')
	versioned := false
	for m, err := range jsonedit.Members(body) {
		switch {
		case err != nil:
			return nil, err
		case m.Is("model"), m.Is("stream"):
			continue
		case m.Is("anthropic_version"):
			versioned = true
		}
		out = append(append(append(out, '"'), m.Name...), `":`...)
		out = append(append(out, m.Value...), ',')
	}
	if !versioned {
		out = append(out, `"anthropic_version":"`+version+`",`...)
	}
	if betas := w.taken(req.Header["Anthropic-Beta"]); len(betas) > 0 {
		out = append(out, `"anthropic_beta":[`...)
		for _, b := range betas {
			out = append(jsonedit.Quote(out, b), ',')
		}
		out[len(out)-1] = ']'
		out = append(out, ',')
	}
	out[len(out)-1] = '}'
	return out, nil
}

// taken are those of a client's betas that Bedrock takes.
func (w *way) taken(header []string) (betas []string) {
	for _, h := range header {
		for b := range strings.SplitSeq(h, ",") {
			if b = strings.TrimSpace(b); w.betas[b] {
				betas = append(betas, b)
			}
		}
	}
	return betas
}

// askCount makes of a request for a count of tokens the body of CountTokens,
// which wants one that could be answered: it has a limit of output.
func askCount(w *way, req *http.Request, body []byte) ([]byte, error) {
	if jsonedit.Get(body, "max_tokens") == nil {
		n, _ := jsonedit.Int(jsonedit.Path(body, "thinking", "budget_tokens"))
		var err error
		if body, err = jsonedit.Set(body, "max_tokens", strconv.AppendInt(nil, n+1, 10)); err != nil {
			return nil, err
		}
	}
	body, err := askClaude(w, req, body)
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, 64+base64.StdEncoding.EncodedLen(len(body))), `{"input":{"invokeModel":{"body":"`...)
	return append(base64.StdEncoding.AppendEncode(out, body), `"}}}`...), nil
}

// readClaude reads the answer of a model, which is Claude's own if it is none
// of AWS' errors.
func readClaude(resp *http.Response) (*http.Response, error) {
	named(resp)
	if resp.StatusCode >= 400 {
		kind := resp.Header.Get("X-Amzn-Errortype")
		return rewrite(resp, func(body []byte) []byte { return claudeError(resp.StatusCode, kind, body) })
	}
	return resp, nil
}

// named tells the id that AWS gave a request as Anthropic does.
func named(resp *http.Response) {
	if id := resp.Header["X-Amzn-Requestid"]; len(id) > 0 {
		resp.Header["Request-Id"] = id
	}
}

// readCount reads a count of tokens.
func readCount(resp *http.Response) (*http.Response, error) {
	if resp.StatusCode != http.StatusOK {
		return readClaude(resp)
	}
	named(resp)
	return rewrite(resp, func(body []byte) []byte {
		n, ok := jsonedit.Int(jsonedit.Get(body, "inputTokens"))
		if !ok {
			return body // and no count, which the codec says
		}
		return append(strconv.AppendInt([]byte(`{"input_tokens":`), n, 10), '}')
	})
}

// readClaudeStream reads a stream, in which each message holds one of Claude's
// own events.
func readClaudeStream(resp *http.Response) (*http.Response, error) {
	if resp.StatusCode != http.StatusOK || !streams(resp) {
		return readClaude(resp)
	}
	named(resp)
	reframe(resp, claudeEvent)
	return resp, nil
}

// claudeEvent appends the event in m.
func claudeEvent(dst []byte, m *eventstream.Message) ([]byte, error) {
	if kind, text, failed := exception(m); failed {
		return appendEvent(dst, "error", claudeFault(http.StatusOK, kind, text)), nil
	}
	v := jsonedit.Get(m.Payload, "bytes")
	if m.Name != "chunk" || v == nil {
		return dst, nil // of a kind that nobody knows yet
	}
	s, ok := jsonedit.Unquote(v)
	data, err := base64.StdEncoding.DecodeString(s)
	if !ok || err != nil {
		return dst, eventstream.ErrDamaged
	}
	name, _ := jsonedit.Unquote(jsonedit.Get(data, "type"))
	return appendEvent(dst, name, data), nil
}
