package secret

import (
	"encoding/json/v2"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestTextNeverPrints: no verb, logger or encoder shows a secret, alone or in
// a struct.
func TestTextNeverPrints(t *testing.T) {
	const canary = "sk-canary-0123456789abcdef"
	text := Of(canary)
	holder := struct {
		Key    Text
		hidden Text // no method is called on this one
		deep   []any
	}{text, text, []any{text, map[Text]Text{text: text}}}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%10.3s"} {
		fmt.Fprintf(&out, verb+"\n"+verb+"\n"+verb+"\n"+verb+"\n", text, &text, holder, &holder)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "key", text, "holder", holder)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "key", text, "holder", holder)
	b, err := json.Marshal(struct{ Key Text }{text})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	for _, trace := range []string{canary, "canary", fmt.Sprintf("%x", "canary"), fmt.Sprintf("%X", "canary")} {
		if strings.Contains(out.String(), trace) {
			t.Errorf("%q shows in\n%s", trace, out.String())
		}
	}
	if text.Reveal() != canary || Of("").Reveal() != "" || (Text{}).Reveal() != "" {
		t.Error("Reveal does not")
	}
	if again := Of(canary[:5] + canary[5:]); again != text || !again.Equal(text) || text.Equal(Of(canary+"x")) || text.Equal(Text{}) {
		t.Error("Equal is wrong")
	}
}

func TestHint(t *testing.T) {
	for s, want := range map[string]string{
		"": mask, "short": mask, "fifteen-bytes-x": mask,
		"sk-0123456789abcd": "sk-…abcd", "0123456789abcdef": "…cdef",
	} {
		if got := Of(s).Hint(); got != want {
			t.Errorf("Hint of %q = %q, want %q", s, got, want)
		}
	}
	if !Of("").IsZero() || Of("x").IsZero() {
		t.Error("IsZero is wrong")
	}
}
