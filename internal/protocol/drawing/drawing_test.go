package drawing

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/llm"
)

const (
	png  = "\x89PNG\r\n\x1a\n"
	png6 = "iVBORw0KGgo=" // the same in base64
)

// paths are those of what was lost.
func paths(r *Request) (out []string) {
	for _, l := range r.Losses {
		out = append(out, l.Path)
	}
	return out
}

// TestRequests: what the model is asked, and what is refused or lost.
func TestRequests(t *testing.T) {
	const head = `{"contents":[{"role":"user","parts":[{"text":"a \"cat\""}]}],"generationConfig":{"responseModalities":["TEXT","IMAGE"]`
	const pro = "gemini-3-pro-image"
	for name, tt := range map[string]struct {
		in, model, config string
		param             string // of the refusal
		lost              string
	}{
		"plain":                       {in: `"size":null`, model: pro},
		"a square":                    {in: `"size":"1024x1024"`, model: "m", config: `,"imageConfig":{"aspectRatio":"1:1"}`},
		"wide":                        {in: `"size":"1792x1024"`, model: "m", config: `,"imageConfig":{"aspectRatio":"16:9"}`},
		"a ratio":                     {in: `"size":"9:16"`, model: "m", config: `,"imageConfig":{"aspectRatio":"9:16"}`},
		"exactly a ratio":             {in: `"size":"1024x1024","aspect_ratio":"3:4"`, model: "m", config: `,"imageConfig":{"aspectRatio":"3:4"}`},
		"no such ratio":               {in: `"aspect_ratio":"3:1"`, param: "aspect_ratio"},
		"far from all ratios":         {in: `"size":"3:1"`, model: "m", config: `,"imageConfig":{"aspectRatio":"21:9"}`, lost: "size"},
		"any size":                    {in: `"size":"auto"`, model: "m"},
		"small":                       {in: `"size":"256x256"`, model: "m", config: `,"imageConfig":{"aspectRatio":"1:1"}`, lost: "size"},
		"large by size":               {in: `"size":"3840x2160"`, model: pro, config: `,"imageConfig":{"aspectRatio":"16:9","imageSize":"4K"}`},
		"larger by size":              {in: `"size":"2048x2048"`, model: pro, config: `,"imageConfig":{"aspectRatio":"1:1","imageSize":"2K"}`},
		"large by size, of one":       {in: `"size":"2048x2048"`, model: "gemini-2.5-flash-image", config: `,"imageConfig":{"aspectRatio":"1:1"}`, lost: "size"},
		"large":                       {in: `"quality":"hd"`, model: pro, config: `,"imageConfig":{"imageSize":"4K"}`},
		"quality before size":         {in: `"quality":"Medium","size":"3840x2160"`, model: pro, config: `,"imageConfig":{"aspectRatio":"16:9","imageSize":"2K"}`},
		"exactly":                     {in: `"quality":"hd","imageSize":"2k"`, model: pro, config: `,"imageConfig":{"imageSize":"2K"}`},
		"no such size":                {in: `"image_size":"huge"`, param: "image_size"},
		"of one size":                 {in: `"quality":"hd"`, model: "gemini-2.5-flash-image", lost: "quality"},
		"of one size, exactly":        {in: `"image_size":"4K"`, model: "gemini-2.5-flash-image", lost: "image_size"},
		"any quality":                 {in: `"quality":"auto"`, model: "gemini-2.5-flash-image"},
		"no such quality":             {in: `"quality":"best"`, param: "quality"},
		"by name":                     {in: `"n":1`, model: pro + "-4k-16x9", config: `,"imageConfig":{"aspectRatio":"16:9","imageSize":"4K"}`},
		"by name, of one size":        {in: `"n":1`, model: "gemini-2.5-flash-image-hd", lost: "model"},
		"all before the name":         {in: `"quality":"low","size":"1:1"`, model: pro + "-4k-16x9", config: `,"imageConfig":{"aspectRatio":"1:1","imageSize":"1K"}`},
		"another form":                {in: `"output_format":"webp"`, model: "m", lost: "output_format"},
		"no such form":                {in: `"output_format":"tiff"`, param: "output_format"},
		"opaque":                      {in: `"background":"opaque"`, model: "m"},
		"transparent":                 {in: `"background":"transparent"`, model: "m", lost: "background"},
		"no such background":          {in: `"background":"blue"`, param: "background"},
		"faithful":                    {in: `"input_fidelity":"high"`, model: "m", lost: "input_fidelity"},
		"not faithful":                {in: `"input_fidelity":"low","output_compression":100,"moderation":"low","user":"u"`, model: "m"},
		"compressed":                  {in: `"output_compression":50`, model: "m", lost: "output_compression"},
		"unknown":                     {in: `"style":"vivid"`, model: "m", lost: "style"},
		"no such answer":              {in: `"response_format":"png"`, param: "response_format"},
		"no size":                     {in: `"size":"big"`, param: "size"},
		"nothing by much":             {in: `"size":"0x10"`, param: "size"},
		"too many":                    {in: `"n":11`, param: "n"},
		"none":                        {in: `"n":0`, param: "n"},
		"half a picture":              {in: `"n":1.5`, param: "n"},
		"no prompt":                   {in: `"prompt":""`, param: "prompt"},
		"drafts":                      {in: `"stream":true,"partial_images":2`, model: pro, config: `,"thinkingConfig":{"includeThoughts":true}`, lost: "partial_images"},
		"drafts of one that has none": {in: `"stream":true,"partial_images":2`, model: "gemini-2.5-flash-image", lost: "partial_images"},
		"no drafts":                   {in: `"stream":true,"partial_images":0`, model: pro},
		"too many drafts":             {in: `"stream":true,"partial_images":4`, param: "partial_images"},
		"pictures without an edit":    {in: `"image":"x"`, model: "m", lost: "image"},
	} {
		r, err := FromOpenAI(Generations, "application/json", []byte(`{"model":"x","prompt":"a \"cat\"",`+tt.in+`}`))
		if tt.param != "" {
			if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Param != tt.param || f.Class != fault.Malformed {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		first := string(r.Google(tt.model))
		if got := string(r.Google(tt.model)); got != head+tt.config+"}}" || got != first {
			t.Errorf("%s: %s", name, got)
		}
		if got := strings.Join(paths(r), " "); got != tt.lost {
			t.Errorf("%s: lost %q", name, got)
		}
	}
}

// TestBase: what clients add to a model's name, and what belongs to it.
func TestBase(t *testing.T) {
	for model, want := range map[string]string{
		"gemini-3-pro-image":            "gemini-3-pro-image",
		"gemini-3-pro-image-4k":         "gemini-3-pro-image",
		"gemini-3-pro-image-16x9":       "gemini-3-pro-image",
		"gemini-3-pro-image-16-9-HD":    "gemini-3-pro-image",
		"gemini-3-pro-image-2k-9x16":    "gemini-3-pro-image",
		"gemini-3-pro-image-medium-1x1": "gemini-3-pro-image",
		"nano-banana-pro-4-3":           "nano-banana-pro",
		"claude-4-5":                    "claude-4-5",
		"model-16x10":                   "model-16x10",
		"4k":                            "4k",
		"-4k":                           "-4k",
		"":                              "",
	} {
		if got := Base(model); got != want {
			t.Errorf("%s: %s", model, got)
		}
	}
	r := &Request{model: "gemini-3-pro-image-4k-21x9"}
	if ratio, size := r.form("gemini-3-pro-image"); ratio != "21:9" || size != "4K" {
		t.Errorf("what the client's name says is forgotten: %s, %s", ratio, size)
	}
}

// formOfFields makes a form of fields: name, file name, value.
func formOfFields(t *testing.T, fields ...[3]string) (kind string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range fields {
		h := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name=%q`, f[0])}}
		if f[1] != "" {
			h.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q; filename=%q`, f[0], f[1]))
		}
		p, err := w.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(p, f[2])
	}
	w.Close()
	return w.FormDataContentType(), b.Bytes()
}

