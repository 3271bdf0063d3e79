package fetch

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const png = "\x89PNG\r\n\x1a\n and more"

// server answers on loopback; the client under test may reach it.
func server(t *testing.T, h http.HandlerFunc) (*Client, string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c := New("agent", 1<<20)
	c.guard = func(*Policy, netip.Addr) bool { return true }
	return c, s.URL
}

func policy() *Policy { return &Policy{Bytes: 1 << 10, Files: 4, Time: 10 * time.Second} }

// why is what an *Error says, "" for none.
func why(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	return e.Why
}

// TestAnswers: what a server may answer, and what becomes of it.
func TestAnswers(t *testing.T) {
	var seen http.Header
	c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header
		h := w.Header()
		switch r.URL.Path {
		case "/png":
			h.Set("Content-Type", "text/plain") // whatever it says
			h.Set("Set-Cookie", "a=b")
			fmt.Fprint(w, png)
		case "/pdf":
			fmt.Fprint(w, "%PDF-1.7")
		case "/mp3":
			fmt.Fprint(w, "ID3\x04")
		case "/m4a":
			h.Set("Content-Type", "audio/mp4; codecs=aac")
			fmt.Fprint(w, "\x00\x00\x00\x20ftypisom")
		case "/film":
			h.Set("Content-Type", "video/mp4")
			fmt.Fprint(w, "\x00\x00\x00\x20ftypisom")
		case "/html":
			h.Set("Content-Type", "image/png")
			fmt.Fprint(w, "<!doctype html>")
		case "/empty":
		case "/packed":
			h.Set("Content-Encoding", "gzip")
			fmt.Fprint(w, png)
		case "/partial":
			w.WriteHeader(http.StatusPartialContent)
			fmt.Fprint(w, png)
		case "/large":
			fmt.Fprint(w, png+strings.Repeat("x", 2000))
		case "/endless":
			for {
				if _, err := fmt.Fprint(w, png+strings.Repeat("x", 100)); err != nil {
					return
				}
				w.(http.Flusher).Flush()
			}
		case "/full":
			fmt.Fprint(w, png+strings.Repeat("x", 1<<10-len(png)))
		case "/cut":
			h.Set("Content-Length", "100")
			fmt.Fprint(w, png)
		case "/head":
			h.Set("X-Long", strings.Repeat("x", 100<<10))
		case "/to":
			if n := r.URL.Query().Get("n"); n != "" && n != "0" {
				h.Set("Location", "/to?n="+string(n[0]-1))
			} else {
				h.Set("Location", "/png#part")
			}
			w.WriteHeader(http.StatusFound)
		case "/back":
			h.Set("Location", r.URL.Query().Get("to"))
			w.WriteHeader(http.StatusTemporaryRedirect)
		default:
			http.NotFound(w, r)
		}
	})
	for _, tt := range []struct {
		path string
		seat Seat
		kind string // or
		why  string
	}{
		{"/png", Image, "image/png", ""},
		{"/png#x", Image, "image/png", ""},
		{"/pdf", Document, "application/pdf", ""},
		{"/mp3", Sound, "audio/mpeg", ""},
		{"/m4a", Sound, "audio/mp4", ""},
		{"/full", Image, "image/png", ""},
		{"/to?n=0", Image, "image/png", ""},
		{"/to?n=2", Image, "image/png", ""},
		{"/to?n=3", Image, "", "it leads on more than 3 times"},
		{"/back?to=ftp://x/", Image, "", "it leads to where nothing is fetched from"},
		{"/back?to=http://u:p@x/", Image, "", "it leads to where nothing is fetched from"},
		{"/back?to=http://x:22/", Image, "", "it leads to where nothing is fetched from"},
		{"/back?to=file:///etc/passwd", Image, "", "it leads to where nothing is fetched from"},
		{"/back", Image, "", "it leads nowhere"},
		{"/back?to=http://[", Image, "", "it leads nowhere"},
		{"/png", Document, "", "it is image/png, where a PDF is wanted"},
		{"/pdf", Image, "", "it is application/pdf, where an image (PNG, JPEG, GIF or WebP) is wanted"},
		{"/film", Sound, "", "it is video/mp4, where a sound (WAV, MP3, AAC, AIFF, OGG, FLAC or M4A) is wanted"},
		{"/html", Image, "", "it is of no type that is fetched"},
		{"/empty", Image, "", "it is of no type that is fetched"},
		{"/packed", Image, "", "it came compressed, which nobody asked for"},
		{"/partial", Image, "", "its server answered with status 206"},
		{"/nothing", Image, "", "its server answered with status 404"},
		{"/large", Image, "", "it is larger than the 1024 bytes that may be fetched (fetch.bytes)"},
		{"/endless", Image, "", "it is larger than the 1024 bytes that may be fetched (fetch.bytes)"},
		{"/cut", Image, "", "its server did not answer in HTTP to the end"},
		{"/head", Image, "", "its server did not answer in HTTP to the end"},
	} {
		f, err := c.Get(t.Context(), base+tt.path, tt.seat, policy())
		if got := why(t, err); got != tt.why {
			t.Errorf("%s: %v, want %q", tt.path, err, tt.why)
		} else if err == nil && f.Type != tt.kind {
			t.Errorf("%s: %s", tt.path, f.Type)
		}
	}
	if f, err := c.Get(t.Context(), base+"/png", Image, policy()); err != nil || string(f.Data) != `"`+base64.StdEncoding.EncodeToString([]byte(png))+`"` || f.Size != int64(len(png)) {
		t.Errorf("%v, %v", f, err)
	}
	// Nobody is told who asks, and for whom.
	for name := range seen {
		if name != "User-Agent" && name != "Accept" && name != "Connection" {
			t.Errorf("the server was told %s", name)
		}
	}
}

