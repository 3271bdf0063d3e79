package main

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"portico/internal/jsonedit"
)

// tags are the protocols in the order of the matrix, and the prefixes of model
// names by which a request is sent to an upstream of each.
var tags = []struct{ protocol, tag string }{{"openai-chat", "oc"}, {"openai-responses", "or"}, {"anthropic", "an"}, {"gemini", "ge"}}

// A pair is a client's protocol and an upstream's.
type pair struct{ client, upstream string }

// A score is what became of the cases of one pair and one direction.
type score struct {
	cases, carried, named int
	odd                   []string
}

// A matrix plays every recording through every pair of different protocols.
type matrix struct {
	cases             []recording
	seen              sync.Map // model → the body that reached the upstream
	requests, answers map[pair]*score
	left              map[string][]string // reason → the recordings that are left out
	failing           []failing
	mu                sync.Mutex
}

// A failing case is an answer that may be told as an error.
type failing struct {
	client string
	n      int
	want   *digest
}

func newMatrix(cases []recording) *matrix {
	m := &matrix{requests: map[pair]*score{}, answers: map[pair]*score{}, left: map[string][]string{}}
	for _, c := range cases {
		if c.status == 200 && (c.op == "generate" || c.op == "") {
			m.cases = append(m.cases, c)
		}
	}
	return m
}

var modelInPath = regexp.MustCompile(`/models/([^/:]+):(\w+)`)

// ServeHTTP is the upstream: the model's name says which recording it plays.
func (m *matrix) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	var model string
	if p := modelInPath.FindStringSubmatch(r.URL.Path); p != nil {
		model = p[1]
	} else {
		model, _ = jsonedit.Unquote(jsonedit.Get(body, "model"))
	}
	streamed := string(jsonedit.Get(body, "stream")) == "true" || strings.Contains(r.URL.Path, ":stream")
	parts := strings.Split(model, "-")
	if len(parts) != 3 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	kind, answer := "application/json", []byte(nil)
	if parts[1] == "q" {
		m.seen.Store(model, body)
		answer = fine(parts[0], streamed)
	} else {
		n, _ := strconv.Atoi(parts[2])
		answer, streamed = m.cases[n].response, m.cases[n].sse
	}
	if streamed {
		kind = "text/event-stream"
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(answer)
}

// play plays everything and returns once it is done.
func (m *matrix) play(ctx context.Context, gateway string) error {
	up := httptest.NewServer(m)
	defer up.Close()
	g, err := start(ctx, gateway, up.URL, matrixAccounts)
	if err != nil {
		return err
	}
	defer g.stop()
	jobs := make(chan func(), 16)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for job := range jobs {
				job()
			}
		})
	}
	for n := range m.cases {
		for _, other := range tags {
			if other.protocol == m.cases[n].protocol || ctx.Err() != nil {
				continue
			}
			jobs <- func() { m.answer(ctx, g, other.protocol, n) }
			jobs <- func() { m.request(ctx, g, other.protocol, n) }
		}
	}
	close(jobs)
	wg.Wait()
	return m.playFailing(ctx, g)
}

