package relay

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/route"
)

func (r *rig) drawingCall(body string) *Call {
	c := r.call(dialects["openai-chat"], false)
	c.Op, c.Path, c.Body, c.Start = protocol.Other, "/images/generations", []byte(body), time.Unix(9, 0)
	return c
}

// TestDrawings: pictures that OpenAI's API is asked for are drawn by a model of
// Google's, one request for each.
func TestDrawings(t *testing.T) {
	const answer = `{"candidates":[{"content":{"role":"model","parts":[{"text":"Here."},{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5,"totalTokenCount":8}}`
	var got seen
	r := speaking(t, []string{"gemini"}, watching(&got, replyWith(200, "application/json", answer)))
	w := r.run(r.drawingCall(`{"model":"m","prompt":"a cat","n":2,"size":"1536x1024","background":"transparent"}`))
	const want = `{"created":9,"data":[{"b64_json":"aGk="},{"b64_json":"aGk="}],"output_format":"png","usage":{"input_tokens":6,"input_tokens_details":{"text_tokens":6,"image_tokens":0},"output_tokens":10,"total_tokens":16}}`
	if w.status != 200 || w.text() != want || w.sent.Get("X-Portico-Loss") != "background=dropped: the model draws no transparent background" {
		t.Errorf("%d %v\n%s", w.status, w.sent, w.text())
	}
	if got.path != "/models/m:generateContent" || !strings.Contains(string(got.body), `"imageConfig":{"aspectRatio":"3:2"}`) || len(r.asked) != 2 {
		t.Errorf("asked %d times, %s\n%s", len(r.asked), got.path, got.body)
	}
	if x := r.ledger.last(); x.Outbound != protocol.Gemini || x.Usage != (llm.Usage{Input: 6, Output: 10}) || len(x.Losses) != 1 {
		t.Errorf("%+v", x)
	}

	// An account that has the API itself is asked in it.
	r = speaking(t, []string{"gemini openai-chat"}, watching(&got, replyWith(200, "application/json", `{"data":[]}`)))
	if w = r.run(r.drawingCall(`{"model":"m","prompt":"a cat"}`)); got.path != "/images/generations" || w.text() != `{"data":[]}` {
		t.Errorf("asked %s: %s", got.path, w.text())
	}
}

// TestDrawingsFail: a model that will not draw is quoted, in the client's
// dialect, and nobody else is asked.
func TestDrawingsFail(t *testing.T) {
	const refused = `{"candidates":[{"finishReason":"IMAGE_SAFETY"}]}`
	r := speaking(t, []string{"gemini", "gemini"}, replyWith(200, "application/json", refused), replyWith(200, "application/json", refused))
	if w := r.run(r.drawingCall(`{"model":"m","prompt":"a cat"}`)); w.status != 400 || len(r.asked) != 1 || !strings.Contains(w.text(), "refused to draw") {
		t.Errorf("%d %s, asked %v", w.status, w.text(), r.asked)
	}
	r = speaking(t, []string{"gemini"}, replyWith(200, "application/json", dialects["gemini"].whole))
	if w := r.run(r.drawingCall(`{"model":"m","prompt":"a cat"}`)); w.status != http.StatusServiceUnavailable || !strings.Contains(w.text(), "no picture") {
		t.Errorf("%d %s", w.status, w.text())
	}
	r = speaking(t, []string{"gemini"}, failing(nil))
	if w := r.run(r.drawingCall(`{"model":"m","n":2}`)); w.status != 400 || len(r.asked) != 0 || !strings.Contains(w.text(), "no prompt") {
		t.Errorf("%d %s", w.status, w.text())
	}
}