// TestAddresses: SEC-35 and SEC-36: no spelling, and no name, leads into a
// private network, and nothing else than the web is asked.
func TestAddresses(t *testing.T) {
	asked := atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer s.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	c := New("agent", 1<<20)
	for address, want := range map[string]string{
		"http://127.0.0.1:" + port:                    unreachable,
		"http://127.1:" + port:                        unreachable,
		"http://2130706433:" + port:                   unreachable,
		"http://0x7f000001:" + port:                   unreachable,
		"http://0177.0.0.1:" + port:                   unreachable,
		"http://localhost:" + port:                    unreachable,
		"http://localhost.:" + port:                   unreachable,
		"http://direct:" + port:                       unreachable,
		"http://[::1]:" + port:                        unreachable,
		"http://[::ffff:127.0.0.1]:" + port:           unreachable,
		"http://[::127.0.0.1]:" + port:                unreachable,
		"http://[64:ff9b::7f00:1]:" + port:            unreachable,
		"http://[2002:7f00:1::]:" + port:              unreachable,
		"http://0.0.0.0:" + port:                      unreachable,
		"http://[::]:" + port:                         unreachable,
		"http://169.254.169.254/latest/meta-data":     unreachable,
		"http://[::ffff:a9fe:a9fe]/":                  unreachable,
		"http://[fd00:ec2::254]/":                     unreachable,
		"http://100.100.100.200/":                     unreachable,
		"http://10.0.0.1/":                            unreachable,
		"http://192.168.1.1/":                         unreachable,
		"http://172.16.0.1/":                          unreachable,
		"http://[fe80::1]/":                           unreachable,
		"http://[fd12::1]/":                           unreachable,
		"http://224.0.0.1/":                           unreachable,
		"http://metadata.google.internal.invalid/":    unreachable,
		"http://[fe80::1%25lo]/":                      "its host has no sound name",
		"http://u:p@example.com/":                     "its address holds a user name or a password",
		"http://u@example.com/":                       "its address holds a user name or a password",
		"http://example.com:22/":                      "its port is none of a web server",
		"http://example.com:0/":                       "its port is none of a web server",
		"http://example.com:99999/":                   "its port is none of a web server",
		"file:///etc/passwd":                          "its address is no URL such as https://example.com/picture.png",
		"gopher://127.0.0.1:25/":                      "its address is neither http nor https",
		"ftp://example.com/a.png":                     "its address is neither http nor https",
		"data:image/png;base64,AAAA":                  "its address is no URL such as https://example.com/picture.png",
		"http:///a.png":                               "its address is no URL such as https://example.com/picture.png",
		"http://:8080/":                               "its address is no URL such as https://example.com/picture.png",
		"http:example.com":                            "its address is no URL such as https://example.com/picture.png",
		"/a.png":                                      "its address is no URL such as https://example.com/picture.png",
		"":                                            "its address is no URL such as https://example.com/picture.png",
		"http://exa mple.com/":                        "its address is no URL such as https://example.com/picture.png",
		"http://example.com/\r\nHost: x":              "its address is no URL such as https://example.com/picture.png",
		"http://x/" + strings.Repeat("a", MaxAddress): "its address is longer than 8192 bytes",
	} {
		p := policy()
		p.Time = time.Second // for whoever resolves names
		_, err := c.Get(t.Context(), address, Image, p)
		if got := why(t, err); got != want {
			t.Errorf("%.60s: %q, want %q", address, got, want)
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("%d requests came to where none should", n)
	}
}

// TestNetworks: the operator may allow networks of their own, but not those
// where clouds keep their credentials.
func TestNetworks(t *testing.T) {
	p := &Policy{Networks: []netip.Prefix{netip.MustParsePrefix("192.168.1.0/24"), netip.MustParsePrefix("0.0.0.0/1"), netip.MustParsePrefix("::/0"), netip.MustParsePrefix("169.254.0.0/16")}}
	for a, want := range map[string]bool{
		"192.168.1.7": true, "::ffff:192.168.1.7": true, "192.168.2.7": false, "127.0.0.1": true, "10.1.1.1": true, "0.1.1.1": false,
		"169.254.169.254": false, "fe80::1": false, "fd00:ec2::254": false, "100.100.100.200": false, "224.0.0.1": false, "fd00::1": true, "93.184.216.34": true,
	} {
		if got := allows(p, netip.MustParseAddr(a)); got != want {
			t.Errorf("%s: %t", a, got)
		}
	}
	if allows(&Policy{}, netip.MustParseAddr("127.0.0.1")) || !own(netip.MustParseAddr("127.0.0.1")) || own(netip.MustParseAddr("93.184.216.34")) {
		t.Error("this machine's own addresses are not told from others")
	}
}

// TestRedirectIsGuarded: where a public server leads to is guarded as it was
// itself, at the dial.
func TestRedirectIsGuarded(t *testing.T) {
	var asked, dials atomic.Int64
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer inner.Close()
	c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, inner.URL+"/secret", http.StatusFound)
	})
	c.guard = func(*Policy, netip.Addr) bool { return dials.Add(1) == 1 } // the server is public, and the next is not
	_, err := c.Get(t.Context(), base, Image, policy())
	if got := why(t, err); got != unreachable || asked.Load() != 0 || dials.Load() != 2 {
		t.Errorf("%q; %d dials, and the other server was asked %d times", got, dials.Load(), asked.Load())
	}
}

