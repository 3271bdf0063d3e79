package explain

import (
	"strings"
	"testing"

	"portico/internal/journal"
)

// TestChanged: what the settings changed is told, and nobody then says that
// the bytes went through as they came.
func TestChanged(t *testing.T) {
	for _, tt := range []struct {
		edits []string
		want  string
	}{
		{nil, ""},
		{[]string{"system_prompt=17 bytes"}, "The settings put the global system prompt (17 bytes) before its instructions."},
		{
			[]string{"system_prompt=17 bytes", "thinking=custom budget 3000"},
			"The settings put the global system prompt (17 bytes) before its instructions and changed the thinking that it asks for (custom budget 3000).",
		},
		{[]string{"files=2 of 70 bytes"}, "The settings had files fetched that it names by their addresses (2 of 70 bytes)."},
		{[]string{"other=x"}, "The settings changed other=x."},
	} {
		x := &journal.Exchange{Op: "chat", Asked: "m", Served: "m", Inbound: "anthropic", Outbound: "anthropic", Status: 200, Edits: tt.edits}
		e := Of(x, Cost{})
		text := e.Text()
		if got := changed(tt.edits); got != tt.want || !strings.Contains(text, got) {
			t.Errorf("%q: %s, want %s, in\n%s", tt.edits, got, tt.want, text)
		}
		if strings.Contains(text, "the bytes went through unchanged") != (tt.edits == nil) {
			t.Errorf("%q:\n%s", tt.edits, text)
		}
	}
}