// TestEdits: a form with pictures goes to a model that draws, and what it
// cannot be told is a loss, or a refusal of who wants none.
func TestEdits(t *testing.T) {
	const answer = `{"candidates":[{"content":{"role":"model","parts":[{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":263,"candidatesTokenCount":5,"totalTokenCount":268,"promptTokensDetails":[{"modality":"TEXT","tokenCount":5},{"modality":"IMAGE","tokenCount":258}]}}`
	var got seen
	r := speaking(t, []string{"gemini"}, watching(&got, replyWith(200, "application/json", answer)))
	edit := func() *Call {
		c := r.drawingCall("--b\r\nContent-Disposition: form-data; name=prompt\r\n\r\na hat\r\n" +
			"--b\r\nContent-Disposition: form-data; name=image; filename=a.png\r\n\r\n" + pngFile + "\r\n" +
			"--b\r\nContent-Disposition: form-data; name=mask; filename=m.png\r\n\r\n" + pngFile + "\r\n--b--")
		c.Path, c.Model = "/images/edits", "gemini-3-pro-image-4k-16x9"
		c.Header = http.Header{"Content-Type": {"multipart/form-data; boundary=b"}}
		return c
	}
	w := r.run(edit())
	const want = `{"created":9,"data":[{"b64_json":"aGk="}],"output_format":"png","usage":{"input_tokens":263,"input_tokens_details":{"text_tokens":5,"image_tokens":258},"output_tokens":5,"total_tokens":268}}`
	if w.status != 200 || w.text() != want || !strings.HasPrefix(w.sent.Get("X-Portico-Loss"), "mask=emulated") {
		t.Errorf("%d %v\n%s", w.status, w.sent, w.text())
	}
	if got.path != "/models/gemini-3-pro-image:generateContent" || strings.Count(string(got.body), `"data":"iVBORw0KGgo="`) != 2 || !strings.Contains(string(got.body), `"imageConfig":{"aspectRatio":"16:9","imageSize":"4K"}`) || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("asked %s\n%s", got.path, got.body)
	}
	c := edit()
	c.Header.Set("X-Portico-Strict", "1")
	if w := r.run(c); w.status != 400 || !strings.Contains(w.text(), `"code":"lossy"`) || len(r.asked) != 1 {
		t.Errorf("strict: %d %s", w.status, w.text())
	}
	c = edit()
	c.Path = "/images/variations"
	if w := r.run(c); w.status != 400 || !strings.Contains(w.text(), "/v1/images/edits") || len(r.asked) != 1 {
		t.Errorf("variations: %d %s", w.status, w.text())
	}
}

// TestDrawingsByName: a model is asked for under the name without its suffixes
// where nobody has the one with them, and routes know it by both.
func TestDrawingsByName(t *testing.T) {
	const answer = `{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}],"usageMetadata":{"candidatesTokenCount":5}}`
	var got seen
	r := speaking(t, []string{"gemini"}, watching(&got, replyWith(200, "application/json", answer)))
	all := r.accounts()
	all[0] = only(all[0], "gemini-3-pro-image")
	r.pool.Set(all)
	ask := func(model string) *client {
		c := r.drawingCall(`{"model":"` + model + `","prompt":"a cat"}`)
		c.Model = model
		return r.run(c)
	}
	for _, model := range []string{"gemini-3-pro-image", "gemini-3-pro-image-hd"} {
		if w := ask(model); w.status != 200 || got.path != "/models/gemini-3-pro-image:generateContent" || strings.Contains(string(got.body), `"imageSize":"4K"`) != (model != "gemini-3-pro-image") {
			t.Errorf("%s: %d %s, asked %s %s", model, w.status, w.text(), got.path, got.body)
		}
	}
	r.routes(route.Rule{Match: "draw", To: []string{"gemini-3-pro-image"}})
	if w := ask("draw-2k"); w.status != 200 || !strings.Contains(string(got.body), `"imageSize":"2K"`) || r.ledger.last().Rule == "" {
		t.Errorf("by a route: %d %s, asked %s", w.status, w.text(), got.body)
	}
	if w := ask("other-2k"); w.status != 404 {
		t.Errorf("nobody's: %d %s", w.status, w.text())
	}
}

