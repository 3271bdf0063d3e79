package bedrock

import (
	"net/http"
	"strings"

	"portico/internal/eventstream"
)

// A form is how one of Bedrock's operations is asked, and how its answer is
// read.
type form struct {
	accept string
	ask    func(w *way, req *http.Request, body []byte) ([]byte, error)
	read   func(resp *http.Response) (*http.Response, error)
}

// forms are those of the operations by the ends of their paths.
var forms = []struct {
	end string
	form
}{
	{invoke, form{jsonKind, askClaude, readClaude}},
	{invokeStream, form{eventstream.MediaType, askClaude, readClaudeStream}},
	{ask, form{jsonKind, asIs, readConverse}},
	{askStream, form{eventstream.MediaType, asIs, readConverseStream}},
	{count, form{jsonKind, askCount, readCount}},
}

// plain is the form of what passes as it is.
var plain = form{jsonKind, asIs, readClaude}

func asIs(_ *way, _ *http.Request, body []byte) ([]byte, error) { return body, nil }

const jsonKind = "application/json"

func formOf(path string) *form {
	for i := range forms {
		if strings.HasSuffix(path, forms[i].end) {
			return &forms[i].form
		}
	}
	return &plain
}
