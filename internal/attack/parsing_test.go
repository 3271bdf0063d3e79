package attack

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/internal/rig"
)

// SEC-40: whatever is ambiguous about where a request ends is refused, or
// becomes exactly one request to the upstream and one answer.
func TestSEC40Smuggling(t *testing.T) {
	t.Parallel()
	x := begin(t, "off", "")
	const smuggled = "GET /v1/files/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	line := "POST /v1/chat/completions HTTP/1.1\r\nHost: " + x.host + "\r\nContent-Type: application/json\r\n"
	body := strconv.Itoa(len(chatBody))
	chunk := fmt.Sprintf("%x\r\n%s\r\n", len(chatBody), chatBody)
	const end = "0\r\n\r\n"
	for name, tt := range map[string]struct {
		text string
		ok   bool // one sound request comes through
	}{
		"CL.TE":                         {line + "Content-Length: " + body + "\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + end + smuggled, true},
		"TE.CL":                         {line + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + chunk + end + smuggled, true},
		"CL.0":                          {line + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + end + smuggled, true},
		"chunked alone":                 {line + "Transfer-Encoding: chunked\r\n\r\n" + chunk + end + smuggled, true},
		"TE twice":                      {line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + end + smuggled, false},
		"TE.TE identity":                {line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunk + end + smuggled, false},
		"TE list":                       {line + "Transfer-Encoding: identity, chunked\r\n\r\n" + chunk + end + smuggled, false},
		"TE misspelt":                   {line + "Transfer-Encoding: xchunked\r\n\r\n" + chunk + end + smuggled, false},
		"TE with a tab":                 {line + "Transfer-Encoding:\tchunked\r\n\r\n" + chunk + end + smuggled, true},
		"TE with a VT":                  {line + "Transfer-Encoding: \x0bchunked\r\n\r\n" + chunk + end + smuggled, false},
		"TE with a space before":        {line + "Transfer-Encoding : chunked\r\nContent-Length: " + body + "\r\n\r\n" + chatBody + smuggled, false},
		"TE on a folded line":           {line + "X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: " + body + "\r\n\r\n" + chatBody, true},
		"two lengths":                   {line + "Content-Length: " + body + "\r\nContent-Length: 5\r\n\r\n" + chatBody + smuggled, false},
		"two lengths in one":            {line + "Content-Length: " + body + ", 5\r\n\r\n" + chatBody + smuggled, false},
		"a length with a sign":          {line + "Content-Length: +" + body + "\r\n\r\n" + chatBody + smuggled, false},
		"a negative length":             {line + "Content-Length: -1\r\n\r\n" + chatBody + smuggled, false},
		"a length in hex":               {line + "Content-Length: 0x39\r\n\r\n" + chatBody + smuggled, false},
		"a huge length":                 {line + "Content-Length: 99999999999999999999\r\n\r\n" + chatBody + smuggled, false},
		"a bare LF ends a line":         {line + "X: y\nContent-Length: " + body + "\r\n\r\n" + chatBody, true},
		"a bare CR in a line":           {line + "X: y\rContent-Length: 0\r\nContent-Length: " + body + "\r\n\r\n" + chatBody, false},
		"a chunk of a huge size":        {line + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n" + chatBody + "\r\n" + end + smuggled, false},
		"a chunk of a negative size":    {line + "Transfer-Encoding: chunked\r\n\r\n-5\r\n" + chatBody + "\r\n" + end + smuggled, false},
		"a chunk that lies":             {line + "Transfer-Encoding: chunked\r\n\r\n5\r\n" + chatBody + "\r\n" + end + smuggled, false},
		"a chunk extension":             {line + "Transfer-Encoding: chunked\r\n\r\n" + strings.Replace(chunk, "\r\n", ";a=b\r\n", 1) + end + smuggled, true},
		"a chunk extension with an LF":  {line + "Transfer-Encoding: chunked\r\n\r\n" + strings.Replace(chunk, "\r\n", ";a\nb\r\n", 1) + end + smuggled, false},
		"a long chunk extension":        {line + "Transfer-Encoding: chunked\r\n\r\n" + strings.Replace(chunk, "\r\n", ";a="+strings.Repeat("b", 100_000)+"\r\n", 1) + end + smuggled, false},
		"chunks ended by an LF":         {line + "Transfer-Encoding: chunked\r\n\r\n" + strings.ReplaceAll(chunk, "\r\n", "\n") + "0\n\n" + smuggled, false},
		"trailers":                      {line + "Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n" + chunk + "0\r\nAuthorization: Bearer x\r\nContent-Length: 5\r\n\r\n" + smuggled, true},
		"a space before the first name": {"POST /v1/chat/completions HTTP/1.1\r\n Host: evil.example\r\nHost: " + x.host + "\r\nContent-Length: " + body + "\r\n\r\n" + chatBody, false},
		"a name with a NUL":             {line + "X\x00: y\r\nContent-Length: " + body + "\r\n\r\n" + chatBody, false},
		"a value with a NUL":            {line + "X: y\x00\r\nContent-Length: " + body + "\r\n\r\n" + chatBody, false},
		"HTTP/0.9":                      {"GET /v1/models\r\n", false},
		"HTTP/1.0 chunked":              {strings.Replace(line, "1.1", "1.0", 1) + "Transfer-Encoding: chunked\r\n\r\n" + chunk + end + smuggled, false},
		"HTTP/3.0":                      {strings.Replace(line, "1.1", "3.0", 1) + "Content-Length: " + body + "\r\n\r\n" + chatBody, false},
		"HTTP/2 preface":                {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", false},
		"h2c upgrade":                   {line + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: " + body + "\r\n\r\n" + chatBody, true},
		"a request line of a megabyte":  {"GET /" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\nHost: " + x.host + "\r\n\r\n", false},
		"a header of 80 KB":             {line + "X: " + strings.Repeat("a", 80_000) + "\r\nContent-Length: " + body + "\r\n\r\n" + chatBody, false},
	} {
		x.upstream.Reset()
		got := x.raw(tt.text)
		var calls []rig.Call
		for _, c := range x.upstream.All() {
			if c.Method == http.MethodPost || strings.Contains(c.Path, "smuggled") {
				calls = append(calls, c)
			}
		}
		answers := bytes.Count(got.all, []byte("HTTP/1."))
		switch {
		case answers > 1:
			t.Errorf("%s: %d answers: %s", name, answers, got.all)
		case len(calls) > 1:
			t.Errorf("%s: %d requests reached the upstream", name, len(calls))
		case len(calls) == 1 && (calls[0].Path != "/v1/chat/completions" || string(calls[0].Body) != chatBody || calls[0].Header.Get("Transfer-Encoding") != "" || calls[0].Header.Get("Authorization") != "Bearer "+openaiKey):
			t.Errorf("%s: the upstream got %s %s %v %q", name, calls[0].Method, calls[0].Path, calls[0].Header, calls[0].Body)
		case tt.ok != (got.status == http.StatusOK) || tt.ok != (len(calls) == 1):
			t.Errorf("%s: %d, %d requests reached the upstream", name, got.status, len(calls))
		case !tt.ok && got.status != 0 && (got.status < 400 || got.status >= 500) && got.status != http.StatusNotImplemented && got.status != http.StatusHTTPVersionNotSupported:
			t.Errorf("%s: %d", name, got.status)
		}
	}
	x.serves()
}

// pack compresses n zeros, a multiple of a mebibyte. It makes one mebibyte and
// repeats it, since what stands before a block of zeros is zeros too.
func pack(t *testing.T, coding string, n int) string {
	t.Helper()
	zeros := make([]byte, 1<<20)
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err == nil {
		_, err = w.Write(zeros)
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	block := b.String()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	times := n / len(zeros)
	raw := strings.Repeat(block, times) + b.String()[len(block):]
	sum, adler := crc32.NewIEEE(), adler32.New()
	for range times {
		_, _ = sum.Write(zeros)
		_, _ = adler.Write(zeros)
	}
	switch coding {
	case "gzip": // RFC 1952
		tail := binary.LittleEndian.AppendUint32(nil, sum.Sum32())
		return "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + raw + string(binary.LittleEndian.AppendUint32(tail, uint32(n)))
	case "zlib": // RFC 1950
		return "\x78\x9c" + raw + string(binary.BigEndian.AppendUint32(nil, adler.Sum32()))
	}
	return raw
}

// grows fails the test if f makes the process take more memory than that.
func (x *target) grows(most int64, f func()) {
	x.t.Helper()
	if err := rig.ResetPeak(x.PID()); err != nil {
		x.t.Skipf("the memory of a process cannot be read here: %v", err)
	}
	before, err := rig.UsageOf(x.PID())
	if err != nil {
		x.t.Fatal(err)
	}
	f()
	after, err := rig.UsageOf(x.PID())
	if err != nil {
		x.t.Fatal(err)
	}
	if grown := after.Peak - before.RSS; grown > most {
		x.t.Errorf("it took %d MiB more, at most %d are allowed", grown>>20, most>>20)
	}
}

// SEC-43: a body that unpacks to much more is not unpacked for somebody who is
// not let in, and only so far for others.
func TestSEC43CompressedRequests(t *testing.T) {
	t.Parallel()
	x := begin(t, "strict", "")
	large := scaled(512<<20, 128<<20)
	nested := pack(t, "gzip", 64<<20)
	var twice bytes.Buffer
	w := gzip.NewWriter(&twice)
	if _, err := io.WriteString(w, nested); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	small := pack(t, "gzip", 1<<20)
	for name, tt := range map[string]struct {
		coding, body string
		status       int // for somebody with a key
	}{
		"gzip":             {"gzip", pack(t, "gzip", large), http.StatusRequestEntityTooLarge},
		"x-gzip":           {"x-gzip", pack(t, "gzip", large), http.StatusRequestEntityTooLarge},
		"deflate":          {"deflate", pack(t, "zlib", large), http.StatusRequestEntityTooLarge},
		"raw deflate":      {"deflate", pack(t, "flate", large), http.StatusRequestEntityTooLarge},
		"many members":     {"gzip", strings.Repeat(small, 100), http.StatusRequestEntityTooLarge},
		"nested, told":     {"gzip, gzip", twice.String(), http.StatusUnsupportedMediaType},
		"nested, not told": {"gzip", twice.String(), http.StatusBadRequest}, // what comes out is no JSON
		"zstd":             {"zstd", "\x28\xb5\x2f\xfd", http.StatusUnsupportedMediaType},
		"br":               {"br", "x", http.StatusUnsupportedMediaType},
		"no gzip at all":   {"gzip", "not compressed", http.StatusBadRequest},
		"cut gzip":         {"gzip", small[:len(small)/2], http.StatusBadRequest},
		"a wrong checksum": {"gzip", small[:len(small)-8] + "\x00\x00\x00\x00" + small[len(small)-4:], http.StatusBadRequest},
		"zeros":            {"gzip", pack(t, "gzip", 60<<20), http.StatusBadRequest},
	} {
		head := []string{"Content-Type: application/json", "Content-Encoding: " + tt.coding}
		x.grows(8<<20, func() {
			if got := x.send(request{method: "POST", path: "/v1/chat/completions", head: head, body: tt.body}); got.status != http.StatusUnauthorized {
				t.Errorf("%s, without a key: %d", name, got.status)
			}
		})
		x.grows(80<<20, func() {
			if got := x.send(request{method: "POST", path: "/v1/chat/completions", head: head, key: clientKey, body: tt.body}); got.status != tt.status {
				t.Errorf("%s: %d, want %d: %.300s", name, got.status, tt.status, got.body)
			}
		})
	}
	x.quiet()
	var b bytes.Buffer
	w = gzip.NewWriter(&b)
	if _, err := io.WriteString(w, chatBody); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	if got := x.send(request{method: "POST", path: "/v1/chat/completions", head: []string{"Content-Type: application/json", "Content-Encoding: gzip"}, key: clientKey, body: b.String()}); got.status != http.StatusOK {
		t.Errorf("an honest gzip: %d %s", got.status, got.body)
	}
	if calls := x.upstream.Calls(); len(calls) != 1 || string(calls[0].Body) != chatBody || calls[0].Header.Get("Content-Encoding") != "" {
		t.Errorf("the upstream got %+v", calls)
	}
}

// SEC-44: an answer that unpacks to much more goes by packed, and one that is
// not what it says is not unpacked.
func TestSEC44CompressedAnswers(t *testing.T) {
	t.Parallel()
	x := begin(t, "off", "")
	bomb := pack(t, "gzip", scaled(512<<20, 128<<20))
	x.grows(32<<20, func() {
		for _, coding := range []string{"gzip", "br", "deflate", "identity, gzip"} {
			for _, body := range []string{bomb, "plain text after all", ""} {
				x.upstream.Answer(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
					if r.Method != http.MethodPost {
						return false
					}
					w.Header().Set("Content-Type", "application/json")
					w.Header().Set("Content-Encoding", coding)
					_, _ = io.WriteString(w, body)
					return true
				})
				for _, stream := range []bool{false, true} {
					got := x.send(request{method: "POST", path: "/v1/chat/completions", head: []string{"Content-Type: application/json"}, body: fmt.Sprintf(`{"model":"o-m","messages":[],"stream":%t}`, stream)})
					if got.status == http.StatusOK && got.body != body {
						t.Errorf("%s: %d bytes became %d", coding, len(body), len(got.body))
					}
					x.heal()
				}
			}
		}
	})
	// The list of models is read, and from it no more than so much.
	x.upstream.Answer(func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[`)
		for i := range 400_000 {
			if _, err := fmt.Fprintf(w, `{"id":"model-%d-%s"},`, i, strings.Repeat("x", 200)); err != nil {
				return true
			}
		}
		_, _ = io.WriteString(w, `{"id":"last"}]}`)
		return true
	})
	x.grows(64<<20, func() {
		if _, err := x.operator.Call(t.Context(), http.MethodPost, "/api/accounts/openai/test", nil, nil); err != nil {
			t.Error(err)
		}
	})
}

// SEC-45: JSON that is made to cost much costs little, and what is said twice
// means one thing to all.
func TestSEC45JSONBombs(t *testing.T) {
	x := begin(t, "off", "")
	deep := scaled(100_000, 100_000)
	keys := scaled(5_000_000, 300_000)
	long := scaled(100<<20-200, 20<<20)
	send := func(path, body string) (reply, time.Duration) {
		began := time.Now()
		got := x.send(request{method: "POST", path: path, head: []string{"Content-Type: application/json"}, body: body})
		return got, time.Since(began)
	}
	for name, body := range map[string]string{
		"deep arrays":              `{"model":"o-m","messages":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + `}`,
		"deep objects":             `{"model":"o-m","x":` + strings.Repeat(`{"a":`, deep) + "1" + strings.Repeat("}", deep) + `}`,
		"deep, never closed":       strings.Repeat("[", deep),
		"no object":                `[1,2]`,
		"text":                     "hello",
		"cut":                      `{"model":"o-m","messages":[`,
		"two values":               `{"model":"o-m"}{"model":"n"}`,
		"a bare word":              `{"model":m}`,
		"invalid UTF-8":            "{\"model\":\"\xff\xfe\",\"messages\":[]}",
		"NUL":                      "{\"model\":\"m\x00\"}",
		"a model that is no text":  `{"model":{"a":1},"messages":[]}`,
		"a stream that is no bool": `{"model":"o-m","stream":"yes","messages":[]}`,
	} {
		for _, path := range []string{"/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/completions"} {
			got, took := send(path, body)
			if got.status != http.StatusBadRequest || took > time.Second {
				t.Errorf("%s at %s: %d in %s: %.200s", name, path, got.status, took, got.body)
			}
		}
	}
	x.quiet()
	// What is only large goes through, and is held once or twice.
	var many strings.Builder
	many.WriteString(`{"model":"o-m","messages":[]`)
	for i := range keys {
		fmt.Fprintf(&many, `,"k%d":%d`, i, i)
	}
	many.WriteString("}")
	for name, body := range map[string]string{
		"many members": many.String(),
		"a long text":  `{"model":"o-m","messages":[{"role":"user","content":"` + strings.Repeat("a", long) + `"}]}`,
		"huge numbers": `{"model":"o-m","messages":[],"a":` + strings.Repeat("9", 100_000) + `,"b":1e400,"c":-0.0,"d":12345678901234567890}`,
		"surrogates":   `{"model":"o-m","messages":[{"role":"user","content":"\ud800 \udc00\ud800 \uD83D"}]}`,
	} {
		x.upstream.Reset()
		x.grows(int64(3*len(body))+32<<20, func() {
			got, took := send("/v1/chat/completions", body)
			calls := x.upstream.Calls()
			if got.status != http.StatusOK || len(calls) != 1 || calls[0].BodyLength != int64(len(body)) || took > 10*time.Second {
				t.Errorf("%s: %d in %s, %d calls: %.200s", name, got.status, took, len(calls), got.body)
			} else if n := len(calls[0].Body); string(calls[0].Body) != body[:n] {
				t.Errorf("%s did not come through as it was", name)
			}
		})
	}
	if got, _ := send("/v1/chat/completions", `{"model":"o-m","messages":[],"x":"`+strings.Repeat("a", 100<<20)+`"}`); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("more than the limit: %d", got.status)
	}
}

// SEC-45, the same member twice: routing, the ledger and the upstream agree on
// which one counts.
func TestSEC45TwoModels(t *testing.T) {
	u := listen(t)
	x := beginWith(t, "off", u, fmt.Sprintf(`accounts:
  - {name: first, provider: openai-compatible, base_url: %[1]q, api_key: sk-first-0123456789, models: [first]}
  - {name: second, provider: openai-compatible, base_url: %[1]q, api_key: sk-second-0123456789, models: [second, mapped]}
routes:
  - {match: second, to: [mapped]}
`, u.Base(rig.Chat)), rig.Options{})
	for _, body := range []string{
		`{"model":"first","model":"second","messages":[]}`,
		`{"model":"first","mod\u0065l":"second","messages":[]}`,
		`{"m\u006fdel":"first","messages":[],"model":"second"}`,
	} {
		u.Reset()
		got := x.send(request{method: "POST", path: "/v1/chat/completions", head: []string{"Content-Type: application/json"}, body: body})
		calls := u.Calls()
		switch {
		case got.status == http.StatusBadRequest && len(calls) == 0: // refused, which is as good
		case got.status == http.StatusOK && len(calls) == 1 && calls[0].Header.Get("Authorization") == "Bearer sk-second-0123456789":
			// The last counts to every reader; what the upstream got must not
			// name another one last.
			last := string(calls[0].Body)
			if strings.Contains(last, "second") || !strings.Contains(last, "mapped") {
				t.Errorf("%s: the upstream got %s", body, last)
			}
		default:
			t.Errorf("%s: %d, %d calls", body, got.status, len(calls))
		}
	}
}

// SEC-45, names: what a client may call a model is not kept without a bound.
func TestSEC45LongNames(t *testing.T) {
	x := begin(t, "off", "")
	x.upstream.Answer(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"error":{"message":"The model does not exist","type":"invalid_request_error","code":"model_not_found"}}`)
		return true
	})
	n := scaled(600, 150)
	x.grows(48<<20, func() {
		for i := range n {
			name := "o-" + strconv.Itoa(i) + strings.Repeat("m", 512<<10)
			x.send(request{method: "POST", path: "/v1/chat/completions", head: []string{"Content-Type: application/json", "User-Agent: " + strings.Repeat("u", 8000), "X-Session-Id: s" + strconv.Itoa(i)}, body: `{"model":"` + name + `","messages":[]}`})
			if i%10 == 0 {
				x.send(request{path: "/v1/models/" + strings.Repeat("m", 60_000)})
			}
		}
	})
	if got := x.send(request{path: "/metrics", key: adminToken}); got.status != http.StatusOK || len(got.body) > 256<<10 {
		t.Errorf("/metrics: %d, %d bytes", got.status, len(got.body))
	}
	if got := x.send(request{path: "/api/accounts", key: adminToken}); got.status != http.StatusOK || len(got.body) > 1<<20 {
		t.Errorf("/api/accounts: %d, %d bytes", got.status, len(got.body))
	}
	if got := x.send(request{path: "/api/requests?limit=500", key: adminToken}); got.status != http.StatusOK || len(got.body) > 16<<20 {
		t.Errorf("/api/requests: %d, %d bytes", got.status, len(got.body))
	}
}

// SEC-46: forms are looked through within bounds.
func TestSEC46Multipart(t *testing.T) {
	x := begin(t, "off", "")
	part := "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n"
	file := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../../../etc/passwd\"\r\nContent-Type: audio/mpeg\r\n\r\nabc\r\n"
	for name, tt := range map[string]struct {
		boundary, body string
		status         int
	}{
		"honest":               {"b", part + file + "--b--\r\n", 0},
		"a boundary of 10 KB":  {strings.Repeat("b", 10_000), part + "--b--\r\n", http.StatusBadRequest},
		"no boundary":          {"", part + "--b--\r\n", http.StatusBadRequest},
		"another boundary":     {"c", part + "--b--\r\n", http.StatusBadRequest},
		"a million parts":      {"b", strings.Repeat("--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n", scaled(1_000_000, 100_000)) + "--b--\r\n", http.StatusBadRequest},
		"many headers":         {"b", "--b\r\n" + strings.Repeat("X: y\r\n", 200_000) + "\r\n1\r\n--b--\r\n", http.StatusBadRequest},
		"a header of 10 MB":    {"b", "--b\r\nX: " + strings.Repeat("y", 10<<20) + "\r\n\r\n1\r\n--b--\r\n", http.StatusBadRequest},
		"never closed":         {"b", part + file, http.StatusBadRequest},
		"a model of 1 MB":      {"b", "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n" + strings.Repeat("m", 1<<20) + "\r\n--b--\r\n", http.StatusBadRequest},
		"empty":                {"b", "--b--\r\n", 0},
		"cut in the delimiter": {"b", part + "--b", http.StatusBadRequest},
	} {
		began := time.Now()
		x.upstream.Reset()
		var got reply
		x.grows(max(64<<20, int64(len(tt.body))+(24<<20)), func() {
			got = x.send(request{method: "POST", path: "/v1/audio/transcriptions", head: []string{"Content-Type: multipart/form-data; boundary=" + tt.boundary}, body: tt.body})
		})
		took := time.Since(began)
		switch {
		case tt.status == 0 && len(x.upstream.Calls()) != 1:
			t.Errorf("%s: %d, and the upstream was not asked: %s", name, got.status, got.body)
		case tt.status != 0 && (got.status != tt.status || len(x.upstream.Calls()) > 0):
			t.Errorf("%s: %d: %.200s", name, got.status, got.body)
		case took > 2*time.Second:
			t.Errorf("%s took %s", name, took)
		}
	}
}

// SEC-47: HTTP/2 is off, whichever way it is asked for.
func TestSEC47NoHTTP2(t *testing.T) {
	x := begin(t, "off", "")
	for name, text := range map[string]string{
		"prior knowledge": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00" + strings.Repeat("\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08", 1000),
		"upgrade":         "GET /healthz HTTP/1.1\r\nHost: " + x.host + "\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
	} {
		got := x.raw(text)
		if bytes.Contains(got.all, []byte("101 ")) || bytes.HasPrefix(got.all, []byte("\x00\x00")) {
			t.Errorf("%s: %q", name, got.all)
		}
	}
	x.serves()
}

// SEC-50: patterns of the operator's and of a client's are matched in linear
// time.
func TestSEC50Patterns(t *testing.T) {
	x := begin(t, "off", `routes:
  - {match: "/^(a+)+$/", to: [m]}
  - {match: "/(x*)*(x*)*(x*)*y/", to: [m]}
  - {match: "*a*a*a*a*a*a*a*a*a*a*a*b", to: [m]}
`)
	for _, model := range []string{strings.Repeat("a", 1000) + "!", strings.Repeat("a", 2000), strings.Repeat("x", 2000), strings.Repeat("ab", 1000)} {
		began := time.Now()
		x.send(request{method: "POST", path: "/v1/chat/completions", head: []string{"Content-Type: application/json"}, body: `{"model":"` + model + `","messages":[]}`})
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("a model of %d letters took %s", len(model), took)
		}
	}
	began := time.Now()
	if got := x.send(request{path: "/api/requests?text=" + strings.Repeat("%25a", 80), key: adminToken}); got.status != http.StatusOK || time.Since(began) > time.Second {
		t.Errorf("a search: %d in %s", got.status, time.Since(began))
	}
	if code, out := start(t, "routes:\n  - {match: \"/"+strings.Repeat("a?", 500)+"/\", to: [m]}\n", nil); code != configError {
		t.Errorf("a pattern of a kilobyte: %d %s", code, out)
	}
}
