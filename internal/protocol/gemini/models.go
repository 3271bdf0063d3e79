package gemini

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// ErrNoList is returned for a body that is no list of models.
var ErrNoList = errors.New("the answer is no list of models")

const (
	// MaxModels is how many entries of one page are read; Google's pages hold
	// at most 1,000.
	MaxModels = 10_000

	defaultPage, maxPage = 50, 1000 // entries of a page, as Google has it
)

// DecodeModels reads {"models":[…],"nextPageToken":…}. Entries without a name
// are passed over. An ID is the model's name without "models/".
func (*Codec) DecodeModels(body []byte) (ms []protocol.Model, next string, err error) {
	var list []byte
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return nil, "", err
		}
		switch string(m.Name) {
		case "models":
			list = m.Value
		case "nextPageToken":
			if s := wire.Text(m.Value); s != "" {
				next = "pageToken=" + url.QueryEscape(s)
			}
		}
	}
	if len(list) == 0 || list[0] != '[' {
		return nil, "", ErrNoList
	}
	ms = []protocol.Model{}
	for e, err := range jsonedit.Elements(list) {
		if err != nil {
			return nil, "", err
		}
		if len(ms) == MaxModels {
			break
		}
		if m := decodeModel(e); m.ID != "" {
			ms = append(ms, m)
		}
	}
	return ms, next, nil
}

func decodeModel(e []byte) (m protocol.Model) {
	for x := range wire.Object(e) {
		switch string(x.Name) {
		case "name":
			m.ID = strings.TrimPrefix(wire.Text(x.Value), "models/")
		case "displayName":
			m.DisplayName = wire.Text(x.Value)
		case "inputTokenLimit":
			m.Context = wire.Tokens(x.Value)
		case "outputTokenLimit":
			m.MaxOutput = wire.Tokens(x.Value)
		case "supportedGenerationMethods":
			if x.Value[0] != '[' {
				continue
			}
			for s, err := range jsonedit.Elements(x.Value) {
				if err != nil || len(m.Methods) == maxEntries {
					break
				}
				if s := wire.Text(s); s != "" {
					m.Methods = append(m.Methods, s)
				}
			}
		}
	}
	if m.DisplayName == m.ID {
		m.DisplayName = ""
	}
	return m
}

// EncodeModels writes the page of ms, sorted by id, that follows p.Token and
// holds p.Limit entries: 50 if that is 0, and never more than 1,000. A token is
// the id of the last model before the page, so that it outlives a change of the
// list.
func (*Codec) EncodeModels(ms []protocol.Model, p protocol.Page) []byte {
	if p.Token != "" {
		i := slices.IndexFunc(ms, func(m protocol.Model) bool { return m.ID > p.Token })
		if i < 0 {
			i = len(ms)
		}
		ms = ms[i:]
	}
	limit := min(p.Limit, maxPage)
	if limit <= 0 {
		limit = defaultPage
	}
	more := len(ms) > limit
	if more {
		ms = ms[:limit]
	}
	out := []byte(`{"models":[`)
	for i, m := range ms {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendModel(out, m)
	}
	out = append(out, ']')
	if more {
		out = jsonedit.Quote(append(out, `,"nextPageToken":`...), ms[len(ms)-1].ID)
	}
	return append(out, '}')
}

// EncodeModel writes one model.
func (*Codec) EncodeModel(m protocol.Model) []byte { return appendModel(nil, m) }

// chatMethods is what a model of another protocol is said to take: clients
// leave out models that do not generate content.
var chatMethods = []string{"generateContent", "countTokens"}

func appendModel(dst []byte, m protocol.Model) []byte {
	name := m.ID
	if !inCollection(name) {
		name = "models/" + name
	}
	display, methods := m.DisplayName, m.Methods
	if display == "" {
		display = m.ID
	}
	if len(methods) == 0 {
		methods = chatMethods
	}
	dst = jsonedit.Quote(append(dst, `{"name":`...), name)
	dst = jsonedit.Quote(append(dst, `,"displayName":`...), display)
	if m.Context > 0 {
		dst = strconv.AppendInt(append(dst, `,"inputTokenLimit":`...), m.Context, 10)
	}
	if m.MaxOutput > 0 {
		dst = strconv.AppendInt(append(dst, `,"outputTokenLimit":`...), m.MaxOutput, 10)
	}
	dst = append(dst, `,"supportedGenerationMethods":[`...)
	for i, s := range methods {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsonedit.Quote(dst, s)
	}
	return append(dst, "]}"...)
}