// playFailing plays the recordings that end with an error or say nothing, one by
// one: each may put its account to sleep, which then has to be healed.
func (m *matrix) playFailing(ctx context.Context, g *process) error {
	failing := m.failing
	m.failing = nil
	for _, f := range failing {
		m.compare(ctx, g, f.client, f.n, f.want)
		for _, a := range matrixAccounts {
			if err := g.heal(ctx, a.name); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

func tagOf(protocol string) string {
	for _, t := range tags {
		if t.protocol == protocol {
			return t.tag
		}
	}
	return ""
}

// note counts one case.
func (m *matrix) note(in map[pair]*score, p pair, name string, differ, named []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := in[p]
	if s == nil {
		s = &score{}
		in[p] = s
	}
	s.cases++
	switch {
	case len(differ) > 0:
		s.odd = append(s.odd, name+": "+strings.Join(differ, "; "))
	case len(named) > 0:
		s.named++
	default:
		s.carried++
	}
}

// leave notes a recording that is no measure of anybody.
func (m *matrix) leave(c *recording, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if name := c.protocol + "/" + c.name; !slices.Contains(m.left[why], name) {
		m.left[why] = append(m.left[why], name)
	}
}

// answer has a client of the protocol ask, and compares what it gets with what
// the upstream said.
func (m *matrix) answer(ctx context.Context, g *process, client string, n int) {
	c := &m.cases[n]
	want, err := readAnswer(c.protocol, c.response, c.sse)
	if why := unsound(c, want, err); why != "" {
		m.leave(c, why)
		return
	}
	want.bad = ""
	if want.failed || want.useless() {
		m.mu.Lock()
		m.failing = append(m.failing, failing{client, n, want})
		m.mu.Unlock()
		return
	}
	m.compare(ctx, g, client, n, want)
}

func (m *matrix) compare(ctx context.Context, g *process, client string, n int, want *digest) {
	c := &m.cases[n]
	model := fmt.Sprintf("%s-a-%d", tagOf(c.protocol), n)
	resp, got, losses, err := m.ask(ctx, g, client, model, c.sse, minimal(client, callNames(want)))
	p := pair{client, c.protocol}
	if err != nil || resp.StatusCode != http.StatusOK {
		if err == nil && (want.failed || want.useless()) { // told before anything else was
			m.note(m.answers, p, c.name, nil, nil)
			return
		}
		m.note(m.answers, p, c.name, []string{told(resp, got, err)}, nil)
		return
	}
	have, err := readAnswer(client, got, c.sse)
	if err != nil {
		m.note(m.answers, p, c.name, []string{err.Error()}, nil)
		return
	}
	differ, named := compare(want, have, losses())
	m.note(m.answers, p, c.name, differ, named)
}

// backgroundWait is how long a request may take that is made in the background.
const backgroundWait = 5 * time.Second

// request sends a recorded request and compares what reaches the upstream.
func (m *matrix) request(ctx context.Context, g *process, upstream string, n int) {
	c := &m.cases[n]
	if c.unrecorded || c.protocol != "gemini" && jsonedit.Get(c.request, "model") == nil {
		return // made here, or for a service whose address names the model
	}
	want, err := readRequest(c.protocol, c.request)
	if err != nil {
		return
	}
	model := fmt.Sprintf("%s-q-%d", tagOf(upstream), n)
	body := c.request
	if jsonedit.Get(body, "model") != nil {
		body, _, _ = jsonedit.Replace(body, "model", []byte(`"`+model+`"`))
	}
	resp, got, losses, err := m.ask(ctx, g, c.protocol, model, c.stream, body)
	p := pair{c.protocol, upstream}
	sent, ok := m.seen.LoadAndDelete(model)
	for began := time.Now(); !ok && string(jsonedit.Get(body, "background")) == "true" && time.Since(began) < backgroundWait; time.Sleep(5 * time.Millisecond) {
		sent, ok = m.seen.LoadAndDelete(model) // it is asked while nobody waits
	}
	if !ok || err != nil || resp.StatusCode != http.StatusOK {
		if named := refusal(resp, got); named != "" {
			m.note(m.requests, p, c.name, nil, []string{named})
			return
		}
		m.note(m.requests, p, c.name, []string{told(resp, got, err)}, nil)
		return
	}
	have, err := readRequest(upstream, sent.([]byte))
	if err != nil {
		m.note(m.requests, p, c.name, []string{err.Error()}, nil)
		return
	}
	want.finish, want.in, want.out = "", 0, 0
	differ, named := compare(want, have, losses())
	m.note(m.requests, p, c.name, differ, named)
}

// refusal says why a request that has no counterpart was refused, "" if it
// should not have been: what only its own server holds cannot go elsewhere.
func refusal(resp *http.Response, got []byte) string {
	if resp != nil && resp.StatusCode == http.StatusBadRequest && (bytes.Contains(got, []byte("previous_response")) || bytes.Contains(got, []byte("goes to another vendor"))) ||
		resp != nil && resp.StatusCode == http.StatusNotFound && bytes.Contains(got, []byte("Conversation with id")) {
		return "what it refers to is held by another server"
	}
	return ""
}

func told(resp *http.Response, got []byte, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("HTTP %d %s", resp.StatusCode, clip(string(got)))
}

// ask makes a request in a protocol. losses asks the ledger what was lost.
func (m *matrix) ask(ctx context.Context, g *process, client, model string, stream bool, body []byte) (*http.Response, []byte, func() []string, error) {
	h := http.Header{"Content-Type": {"application/json"}}
	path := map[string]string{"openai-chat": "/v1/chat/completions", "openai-responses": "/v1/responses", "anthropic": "/v1/messages"}[client]
	switch client {
	case "gemini":
		path = "/v1beta/models/" + model + ":generateContent"
		if stream {
			path = "/v1beta/models/" + model + ":streamGenerateContent?alt=sse"
		}
	default:
		body, _, _ = jsonedit.Replace(body, "model", []byte(`"`+model+`"`))
		if stream && string(jsonedit.Get(body, "stream")) != "true" {
			body = append([]byte(`{"stream":true,`), bytes.TrimLeft(body, " \n{")...)
		}
	}
	if client == "anthropic" {
		h.Set("Anthropic-Version", "2023-06-01")
	}
	resp, got, err := g.do(ctx, http.MethodPost, path, h, body)
	losses := func() []string {
		if resp == nil {
			return nil
		}
		return g.losses(ctx, resp.Header.Get("X-Portico-Request-Id"))
	}
	return resp, got, losses, err
}

func callNames(d *digest) (names []string) {
	for _, c := range d.calls {
		name, _, _ := strings.Cut(c, "{")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// minimal is the smallest request that may be answered with calls of these
// tools.
func minimal(client string, tools []string) []byte {
	schema := object{"type": "object", "properties": object{}}
	var b object
	var list []any
	for _, t := range tools {
		switch client {
		case "openai-chat":
			list = append(list, object{"type": "function", "function": object{"name": t, "parameters": schema}})
		case "openai-responses":
			list = append(list, object{"type": "function", "name": t, "parameters": schema})
		case "anthropic":
			list = append(list, object{"name": t, "input_schema": schema})
		default:
			list = append(list, object{"functionDeclarations": []any{object{"name": t, "parameters": schema}}})
		}
	}
	switch client {
	case "openai-chat":
		b = object{"model": "m", "stream_options": object{"include_usage": true}, "messages": []any{object{"role": "user", "content": "hi"}}}
	case "openai-responses":
		b = object{"model": "m", "input": "hi", "store": false}
	case "anthropic":
		b = object{"model": "m", "max_tokens": 4096, "messages": []any{object{"role": "user", "content": "hi"}}}
	default:
		b = object{"contents": []any{object{"role": "user", "parts": []any{object{"text": "hi"}}}}, "generationConfig": object{"thinkingConfig": object{"includeThoughts": true}}}
	}
	if len(list) > 0 {
		b["tools"] = list
	}
	out, err := json.Marshal(b, json.Deterministic(true))
	if err != nil {
		return nil
	}
	return out
}