// TestDrawingsStream: pictures are told as they are finished, in OpenAI's
// events, whether the upstream streams or not.
func TestDrawingsStream(t *testing.T) {
	piece := func(parts, more string) string {
		return `data: {"candidates":[{"content":{"role":"model","parts":[` + parts + `]}` + more + "\n\n"
	}
	draft := piece(`{"thought":true,"inlineData":{"mimeType":"image/png","data":"ZHI="}}`, "}]}")
	picture := piece(`{"inlineData":{"mimeType":"image/png","data":"aGk="}}`, "}]}")
	end := piece(`{"text":"Here."}`, `,"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5}}`)
	const completed = "event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"aGk=\",\"created_at\":9,\"size\":\"auto\",\"quality\":\"auto\",\"background\":\"opaque\",\"output_format\":\"png\",\"usage\":{\"input_tokens\":3,\"input_tokens_details\":{\"text_tokens\":3,\"image_tokens\":0},\"output_tokens\":5,\"total_tokens\":8}}\n\n"
	const shown = "event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\",\"b64_json\":\"ZHI=\",\"created_at\":9,\"size\":\"auto\",\"quality\":\"auto\",\"background\":\"opaque\",\"output_format\":\"png\",\"partial_image_index\":0}\n\n"
	var got seen
	for name, up := range map[string]upstream{
		"a stream": streaming(draft+picture, end),
		"in bytes": streaming(strings.Split(draft+picture+end, "")...),
		"whole":    replyWith(200, "application/json", `{"candidates":[{"content":{"parts":[{"thought":true,"inlineData":{"mimeType":"image/png","data":"ZHI="}},{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5}}`),
	} {
		r := speaking(t, []string{"gemini"}, watching(&got, up))
		c := r.drawingCall(`{"model":"m","prompt":"a cat","stream":true,"partial_images":1,"n":2}`)
		c.Stream = true
		w := r.run(c)
		if w.status != 200 || w.text() != shown+completed+shown+completed || !strings.HasPrefix(w.sent.Get("Content-Type"), "text/event-stream") {
			t.Errorf("%s: %d %v\n%s", name, w.status, w.sent, w.text())
		}
		if got.path != "/models/m:streamGenerateContent" || got.query != "alt=sse" || len(r.asked) != 2 {
			t.Errorf("%s: asked %s?%s %d times", name, got.path, got.query, len(r.asked))
		}
		if x := r.ledger.last(); x.Usage != (llm.Usage{Input: 6, Output: 10}) || x.Fault != "" || x.Open {
			t.Errorf("%s: %+v", name, x)
		}
	}

	// Pictures are drawn at the same time, and one that breaks off costs none
	// of the others.
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		r := speaking(t, []string{"gemini"}, func(*http.Request, []byte) (*http.Response, error) {
			if i := n.Add(1); i == 2 || i > 3 { // and when it is tried again
				a := answerOf(200, eventStream, picture)
				a.Body.(*scripted).after = time.Second
				return a, nil
			}
			a := answerOf(200, eventStream, draft, picture, end)
			a.Body.(*scripted).pause = time.Second / 2
			return a, nil
		})
		c := r.drawingCall(`{"model":"m","prompt":"a cat","stream":true,"n":3,"partial_images":1}`)
		c.Stream = true
		w := r.run(c)
		whole, broken, ok := strings.Cut(w.text(), "data: {\"error\":")
		if !ok || whole != shown+completed+shown+completed || !strings.Contains(broken, "the picture with the index") {
			t.Errorf("%s", w.text())
		}
		if x := r.ledger.last(); !x.Partial || x.Usage.Output < 10 || x.Fault == "" {
			t.Errorf("%+v", x)
		}
	})

	// What is no picture is told as an error: as JSON while nothing is out.
	for name, tt := range map[string]struct {
		up     upstream
		n      string
		status int
		want   string
	}{
		"refused":    {streaming(piece(`{"text":"No."}`, `,"finishReason":"IMAGE_SAFETY"}],"usageMetadata":{"candidatesTokenCount":1}}`)), "1", 400, "refused to draw this. No."},
		"only words": {streaming(end), "1", 503, "It says: Here."},
	} {
		r := speaking(t, []string{"gemini"}, tt.up)
		c := r.drawingCall(`{"model":"m","prompt":"a cat","stream":true,"n":` + tt.n + `}`)
		c.Stream = true
		w := r.run(c)
		if w.status != tt.status || !strings.Contains(w.text(), tt.want) || r.ledger.last().Fault == "" {
			t.Errorf("%s: %d %s\n%+v", name, w.status, w.text(), r.ledger.last())
		}
	}
}

