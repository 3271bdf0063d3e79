package responses

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/jsonedit"
	"portico/internal/secret"
)

// TestTriggers: a demand to compact stands at the end; what was demanded before
// is met (B26).
func TestTriggers(t *testing.T) {
	const demand = `{"type":"compaction_trigger"}`
	for _, tc := range []struct {
		items, rest string
		last        bool
	}{
		{`{"role":"user"}`, `{"role":"user"}`, false},
		{`{"role":"user"},` + demand, `{"role":"user"}`, true},
		{demand + `,{"role":"user"}`, `{"role":"user"}`, false},
		{demand + `,{"role":"user"},` + demand, `{"role":"user"}`, true},
		{demand, ``, true},
		{`{"role":"user","content":"compaction_trigger"}`, `{"role":"user","content":"compaction_trigger"}`, false},
		{``, ``, false},
	} {
		if rest, last := Triggers([]byte(tc.items)); string(rest) != tc.rest || last != tc.last {
			t.Errorf("%s: %s %v, want %s %v", tc.items, rest, last, tc.rest, tc.last)
		}
	}
}

// TestCapsule: what was written down comes back for the key that it was sealed
// for, and for no other, and nobody can read or change it.
func TestCapsule(t *testing.T) {
	s := secret.NewSealer(filepath.Join(t.TempDir(), "key"))
	item, err := Capsule(s, "alice", "resp_1", `they "met"`)
	if err != nil {
		t.Fatal(err)
	}
	sealed, _ := jsonedit.Unquote(jsonedit.Get(item, "encrypted_content"))
	if string(jsonedit.Get(item, "id")) != `"cmp_1_0"` || kindOf(item) != "compaction" || !strings.HasPrefix(sealed, capsuleMark) || strings.Contains(sealed, "met") {
		t.Errorf("the item is %s", item)
	}
	items := Join([]byte(`{"n":1}`), Join(item, []byte(`{"type":"compaction","encrypted_content":"gAAAAA"},{"n":2}`)))
	out, err := Unpack(s, "alice", items)
	want := `{"n":1},{"type":"message","role":"user","content":[{"type":"input_text","text":` + string(jsonedit.Quote(nil, preface+`they "met"`)) + `}]},{"type":"compaction","encrypted_content":"gAAAAA"},{"n":2}`
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out, want)
	}
	if !Capsuled(items) || Capsuled([]byte(`{"type":"compaction"}`)) {
		t.Error("it is not known by its mark")
	}
	for name, bad := range map[string]string{
		"another's": string(item), "changed": strings.Replace(string(item), sealed[10:14], "AAAA", 1), "no text": strings.Replace(string(item), sealed[10:14], "!!!!", 1),
	} {
		scope := "alice"
		if name == "another's" {
			scope = "bob"
		}
		if _, err := Unpack(s, scope, []byte(bad)); !errors.Is(err, ErrCapsule) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCompact: the request that has a conversation written down begins as those
// before it, and lets the model do nothing but write.
func TestCompact(t *testing.T) {
	ask := string(said(Ask))
	for _, tc := range []struct{ name, body, want string }{
		{"plain", `{"model":"m","input":"x"}`, `{"model":"m","input":[1,` + ask + `]}`},
		{"no input", `{"model":"m"}`, `{"input":[1,` + ask + `],"model":"m"}`},
		{"tools", `{"model":"m","input":[],"tools":[{"type":"custom"}],"tool_choice":"auto"}`, `{"tool_choice":"none","model":"m","input":[1,` + ask + `],"tools":[{"type":"custom"}]}`},
		{"no tools", `{"model":"m","input":[],"tools":[],"tool_choice":"none"}`, `{"model":"m","input":[1,` + ask + `],"tools":[]}`},
		{
			"knobs", `{"model":"m","input":[],"text":{"format":{"type":"json_object"}},"max_output_tokens":10,"context_management":[],"store":false,"background":true,"reasoning":{"effort":"low"},"stream":true}`,
			`{"model":"m","input":[1,` + ask + `],"reasoning":{"effort":"low"},"stream":true}`,
		},
	} {
		got, err := Compact([]byte(tc.body), []byte("1"))
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", tc.name, err, got, tc.want)
		}
	}
	if _, err := Compact([]byte(`[`), nil); err == nil {
		t.Error("a body that is none was taken")
	}
}

func TestWritten(t *testing.T) {
	const text = `{"type":"message","content":[{"type":"output_text","text":" a "},{"type":"refusal","refusal":"no"},{"type":"output_text","text":"b"}]}`
	for items, want := range map[string]string{
		text: "a \n\nb", `{"type":"reasoning","summary":[{"text":"x"}]},` + text: "a \n\nb", ``: "", `{"type":"message"}`: "", `{"type":"message","content":[`: "",
	} {
		if got := Written([]byte(items)); got != want {
			t.Errorf("%s: %q, want %q", items, got, want)
		}
	}
}

// TestQuoted: the last words of the user stay, within a bound.
func TestQuoted(t *testing.T) {
	got := string(Quoted([]byte(`{"role":"user","content":"one"},{"role":"developer","content":"no"},{"type":"function_call_output"},{"type":"message","id":"m","role":"user","content":"two"}`), "by"))
	want := `{"type":"message","id":"msg_by_0","role":"user","content":[{"type":"input_text","text":"one"}]},{"type":"message","id":"m","role":"user","content":[{"type":"input_text","text":"two"}]}`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	long := `{"role":"user","content":"` + strings.Repeat("x", maxQuoted/2) + `"}`
	got = string(Quoted([]byte(long+`,`+long+`,{"role":"user","content":"last"}`), "by"))
	if len(got) > maxQuoted || !strings.Contains(got, "last") || !strings.Contains(got, "xxx") {
		t.Errorf("%d bytes stay", len(got))
	}
}