// TestCache: a file is fetched once within its time, then anew; if that fails
// it is served on.
func TestCache(t *testing.T) {
	var asked atomic.Int64
	var broken atomic.Bool
	c, base := server(t, func(w http.ResponseWriter, _ *http.Request) {
		if n := asked.Add(1); broken.Load() {
			w.WriteHeader(http.StatusBadGateway)
		} else {
			fmt.Fprintf(w, "%s %d", png, n)
		}
	})
	now := time.Unix(0, 0)
	c.now = func() time.Time { return now }
	get := func(path string) string {
		t.Helper()
		f, err := c.Get(t.Context(), base+path, Image, policy())
		if err != nil {
			t.Fatal(err)
		}
		b, err := base64.StdEncoding.DecodeString(strings.Trim(string(f.Data), `"`))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(string(b), png)
	}
	if a, b := get("/"), get("/#x"); a != " 1" || b != a {
		t.Errorf("%q, then %q", a, b)
	}
	now = now.Add(Fresh)
	if a := get("/"); a != " 2" {
		t.Errorf("after its time %q", a)
	}
	now = now.Add(Fresh)
	broken.Store(true)
	if a := get("/"); a != " 2" || asked.Load() != 3 {
		t.Errorf("when it is gone %q, asked %d times", a, asked.Load())
	}
	broken.Store(false)
	if a := get("/"); a != " 4" {
		t.Errorf("when it is back %q", a)
	}
	// A smaller bound of the operator's holds for what is cached, too.
	small := policy()
	small.Bytes = 4
	if _, err := c.Get(t.Context(), base+"/", Image, small); why(t, err) != tooLarge(small) {
		t.Error(err)
	}
	c.Resize(0)
	if a := get("/"); a != " 5" || c.cache.held != 0 || len(c.cache.byKey) != 0 {
		t.Errorf("without a cache %q, %d bytes held", a, c.cache.held)
	}
}

