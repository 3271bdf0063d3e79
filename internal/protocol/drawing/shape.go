package drawing

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"portico/internal/fault"
)

// A shape is what a request says of the form of its pictures.
type shape struct {
	ratio   string // of width to height, exactly
	size    string // "1024x1024", "16:9" or "auto"
	quality string
	exact   string // the size as Google names it
}

// sizes are what the words for quality are to models that draw in sizes.
var sizes = map[string]string{
	"low": "1K", "standard": "1K", "1k": "1K", "medium": "2K", "2k": "2K", "high": "4K", "hd": "4K", "4k": "4K", "auto": "", "": "",
}

// ratios are those that Google's models draw.
var ratios = []string{"1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"}

// near is how far a ratio may be from the one that was asked for without being
// another one.
const near = 0.05

// check says what is wrong with s.
func (s *shape) check() error {
	switch {
	case s.ratio != "" && !slices.Contains(ratios, s.ratio):
		return refuse(fault.Malformed, "aspect_ratio", "aspect_ratio must be one of %s", strings.Join(ratios, ", "))
	case s.size != "" && s.size != "auto" && quotient(s.size) == 0:
		return refuse(fault.Malformed, "size", `size must be "auto", or a width and a height as in "1024x1024"`)
	case !known(s.quality):
		return refuse(fault.Malformed, "quality", "quality must be one of auto, low, medium, high, standard, hd, 1k, 2k, 4k")
	case len(s.exact) > 8 || strings.Trim(s.exact, "0123456789.KPX") != "":
		return refuse(fault.Malformed, "image_size", `image_size must be a size such as "2K"`)
	}
	return nil
}

func known(quality string) bool {
	_, ok := sizes[quality]
	return ok
}

// form is the form in which a model of that name draws: what the request says
// exactly comes first, then its quality, its size, and what the name says
// (spec: parity §1.8). What of it cannot be had is lost.
func (r *Request) form(model string) (ratio, size string) {
	s := &r.shape
	base, named := suffixes(model)
	if base == model {
		_, named = suffixes(r.model) // as the client wrote it
	}
	ratio = named.ratio
	var pixels string
	if want := quotient(s.size); want != 0 {
		ratio = nearest(want)
		if far(ratio, want) > near {
			r.lose("size", "approximated: the picture is drawn in the ratio "+ratio)
		}
		switch w, h := sides(s.size); max(w, h) {
		case 0: // a ratio
		default:
			if pixels = inK(max(w, h)); pixels == "" {
				r.lose("size", "approximated: the model draws no picture as small as that")
			}
		}
	}
	ratio = cmp.Or(s.ratio, ratio)
	size = cmp.Or(s.exact, sizes[s.quality], pixels, named.exact)
	if pixels == "1K" && size == pixels { // which is what models draw that are not told
		size = ""
	}
	if size != "" && strings.Contains(model, "gemini-2") {
		r.lose(r.sizedBy(), "dropped: the model draws in one size")
		size = ""
	}
	return ratio, size
}

// sizedBy is the member that says how large a picture is to be.
func (r *Request) sizedBy() string {
	switch s := &r.shape; {
	case s.exact != "":
		return "image_size"
	case sizes[s.quality] != "":
		return "quality"
	case s.size != "" && s.size != "auto":
		return "size"
	}
	return "model"
}

// inK is the size in which a picture is drawn whose longer side is to have that
// many pixels, "" for one that is smaller than all.
func inK(pixels uint64) string {
	switch {
	case pixels < 1000:
		return ""
	case pixels < 2000:
		return "1K"
	case pixels < 3000:
		return "2K"
	}
	return "4K"
}

// sides are those of "WIDTHxHEIGHT", 0 for a mere ratio.
func sides(size string) (w, h uint64) {
	a, b, ok := strings.Cut(size, "x")
	if !ok {
		return 0, 0
	}
	w, _ = strconv.ParseUint(a, 10, 16)
	h, _ = strconv.ParseUint(b, 10, 16)
	return w, h
}

// nearest is the ratio that comes next to want.
func nearest(want float64) string {
	return slices.MinFunc(ratios, func(a, b string) int { return cmp.Compare(far(a, want), far(b, want)) })
}

func far(ratio string, want float64) float64 { return math.Abs(math.Log(quotient(ratio) / want)) }

// quotient is that of "WIDTHxHEIGHT" or "WIDTH:HEIGHT", 0 for anything else.
func quotient(s string) float64 {
	w, h, _ := strings.Cut(strings.Replace(s, "x", ":", 1), ":")
	x, err := strconv.ParseUint(w, 10, 16)
	y, err2 := strconv.ParseUint(h, 10, 16)
	if err != nil || err2 != nil || x == 0 || y == 0 {
		return 0
	}
	return float64(x) / float64(y)
}

// Base is a model's name without what clients add to it to say how large and in
// which ratio it is to draw, as in "gemini-3-pro-image-4k-16x9" (spec: parity
// §1.8). It is model itself if nothing is added.
func Base(model string) string {
	base, _ := suffixes(model)
	return base
}

// suffixes takes a name apart.
func suffixes(model string) (base string, s shape) {
	for base = model; ; {
		rest, last, ok := cutLast(base)
		if !ok || rest == "" {
			return base, s
		}
		switch last := strings.ToLower(last); last {
		case "4k", "2k", "1k", "hd", "standard", "medium":
			s.exact = cmp.Or(s.exact, sizes[last])
			base = rest
			continue
		default:
			if r := strings.Replace(last, "x", ":", 1); r != last && slices.Contains(ratios, r) {
				s.ratio = cmp.Or(s.ratio, r)
				base = rest
				continue
			}
		}
		// -16-9, unless it may be the number of a model.
		rest, first, ok := cutLast(rest)
		if !ok || !strings.Contains(rest, "image") && !strings.Contains(rest, "banana") || !slices.Contains(ratios, first+":"+last) {
			return base, s
		}
		s.ratio = cmp.Or(s.ratio, first+":"+last)
		base = rest
	}
}

func cutLast(s string) (before, after string, ok bool) { return strings.CutLast(s, "-") }
