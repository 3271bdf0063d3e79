package drawing

import (
	"encoding/json/jsontext"
	"strings"
	"testing"

	"portico/internal/llm"
)

// TestResponses: what the tool image_generation is told of a request, and what
// it cannot be told.
func TestResponses(t *testing.T) {
	const head = `{"model":"gpt-5","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"a \"cat\""}]}],"tools":[{"type":"image_generation"`
	const tail = `}],"tool_choice":{"type":"image_generation"},"store":false`
	for name, tt := range map[string]struct{ in, model, tool, more, lost string }{
		"plain":               {in: `"n":1`},
		"a size":              {in: `"size":"1536x864","quality":"high"`, tool: `,"size":"1536x864","quality":"high"`},
		"any size":            {in: `"size":"auto","quality":"auto"`, tool: `,"size":"auto"`},
		"a ratio":             {in: `"size":"3:2"`, tool: `,"size":"1536x1024"`},
		"a ratio by itself":   {in: `"aspect_ratio":"2:3","size":"10x10"`, tool: `,"size":"1024x1536"`},
		"a ratio it lacks":    {in: `"size":"16:9"`, tool: `,"size":"1536x1024"`, lost: "size"},
		"by name":             {in: `"n":1`, model: "gpt-5-4k-1x1", tool: `,"size":"1024x1024"`, lost: "model"},
		"older words":         {in: `"quality":"hd"`, tool: `,"quality":"high"`},
		"older words still":   {in: `"quality":"standard"`, tool: `,"quality":"medium"`},
		"Google's words":      {in: `"quality":"2k","image_size":"4K"`, lost: "image_size quality"},
		"all that it knows":   {in: `"background":"transparent","output_format":"webp","output_compression":50,"moderation":"low","user":"u"`, tool: `,"background":"transparent","output_format":"webp","output_compression":50,"moderation":"low"`},
		"no number":           {in: `"output_compression":"half"`, lost: "output_compression"},
		"the last of two":     {in: `"background":"opaque","background":"auto"`, tool: `,"background":"auto"`},
		"what nobody knows":   {in: `"style":"vivid"`, lost: "style"},
		"drafts":              {in: `"stream":true,"partial_images":2`, tool: `,"partial_images":2`, more: `,"stream":true`},
		"drafts of no stream": {in: `"partial_images":2`},
	} {
		r, err := FromOpenAI(Generations, "application/json", []byte(`{"model":"x","prompt":"a \"cat\"",`+tt.in+`}`))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		model := tt.model
		if model == "" {
			model = "gpt-5"
		}
		if got, want := string(r.Responses(model)), head+tt.tool+tail+tt.more+"}"; got != want {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
		if got := strings.Join(paths(r), " "); got != tt.lost {
			t.Errorf("%s: lost %q", name, got)
		}
	}
	r, err := FromOpenAI(Edits, "application/json", []byte(`{"prompt":"p","images":[{"image_url":"data:image/png;base64,`+png6+`"},{"image_url":"https://x/a"}],"mask":{"image_url":"https://x/m"},"input_fidelity":"high"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Give("https://x/m", "image/png", []byte(`"BBBB"`))
	const edit = `{"model":"gpt-5","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"p"},` +
		`{"type":"input_image","detail":"auto","image_url":"data:image/png;base64,` + png6 + `"},{"type":"input_image","detail":"auto","image_url":"https://x/a"}]}],` +
		`"tools":[{"type":"image_generation","input_fidelity":"high","input_image_mask":{"image_url":"data:image/png;base64,BBBB"}` + tail + "}"
	if got := string(r.Responses("gpt-5")); got != edit || len(r.Losses) > 0 {
		t.Errorf("%s, lost %v\nwant %s", got, r.Losses, edit)
	}
}

// TestChats: what a chat model that draws is told of a request.
func TestChats(t *testing.T) {
	const head = `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"p"}`
	const tail = `]}],"modalities":["image","text"]`
	for name, tt := range map[string]struct{ in, model, want, lost string }{
		"plain":       {in: `"n":2`, want: head + tail},
		"a form":      {in: `"size":"1792x1024","quality":"hd"`, want: head + tail + `,"image_config":{"aspect_ratio":"16:9","image_size":"4K"}`},
		"by its name": {in: `"n":1`, model: "m-2k-1x1", want: head + tail + `,"image_config":{"aspect_ratio":"1:1","image_size":"2K"}`},
		"streamed":    {in: `"stream":true`, want: head + tail + `,"stream":true,"stream_options":{"include_usage":true}`},
		"a picture":   {in: `"images":["https://x/a"]`, want: head + `,{"type":"image_url","image_url":{"url":"https://x/a"}}` + tail},
		"a mask": {
			in: `"image":"https://x/a","mask":{"image_url":"data:image/png;base64,` + png6 + `"}`, lost: "mask",
			want: head + `,{"type":"image_url","image_url":{"url":"https://x/a"}},{"type":"text","text":"` + masked + `"},{"type":"image_url","image_url":{"url":"data:image/png;base64,` + png6 + `"}}` + tail,
		},
		"what it lacks": {in: `"background":"transparent","output_format":"webp","style":"vivid"`, want: head + tail, lost: "background output_format style"},
	} {
		path := Generations
		if strings.Contains(tt.in, `"image`) {
			path = Edits
		}
		r, err := FromOpenAI(path, "application/json", []byte(`{"model":"x","prompt":"p",`+tt.in+`}`))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		model := tt.model
		if model == "" {
			model = "m"
		}
		if got := string(r.Chat(model)); got != tt.want+"}" || !jsontext.Value(got).IsValid() {
			t.Errorf("%s: %s\nwant %s", name, got, tt.want)
		}
		if got := strings.Join(paths(r), " "); got != tt.lost {
			t.Errorf("%s: lost %q", name, got)
		}
	}
}

// TestToolsPictures: pictures of a tool are as those of a model, and its drafts
// are shown.
func TestToolsPictures(t *testing.T) {
	a := (&Request{Stream: true, drafts: 1}).NewAnswer(9)
	a.Begin()
	var out []byte
	for _, e := range []string{
		`{"type":"response.image_generation_call.generating"}`,
		`{"type":"response.image_generation_call.partial_image","partial_image_b64":"","output_format":"webp"}`,
		`{"type":"response.image_generation_call.partial_image","partial_image_b64":"ZHI=","output_format":"webp"}`,
		`{"type":"response.image_generation_call.partial_image","partial_image_b64":"ZHM="}`,
	} {
		out = a.Partial(out, []byte(e))
	}
	out = a.Event(out, &llm.Event{Kind: llm.Whole, What: &llm.ServerResult{Name: "image_generation", Blobs: []llm.Blob{{Kind: llm.Image, Type: "image/webp", Data: llm.Plain("aGk=")}}}})
	out, err := a.End(out)
	got := string(out)
	if err != nil || strings.Count(got, "event: image_generation.partial_image\n") != 1 || !strings.Contains(got, `"b64_json":"ZHI="`) || strings.Contains(got, "ZHM=") ||
		strings.Count(got, "event: image_generation.completed\n") != 1 || !strings.Contains(got, `"b64_json":"aGk="`) || !strings.Contains(got, `"output_format":"webp"`) {
		t.Errorf("%v\n%s", err, got)
	}
}
