package rig

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"portico/internal/protocol"
)

// The protocols.
const (
	Chat      = protocol.OpenAIChat
	Responses = protocol.OpenAIResponses
	Messages  = protocol.Anthropic
	Gemini    = protocol.Gemini
)

// Protocols lists them.
var Protocols = []string{Chat, Responses, Messages, Gemini}

// An Ask is a request of a client.
type Ask struct {
	Protocol string
	Stream   bool
	Model    string // "": one of the protocol's own, see Own
	Script   Script
	Key      string // "" sends none
	Agent    string // User-Agent
}

// own are the beginnings of the names of models that accounts of a protocol
// serve, so that what is to go by untranslated does.
var own = map[string]string{Chat: "o-", Responses: "o-", Messages: "c-", Gemini: "g-"}

// Own is the name of a model that only accounts of a protocol serve, if they
// are configured with that glob.
func Own(protocol, name string) string { return own[protocol] + name }

// Named is the model that the client names.
func (a Ask) Named() string { return cmp.Or(a.Model, Own(a.Protocol, "1")) }

// Tell is the usage that the protocol can tell of a script: Anthropic's counts
// reasoning as output.
func (a Ask) Tell() Script {
	s := a.Script
	if a.Protocol == Messages {
		s.Out, s.Think = s.Out+s.Think, 0
	}
	return s
}

// Request makes the HTTP request for a gateway at base.
func (a Ask) Request(ctx context.Context, base string) (*http.Request, error) {
	prompt := "Please. " + a.Script.String()
	var path, body string
	switch a.Protocol {
	case Chat:
		path = "/v1/chat/completions"
		body = fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":%q}]`, a.Named(), prompt)
		if a.Stream {
			body += `,"stream":true,"stream_options":{"include_usage":true}`
		}
		body += "}"
	case Responses:
		path = "/v1/responses"
		body = fmt.Sprintf(`{"model":%q,"input":%q,"stream":%t}`, a.Named(), prompt, a.Stream)
	case Messages:
		path = "/v1/messages"
		body = fmt.Sprintf(`{"model":%q,"max_tokens":1000,"messages":[{"role":"user","content":%q}],"stream":%t}`, a.Named(), prompt, a.Stream)
	case Gemini:
		path = "/v1beta/models/" + a.Named() + ":generateContent"
		if a.Stream {
			path = "/v1beta/models/" + a.Named() + ":streamGenerateContent?alt=sse"
		}
		body = fmt.Sprintf(`{"contents":[{"role":"user","parts":[{"text":%q}]}]}`, prompt)
	default:
		return nil, fmt.Errorf("no protocol %q", a.Protocol)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if a.Agent != "" {
		r.Header.Set("User-Agent", a.Agent)
	}
	if a.Protocol == Messages {
		r.Header.Set("Anthropic-Version", "2023-06-01")
	}
	if a.Key != "" {
		switch a.Protocol {
		case Messages:
			r.Header.Set("X-Api-Key", a.Key)
		case Gemini:
			r.Header.Set("X-Goog-Api-Key", a.Key)
		default:
			r.Header.Set("Authorization", "Bearer "+a.Key)
		}
	}
	return r, nil
}

// An Answer is what a client got.
type Answer struct {
	ID     string // x-portico-request-id, "" if no header came
	Status int
	Header http.Header
	Bytes  int64  // of the body
	Text   string // what the model said
	// Whole: by the protocol's own rules nothing is missing. An error is
	// whole if its body is.
	Whole bool
	Told  string // the error that the gateway or the upstream told, in the body or in the stream
	Usage Script // In, Cached, Out, Think as the answer tells them
	Err   error  // of the connection
}

// Do sends the request and reads the answer to its end. each, which may be
// nil, is called for every event of a stream; it may take its time.
func (a Ask) Do(ctx context.Context, c *http.Client, base string, each func(*Answer)) *Answer {
	out := &Answer{}
	r, err := a.Request(ctx, base)
	if err != nil {
		out.Err = err
		return out
	}
	resp, err := c.Do(r)
	if err != nil {
		out.Err = err
		return out
	}
	defer resp.Body.Close()
	out.ID, out.Status, out.Header = resp.Header.Get("X-Portico-Request-Id"), resp.StatusCode, resp.Header
	body := &counted{r: resp.Body}
	defer func() { out.Bytes = body.n }()
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		b, err := io.ReadAll(body)
		if out.Err = err; err == nil {
			out.Err = a.read(out, b, true)
		}
		return out
	}
	lines := bufio.NewReaderSize(body, 4<<10)
	var block []byte
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimRight(line, "\r\n")) > 0 {
			block = append(block, line...)
		} else if len(line) > 0 && len(block) > 0 {
			if e := a.block(out, block); e != nil {
				out.Err = e
				return out
			}
			if each != nil {
				each(out)
			}
			block = block[:0]
		}
		if err == io.EOF {
			if len(block) > 0 {
				out.Err = fmt.Errorf("the stream ends within an event: %q", block)
			}
			return out
		}
		if err != nil {
			out.Err = err
			return out
		}
	}
}

