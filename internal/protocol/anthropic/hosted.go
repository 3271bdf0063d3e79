package anthropic

import (
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// hosted is the declaration of a tool that the upstream runs, nil if it runs
// no such tool. Of each the oldest version is asked for: newer ones run code
// to filter what they found (spec: upstreams §2.9).
func (e *requestEncoder) hosted(t *llm.Tool, at string) []byte {
	switch {
	case e.own(t.Extra):
		return t.Config
	case !e.fit.Native:
	case t.Server == "web_search":
		return e.search(t, at)
	case t.Server == "web_fetch":
		e.unlike(t, at, "")
		return []byte(`{"type":"web_fetch_20250910","name":"web_fetch"}`)
	case t.Server == "code_execution":
		e.unlike(t, at, "")
		return []byte(`{"type":"code_execution_20250825","name":"code_execution"}`)
	case t.Server == "tool_search":
		e.unlike(t, at, "")
		return []byte(`{"type":"tool_search_tool_bm25_20251119","name":"tool_search_tool_bm25"}`)
	}
	e.lose(at, "dropped: the upstream does not run "+t.Server)
	return nil
}

// maxSearches bounds what one answer searches, as Anthropic's own clients do
// it: each search is billed.
const maxSearches = 5

// search writes the declaration of a web search. Where the user is and to
// which domains the search is confined crosses; how much of the results the
// model sees does not.
func (e *requestEncoder) search(t *llm.Tool, at string) []byte {
	dst := jsonw.Int([]byte(`{"type":"web_search_20250305","name":"web_search"`), "max_uses", maxSearches)
	filters := jsonedit.Get(t.Config, "filters")
	allowed, blocked := jsonedit.Get(filters, "allowed_domains"), jsonedit.Get(filters, "blocked_domains")
	if blocked == nil {
		blocked = jsonedit.Get(t.Config, "excludeDomains") // Google's
	}
	switch {
	case !wire.Empty(allowed): // one of the two is all that it takes
		dst = jsonw.Raw(dst, "allowed_domains", allowed)
		if !wire.Empty(blocked) {
			e.lose(at+".blocked_domains", "dropped: the upstream takes no both of allowed and blocked domains")
		}
	case !wire.Empty(blocked):
		dst = jsonw.Raw(dst, "blocked_domains", blocked)
	}
	if where := jsonedit.Get(t.Config, "user_location"); !wire.Empty(where) {
		if in := jsonedit.Get(where, "approximate"); len(in) > 0 && in[0] == '{' { // as chat nests it
			where = in
		}
		dst = append(jsonw.Name(dst, "user_location"), `{"type":"approximate"`...)
		for m := range wire.Object(where) {
			switch name := string(m.Name); name {
			case "city", "region", "country", "timezone":
				if !wire.Empty(m.Value) {
					dst = jsonw.Raw(dst, name, m.Value)
				}
			}
		}
		dst = append(dst, '}')
	}
	e.unlike(t, at, "filters excludeDomains user_location")
	return append(dst, '}')
}

// unlike tells which settings of a tool that another upstream runs do not
// cross. known are those that do.
func (e *requestEncoder) unlike(t *llm.Tool, at, known string) {
	for m := range wire.Object(t.Config) {
		name := string(m.Name)
		if name != "type" && name != "name" && !wire.Empty(m.Value) && !strings.Contains(" "+known+" ", " "+name+" ") {
			e.lose(at+"."+name, "dropped: the upstream's tool has no such setting")
		}
	}
}
