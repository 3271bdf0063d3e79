package ingress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"portico/internal/config"
	"portico/internal/fault"
	"portico/internal/relay"
)

// A counted body tells whether anybody read it.
type counted struct {
	io.Reader
	read int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	return n, err
}

func TestBodyLimit(t *testing.T) {
	set := settings(config.AuthOff)
	set.Body = 10_000
	object := func(n int) string { return `{"a":"` + strings.Repeat("x", n-8) + `"}` }
	for _, tt := range []struct {
		size   int
		length int64 // -1: not announced
		status int
		read   int // at most
	}{
		{10_000, 10_000, 200, 10_000},
		{10_001, 10_001, 413, 0},
		{10_000, -1, 200, 10_000},
		{10_001, -1, 413, 10_001},
		{1 << 20, -1, 413, 10_001},
		{9, 1 << 40, 413, 0},
		{9, 10, 400, 9},
	} {
		h := newHouse(set)
		body := &counted{Reader: strings.NewReader(object(tt.size))}
		r := request("POST", "/v1/messages", "x")
		r.Body, r.ContentLength = io.NopCloser(body), tt.length
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.status || body.read > tt.read {
			t.Errorf("%d bytes announced as %d: got %d %.80s after %d bytes, want %d", tt.size, tt.length, w.Code, w.Body, body.read, tt.status)
		}
		if tt.status == 200 {
			if got := string(h.last(t).Body); got != object(tt.size) {
				t.Errorf("%d bytes: the relay got %d others", tt.size, len(got))
			}
		} else if toldBy(t, w).Dialect != anth || h.relay.refused.Load() != 1 {
			t.Errorf("%d bytes: refused in %s", tt.size, w.Body)
		}
	}
}

func TestBodyIsNotReadBeforeTheGate(t *testing.T) {
	h := newHouse(settings(config.AuthStrict))
	for _, hs := range [][]string{nil, {"X-Api-Key", "no"}, {"Host", "evil.example"}, {"Origin", "null"}} {
		body := &counted{Reader: strings.NewReader(jsonBody)}
		r := request("POST", "/v1/messages", jsonBody, append(hs, "Content-Encoding", "gzip")...)
		r.Body = io.NopCloser(body)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code < 400 || body.read > 0 {
			t.Errorf("%v: got %d after %d bytes", hs, w.Code, body.read)
		}
	}
}

func TestBodyErrors(t *testing.T) {
	for _, tt := range []struct {
		target, body, code string
		header             []string
	}{
		{"/v1/messages", "", "empty_body", nil},
		{"/v1/embeddings", "", "empty_body", nil},
		{"/v1/messages", "[]", "invalid_json", nil},
		{"/v1/messages", `{"a":`, "invalid_json", nil},
		{"/v1/messages", `{"a":` + strings.Repeat("[", 100_000) + "}", "invalid_json", nil},
		{"/v1/messages", "hello", "invalid_json", []string{"Content-Type", "text/plain"}},
		{"/v1/images/generations", "hello", "invalid_json", []string{"Content-Type", "application/json"}},
		{"/v1/messages", `{"model":"` + strings.Repeat("m", 513) + `"}`, "invalid_model", nil},
		{"/v1/embeddings", `{"model":"a\u0000b"}`, "invalid_model", nil},
		{"/v1beta/models/" + strings.Repeat("m", 513) + ":generateContent", `{}`, "invalid_model", nil},
		{"/v1/audio/transcriptions", "hello", "invalid_form", []string{"Content-Type", "multipart/form-data; boundary=b"}},
		{"/v1/audio/transcriptions", "hello", "invalid_form", []string{"Content-Type", "multipart/form-data"}},
		{"/v1/messages", "hello", "invalid_encoding", []string{"Content-Encoding", "gzip"}},
		{"/v1/messages", "hello", "invalid_encoding", []string{"Content-Encoding", "deflate"}},
	} {
		h := newHouse(settings(config.AuthOff))
		w := h.ask("POST", tt.target, tt.body, tt.header...)
		if w.Code != 400 || toldBy(t, w).Code != tt.code || len(h.relay.calls) > 0 {
			t.Errorf("%s %.20q %v: got %d %s, want 400 %s", tt.target, tt.body, tt.header, w.Code, w.Body, tt.code)
		}
	}
	h := newHouse(settings(config.AuthOff))
	r := request("POST", "/v1/messages", "x")
	r.Body = io.NopCloser(iotest.ErrReader(errors.New("malformed chunked encoding")))
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 400 {
		t.Errorf("a read error: got %d, want 400", w.Code)
	}
}

