package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // clients may send a picture anew
	"image/png"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"portico/internal/rig"
)

// An agent stands before the scripted upstream and plays a model that wants to
// see. A conversation with pictureMark in it, and with tools on offer, it leads
// through one turn of an agent's work: sealed reasoning and two calls at once,
// one of which reads a text and the other a picture. In the next turn both
// results must be there under the ids of their calls, the text in the one and
// the picture as a picture. It says DONE, what stood in the text, and whether the
// seal is there at its place in the upstream's protocol; or LACKS and what is
// missing. It also gives candidates, see severalMark. Everything else is the
// scripted upstream's.
type agent struct {
	root string // pictures are put below it and nowhere else
	mock *httputil.ReverseProxy
	// given is how many candidates were given.
	given atomic.Int64
	*rig.Upstream
}

// witnessed is how DONE ends, by whether the seal is lost. The scripted upstream
// never says that.
var witnessed = map[bool]string{false: " and the picture, sealed", true: " and the picture, unsealed"}

// pictureMark is what has the agent play. The scripted upstream knows no such
// directive.
const pictureMark = "[[picture]]"

// newAgent starts an agent before the scripted upstream at the address mock.
func newAgent(mock, root string) (*agent, error) {
	to, err := url.Parse(mock)
	if err != nil {
		return nil, err
	}
	a := &agent{root: root, mock: &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		FlushInterval: -1,
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // what the script breaks off stays broken
	}}
	if a.Upstream, err = rig.NewUpstream(); err != nil {
		return nil, err
	}
	a.Answer(a.reply)
	return a, nil
}

// reply implements rig.Reply.
func (a *agent) reply(w http.ResponseWriter, r *http.Request, body []byte) bool {
	said := a.turn(r.URL.Path, body)
	if said == nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
		a.mock.ServeHTTP(w, r)
		return true
	}
	said.unsealed = !bytes.Contains(body, []byte(`"reasoning.encrypted_content"`))
	protocol, stream := spoken(r.URL.Path, body)
	kind := "application/json"
	if stream {
		kind = "text/event-stream"
	}
	w.Header().Set("Content-Type", kind)
	_, _ = io.WriteString(w, said.in(protocol, stream))
	return true
}

// spoken is the protocol of a path, "" if it is none in which models speak, and
// whether a stream is wanted.
func spoken(path string, body []byte) (protocol string, stream bool) {
	streams := regexp.MustCompile(`"stream"\s*:\s*true`).Match(body)
	switch {
	case strings.HasSuffix(path, "/chat/completions"):
		return rig.Chat, streams
	case strings.HasSuffix(path, "/responses"):
		return rig.Responses, streams
	case strings.HasSuffix(path, "/messages"):
		return rig.Messages, streams
	case strings.HasSuffix(path, ":generateContent"), strings.HasSuffix(path, ":streamGenerateContent"):
		return rig.Gemini, strings.HasSuffix(path, ":streamGenerateContent")
	}
	return "", false
}

// seen is what the agent finds in a request.
type seen struct {
	protocol string
	folder   string // where the text and the picture are
	tools    []tool
	calls    []called
	results  []toolResult
	pictures [][]byte
	sealed   bool // its own seal is there, at its place
}

// A tool is one that a client offers.
type tool struct {
	name   string
	schema object
}

// A toolResult is what a client's tool said.
type toolResult struct{ id, text string }

// The calls of the agent, and where the text is that one of them reads.
const (
	textCall, pictureCall = "call_judge_text", "call_judge_picture"
	textFile, pictureFile = "MARKER.txt", "PICTURE.png"
)

// A word is an answer of the agent: reasoning, and a text or calls.
type word struct {
	thought  string
	unsealed bool // Responses tells a seal only to those who ask for it
	text     string
	calls    []called
	more     []string // texts of further candidates
}

type called struct {
	id, name string
	args     object
}

// severalMark asks for candidates. Where the protocol has several, the agent gives
// as many as are asked for; no two that it gives are the same.
const severalMark = "[[several]]"

var wanted = regexp.MustCompile(`"(?:n|candidateCount)"\s*:\s*(\d+)`)

// candidates is the answer to a request for some.
func (a *agent) candidates(protocol string, body []byte) *word {
	one := func() string { return fmt.Sprintf("Candidate %d.", a.given.Add(1)) }
	w := &word{thought: "One of many. ", text: one()}
	if m := wanted.FindSubmatch(body); m != nil && (protocol == rig.Chat || protocol == rig.Gemini) {
		n, _ := strconv.Atoi(string(m[1]))
		for range n - 1 {
			w.more = append(w.more, one())
		}
	}
	return w
}

