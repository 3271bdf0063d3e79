package models

import (
	"encoding/json/jsontext"
	"net/url"
	"strings"
	"testing"

	"portico/internal/protocol"
)

// FuzzList: whatever an upstream says is its list, what comes of it can be
// asked for further and told to clients of every protocol.
func FuzzList(f *testing.F) {
	for _, s := range []string{
		`{"object":"list","data":[{"id":"a","object":"model","created":1,"owned_by":"o"}]}`,
		`{"data":[{"type":"model","id":"a","display_name":"A","created_at":"2026-01-01T00:00:00Z"}],"has_more":true,"last_id":"a b&c\r\n#"}`,
		`{"models":[{"name":"models/a","inputTokenLimit":5,"outputTokenLimit":1e400,"supportedGenerationMethods":["generateContent"]}],"nextPageToken":"x y\u0000&z"}`,
		`[{"id":"a"},{"id":null},{"id":"\ud800"}]`,
		`{"data":[{"id":"a","context_length":-1}],"data":[]}`,
	} {
		f.Add([]byte(s))
	}
	var listers []protocol.Lister
	for _, c := range codecs {
		if l, ok := c.(protocol.Lister); ok {
			listers = append(listers, l)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, from := range listers {
			ms, next, err := from.DecodeModels(body)
			if err != nil {
				continue
			}
			if _, err := url.ParseQuery(next); err != nil || strings.ContainsFunc(next, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' }) {
				t.Errorf("%T: the next page is asked for by %q", from, next)
			}
			for _, to := range listers {
				if out := to.EncodeModels(ms, protocol.Page{}); !jsontext.Value(out).IsValid() {
					t.Errorf("%T to %T: %s", from, to, out)
				}
				for _, m := range ms {
					if out := to.EncodeModel(m); !jsontext.Value(out).IsValid() {
						t.Errorf("%T to %T: %s", from, to, out)
					}
				}
			}
		}
	})
}
