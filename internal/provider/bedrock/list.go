package bedrock

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"portico/internal/jsonedit"
)

const (
	// maxList bounds one page of a list of Bedrock's, in bytes.
	maxList = 4 << 20
	// maxPages bounds the pages of profiles that are read.
	maxPages = 10
	profiles = "/inference-profiles"
)

// list answers with the models that may be asked, in the form of Anthropic's
// list: those of the region, and the profiles. That profiles cannot be read is
// no failure: a key may be permitted the one and not the other.
func (w *way) list(req *http.Request) (*http.Response, error) {
	resp, page, err := w.page(req, list, "byOutputModality=TEXT")
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	entries := models(page)
	query := "maxResults=1000"
	for range maxPages {
		r, page, err := w.page(req, profiles, query)
		if err != nil || r.StatusCode != http.StatusOK {
			break
		}
		more, next := inferenceProfiles(page)
		entries = append(entries, more...)
		if next == "" {
			break
		}
		query = "maxResults=1000&nextToken=" + url.QueryEscape(next)
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.id, b.id) })
	entries = slices.CompactFunc(entries, func(a, b entry) bool { return a.id == b.id })
	return rewrite(resp, func([]byte) []byte { return entriesList(entries) })
}

// page asks for one page of what the account's part of AWS holds. An answer that
// is no success is as readClaude leaves it; of another the body is returned.
func (w *way) page(req *http.Request, path, query string) (*http.Response, []byte, error) {
	u := *w.control
	u.Path, u.RawQuery = w.control.Path+path, query
	resp, err := w.send(req, &u, jsonKind, nil)
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp, err = readClaude(resp)
		return resp, nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxList+1))
	_ = resp.Body.Close()
	if err != nil {
		return nil, nil, err
	}
	if len(body) > maxList {
		return nil, nil, fmt.Errorf("the list of models has more than %d bytes", maxList)
	}
	resp.Body = io.NopCloser(bytes.NewReader(nil))
	return resp, body, nil
}

// An entry is what a list says of a model.
type entry struct{ id, name string }

// models reads ListFoundationModels: those that can be asked without a profile
// and without capacity that was bought ahead.
func models(page []byte) (es []entry) {
	for m, err := range jsonedit.Elements(jsonedit.Get(page, "modelSummaries")) {
		if err != nil {
			return es
		}
		if s := text(jsonedit.Path(m, "modelLifecycle", "status")); s != "" && s != "ACTIVE" {
			continue
		}
		if on := jsonedit.Get(m, "inferenceTypesSupported"); on != nil && !bytes.Contains(on, []byte(`"ON_DEMAND"`)) {
			continue
		}
		if e := (entry{text(jsonedit.Get(m, "modelId")), text(jsonedit.Get(m, "modelName"))}); e.id != "" {
			es = append(es, e)
		}
	}
	return es
}

// inferenceProfiles reads ListInferenceProfiles, and says where it goes on.
func inferenceProfiles(page []byte) (es []entry, next string) {
	for p, err := range jsonedit.Elements(jsonedit.Get(page, "inferenceProfileSummaries")) {
		if err != nil {
			return es, ""
		}
		if s := text(jsonedit.Get(p, "status")); s != "" && s != "ACTIVE" {
			continue
		}
		e := entry{text(jsonedit.Get(p, "inferenceProfileId")), text(jsonedit.Get(p, "inferenceProfileName"))}
		if text(jsonedit.Get(p, "type")) == "APPLICATION" {
			e.id = text(jsonedit.Get(p, "inferenceProfileArn"))
		}
		if e.id != "" {
			es = append(es, e)
		}
	}
	return es, text(jsonedit.Get(page, "nextToken"))
}

func text(v []byte) string {
	s, _ := jsonedit.Unquote(v)
	return s
}

// entriesList writes entries as Anthropic's list of models.
func entriesList(es []entry) []byte {
	b := []byte(`{"data":[`)
	for i, e := range es {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":"model","id":`...)
		b = jsonedit.Quote(b, e.id)
		b = append(b, `,"display_name":`...)
		b = append(jsonedit.Quote(b, e.name), '}')
	}
	return append(b, `],"has_more":false}`...)
}