// TestDrawingsFetch: pictures that are named by address go along with the bytes
// to models that look at none.
func TestDrawingsFetch(t *testing.T) {
	base, _ := files(t)
	const answer = `{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}],"usageMetadata":{"candidatesTokenCount":5}}`
	var got seen
	r := speaking(t, []string{"gemini"}, watching(&got, replyWith(200, "application/json", answer)))
	ask := func(model string) *client {
		c := r.drawingCall(`{"prompt":"a hat","images":[{"image_url":"` + base + `/a.png"}]}`)
		c.Path, c.Model = "/images/edits", model
		return r.run(c)
	}
	if w := ask("gemini-2.0-flash-image"); w.status != 400 || !strings.Contains(w.text(), "fetch.enabled") || len(r.asked) != 0 {
		t.Errorf("off: %d %s", w.status, w.text())
	}
	if w := ask("gemini-3-pro-image"); w.status != 200 || !strings.Contains(string(got.body), `"fileUri":"`+base) {
		t.Errorf("a model that looks: %d %s", w.status, got.body)
	}
	r.fetching()
	if w := ask("gemini-2.0-flash-image"); w.status != 200 || !strings.Contains(string(got.body), `"data":"iVBORw0KGgo="`) || r.ledger.last().Edits[0] != "files=1 of 8 bytes" {
		t.Errorf("on: %d %s %s", w.status, w.text(), got.body)
	}
}