// block reads one event.
func (a Ask) block(out *Answer, block []byte) error {
	var data []byte
	for line := range bytes.Lines(block) {
		if d, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			data = append(data, bytes.TrimSpace(d)...)
		}
	}
	switch {
	case data == nil:
		return nil // a comment
	case out.Whole:
		return fmt.Errorf("there is an event after the end: %q", data)
	case string(data) == "[DONE]":
		if out.Told == "" {
			out.Whole = true
		}
		return nil
	}
	return a.read(out, data, false)
}

// counted counts what is read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// told is an error in one of the protocols.
type told struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Status  string `json:"status"`
}

func (e *told) String() string { return strings.TrimSpace(e.Type + e.Status + ": " + e.Message) }

type usage struct {
	Prompt     int64 `json:"prompt_tokens"`
	Completion int64 `json:"completion_tokens"`
	Input      int64 `json:"input_tokens"`
	Output     int64 `json:"output_tokens"`
	CacheRead  int64 `json:"cache_read_input_tokens"`
	PromptMore struct {
		Cached int64 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionMore struct {
		Reasoning int64 `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
	InputMore struct {
		Cached int64 `json:"cached_tokens"`
	} `json:"input_tokens_details"`
	OutputMore struct {
		Reasoning int64 `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
}

type text struct {
	Text string `json:"text"`
}

type spoken struct {
	Content string `json:"content"`
}

// message holds the members of all protocols; none means two things.
type message struct {
	Error   *told  `json:"error"`
	Type    string `json:"type"`
	Status  string `json:"status"`
	Usage   *usage `json:"usage"`
	Choices []struct {
		Delta   spoken `json:"delta"`
		Message spoken `json:"message"`
		Finish  string `json:"finish_reason"`
	} `json:"choices"`
	Response *struct {
		Error *told  `json:"error"`
		Usage *usage `json:"usage"`
	} `json:"response"`
	Output []struct {
		Content []text `json:"content"`
	} `json:"output"`
	Content []text `json:"content"`
	Stop    string `json:"stop_reason"`
	Start   *struct {
		Usage *usage `json:"usage"`
	} `json:"message"`
	Candidates []struct {
		Content struct {
			Parts []text `json:"parts"`
		} `json:"content"`
		Finish string `json:"finishReason"`
	} `json:"candidates"`
	Metadata *struct {
		Prompt     int64 `json:"promptTokenCount"`
		Cached     int64 `json:"cachedContentTokenCount"`
		Candidates int64 `json:"candidatesTokenCount"`
		Thoughts   int64 `json:"thoughtsTokenCount"`
	} `json:"usageMetadata"`
}

// read reads a body, or the data of one event.
func (a Ask) read(out *Answer, data []byte, body bool) error {
	var delta struct {
		Delta any `json:"delta"`
	}
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		if body && out.Status != http.StatusOK {
			out.Told = string(data)
		}
		return fmt.Errorf("not JSON: %w: %q", err, data[:min(len(data), 200)])
	}
	if m.Response != nil && m.Response.Error != nil {
		m.Error = m.Response.Error
	}
	if m.Error != nil {
		out.Told = m.Error.String()
		out.Whole = body && out.Status != http.StatusOK
		return nil
	}
	if body && out.Status != http.StatusOK {
		return errors.New("an error without an error: " + string(data[:min(len(data), 200)]))
	}
	switch a.Protocol {
	case Chat:
		for _, c := range m.Choices {
			out.Text += c.Delta.Content + c.Message.Content
			out.Whole = out.Whole || body && c.Finish != ""
		}
		out.use(m.Usage)
	case Responses:
		if m.Response != nil {
			m.Usage = m.Response.Usage
		}
		out.use(m.Usage)
		if m.Type == "response.output_text.delta" {
			if err := json.Unmarshal(data, &delta); err != nil {
				return err
			}
			s, _ := delta.Delta.(string)
			out.Text += s
		}
		for _, o := range m.Output {
			for _, c := range o.Content {
				out.Text += c.Text
			}
		}
		out.Whole = m.Type == "response.completed" || body && m.Status == "completed"
	case Messages:
		if m.Start != nil {
			m.Usage = m.Start.Usage
		}
		out.use(m.Usage)
		if m.Type == "content_block_delta" {
			if err := json.Unmarshal(data, &delta); err != nil {
				return err
			}
			d, _ := delta.Delta.(map[string]any)
			s, _ := d["text"].(string)
			out.Text += s
		}
		for _, c := range m.Content {
			out.Text += c.Text
		}
		out.Whole = m.Type == "message_stop" || body && m.Stop != ""
	case Gemini:
		for _, c := range m.Candidates {
			for _, p := range c.Content.Parts {
				out.Text += p.Text
			}
			out.Whole = out.Whole || c.Finish != ""
		}
		if u := m.Metadata; u != nil {
			out.Usage.In, out.Usage.Cached, out.Usage.Out, out.Usage.Think = u.Prompt-u.Cached, u.Cached, u.Candidates, u.Thoughts
		}
	}
	return nil
}

// use takes over the usage of an event; later ones count.
func (out *Answer) use(u *usage) {
	if u == nil {
		return
	}
	cached := u.PromptMore.Cached + u.InputMore.Cached
	think := u.CompletionMore.Reasoning + u.OutputMore.Reasoning
	out.Usage.Cached, out.Usage.Think = cached+u.CacheRead, think
	out.Usage.In, out.Usage.Out = u.Prompt+u.Input-cached, u.Completion+u.Output-think
}
