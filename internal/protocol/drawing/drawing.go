// Package drawing puts OpenAI's requests for pictures (POST
// /images/generations) to models of Google's that draw in a conversation (spec:
// upstreams §1D.2, parity §1.8): one request becomes a generateContent request
// for each picture, and their answers become one answer.
//
// What such a model cannot be told is refused or named as a loss, never dropped
// in silence.
package drawing

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

const (
	// MaxPictures is how many one request may ask for, which is OpenAI's own
	// limit.
	MaxPictures = 10
	maxLosses   = 64
)

// A Request is what is to be drawn.
type Request struct {
	N      int // pictures, 1 to MaxPictures
	Losses []llm.Loss

	prompt llm.Text
	ratio  string // of width to height as Google names it, "": as the model likes
	size   string // as Google names it, "": as the model likes
	url    bool   // pictures are wanted as addresses
}

// FromOpenAI reads a request of OpenAI's. The error is a *fault.Fault.
func FromOpenAI(body []byte) (*Request, error) {
	r := &Request{N: 1}
	var quality, exact string
	for m, err := range jsonedit.Members(body) {
		if err != nil {
			return nil, refuse(fault.Malformed, "", "%s", err)
		}
		if wire.Null(m.Value) {
			continue
		}
		text := wire.Text(m.Value)
		switch name := string(m.Name); name {
		case "model", "user", "moderation": // change no picture
		case "prompt":
			if text == "" {
				return nil, refuse(fault.Malformed, name, "prompt must be a text")
			}
			r.prompt = llm.Wire(m.Value)
		case "n":
			n, ok := jsonedit.Int(m.Value)
			if !ok || n < 1 || n > MaxPictures {
				return nil, refuse(fault.Malformed, name, "n must be a whole number from 1 to %d", MaxPictures)
			}
			r.N = int(n)
		case "size":
			if r.ratio = ratioOf(text); r.ratio == "" && text != "auto" {
				return nil, refuse(fault.Malformed, name, `size must be "auto", or a width and a height as in "1024x1024"`)
			}
		case "quality":
			quality = text
		case "image_size", "imageSize":
			exact = text
		case "response_format":
			r.url = text == "url"
		case "output_format":
			if text != "png" {
				r.lose(name, "approximated: the picture comes in the form in which the model draws it")
			}
		case "stream":
			if string(m.Value) == "true" {
				return nil, refuse(fault.Unsupported, name, "the model draws no picture in pieces: leave stream out")
			}
		default:
			r.lose(name, "dropped: the model has no such setting")
		}
	}
	if !r.prompt.IsSet() {
		return nil, refuse(fault.Malformed, "prompt", "the request has no prompt")
	}
	r.size = sizes[strings.ToLower(quality)]
	if exact != "" {
		r.size = strings.ToUpper(exact)
	}
	return r, nil
}

// sizes are what the words for quality are to models that draw in sizes.
var sizes = map[string]string{
	"low": "1K", "standard": "1K", "1k": "1K", "medium": "2K", "2k": "2K", "high": "4K", "hd": "4K", "4k": "4K",
}

// ratios are those that Google's models draw.
var ratios = []string{"1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"}

// ratioOf is the ratio that comes next to that of "WIDTHxHEIGHT" or
// "WIDTH:HEIGHT", or "".
func ratioOf(size string) (best string) {
	want := quotient(strings.Replace(size, "x", ":", 1))
	if want == 0 {
		return ""
	}
	return slices.MinFunc(ratios, func(a, b string) int {
		far := func(r string) float64 { return math.Abs(math.Log(quotient(r) / want)) }
		return cmp.Compare(far(a), far(b))
	})
}

func quotient(s string) float64 {
	w, h, _ := strings.Cut(s, ":")
	x, err := strconv.ParseUint(w, 10, 16)
	y, err2 := strconv.ParseUint(h, 10, 16)
	if err != nil || err2 != nil || x == 0 || y == 0 {
		return 0
	}
	return float64(x) / float64(y)
}

func (r *Request) lose(path, why string) {
	if len(r.Losses) < maxLosses {
		r.Losses = append(r.Losses, llm.Loss{Path: path, Why: why})
	}
}

func refuse(class fault.Class, param, format string, args ...any) error {
	f := fault.New(class, format, args...)
	f.Param = param
	return f
}

// Google writes the request for one picture. Models before Gemini 3 draw in one
// size and refuse to be told another: for them it is a loss.
func (r *Request) Google(model string) []byte {
	dst := append(make([]byte, 0, 512), `{"contents":[{"role":"user","parts":[{"text":`...)
	dst = append(r.prompt.AppendJSON(dst), `}]}],"generationConfig":{"responseModalities":["TEXT","IMAGE"]`...)
	size := r.size
	if size != "" && strings.Contains(model, "gemini-2") {
		size = ""
		if !slices.ContainsFunc(r.Losses, func(l llm.Loss) bool { return l.Path == "quality" }) {
			r.lose("quality", "dropped: the model draws in one size")
		}
	}
	if r.ratio != "" || size != "" {
		dst = append(jsonw.Name(dst, "imageConfig"), '{')
		if r.ratio != "" {
			dst = jsonw.String(dst, "aspectRatio", r.ratio)
		}
		if size != "" {
			dst = jsonw.String(dst, "imageSize", size)
		}
		dst = append(dst, '}')
	}
	return append(dst, `}}`...)
}
