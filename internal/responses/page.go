package responses

import (
	"slices"
	"strconv"

	"portico/internal/jsonedit"
)

// A Page says which of a list's items are asked for.
type Page struct {
	Limit     int    // 0: 20, as at OpenAI; at most 100
	Ascending bool   // the first item first
	After     string // the id of the item before the first that is wanted, "" for the beginning
}

const (
	defaultLimit = 20
	maxLimit     = 100
)

// List is the list of items, which have commas between them, that p asks for.
// What has no id gets one that is made of the answer's and the item's place.
func List(id string, items []byte, p Page) ([]byte, error) {
	var all [][]byte
	n := 0
	for e, err := range jsonedit.Elements(append(append([]byte{'['}, items...), ']')) {
		if err != nil {
			return nil, err
		}
		all = append(all, told(e, "item_"+id+"_"+strconv.Itoa(n)))
		n++
	}
	if !p.Ascending {
		slices.Reverse(all)
	}
	if p.After != "" {
		if i := slices.IndexFunc(all, func(e []byte) bool { return idOf(e) == p.After }); i >= 0 {
			all = all[i+1:]
		}
	}
	limit := p.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	more := len(all) > limit
	all = all[:min(len(all), limit)]
	dst := []byte(`{"object":"list","data":[`)
	for i, e := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, e...)
	}
	dst = append(dst, `],"first_id":`...)
	if len(all) == 0 {
		dst = append(dst, `null,"last_id":null`...)
	} else {
		dst = jsonedit.Quote(dst, idOf(all[0]))
		dst = jsonedit.Quote(append(dst, `,"last_id":`...), idOf(all[len(all)-1]))
	}
	dst = strconv.AppendBool(append(dst, `,"has_more":`...), more)
	return append(dst, '}'), nil
}

func idOf(item []byte) string {
	s, _ := jsonedit.Unquote(jsonedit.Get(item, "id"))
	return s
}

// told is an item as OpenAI shows it: with a type and an id, and a message with
// its content in parts.
func told(item []byte, id string) []byte {
	if len(item) == 0 || item[0] != '{' {
		return item
	}
	if s := idOf(item); s != "" {
		id = s
	}
	kind := jsonedit.Get(item, "type")
	if len(kind) == 0 {
		kind = []byte(`"message"`)
	}
	dst := append([]byte(`{"type":`), kind...)
	dst = jsonedit.Quote(append(dst, `,"id":`...), id)
	part := "input_text"
	if string(jsonedit.Get(item, "role")) == `"assistant"` {
		part = "output_text"
	}
	for m, err := range jsonedit.Members(item) {
		if err != nil {
			return item
		}
		if m.Is("type") || m.Is("id") {
			continue
		}
		dst = append(append(append(dst, `,"`...), m.Name...), `":`...)
		if m.Is("content") && string(kind) == `"message"` && len(m.Value) > 0 && m.Value[0] == '"' {
			dst = append(append(append(dst, `[{"type":"`...), part...), `","text":`...)
			dst = append(append(dst, m.Value...), `}]`...)
			continue
		}
		dst = append(dst, m.Value...)
	}
	return append(dst, '}')
}
