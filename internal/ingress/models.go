package ingress

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"portico/internal/fault"
	"portico/internal/protocol"
)

// maxPage is how many models a client may ask for at once; more is read as
// that many. Claude Code asks for 1,000.
const maxPage = 10_000

// listModels answers with the page that the query asks for.
func (s *Server) listModels(v *visit) {
	page, f := pageOf(v.r.URL.RawQuery)
	if f != nil {
		v.tell(f, 0)
		return
	}
	all := s.models.List(v.codec.Name())
	if v.grant != nil && v.grant.Key.Picky() {
		all = slices.DeleteFunc(slices.Clone(all), func(m protocol.Model) bool { return !v.grant.Key.Shows(m.ID) })
	}
	v.answer(v.codec.EncodeModels(all, page))
}

// lookUp answers with one model.
func (s *Server) lookUp(v *visit) {
	m, ok := s.models.Find(v.codec.Name(), v.m.path)
	if !ok || v.grant != nil && !v.grant.Key.Shows(v.m.path) {
		v.tell(&fault.Fault{
			Class: fault.NotFound, Code: "model_not_found", Param: "model",
			Msg: "there is no model " + strconv.Quote(printable(v.m.path)) + "; GET /v1/models lists those that there are",
		}, 0)
		return
	}
	v.answer(v.codec.EncodeModel(m))
}

func (v *visit) answer(body []byte) {
	h := v.w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	v.w.WriteHeader(http.StatusOK)
	_, _ = v.w.Write(body)
}

// pageOf reads which page a client wants, in any of the three dialects.
func pageOf(query string) (protocol.Page, *fault.Fault) {
	var p protocol.Page
	if query == "" {
		return p, nil
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return p, &fault.Fault{Class: fault.Malformed, Code: "invalid_query", Msg: "the query string is not readable", Err: err}
	}
	for _, name := range [...]string{"limit", "pageSize", "page_size"} {
		s := q.Get(name)
		if s == "" {
			continue
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return p, &fault.Fault{Class: fault.Malformed, Code: "invalid_query", Param: name, Msg: name + " must be a whole number, 0 or more"}
		}
		p.Limit = min(n, maxPage)
	}
	p.After, p.Before, p.Token = q.Get("after_id"), q.Get("before_id"), q.Get("pageToken")
	if p.After == "" {
		p.After = q.Get("after")
	}
	return p, nil
}
