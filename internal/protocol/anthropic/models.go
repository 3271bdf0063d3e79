package anthropic

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

// How many models a page has, if the client does not say, and at most.
const (
	pageSize = 20
	maxPage  = 1000
)

// lastYear is the Unix time of the year 10000, which RFC 3339 cannot write.
const lastYear = 253_402_300_800

// DecodeModels reads one page of a list of models. Vendors who copied the
// protocol often have a list in OpenAI's form, so its members are read too.
// Entries without an id are passed over.
func (*Codec) DecodeModels(body []byte) (ms []protocol.Model, next string, err error) {
	var list []byte
	var more bool
	var last string
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
	if len(list) == 0 || list[0] != '[' {
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
		next = "limit=" + strconv.Itoa(maxPage) + "&after_id=" + url.QueryEscape(last)
	}
	return ms, next, nil
}

// decodeModel reads one entry.
func decodeModel(e []byte) (m protocol.Model) {
	for x := range wire.Object(e) {
		switch string(x.Name) {
		case "id":
			m.ID = wire.Text(x.Value)
		case "display_name", "name":
			m.DisplayName = wire.Text(x.Value)
		case "created_at":
			if t, err := time.Parse(time.RFC3339, wire.Text(x.Value)); err == nil && t.Unix() > 0 { // 1970 stands for unknown
				m.Created = t.UTC()
			}
		case "created":
			if n := wire.Tokens(x.Value); n > 0 && n < lastYear {
				m.Created = time.Unix(n, 0).UTC()
			}
		case "owned_by":
			m.OwnedBy = wire.Text(x.Value)
		case "max_input_tokens", "context_length", "context_window":
			m.Context = wire.Tokens(x.Value)
		case "max_tokens", "max_output_tokens":
			m.MaxOutput = wire.Tokens(x.Value)
		}
	}
	if m.DisplayName == m.ID {
		m.DisplayName = ""
	}
	return m
}

// EncodeModels writes the page of ms that p asks for by Limit, which is 20 if
// it is not given and at most 1000, and by After or Before, of which After
// counts. has_more is about the direction that is asked for.
func (*Codec) EncodeModels(ms []protocol.Model, p protocol.Page) []byte {
	ms, more := page(ms, p)
	out := []byte(`{"data":[`)
	for i, m := range ms {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendModel(out, m)
	}
	out = append(out, `],"has_more":`...)
	out = strconv.AppendBool(out, more)
	if len(ms) == 0 {
		return append(out, `,"first_id":null,"last_id":null}`...)
	}
	out = jsonedit.Quote(append(out, `,"first_id":`...), ms[0].ID)
	out = jsonedit.Quote(append(out, `,"last_id":`...), ms[len(ms)-1].ID)
	return append(out, '}')
}

// page cuts the page out of ms; more says that others lie beyond it.
func page(ms []protocol.Model, p protocol.Page) (_ []protocol.Model, more bool) {
	n := p.Limit
	if n <= 0 {
		n = pageSize
	}
	n = min(n, maxPage)
	if p.After == "" && p.Before != "" {
		at, _ := find(ms, p.Before)
		ms = ms[:at]
		more = len(ms) > n
		return ms[max(0, len(ms)-n):], more
	}
	if p.After != "" {
		at, found := find(ms, p.After)
		if found {
			at++
		}
		ms = ms[at:]
	}
	more = len(ms) > n
	return ms[:min(n, len(ms))], more
}

// find returns the place of the model id, or, if it is gone since the page
// before, the place where it would stand.
func find(ms []protocol.Model, id string) (at int, found bool) {
	if i := slices.IndexFunc(ms, func(m protocol.Model) bool { return m.ID == id }); i >= 0 {
		return i, true
	}
	if i := slices.IndexFunc(ms, func(m protocol.Model) bool { return m.ID > id }); i >= 0 {
		return i, false
	}
	return len(ms), false
}

// EncodeModel writes one model.
func (*Codec) EncodeModel(m protocol.Model) []byte { return appendModel(nil, m) }

// appendModel writes m with the members that Anthropic promises; created_at is
// the beginning of 1970 if it is not known, as Anthropic has it.
func appendModel(dst []byte, m protocol.Model) []byte {
	dst = append(dst, `{"type":"model","id":`...)
	dst = jsonedit.Quote(dst, m.ID)
	dst = append(dst, `,"display_name":`...)
	if m.DisplayName == "" {
		m.DisplayName = m.ID
	}
	dst = jsonedit.Quote(dst, m.DisplayName)
	if m.Created.IsZero() {
		m.Created = time.Unix(0, 0)
	}
	dst = append(dst, `,"created_at":"`...)
	dst = m.Created.UTC().AppendFormat(dst, time.RFC3339)
	dst = appendLimit(append(dst, `","max_input_tokens":`...), m.Context)
	dst = appendLimit(append(dst, `,"max_tokens":`...), m.MaxOutput)
	return append(dst, '}')
}

// appendLimit writes a number of tokens, or null if it is not known.
func appendLimit(dst []byte, n int64) []byte {
	if n <= 0 {
		return append(dst, "null"...)
	}
	return strconv.AppendInt(dst, n, 10)
}