// TestDrawingsElsewhere: models of OpenAI's draw with a tool, and other vendors'
// as a part of a chat's answer.
func TestDrawingsElsewhere(t *testing.T) {
	const picture = `"result":"aGk=","output_format":"webp","status":"completed"}`
	for _, tt := range []struct {
		name, upstream, path, asked string
		whole, stream               string
	}{
		{
			"with a tool", protocol.OpenAIResponses, "/responses", `"tools":[{"type":"image_generation","size":"1536x1024","background":"transparent"`,
			`{"id":"r1","object":"response","status":"completed","model":"m","output":[{"type":"image_generation_call","id":"ig_1",` + picture + `],"usage":{"input_tokens":3,"output_tokens":5,"total_tokens":8}}`,
			"event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"r1\",\"model\":\"m\",\"status\":\"in_progress\"}}\n\n" +
				`data: {"type":"response.image_generation_call.partial_image","output_index":0,"partial_image_index":0,"partial_image_b64":"ZHI="}` + "\n\n" +
				`data: {"type":"response.output_item.done","output_index":0,"item":{"type":"image_generation_call","id":"ig_1",` + picture + "}\n\n" +
				`data: {"type":"response.completed","response":{"id":"r1","status":"completed","output":[{"type":"image_generation_call","id":"ig_1",` + picture + `],"usage":{"input_tokens":3,"output_tokens":5,"total_tokens":8}}}` + "\n\n",
		},
		{
			"in a chat", protocol.OpenAIChat, "/chat/completions", `"modalities":["image","text"],"image_config":{"aspect_ratio":"3:2"}`,
			`{"id":"c1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Here.","images":[{"type":"image_url","image_url":{"url":"data:image/webp;base64,aGk="}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":5}}`,
			`data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}` + "\n\n" +
				`data: {"id":"c1","choices":[{"index":0,"delta":{"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,ZHI="}}]}}]}` + "\n\n" +
				`data: {"id":"c1","choices":[{"index":0,"delta":{"images":[{"type":"image_url","image_url":{"url":"data:image/webp;base64,aGk="}}]}}]}` + "\n\n" +
				`data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" +
				`data: {"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}` + "\n\ndata: [DONE]\n\n",
		},
	} {
		for _, stream := range []bool{false, true} {
			up := replyWith(200, "application/json", tt.whole)
			if stream {
				up = streaming(tt.stream)
			}
			var got seen
			r := speaking(t, []string{tt.upstream}, watching(&got, up))
			r.vendor.takes = []protocol.Op{protocol.Draw}
			c := r.drawingCall(`{"model":"m","prompt":"a cat","size":"1536x1024","background":"transparent","n":2,"partial_images":1,"stream":` + strconv.FormatBool(stream) + `}`)
			c.Stream = stream
			w := r.run(c)
			if w.status != 200 || strings.Count(w.text(), `"b64_json":"aGk="`) != 2 || strings.Count(w.text(), `"b64_json":"ZHI="`) != map[bool]int{true: 2}[stream] || !strings.Contains(w.text(), `"output_format":"webp"`) {
				t.Errorf("%s, %t: %d %s", tt.name, stream, w.status, w.text())
			}
			if got.path != tt.path || !strings.Contains(string(got.body), tt.asked) || strings.Contains(string(got.body), `"stream":true`) != stream {
				t.Errorf("%s, %t: asked %s %s", tt.name, stream, got.path, got.body)
			}
			if x := r.ledger.last(); x.Usage != (llm.Usage{Input: 6, Output: 10}) || x.Outbound != tt.upstream || x.Op != "other" {
				t.Errorf("%s, %t: %+v", tt.name, stream, x)
			}
		}
	}
}

// TestAlbumBound: what is kept of pictures that are drawn at the same time is
// bounded.
func TestAlbumBound(t *testing.T) {
	r := speaking(t, []string{"gemini"}, failing(nil))
	c := r.drawingCall(`{"model":"m","prompt":"a cat","n":2}`)
	a := r.relay.begin(t.Context(), newClient(), c)
	defer a.end()
	a.fan = 2
	x, f := a.newFan()
	if f != nil || x.most != maxAlbum || len(x.legs) != 2 || !x.legs[1].c.alone {
		t.Fatalf("%v, %+v", f, x)
	}
	x.most = 10
	l := x.legs[1]
	l.WriteHeader(200)
	if _, err := l.Write(make([]byte, 10)); err != nil {
		t.Error(err)
	}
	if _, err := l.Write([]byte{0}); err == nil || l.bad == nil {
		t.Error("more is kept than may be")
	}
}

// TestOnePicture: the call for one of several pictures asks an account that has
// the API for one, whatever the client's request looks like.
func TestOnePicture(t *testing.T) {
	var got seen
	r := speaking(t, []string{"openai-chat"}, watching(&got, replyWith(200, "application/json", `{"data":[]}`)))
	r.routes(route.Rule{Match: "draw", To: []string{"served"}})
	const form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nMODEL\r\n--b\r\nContent-Disposition: form-data; name=n\r\n\r\nMANY\r\n--b--\r\n"
	for _, tt := range []struct{ kind, body, model, want string }{
		{"application/json", `{"model":"m","n":3,"prompt":"a"}`, "m", `{"model":"m","n":1,"prompt":"a"}`},
		{"application/json", `{"model":"draw","n":3,"prompt":"a"}`, "draw", `{"model":"served","n":1,"prompt":"a"}`},
		{"multipart/form-data; boundary=b", strings.NewReplacer("MODEL", "m", "MANY", "3").Replace(form), "m", strings.NewReplacer("MODEL", "m", "MANY", "1").Replace(form)},
		{"multipart/form-data; boundary=b", strings.NewReplacer("MODEL", "draw", "MANY", "3").Replace(form), "draw", strings.NewReplacer("MODEL", "served", "MANY", "1").Replace(form)},
	} {
		c := r.drawingCall(tt.body)
		c.Header, c.Model, c.alone = http.Header{"Content-Type": {tt.kind}}, tt.model, true
		if w := r.run(c); w.status != 200 || string(got.body) != tt.want || string(c.Body) != tt.body {
			t.Errorf("%d, asked\n%s\nwant\n%s", w.status, got.body, tt.want)
		}
	}
}
