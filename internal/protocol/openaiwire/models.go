package openaiwire

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// DecodeModels reads {"data":[…]} or a bare array (Together) of models.
// Entries without an id are passed over. next is the query of the page after
// this one, where a vendor says that there is one.
func DecodeModels(body []byte) (ms []protocol.Model, next string, err error) {
	list := body
	var more bool
	var last string
	if len(body) == 0 {
		return nil, "", wire.ErrNoList
	}
	if i := firstByte(body); i != '[' {
		list = nil
		for m, err := range jsonedit.Members(body) {
			if err != nil {
				return nil, "", err
			}
			switch string(m.Name) {
			case "data":
				list = m.Value
			case "has_more":
				more = string(m.Value) == "true"
			case "last_id":
				last = wire.Text(m.Value)
			}
		}
	}
	if firstByte(list) != '[' {
		return nil, "", wire.ErrNoList
	}
	ms = []protocol.Model{}
	for e, err := range jsonedit.Elements(list) {
		if err != nil {
			return nil, "", err
		}
		if len(ms) == wire.MaxModels {
			break
		}
		if m := decodeModel(e); m.ID != "" {
			ms = append(ms, m)
		}
	}
	if more && last != "" {
		next = "after=" + url.QueryEscape(last)
	}
	return ms, next, nil
}

// decodeModel reads one entry with the members that vendors add to OpenAI's.
func decodeModel(e []byte) (m protocol.Model) {
	if firstByte(e) != '{' {
		return m
	}
	var maxTokens int64
	for x := range wire.Object(e) {
		switch string(x.Name) {
		case "id":
			m.ID = wire.Text(x.Value)
		case "created":
			if n := wire.Tokens(x.Value); n > 0 {
				m.Created = time.Unix(n, 0).UTC()
			}
		case "owned_by", "organization": // the latter: Together
			if m.OwnedBy == "" {
				m.OwnedBy = wire.Text(x.Value)
			}
		case "name", "display_name":
			if m.DisplayName == "" {
				m.DisplayName = wire.Text(x.Value)
			}
		case "context_length", "context_window", "max_model_len", "max_context_length":
			// OpenRouter and Together; Groq; vLLM; LM Studio and Mistral
			m.Context = max(m.Context, wire.Tokens(x.Value))
		case "max_completion_tokens", "max_output_tokens", "max_output_length":
			m.MaxOutput = max(m.MaxOutput, wire.Tokens(x.Value))
		case "max_tokens":
			maxTokens = wire.Tokens(x.Value)
		case "top_provider": // OpenRouter
			m.MaxOutput = max(m.MaxOutput, wire.Tokens(jsonedit.Get(x.Value, "max_completion_tokens")))
		case "meta": // llama.cpp; n_ctx is what the server was started with
			m.Context = max(m.Context, wire.Tokens(jsonedit.Get(x.Value, "n_ctx")))
		case "capabilities": // GitHub Copilot
			limits := jsonedit.Get(x.Value, "limits")
			m.Context = max(m.Context, wire.Tokens(jsonedit.Get(limits, "max_context_window_tokens")))
			m.MaxOutput = max(m.MaxOutput, wire.Tokens(jsonedit.Get(limits, "max_output_tokens")))
		}
	}
	if m.MaxOutput == 0 && (m.Context == 0 || maxTokens <= m.Context) {
		m.MaxOutput = maxTokens
	}
	if m.DisplayName == m.ID {
		m.DisplayName = ""
	}
	return m
}

func firstByte(v []byte) byte {
	for _, c := range v {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

// EncodeModels writes the page of ms, sorted by id, that follows p.After and
// holds at most p.Limit entries. Only a page that leaves some out says so.
func EncodeModels(ms []protocol.Model, p protocol.Page) []byte {
	if p.After != "" {
		i := slices.IndexFunc(ms, func(m protocol.Model) bool { return m.ID == p.After })
		if i < 0 { // gone since the page before
			if i = slices.IndexFunc(ms, func(m protocol.Model) bool { return m.ID > p.After }); i < 0 {
				i = len(ms)
			}
			i--
		}
		ms = ms[i+1:]
	}
	more := p.Limit > 0 && len(ms) > p.Limit
	if more {
		ms = ms[:p.Limit]
	}
	out := []byte(`{"object":"list","data":[`)
	for i, m := range ms {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendModel(out, m)
	}
	out = append(out, ']')
	if more {
		out = append(out, `,"has_more":true,"last_id":`...)
		out = jsonedit.Quote(out, ms[len(ms)-1].ID)
	}
	return append(out, '}')
}

// EncodeModel writes one model.
func EncodeModel(m protocol.Model) []byte { return appendModel(nil, m) }

func appendModel(dst []byte, m protocol.Model) []byte {
	dst = append(dst, `{"id":`...)
	dst = jsonedit.Quote(dst, m.ID)
	dst = append(dst, `,"object":"model","created":`...)
	created := int64(0)
	if !m.Created.IsZero() {
		created = m.Created.Unix()
	}
	dst = strconv.AppendInt(dst, created, 10)
	dst = append(dst, `,"owned_by":`...)
	dst = jsonedit.Quote(dst, m.OwnedBy)
	if m.DisplayName != "" {
		dst = append(dst, `,"display_name":`...)
		dst = jsonedit.Quote(dst, m.DisplayName)
	}
	if m.Context > 0 {
		dst = append(dst, `,"context_window":`...)
		dst = strconv.AppendInt(dst, m.Context, 10)
	}
	if m.MaxOutput > 0 {
		dst = append(dst, `,"max_output_tokens":`...)
		dst = strconv.AppendInt(dst, m.MaxOutput, 10)
	}
	return append(dst, '}')
}
