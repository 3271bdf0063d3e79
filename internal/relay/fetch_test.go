package relay

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"portico/internal/fetch"
	"portico/internal/protocol"
)

const pngFile = "\x89PNG\r\n\x1a\n"

// files serves pictures on loopback and counts how often it is asked.
func files(t *testing.T) (base string, asked *atomic.Int64) {
	asked = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/a.png":
			fmt.Fprint(w, pngFile)
		case "/b.pdf":
			fmt.Fprint(w, "%PDF-1.7")
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// fetching has the rig fetch from loopback.
func (r *rig) fetching() *fetch.Policy {
	r.relay.fetch = fetch.New("Portico/test", 1<<20)
	p := &fetch.Policy{Bytes: 1 << 10, Files: 2, Time: 10 * time.Second, Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	r.settings.Fetch = p
	return p
}

// picturing is a chat that names pictures by their addresses.
func (r *rig) picturing(model string, urls ...string) *Call {
	c := r.call(dialects["openai-chat"], false)
	var parts []string
	for _, u := range urls {
		parts = append(parts, fmt.Sprintf(`{"type":"image_url","image_url":{"url":%q}}`, u))
	}
	c.Model, c.Body = model, []byte(`{"model":"`+model+`","messages":[{"role":"user","content":[`+strings.Join(parts, ",")+`]}]}`)
	return c
}

// TestFetch: an upstream that cannot look at an address gets the file, the same
// bytes in every turn; without the setting the loss names it.
func TestFetch(t *testing.T) {
	base, asked := files(t)
	var got seen
	up := watching(&got, replyWith(200, "application/json", dialects["gemini"].whole))
	r := speaking(t, []string{"gemini"}, up)
	w := r.run(r.picturing("gemini-2.0-flash", base+"/a.png"))
	if w.status != 200 || !strings.Contains(w.sent.Get("X-Portico-Loss"), "fetch.enabled") || asked.Load() != 0 || !strings.Contains(string(got.body), base) {
		t.Errorf("off: %d %v, asked %d times\n%s", w.status, w.sent, asked.Load(), got.body)
	}

	r.fetching()
	var before string
	for range 2 {
		w = r.run(r.picturing("gemini-2.0-flash", base+"/a.png", base+"/a.png"))
		sent := string(got.body)
		if w.status != 200 || len(w.sent["X-Portico-Loss"]) != 0 || strings.Count(sent, `"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}`) != 2 || strings.Contains(sent, base) {
			t.Errorf("on: %d %v\n%s", w.status, w.sent, sent)
		}
		if before != "" && sent != before {
			t.Errorf("the next turn has other bytes\n%s\n%s", before, sent)
		}
		before = sent
		if x := r.ledger.last(); !slices.Equal(x.Edits, []string{"files=1 of 8 bytes"}) {
			t.Errorf("the ledger says %q", x.Edits)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the file was fetched %d times", n)
	}
	// A model that looks at addresses by itself is told them.
	r.run(r.picturing("gemini-2.5-flash", base+"/a.png"))
	if !strings.Contains(string(got.body), `"fileUri":"`+base) || asked.Load() != 1 {
		t.Errorf("%s, fetched %d times", got.body, asked.Load())
	}
}

// TestFetchAtHome: a client's own protocol goes on as it is, but for the files
// that its upstream takes by their bytes only.
func TestFetchAtHome(t *testing.T) {
	base, asked := files(t)
	var got seen
	up := watching(&got, replyWith(200, "application/json", dialects["openai-chat"].whole))
	r := speaking(t, []string{"openai-chat"}, up)
	r.vendor.quirks.InlineImages = true
	c := r.picturing("m", base+"/a.png")
	c.Body = []byte(strings.TrimSuffix(string(c.Body), "}") + `,"custom":{"a":1}}`)
	plain := string(c.Body)
	if r.run(c); string(got.body) != plain || asked.Load() != 0 {
		t.Errorf("off: %s", got.body)
	}
	r.fetching()
	r.run(c)
	if want := strings.Replace(plain, base+"/a.png", "data:image/png;base64,iVBORw0KGgo=", 1); string(got.body) != want || !slices.Equal(r.ledger.last().Edits, []string{"files=1 of 8 bytes"}) {
		t.Errorf("on: %s\nwant %s", got.body, want)
	}
	c.Body = []byte(`{"model":"m", "messages":[]}`)
	if r.run(c); string(got.body) != string(c.Body) {
		t.Errorf("without files: %s", got.body)
	}
}

// TestFetchFails: a file that cannot be had is the request's fault, and is told
// in the client's dialect; no upstream is asked.
func TestFetchFails(t *testing.T) {
	base, _ := files(t)
	for name, tt := range map[string]struct {
		urls   []string
		change func(*fetch.Policy)
		want   string
	}{
		"not there":        {[]string{base + "/no.png"}, nil, "answered with status 404"},
		"of another kind":  {[]string{base + "/b.pdf"}, nil, "where an image"},
		"too many":         {[]string{base + "/1", base + "/2", base + "/3"}, nil, "more than 2 files"},
		"too large":        {[]string{base + "/a.png"}, func(p *fetch.Policy) { p.Bytes = 7 }, "fetch.bytes"},
		"too large in all": {[]string{base + "/a.png", base + "/a.png?2"}, func(p *fetch.Policy) { p.Bytes = 15 }, "fetch.bytes"},
		"private":          {[]string{base + "/a.png"}, func(p *fetch.Policy) { p.Networks = nil }, "at a public address"},
		"no web":           {[]string{"ftp://example.com/a.png"}, nil, "neither http nor https"},
	} {
		r := speaking(t, []string{"gemini"}, failing(nil))
		if p := r.fetching(); tt.change != nil {
			tt.change(p)
		}
		w := r.run(r.picturing("gemini-2.0-flash", tt.urls...))
		if w.status != 400 || len(r.asked) != 0 || !strings.Contains(w.text(), tt.want) || !strings.Contains(w.text(), `"code":"file_not_fetched"`) || !strings.Contains(w.text(), `"param":"messages[0].content[`) {
			t.Errorf("%s: %d %s, asked %v", name, w.status, w.text(), r.asked)
		}
		if x := r.ledger.last(); x.Code != "file_not_fetched" || x.Op != protocol.Chat.String() {
			t.Errorf("%s: %+v", name, x)
		}
	}
}
