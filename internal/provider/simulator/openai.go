package simulator

import (
	"net/http"
	"strings"
)

// eventStream is the type of a stream in OpenAI's and Anthropic's protocols.
const eventStream = "text/event-stream; charset=utf-8"

// only answers by f if q has the method.
func (q *inquiry) only(method string, f func(*inquiry) (*answer, error)) (*answer, error) {
	if q.method != method {
		return nil, wrongMethod(q)
	}
	return f(q)
}

func wrongMethod(q *inquiry) error {
	return &failure{status: http.StatusMethodNotAllowed, message: q.path + " does not take " + q.method}
}

// unknown is the answer to an address that the simulator does not have.
func unknown(q *inquiry) error {
	return missing("the simulator has no %s %s", q.method, clip(q.path, maxQuote))
}

// openAIChat answers in Chat Completions.
func (s *Simulator) openAIChat(q *inquiry) (*answer, error) {
	if q.path == "/chat/completions" {
		return q.only(http.MethodPost, s.chat)
	}
	return s.openAICommon(q)
}

// openAICommon answers OpenAI's operations that belong to neither protocol and
// may be carried in both.
func (s *Simulator) openAICommon(q *inquiry) (*answer, error) {
	switch q.path {
	case "/embeddings":
		return q.only(http.MethodPost, s.embeddings)
	case "/images/generations":
		return q.only(http.MethodPost, s.images)
	case "/moderations":
		return q.only(http.MethodPost, s.moderations)
	case "/audio/speech":
		return q.only(http.MethodPost, s.speech)
	case "/audio/transcriptions", "/audio/translations":
		return q.only(http.MethodPost, s.transcription)
	case "/models":
		return q.only(http.MethodGet, openAIModels)
	}
	if strings.HasPrefix(q.path, "/models/") {
		return q.only(http.MethodGet, openAIModel)
	}
	return nil, unknown(q)
}

// chat answers a conversation's next turn.
func (s *Simulator) chat(q *inquiry) (*answer, error) {
	r, a, err := readChat(q.body)
	if err != nil {
		return nil, err
	}
	p, err := plan(a)
	if err != nil {
		return nil, err
	}
	w := newChatWriter(s, r, p)
	if r.Stream {
		return &answer{mime: eventStream, stream: newStream(p, w), mishaps: p.mishaps}, nil
	}
	return &answer{mime: "application/json", whole: w.whole(), mishaps: p.mishaps}, nil
}
