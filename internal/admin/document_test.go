package admin

import (
	"context"
	"encoding/json/v2"
	"flag"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/explain"
)

// allActs stands for what operators did, which nobody asks for here.
type allActs struct{ keptActs }

type keptActs = Acts

// everything sets all that a gateway may lack, so that the description is
// whole. A new option of that kind is added here.
func everything(o *Options) {
	o.Access, o.Doors, o.Logins, o.Proxies, o.Acts = struct{ Access }{}, &Doors{}, struct{ Logins }{}, struct{ Proxies }{}, allActs{}
	o.Vendors = func() []Vendor { return nil }
	o.Foresee = func(context.Context, Question) (l explain.Outlook) { return l }
}

var (
	write = flag.String("write", "", "a file to write the description of the API to")
	exact = flag.Bool("exact", false, "the page's types are to have all of the API")
)

// TestSchemaIsCurrent: the page's types promise no path and no member that the
// API does not have. That they lack none, either, is what make check wants.
func TestSchemaIsCurrent(t *testing.T) {
	o := newFake().options()
	o.Version = "" // what is the same in every build
	everything(&o)
	w := call(t, New(o), "GET", "/api/openapi.json", "")
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if *write != "" {
		if err := os.WriteFile(*write, w.Body.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	var doc struct {
		Paths      map[string]any `json:"paths"`
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var want []string
	for path := range doc.Paths {
		want = append(want, path)
	}
	for name, s := range doc.Components.Schemas {
		for p := range s.Properties {
			want = append(want, name+"."+p)
		}
	}
	slices.Sort(want)
	text, err := os.ReadFile("../../web/ui/src/api/schema.d.ts")
	if err != nil {
		t.Fatal(err)
	}
	got := declared(string(text))
	if len(got) < 100 {
		t.Fatalf("only %d paths and members were found in the types", len(got))
	}
	if !*exact {
		want = slices.DeleteFunc(want, func(s string) bool { return !slices.Contains(got, s) })
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("web/ui/src/api/schema.d.ts is not of this API, run make schema (-API +types):\n%s", diff)
	}
}

var (
	pathLine   = regexp.MustCompile(`^    "(/api/[^"]*)": \{$`)
	schemaLine = regexp.MustCompile(`^        "?([\w-]+)"?: \{$`)
	memberLine = regexp.MustCompile(`^            "?(\$?\w+)"?\??: `)
)

// declared lists the paths and the members of schemas that a file of types has.
func declared(text string) (out []string) {
	schemas, schema := false, ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "    schemas: {":
			schemas = true
		case line == "    };":
			schemas = false
		case pathLine.MatchString(line):
			out = append(out, pathLine.FindStringSubmatch(line)[1])
		case schemas && schemaLine.MatchString(line):
			schema = schemaLine.FindStringSubmatch(line)[1]
		case schemas && memberLine.MatchString(line):
			out = append(out, schema+"."+memberLine.FindStringSubmatch(line)[1])
		}
	}
	slices.Sort(out)
	return out
}
