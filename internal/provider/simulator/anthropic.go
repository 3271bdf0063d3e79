package simulator

import (
	"net/http"
	"strings"
)

// anthropic answers in the Messages protocol.
func (s *Simulator) anthropic(q *inquiry) (*answer, error) {
	switch q.path {
	case "/v1/messages":
		return q.only(http.MethodPost, s.message)
	case "/v1/messages/count_tokens":
		return q.only(http.MethodPost, countAnthropic)
	case "/v1/models":
		return q.only(http.MethodGet, anthropicModels)
	}
	if strings.HasPrefix(q.path, "/v1/models/") {
		return q.only(http.MethodGet, anthropicModel)
	}
	return nil, unknown(q)
}

// message answers a conversation's next turn.
func (s *Simulator) message(q *inquiry) (*answer, error) {
	r, a, err := readAnthropic(q.body, false)
	if err != nil {
		return nil, err
	}
	p, err := plan(a)
	if err != nil {
		return nil, err
	}
	w := &anthropicWriter{script: p, id: s.id, model: r.Model}
	if r.Stream {
		return &answer{mime: eventStream, stream: newStream(p, w), mishaps: p.mishaps}, nil
	}
	return &answer{mime: "application/json", whole: w.whole(), mishaps: p.mishaps}, nil
}

func countAnthropic(q *inquiry) (*answer, error) {
	_, a, err := readAnthropic(q.body, true)
	if err != nil {
		return nil, err
	}
	return whole(object("input_tokens", a.input())), nil
}