// TestCacheIsBounded: it holds what was used last, in no more bytes than its
// bound.
func TestCacheIsBounded(t *testing.T) {
	k := func(i int) string { return fmt.Sprint("key", i) }
	f := &File{Data: make([]byte, 1000)}
	one := (&kept{key: k(0), file: f}).size()
	c := cache{most: 3 * one}
	for i := range 100 {
		c.put(k(i%10), f, time.Time{})
		if c.held > c.most || int(c.held/one) != len(c.byKey) || c.order.Len() != len(c.byKey) {
			t.Fatalf("%d bytes in %d entries", c.held, len(c.byKey))
		}
	}
	c.get(k(7), time.Time{})
	c.put("new", f, time.Time{})
	if a, _ := c.get(k(7), time.Time{}); a == nil {
		t.Error("what was used last is gone")
	}
	c.put("huge", &File{Data: make([]byte, 4000)}, time.Time{})
	if a, _ := c.get("huge", time.Time{}); a != nil || len(c.byKey) != 3 {
		t.Error("what is larger than the cache drove the rest out")
	}
}

// TestTogether: who wants a file that is being fetched waits for it; who leaves
// disturbs nobody; when all have left the fetch ends.
func TestTogether(t *testing.T) {
	var asked atomic.Int64
	go_, left := make(chan struct{}), make(chan struct{})
	c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path == "/left" {
			<-r.Context().Done()
			close(left)
			return
		}
		<-go_
		fmt.Fprint(w, png)
	})
	waiting := func(path string, n int) {
		t.Helper()
		for {
			c.mu.Lock()
			f := c.flying[base+path]
			ok := f != nil && f.waiting == n
			c.mu.Unlock()
			if ok {
				return
			}
			runtime.Gosched()
		}
	}
	errs := make(chan error)
	ctx, leave := context.WithCancel(t.Context())
	for _, ctx := range []context.Context{ctx, t.Context(), t.Context()} {
		go func() {
			_, err := c.Get(ctx, base+"/", Image, policy())
			errs <- err
		}()
	}
	waiting("/", 3)
	leave()
	if err := <-errs; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(go_)
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	ctx, leave = context.WithCancel(t.Context())
	go func() {
		_, err := c.Get(ctx, base+"/left", Image, policy())
		errs <- err
	}()
	waiting("/left", 1)
	for asked.Load() < 2 {
		runtime.Gosched()
	}
	leave()
	if err := <-errs; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-left
}

// TestTurns: only so many are fetched at one time, only so many wait, and none
// longer than a file may take.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New("agent", 1<<20)
		for range atOnce {
			c.slots <- struct{}{}
		}
		errs := make(chan error, atOnce+maxWaiting)
		for i := range cap(errs) {
			go func() {
				_, err := c.Get(t.Context(), fmt.Sprintf("http://127.0.0.1:1025/%d", i), Image, policy())
				errs <- err
			}()
		}
		synctest.Wait()
		busy := func(err error) bool {
			e, ok := errors.AsType[*Error](err)
			return ok && e.Busy
		}
		if _, err := c.Get(t.Context(), "http://127.0.0.1:1025/more", Image, policy()); !busy(err) {
			t.Errorf("one more: %v", err)
		}
		began := time.Now()
		for range cap(errs) {
			if err := <-errs; !busy(err) {
				t.Errorf("without a turn: %v", err)
			}
		}
		if took := time.Since(began); took != policy().Time {
			t.Errorf("they waited for %s", took)
		}
	})
}

// TestSlow: a server that does not answer, or stops, costs no more than the
// time of a file.
func TestSlow(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	c, base := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/half" {
			fmt.Fprint(w, png)
			w.(http.Flusher).Flush()
		}
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	})
	p := policy()
	p.Time = 50 * time.Millisecond
	for _, path := range []string{"/", "/half"} {
		_, err := c.Get(t.Context(), base+path, Image, p)
		if got := why(t, err); got != "it took too long (fetch.timeout)" {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// FuzzAddress: whatever an address is, it is refused or has a host, a scheme
// and a port that may be asked.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"https://example.com/a.png", "http://[::1%25lo]:80/", "http://u@h/", "http:///", "//h/", "http://h:022/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := check(s)
		if err != nil {
			return
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || strings.ContainsAny(u.String(), "\r\n ") {
			t.Errorf("%q is taken for %q", s, u)
		}
	})
}