func TestContentTypeOfJSON(t *testing.T) {
	h := newHouse(settings(config.AuthOff))
	for in, want := range map[string]string{
		"": "application/json", "text/plain;charset=UTF-8": "application/json", "application/x-www-form-urlencoded": "application/json",
		"application/json": "application/json", "Application/JSON; charset=utf-8": "Application/JSON; charset=utf-8",
	} {
		if w := h.ask("POST", "/v1/messages", jsonBody, "Content-Type", in); w.Code != 200 {
			t.Errorf("%q: got %d", in, w.Code)
		}
		if got := h.last(t).Header.Get("Content-Type"); got != want {
			t.Errorf("%q goes on as %q, want %q", in, got, want)
		}
	}
	// What is not JSON goes on as what it is.
	h.ask("POST", "/upload/v1beta/files", "%PDF", "Content-Type", "application/pdf")
	if c := h.last(t); string(c.Body) != "%PDF" || c.Header.Get("Content-Type") != "application/pdf" {
		t.Errorf("got %q as %q", c.Body, c.Header.Get("Content-Type"))
	}
}

func TestSessions(t *testing.T) {
	for _, tt := range []struct {
		header []string
		body   string
		want   string
	}{
		{nil, `{"model":"m"}`, ""},
		{nil, `{"session":"s"}`, "s"},
		{[]string{"X-Claude-Code-Session-Id", "c"}, `{"session":"s"}`, "c"},
		{[]string{"session-id", "c", "thread-id", "t", "x-client-request-id", "r"}, `{}`, "c"},
		{[]string{"session_id", "c"}, `{}`, "c"},
		{[]string{"x-session-affinity", "a", "x-session-id", "c"}, `{}`, "c"},
		{[]string{"x-session-affinity", "a"}, `{}`, "a"},
		{[]string{"thread-id", "t"}, `{}`, "t"},
		{[]string{"x-client-request-id", "r"}, `{}`, ""},
		{[]string{"session-id", strings.Repeat("x", maxSession+1)}, `{"session":"s"}`, "s"},
	} {
		h := newHouse(settings(config.AuthOff))
		h.ask("POST", "/v1/responses", tt.body, tt.header...)
		if got := h.last(t).Session; got != tt.want {
			t.Errorf("%v %s: session %q, want %q", tt.header, tt.body, got, tt.want)
		}
		h.ask("POST", "/v1/responses", tt.body, append(tt.header, "X-Api-Key", dataKey)...)
		want := tt.want
		if want != "" {
			want = "default/" + want
		}
		if got := h.last(t).Session; got != want {
			t.Errorf("%v %s with a key: session %q, want %q", tt.header, tt.body, got, want)
		}
	}
}

// TestBegins: a conversation that nobody names is known by how it begins.
func TestBegins(t *testing.T) {
	for _, tt := range []struct {
		header []string
		body   string
		want   uint64
	}{
		{nil, `{"begins":71}`, 71},
		{nil, `{"session":"joe","begins":71}`, 71}, // joe may hold several
		{[]string{"session-id", "c"}, `{"begins":71}`, 0},
	} {
		h := newHouse(settings(config.AuthOff))
		h.ask("POST", "/v1/responses", tt.body, tt.header...)
		if got := h.last(t).Begins; got != tt.want {
			t.Errorf("%v %s: %d, want %d", tt.header, tt.body, got, tt.want)
		}
		h.ask("POST", "/v1/embeddings", tt.body, tt.header...)
		if got := h.last(t).Begins; got != 0 {
			t.Errorf("embeddings begin with %d", got)
		}
	}
}

func TestCallTellsTheClient(t *testing.T) {
	for agent, want := range map[string]string{
		"claude-cli/2.1.330 (external, cli)": "claude-cli/2.1.330", "": "", "x": "x", " x": "", "é": "", strings.Repeat("a", 100): strings.Repeat("a", 64),
	} {
		h := newHouse(settings(config.AuthOff))
		h.ask("POST", "/v1/messages", jsonBody, "User-Agent", agent)
		c := h.last(t)
		if c.Client != want || c.Peer != "127.0.0.1" || c.ID != "req_1" || c.Start.IsZero() || c.Settings == nil {
			t.Errorf("%q: client %q, peer %q, id %q, want client %q", agent, c.Client, c.Peer, c.ID, want)
		}
	}
	for addr, want := range map[string]string{"[::1]:4": "::1", "192.0.2.1:80": "192.0.2.1", "": ""} {
		if got := peerOf(addr); got != want {
			t.Errorf("peerOf(%q) = %q, want %q", addr, got, want)
		}
	}
}

