package relay

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"portico/internal/protocol/gemini"
)

// A client of Gemini that does not ask for events gets one JSON array, whose
// elements go out as they come in.
func TestArrayInPieces(t *testing.T) {
	chunk := func(text, more string) string {
		return `{"candidates":[{"content":{"role":"model","parts":[{"text":"` + text + `"}]},"index":0` + more + `}],"responseId":"g1"}`
	}
	end := chunk("c", `,"finishReason":"STOP"`)
	parts := []string{"[" + chunk("a", ""), ",\r\n" + chunk("b", ""), ",\r\n" + end, "]"}
	for name, tt := range map[string]struct {
		up   upstream
		want string // the body, or a part of it
		last bool   // the body ends so
	}{
		"whole":            {inArray(parts...), strings.Join(parts, ""), true},
		"split anywhere":   {inArray(strings.Split(strings.Join(parts, ""), "")...), strings.Join(parts, ""), true},
		"it breaks off":    {inArray(parts[:2]...), parts[0] + parts[1] + ",\n" + `{"error":`, false},
		"an error instead": {inArray(`[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}]`), `"status":"UNAVAILABLE"`, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, tt.up)
				c := r.call(dialects["gemini"], true)
				c.Codec, c.Path, c.Query = gemini.NewArray(), "/models/m:streamGenerateContent", ""
				w := r.run(c)
				if got := w.text(); !strings.Contains(got, tt.want) || tt.last && got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				if kind := w.sent.Get("Content-Type"); kind != "application/json" {
					t.Errorf("its type is %s", kind)
				}
			})
		})
	}
}

// pieces answers with a JSON array in pieces.
func inArray(parts ...string) upstream {
	return func(*http.Request, []byte) (*http.Response, error) {
		return answerOf(200, "application/json", parts...), nil
	}
}