// TestEdits: pictures go along, by a form or in JSON, and a mask with words.
func TestEdits(t *testing.T) {
	const end = `]}],"generationConfig":{"responseModalities":["TEXT","IMAGE"],"imageConfig":{"aspectRatio":"3:2"}}}`
	picture := `{"inlineData":{"mimeType":"image/png","data":"` + png6 + `"}}`
	head := `{"contents":[{"role":"user","parts":[{"text":"a \"hat\""},`
	file := [3]string{"image[]", "a.png", png}
	rest := [][3]string{{"prompt", "", `a "hat"`}, {"model", "", "m"}, {"size", "", "1536x1024"}, {"n", "", "2"}, {"user", "", ""}}
	for name, tt := range map[string]struct {
		form       [][3]string
		json       string
		want, lost string
	}{
		"a form":               {form: [][3]string{{"image", "a.png", png}}, want: picture},
		"several":              {form: [][3]string{file, {"image2", "b.jpg", png}}, want: picture + "," + picture},
		"a mask":               {form: [][3]string{{"mask", "m.png", png}, file}, want: picture + `,{"text":"` + masked + `"},` + picture, lost: "mask"},
		"another file":         {form: [][3]string{file, {"other", "b.png", png}}, want: picture, lost: "other"},
		"JSON":                 {json: `"images":[{"image_url":"data:image/png;base64,` + png6 + `"}]`, want: picture},
		"JSON, one":            {json: `"image":"data:image\/jpeg;base64,` + png6 + `"`, want: picture},
		"JSON, as in a chat":   {json: `"images":[{"image_url":{"url":"data:image/png;base64,` + png6 + `"}}],"mask":{"image_url":"data:;base64,` + png6 + `"}`, want: picture + `,{"text":"` + masked + `"},` + picture, lost: "mask"},
		"JSON, at its address": {json: `"images":[{"image_url":"https://x/a.png?b"}]`, want: `{"fileData":{"mimeType":"image/png","fileUri":"https://x/a.png?b"}}`},
	} {
		kind, body := "application/json", []byte(`{"prompt":"a \"hat\"","model":"m","size":"1536x1024","n":2,`+tt.json+`}`)
		if tt.form != nil {
			kind, body = formOfFields(t, append(slices.Clip(rest), tt.form...)...)
		}
		r, err := FromOpenAI(Edits, kind, body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := string(r.Google("m")); got != head+tt.want+end || r.N != 2 || !jsontext.Value(got).IsValid() {
			t.Errorf("%s: %d of %s", name, r.N, got)
		}
		if got := strings.Join(paths(r), " "); got != tt.lost {
			t.Errorf("%s: lost %q", name, got)
		}
	}
}

// TestEditsAtAddresses: pictures are listed once that are somewhere else, and
// stand in their place once they are given.
func TestEditsAtAddresses(t *testing.T) {
	r, err := FromOpenAI(Edits, "application/json", []byte(`{"prompt":"p","images":[{"image_url":"https://x/a"},{"image_url":"https://x/a"},{"image_url":"data:;base64,`+png6+`"}],"mask":{"image_url":"https://x/m"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(r.Addresses()); got != "[{https://x/a images[0]} {https://x/m mask}]" {
		t.Error(got)
	}
	r.Give("https://x/a", "image/webp", []byte(`"AAAA"`))
	r.Give("https://x/m", "image/png", []byte(`"BBBB"`))
	got := string(r.Google("m"))
	if len(r.Addresses()) != 0 || strings.Count(got, `{"inlineData":{"mimeType":"image/webp","data":"AAAA"}}`) != 2 || !strings.Contains(got, `"data":"BBBB"`) || strings.Contains(got, "https://") {
		t.Errorf("%v, %s", r.Addresses(), got)
	}
}

// TestEditsRefused: what cannot be edited is refused, and says where.
func TestEditsRefused(t *testing.T) {
	prompt := [3]string{"prompt", "", "p"}
	many := make([][3]string, maxGiven+1)
	for i := range many {
		many[i] = [3]string{"image[]", "a.png", png}
	}
	for name, tt := range map[string]struct {
		form  [][3]string
		json  string
		class fault.Class
		param string
	}{
		"no picture":            {[][3]string{prompt}, "", fault.Malformed, "image"},
		"no prompt":             {[][3]string{{"image", "a.png", png}}, "", fault.Malformed, "prompt"},
		"too many":              {append(many, prompt), "", fault.Malformed, "image"},
		"no picture in it":      {[][3]string{prompt, {"image", "a.png", "<svg>"}}, "", fault.Malformed, "image"},
		"no picture in a mask":  {[][3]string{prompt, {"image", "a.png", png}, {"mask", "m", ""}}, "", fault.Malformed, "mask"},
		"a text":                {[][3]string{prompt, {"image", "", "https://x"}}, "", fault.Malformed, "image"},
		"no text":               {[][3]string{{"prompt", "", "\xff"}}, "", fault.Malformed, "prompt"},
		"held by another":       {nil, `"images":[{"file_id":"file-1"}]`, fault.Unsupported, "images[0].file_id"},
		"no address":            {nil, `"images":[{}]`, fault.Malformed, "images[0]"},
		"an address of no kind": {nil, `"images":["ftp://x"]`, fault.Malformed, "images[0]"},
		"no base64":             {nil, `"images":["data:image/png;base64,!!!!"]`, fault.Malformed, "images[0]"},
		"not in base64":         {nil, `"image":"data:image/svg+xml,<svg>"`, fault.Malformed, "image"},
		"a number":              {nil, `"image":1`, fault.Malformed, "image"},
	} {
		kind, body := "application/json", []byte(`{"prompt":"p",`+tt.json+`}`)
		if tt.form != nil {
			kind, body = formOfFields(t, tt.form...)
		}
		_, err := FromOpenAI(Edits, kind, body)
		if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Class != tt.class || f.Param != tt.param {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := FromOpenAI(Edits, "multipart/form-data; boundary=b", []byte("--b\r\n")); err == nil {
		t.Error("a form that is cut is taken")
	}
	_, err := FromOpenAI(Variations, "application/json", nil)
	if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Class != fault.Unsupported || !strings.Contains(f.Msg, "/v1/images/edits") {
		t.Error(err)
	}
}

// drawn is an answer of a model's with pictures of that type.
func drawn(kind string, pictures ...string) *llm.Response {
	parts := []llm.Part{&llm.Prose{Text: llm.Plain("Here.")}}
	for _, p := range pictures {
		parts = append(parts, &llm.Blob{Type: kind, Data: llm.Plain(p)})
	}
	return &llm.Response{Usage: llm.Usage{Input: 3, Output: 5}, Answers: []llm.Answer{{Parts: parts, Stop: llm.StopEnd}}}
}

// TestAnswers: pictures are gathered, one of each leg; a model that drew none is
// quoted.
func TestAnswers(t *testing.T) {
	a := (&Request{}).NewAnswer(9)
	for _, r := range []*llm.Response{drawn("image/png", "ZHJhZnQ=", "aGk="), drawn(`image/"x`, "aG8=")} {
		a.Begin()
		r.Usage.ImageIn = 2
		if out, err := a.Add(nil, r); err != nil || len(out) > 0 {
			t.Fatal(err)
		}
	}
	const want = `{"created":9,"data":[{"b64_json":"aGk="},{"b64_json":"aG8="}],"output_format":"png","usage":{"input_tokens":6,"input_tokens_details":{"text_tokens":2,"image_tokens":4},"output_tokens":10,"total_tokens":16}}`
	if got := string(a.Body()); got != want {
		t.Errorf("got %s", got)
	}
	a = (&Request{url: true}).NewAnswer(9)
	if _, err := a.Add(nil, drawn("image/jpeg", "aGk=")); err != nil || !strings.Contains(string(a.Body()), `"data":[{"url":"data:image/jpeg;base64,aGk="}],"output_format":"jpeg"`) || !jsontext.Value(a.Body()).IsValid() {
		t.Errorf("%v, %s", err, a.Body())
	}
	for stop, class := range map[llm.Stop]fault.Class{llm.StopEnd: fault.Broken, llm.StopRefusal: fault.ContentFiltered, llm.StopFilter: fault.ContentFiltered} {
		a.Begin()
		_, err := a.Add(nil, &llm.Response{Answers: []llm.Answer{{Parts: []llm.Part{&llm.Prose{Text: llm.Plain("I cannot." + strings.Repeat("x", 1000))}}, Stop: stop}}})
		if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Class != class || !strings.Contains(f.Msg, "I cannot.") || len(f.Msg) > 500 {
			t.Errorf("%v", err)
		}
	}
}

// TestStream: drafts are shown as they come, as many as the client wants to see;
// the last picture completes. A whole answer makes the same events.
func TestStream(t *testing.T) {
	thought := &llm.Opaque{Raw: jsontext.Value(`{"thought":true,"inlineData":{"mimeType":"image/jpeg","data":"dDE="}}`)}
	event := func(kind, data, form, more string) string {
		return fmt.Sprintf("event: %s\ndata: {\"type\":%q,\"b64_json\":%q,\"created_at\":9,\"size\":\"1024x1024\",\"quality\":\"auto\",\"background\":\"opaque\",\"output_format\":%q,%s}\n\n", kind, kind, data, form, more)
	}
	const usage = `"usage":{"input_tokens":3,"input_tokens_details":{"text_tokens":3,"image_tokens":0},"output_tokens":5,"total_tokens":8}`
	for n, want := range []string{
		event("image_edit.completed", "aGk=", "png", usage),
		event("image_edit.partial_image", "dDE=", "jpeg", `"partial_image_index":0`) + event("image_edit.completed", "aGk=", "png", usage),
		event("image_edit.partial_image", "dDE=", "jpeg", `"partial_image_index":0`) + event("image_edit.partial_image", "ZHJhZnQ=", "png", `"partial_image_index":1`) + event("image_edit.completed", "aGk=", "png", usage),
	} {
		r := &Request{edit: true, Stream: true, drafts: n, shape: shape{size: "1024x1024"}}
		a := r.NewAnswer(9)
		a.Begin()
		parts := append([]llm.Part{thought}, drawn("image/png", "ZHJhZnQ=", "aGk=").Answers[0].Parts...)
		var out []byte
		for _, p := range parts {
			out = a.Event(out, &llm.Event{Kind: llm.Whole, What: p})
		}
		out = a.Event(out, &llm.Event{Kind: llm.Tally, Usage: llm.Usage{Input: 3, Output: 4, Reasoning: 1}})
		out, err := a.End(out)
		if err != nil || string(out) != want {
			t.Errorf("%d drafts: %v\n%s\nwant\n%s", n, err, out, want)
		}
		a = r.NewAnswer(9)
		a.Begin()
		whole := drawn("image/png")
		whole.Answers[0].Parts = parts
		if out, err = a.Add(nil, whole); err != nil || string(out) != want {
			t.Errorf("%d drafts of a whole answer: %v\n%s", n, err, out)
		}
	}
	// What it says is quoted, without what it thinks.
	a := (&Request{Stream: true}).NewAnswer(9)
	a.Begin()
	for _, e := range []llm.Event{{Kind: llm.Open, What: &llm.Thought{}}, {Kind: llm.Grow, Text: llm.Plain("hm")}, {Kind: llm.Open, What: &llm.Prose{}}, {Kind: llm.Grow, Text: llm.Plain("No.")}, {Kind: llm.Halt, Stop: llm.StopFilter}} {
		a.Event(nil, &e)
	}
	if _, err := a.End(nil); err == nil || err.Error() != fault.New(fault.ContentFiltered, "the model refused to draw this. No.").Error() {
		t.Error(err)
	}
}

// FuzzRequest: any request is refused or makes a sound one.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"prompt":"a","size":"1x2","quality":"hd","image_size":"2k","n":3}`), true)
	f.Add([]byte(`{"prompt":"a","images":[{"image_url":"data:image/png;base64,`+png6+`"},"https://x/a.png"],"mask":{"image_url":"http://x"}}`), true)
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=prompt\r\n\r\np\r\n--b\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\n"+png+"\r\n--b--"), false)
	f.Fuzz(func(t *testing.T, body []byte, inJSON bool) {
		kind := "multipart/form-data; boundary=b"
		if inJSON {
			if kind = "application/json"; !jsontext.Value(body).IsValid() || body[0] != '{' {
				return // the way in lets nothing else through
			}
		}
		r, err := FromOpenAI(Edits, kind, body)
		if err != nil {
			if _, ok := errors.AsType[*fault.Fault](err); !ok {
				t.Error(err)
			}
			return
		}
		if !jsontext.Value(r.Chat("m")).IsValid() || !jsontext.Value(r.Responses("m")).IsValid() {
			t.Errorf("%s\n%s", r.Chat("m"), r.Responses("m"))
		}
		if out := r.Google("m"); !jsontext.Value(out).IsValid() || r.N < 1 || r.N > MaxPictures || len(r.Losses) > maxLosses || len(r.given) == 0 || len(r.given) > maxGiven {
			t.Errorf("%d, %s", r.N, out)
		}
	})
}