// A request keeps the settings that it began with.
func TestOneSnapshot(t *testing.T) {
	first, second := settings(config.AuthOff), settings(config.AuthStrict)
	second.Relay = &relay.Settings{Attempts: 9}
	h := newHouse(first)
	h.relay.do = func(_ context.Context, w http.ResponseWriter, c *relay.Call) {
		h.Set(second)
		if c.Settings != first.Relay {
			t.Error("the call has other settings than it began with")
		}
	}
	if w := h.ask("POST", "/v1/messages", jsonBody); w.Code != 200 {
		t.Errorf("got %d", w.Code)
	}
	if w := h.ask("POST", "/v1/messages", jsonBody); w.Code != 401 {
		t.Errorf("after Set: got %d, want 401", w.Code)
	}
}

func TestInFlight(t *testing.T) {
	set := settings(config.AuthOff)
	set.InFlight = 2
	h := newHouse(set)
	depth := 0
	var inner *httptest.ResponseRecorder
	h.relay.do = func(context.Context, http.ResponseWriter, *relay.Call) {
		if depth++; depth <= set.InFlight {
			if w := h.ask("POST", "/v1/responses", jsonBody); inner == nil {
				inner = w // of the innermost
			}
		}
	}
	h.ask("POST", "/v1/responses", jsonBody)
	if inner == nil || inner.Code != 503 || inner.Header().Get("Retry-After") != "1" || toldBy(t, inner).Dialect != oResp || depth != 2 {
		t.Errorf("the third at one time: got %v at depth %d, want 503", inner, depth)
	}
	h.relay.do = nil
	if w := h.ask("POST", "/v1/responses", jsonBody); w.Code != 200 || h.inFlight.Load() != 0 {
		t.Errorf("afterwards: got %d, %d in flight", w.Code, h.inFlight.Load())
	}
	h.relay.do = func(context.Context, http.ResponseWriter, *relay.Call) { panic(http.ErrAbortHandler) }
	func() {
		defer func() { _ = recover() }()
		h.ask("POST", "/v1/responses", jsonBody)
	}()
	if h.inFlight.Load() != 0 {
		t.Error("an aborted request is in flight for ever")
	}
}

func TestBuffersHaveClasses(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 0, 4096: 0, 4097: 1, 16384: 1, 16385: 2, 65537: 3, 1 << 20: 4, 1<<20 + 1: 5, 4 << 20: 5, 4<<20 + 1: classes, 1 << 40: classes} {
		if got := class(n); got != want {
			t.Errorf("class(%d) = %d, want %d", n, got, want)
		}
		if n <= 8<<20 {
			b := newBuffer(n)
			if cap(*b) < n || len(*b) != 0 || want < classes && cap(*b) != smallest<<(2*want) {
				t.Errorf("newBuffer(%d) has len %d, cap %d", n, len(*b), cap(*b))
			}
			*b = append(*b, 'x')
			putBuffer(b)
		}
	}
}

// Memory is taken in the measure in which bytes come.
func TestMemoryFollowsTheBody(t *testing.T) {
	for _, size := range []int64{100 << 20, -1} {
		for _, comes := range []int{0, 1, 4096, 4097, 70_000, 1 << 20, 5 << 20} {
			src := io.MultiReader(bytes.NewReader(make([]byte, comes)), iotest.ErrReader(io.ErrUnexpectedEOF))
			buf, err := readBody(src, size, 100<<20, nil)
			if err == nil || len(*buf) != comes || cap(*buf) > max(smallest, 17*comes) {
				t.Errorf("size %d, %d bytes came: %v, len %d, cap %d", size, comes, err, len(*buf), cap(*buf))
			}
			putBuffer(buf)
		}
	}
}

func TestReadBody(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		want := make([]byte, random.IntN(200_000))
		for i := range want {
			want[i] = byte(random.Uint32())
		}
		var src io.Reader = bytes.NewReader(want)
		switch random.IntN(4) {
		case 0:
			src = iotest.DataErrReader(src)
		case 1:
			src = iotest.HalfReader(src)
		case 2:
			src = iotest.DataErrReader(iotest.HalfReader(src))
		}
		size := int64(len(want))
		if random.IntN(2) == 0 {
			size = -1
		}
		buf, err := readBody(src, size, 200_000, nil)
		if err != nil || !bytes.Equal(*buf, want) {
			t.Fatalf("%d bytes announced as %d: %v, %d bytes", len(want), size, err, len(*buf))
		}
		putBuffer(buf)
	}
}