// turn is what the agent says to a request, nil if it is none of its own.
func (a *agent) turn(path string, body []byte) *word {
	protocol, _ := spoken(path, body)
	if protocol != "" && bytes.Contains(body, []byte(severalMark)) {
		return a.candidates(protocol, body)
	}
	if protocol == "" || !bytes.Contains(body, []byte(pictureMark)) {
		return nil
	}
	s := look(protocol, body)
	if s == nil || s.folder == "" || len(s.tools) == 0 {
		return nil
	}
	if len(s.results) > 0 {
		return &word{thought: "Both are there. ", text: s.verdict()}
	}
	if err := a.draw(s.folder); err != nil {
		return &word{text: "LACKS a place for the picture: " + err.Error()}
	}
	text, ok := s.reader(textTools, filepath.Join(s.folder, textFile))
	show, able := s.reader(pictureTools, filepath.Join(s.folder, pictureFile))
	if !ok || !able {
		return &word{text: "LACKS a tool that reads"}
	}
	text.id, show.id = textCall, pictureCall
	return &word{thought: "The user wants both. ", text: "I will look.", calls: []called{text, show}}
}

// textTools and pictureTools are the tools of the clients that read, the best
// first.
var (
	textTools    = []string{"Read", "read_file", "read", "exec_command", "shell_command", "shell"}
	pictureTools = []string{"view_image", "Read", "read_file", "read"}
)

// reader is a call of the first of the named tools that is on offer.
func (s *seen) reader(names []string, file string) (called, bool) {
	for _, n := range names {
		if i := slices.IndexFunc(s.tools, func(t tool) bool { return t.name == n }); i >= 0 {
			return called{name: n, args: fill(s.tools[i].schema, file)}, true
		}
	}
	return called{}, false
}

var pathName = regexp.MustCompile(`(?i)^(file_?path|absolute_path|path|filename|file)$`)

// fill makes arguments that read a file, by the schema of a tool.
func fill(schema object, file string) object {
	args := object{}
	for name, v := range obj(schema["properties"]) {
		p := obj(v)
		many := strings.EqualFold(str(p["type"]), "array")
		switch {
		case pathName.MatchString(name):
			args[name] = file
		case (name == "cmd" || name == "command") && many:
			args[name] = []any{"cat", file}
		case name == "cmd" || name == "command":
			args[name] = "cat " + file
		case !slices.Contains(list(schema["required"]), any(name)):
		case len(list(p["enum"])) > 0:
			args[name] = list(p["enum"])[0]
		case strings.EqualFold(str(p["type"]), "boolean"):
			args[name] = false
		case strings.EqualFold(str(p["type"]), "number"), strings.EqualFold(str(p["type"]), "integer"):
			args[name] = 1
		default:
			args[name] = "read the file"
		}
	}
	return args
}

var marker = regexp.MustCompile(`portico-marker-[0-9a-z]+`)

// verdict is what the agent says once tools have answered.
func (s *seen) verdict() string {
	var lacks []string
	if c, r := len(s.calls), len(s.results); c != 2 || r != 2 {
		lacks = append(lacks, fmt.Sprintf("two calls and results, but has %d and %d", c, r))
	}
	if s.resultOf(pictureFile) == nil {
		lacks = append(lacks, "the result of the call for the picture")
	}
	found := ""
	if r := s.resultOf(textFile); r != nil {
		found = marker.FindString(r.text)
	}
	if found == "" {
		lacks = append(lacks, "the text in the result of its call")
	}
	if !slices.ContainsFunc(s.pictures, isDrawn) {
		lacks = append(lacks, fmt.Sprintf("the picture among %d", len(s.pictures)))
	}
	if len(lacks) > 0 {
		return "LACKS " + strings.Join(lacks, ", ")
	}
	return "DONE " + found + witnessed[!s.sealed]
}

// resultOf is the result of the call that reads a file. Whoever asks may have
// given the call another id, or none, and then results come in the order of the
// calls.
func (s *seen) resultOf(file string) *toolResult {
	n := slices.IndexFunc(s.calls, func(c called) bool { return strings.Contains(text(c.args), file) })
	if n < 0 {
		return nil
	}
	if s.calls[n].id == "" && n < len(s.results) {
		return &s.results[n]
	}
	i := slices.IndexFunc(s.results, func(r toolResult) bool { return r.id == s.calls[n].id })
	if i < 0 {
		return nil
	}
	return &s.results[i]
}

// The picture is of one colour, so that one that was made smaller or written
// anew is still known.
const side = 48

var paint = color.RGBA{R: 20, G: 160, B: 220, A: 255}

// draw puts the picture into a folder, which must be below the root.
func (a *agent) draw(folder string) error {
	rel, err := filepath.Rel(a.root, folder)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(a.root)
	if err != nil {
		return err
	}
	defer root.Close()
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		img.SetRGBA(i%side, i/side, paint)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return err
	}
	return root.WriteFile(filepath.Join(rel, pictureFile), b.Bytes(), 0o600)
}

// isDrawn reports whether b is the picture that was drawn.
func isDrawn(b []byte) bool {
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return false
	}
	at := img.Bounds()
	r, g, bl, _ := img.At((at.Min.X+at.Max.X)/2, (at.Min.Y+at.Max.Y)/2).RGBA()
	near := func(a uint32, b uint8) bool { return max(int(a>>8), int(b))-min(int(a>>8), int(b)) < 24 }
	return near(r, paint.R) && near(g, paint.G) && near(bl, paint.B)
}

// unbase is what base64 of any of its spellings holds, nil if it is none.
func unbase(s string) []byte {
	s = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(s), "=")
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
