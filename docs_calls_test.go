package portico

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"portico/internal/app"
	"portico/internal/config"
)

const (
	docsKey   = "sk-0123456789abcdefghijklmnopqrstuvwxyz"
	docsToken = "at-0123456789abcdefghijklmnopqrstuvwxyz"
)

// TestCalls: every curl command in the documents, sent to a gateway that runs
// as `make run` has it, is answered with 200, or with the status in the comment
// behind it.
func TestCalls(t *testing.T) {
	base := serveDocs(t)
	n := 0
	for file, text := range documents(t) {
		for _, block := range blocks(text, "sh") {
			for _, command := range commandsOf(block) {
				c, err := parseCurl(command)
				if err != nil {
					t.Errorf("%s: %s: %v", file, command, err)
				}
				if c == nil {
					continue
				}
				n++
				if err := c.send(t.Context(), base); err != nil {
					t.Errorf("%s: %s: %v", file, command, err)
				}
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d calls were found", n)
	}
}

// serveDocs runs a gateway and returns its address.
func serveDocs(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := fmt.Sprintf("port: %d\napi_key: %s\nadmin_token: %s\nsimulator: true\n", port, docsKey, docsToken)
	if err := os.WriteFile(filepath.Join(dir, "portico.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(config.Options{DataDir: dir}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	up, done := make(chan string, 1), make(chan error, 1)
	go func() {
		err := a.Serve(ctx, func(address string) { up <- address })
		done <- errors.Join(err, a.Close())
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case base := <-up:
		return base
	case err := <-done:
		done <- nil
		t.Fatal(err)
		return ""
	}
}

// commandsOf are the commands of a block, with their continued lines joined.
func commandsOf(block string) []string {
	return strings.Split(strings.ReplaceAll(block, "\\\n", " "), "\n")
}

// A curl is what a curl command asks for.
type curl struct {
	method, url, body string
	header            http.Header
	status            int
}

// words parts a command as a shell does that knows single and double quotes.
var words = regexp.MustCompile(`(?:'[^']*'|"[^"]*"|[^\s'"])+`)

// parseCurl reads a command; nil if it is none of curl's.
func parseCurl(command string) (*curl, error) {
	command = strings.ReplaceAll(strings.ReplaceAll(command, "$(portico key show --admin)", docsToken), "$(portico key show)", docsKey)
	args := words.FindAllString(command, -1)
	if len(args) == 0 || args[0] != "curl" {
		return nil, nil
	}
	c := &curl{status: http.StatusOK, header: http.Header{}}
	for i := 1; i < len(args); i++ {
		a := unquoted(args[i])
		value := func() string {
			i++
			if i >= len(args) {
				return ""
			}
			return unquoted(args[i])
		}
		switch {
		case a == "#":
			if c.status = http.StatusOK; i+1 < len(args) {
				c.status, _ = strconv.Atoi(args[i+1])
			}
			i = len(args)
		case slices.Contains([]string{"-N", "-i", "-s", "-f", "-sS", "-iN"}, a):
		case a == "-H":
			name, v, ok := strings.Cut(value(), ":")
			if !ok {
				return nil, fmt.Errorf("a header has no colon")
			}
			c.header.Add(name, strings.TrimSpace(v))
		case a == "-d":
			c.body = value()
		case a == "-X":
			c.method = value()
		case strings.HasPrefix(a, "http://127.0.0.1:8045") && c.url == "":
			c.url = a
		default:
			return nil, fmt.Errorf("the test does not know %q", a)
		}
	}
	if c.method == "" {
		c.method = http.MethodGet
		if c.body != "" {
			c.method = http.MethodPost
		}
	}
	return c, nil
}

func unquoted(s string) string {
	var b strings.Builder
	var quote rune
	for _, r := range s {
		switch {
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case r == quote:
			quote = 0
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (c *curl) send(ctx context.Context, base string) error {
	r, err := http.NewRequestWithContext(ctx, c.method, base+strings.TrimPrefix(c.url, "http://127.0.0.1:8045"), strings.NewReader(c.body))
	if err != nil {
		return err
	}
	r.Header = c.header
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != c.status {
		return fmt.Errorf("it was answered with %d, not %d: %s", resp.StatusCode, c.status, b)
	}
	return nil
}

func TestParseCurl(t *testing.T) {
	c, err := parseCurl(`curl -N http://127.0.0.1:8045/v1/x -H 'a: b' -H "Authorization: Bearer $(portico key show --admin)"   -d '{"a":"b # 400"}'   # 429`)
	if err != nil || c == nil || c.method != http.MethodPost || c.url != "http://127.0.0.1:8045/v1/x" || c.header.Get("A") != "b" ||
		c.header.Get("Authorization") != "Bearer "+docsToken || c.body != `{"a":"b # 400"}` || c.status != 429 {
		t.Errorf("%+v, %v", c, err)
	}
	for _, other := range []string{"", "make run", "portico logs"} {
		if c, err := parseCurl(other); c != nil || err != nil {
			t.Errorf("%q: %+v, %v", other, c, err)
		}
	}
	if _, err := parseCurl("curl --nonsense http://127.0.0.1:8045/"); err == nil {
		t.Error("an unknown flag is passed over")
	}
}