// form writes fields and files of a form, name and value in turn; a name with
// a colon is a file.
func form(pairs ...string) (contentType string, body []byte) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		name, file, isFile := strings.Cut(pairs[i], ":")
		if isFile {
			p, _ := w.CreateFormFile(name, file)
			_, _ = io.WriteString(p, pairs[i+1])
		} else {
			_ = w.WriteField(name, pairs[i+1])
		}
	}
	_ = w.Close()
	return w.FormDataContentType(), b.Bytes()
}

func TestForms(t *testing.T) {
	many := []string{}
	for i := range maxParts + 1 {
		many = append(many, fmt.Sprint("f", i), "v")
	}
	for _, tt := range []struct {
		pairs []string
		model string
		strm  bool
		err   error
	}{
		{[]string{"model", "whisper-1", "file:a.mp3", "\x00\xff--\r\n"}, "whisper-1", false, nil},
		{[]string{"file:a.mp3", strings.Repeat("x\r\n--", 100_000), "model", "whisper-1", "stream", "true"}, "whisper-1", true, nil},
		{[]string{"model", "a", "model", "b"}, "b", false, nil},
		{[]string{"model:../../etc/passwd", "a"}, "", false, nil},
		{[]string{"prompt", "model"}, "", false, nil},
		{nil, "", false, nil},
		{[]string{"model", strings.Repeat("m", maxField)}, strings.Repeat("m", maxField), false, nil},
		{[]string{"model", strings.Repeat("m", maxField+1)}, "", false, errField},
		{many[:2*maxParts], "", false, nil},
		{many, "", false, errParts},
	} {
		ct, body := form(tt.pairs...)
		p, err := peekForm(ct, body)
		if p.Model != tt.model || p.Stream != tt.strm || !errors.Is(err, tt.err) {
			t.Errorf("%.60q: got %+v %v, want %.20q %t %v", tt.pairs, p, err, tt.model, tt.strm, tt.err)
		}
	}
	ct, body := form("model", "m", "file:f", "content")
	for n := range body[:len(body)-4] { // the end "--\r\n" may lack its newline
		if _, err := peekForm(ct, body[:n]); err == nil {
			t.Errorf("a form cut at %d of %d was taken", n, len(body))
		}
	}
	if _, err := peekForm("multipart/form-data; boundary="+strings.Repeat("b", maxBoundary+1), body); !errors.Is(err, errBoundary) {
		t.Errorf("a long boundary: %v", err)
	}
	h := newHouse(settings(config.AuthOff))
	if h.ask("POST", "/v1/audio/transcriptions", string(body), "Content-Type", ct); h.last(t).Model != "m" || string(h.last(t).Body) != string(body) {
		t.Errorf("the relay got the model %q", h.last(t).Model)
	}
}

func TestBodyFaultsKeepTheirClass(t *testing.T) {
	for err, want := range map[error]fault.Class{errOverLimit: fault.TooLarge, errShort: fault.Malformed, io.ErrUnexpectedEOF: fault.Malformed, unreadable(io.ErrUnexpectedEOF): fault.Malformed} {
		if f := bodyFault(err, 1); f.Class != want || f.Msg == "" {
			t.Errorf("%v: got %v", err, f)
		}
	}
}

// TestLasting: what is said to last is not used for another request's body,
// and only small bodies have memory of their own.
func TestLasting(t *testing.T) {
	h := newHouse(settings(config.AuthOff))
	var kept [][]byte
	var want []string
	h.relay.do = func(_ context.Context, _ http.ResponseWriter, c *relay.Call) {
		if small := len(c.Body) < smallest; c.Lasting && !small {
			t.Errorf("a body of %d bytes lasts", len(c.Body))
		}
		if c.Lasting {
			kept, want = append(kept, c.Body), append(want, string(c.Body))
		}
	}
	for i := range 30 {
		for _, size := range []int{0, 1000, smallest - 20, smallest, 20_000} {
			body := `{"model":"m","x":"` + strings.Repeat(string(rune('a'+i%26)), size) + `"}`
			h.ServeHTTP(httptest.NewRecorder(), request("POST", "/v1/chat/completions", body))
			chunked := request("POST", "/v1/chat/completions", body)
			chunked.ContentLength = -1
			h.ServeHTTP(httptest.NewRecorder(), chunked)
		}
	}
	if len(kept) != 60 {
		t.Errorf("%d bodies last, want 60", len(kept))
	}
	for i := range kept {
		if string(kept[i]) != want[i] {
			t.Fatalf("body %d became %.40s", i, kept[i])
		}
	}
}
