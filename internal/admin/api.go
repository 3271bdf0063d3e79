package admin

import (
	"cmp"
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"io"
	"net/http"
	"path"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"portico/internal/journal"
)

// api is the typed part under /api/.
type api struct {
	o     *Options
	mux   *http.ServeMux
	huma  huma.API
	tests chan struct{} // bounds tests of accounts at one time
	feeds chan struct{} // bounds live feeds at one time
}

const (
	maxTests = 4
	maxFeeds = 32
	// maxBody bounds the body of a request; an account with a thousand globs
	// has some 30 KB.
	maxBody = 1 << 20
	// maxPublic bounds the body of a request whose sender nobody knows yet.
	maxPublic = 8 << 10
)

// inJSON is how answers are written: maps in the order of their keys, durations
// as the journal has them, and bytes that are not UTF-8, which clients may have
// sent as a model's name, as U+FFFD.
var inJSON = json.JoinOptions(json.Deterministic(true), jsontext.AllowInvalidUTF8(true), journal.JSON)

var format = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		body, err := json.Marshal(v, inJSON)
		if err != nil {
			return err
		}
		_, _ = w.Write(append(body, '\n')) // huma would panic over a client that has left
		return nil
	},
	Unmarshal: func(data []byte, v any) error { return json.Unmarshal(data, v) },
}

// newAPI registers everything.
func newAPI(o *Options) *api {
	a := &api{o: o, mux: http.NewServeMux(), tests: make(chan struct{}, maxTests), feeds: make(chan struct{}, maxFeeds)}
	a.huma = humago.New(a.mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Portico admin API", Version: o.Version,
				Description: "The operator's side of Portico. Every path but the one to sign in needs the admin token or a session. Errors are problem documents (RFC 9457) whose code stays the same over versions.",
			},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: schemes(o),
			},
			Security: []map[string][]string{{"admin_token": {}}, {"session": {}}},
		},
		Formats:                      map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	})
	a.status()
	a.accounts()
	a.vendors()
	a.drafts()
	a.imports()
	a.exports()
	a.several()
	a.logins()
	a.keys()
	a.access()
	a.proxies()
	a.acts()
	a.sessions()
	a.reveal()
	a.backups()
	a.requests()
	a.usage()
	a.overview()
	a.models()
	a.config()
	a.live()
	a.doctor()
	a.foresee()
	a.document()
	return a
}

// schemes are the ways in which an operator shows who it is.
func schemes(o *Options) map[string]*huma.SecurityScheme {
	cookie := "portico_session"
	if o.Doors != nil {
		cookie = o.Doors.Cookie
	}
	return map[string]*huma.SecurityScheme{
		"admin_token": {Type: "http", Scheme: "bearer", Description: "The admin_token of the configuration."},
		"session": {
			Type: "apiKey", In: "cookie", Name: cookie,
			Description: "What POST " + sessionPath + " gives a browser. Requests that change something also need the header " + CSRFHeader + ", with any value.",
		},
	}
}

// schema is the schema of v's type.
func (a *api) schema(v any) *huma.Schema {
	return a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(v), true, "")
}

// refusals is an answer that is a problem.
func (a *api) refusals(what string) *huma.Response {
	return &huma.Response{Description: what, Content: map[string]*huma.MediaType{problemType: {Schema: a.schema(Problem{})}}}
}

// document serves the description of all the rest.
func (a *api) document() {
	const at = "/api/openapi.json"
	a.huma.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "openapi", Method: http.MethodGet, Path: at, Tags: []string{"gateway"}, Summary: "This document",
		Responses: map[string]*huma.Response{"200": {Description: "An OpenAPI 3.1 document", Content: map[string]*huma.MediaType{"application/openapi+json": {}}}},
	})
	a.schema(Problem{})
	a.huma.OpenAPI().Components.Schemas.Map()["Problem"].Properties["code"].Enum = allCodes
	made := sync.OnceValues(func() ([]byte, error) { return a.huma.OpenAPI().MarshalJSON() })
	a.mux.HandleFunc("GET "+at, func(w http.ResponseWriter, r *http.Request) {
		body, err := made()
		if err != nil {
			problem(http.StatusInternalServerError, CodeInternal, "the document cannot be written: %s", err).write(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(body)
	})
}

// schemaName names types of other packages with their package, since explain
// and journal have types of the same name.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if p := path.Base(t.PkgPath()); t.Name() != "" && strings.HasPrefix(t.PkgPath(), "portico/") && p != "admin" {
		return strings.ToUpper(p[:1]) + p[1:] + name
	}
	return name
}

// An out is an answer with a body.
type out[T any] struct{ Body T }

// A List is one page of things.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitzero" doc:"The cursor of the next page; absent on the last."`
}

// An operation is an entry of the table of routes.
type operation struct {
	id, method, path, tag, summary, more string
	status                               int // of success; 0: 200, or 204 without a body
	errors                               []int
	public                               bool  // it asks for no credential in the header
	quiet                                bool  // it changes nothing that is worth a word in the audit log
	body                                 int64 // bound of the body in bytes; 0: maxBody
}

// handle registers f under op. All that f returns as an error becomes a
// problem.
func handle[I, O any](a *api, op operation, f func(context.Context, *I) (*O, error)) {
	var security []map[string][]string
	body := cmp.Or(op.body, maxBody)
	if op.public {
		security, body = []map[string][]string{{}}, maxPublic
	}
	huma.Register(a.huma, huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Tags: []string{op.tag}, Summary: op.summary, Description: op.more,
		DefaultStatus: op.status, MaxBodyBytes: body, BodyReadTimeout: 30 * time.Second, Security: security,
		Errors: append([]int{http.StatusUnauthorized, http.StatusTooManyRequests}, op.errors...),
	}, func(ctx context.Context, in *I) (*O, error) {
		o, err := f(ctx, in)
		if err != nil {
			return nil, a.told(err)
		}
		a.audit(ctx, &op, in)
		return o, nil
	})
}
