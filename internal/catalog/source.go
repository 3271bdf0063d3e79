package catalog

//go:generate go run -C ../gen/catalog . -o ../../catalog/models.tsv

import (
	_ "embed"
	"strconv"
	"strings"
)

// data is the catalogue as the generator wrote it. Its first line says where
// it comes from. Each line after it is an entry, in the order of the names'
// bytes, of fields between tabs:
//
//	name display-name context max-output in out read write abilities long
//	name =other-name
//
// A price that is unknown is empty. Abilities are letters: "r" for reasoning,
// "i" for images, and digits for the levels of effort (see Efforts). "long" is empty or "above:in:out:read:write". The second form
// says that the name is another one's.
//
//go:embed models.tsv
var data string

// Version says which release of which source the embedded data was generated
// from, and of which day it is.
func Version() string {
	line, _, _ := strings.Cut(data, "\n")
	return strings.TrimPrefix(line, "# ")
}

// Day is the day of the embedded data, such as 2026-10-28.
func Day() string {
	_, rest, _ := strings.Cut(Version(), " of ")
	day, _, _ := strings.Cut(rest, " ")
	return day
}

// find returns the entry of the first of the names that has one.
func find(names []string) (Model, bool) {
	for _, name := range names {
		line, ok := search(data, name)
		if !ok {
			continue
		}
		if other, is := strings.CutPrefix(line, "="); is {
			name = other
			line, ok = search(data, name)
		}
		return parse(name, line), ok
	}
	return Model{}, false
}

// search returns what stands behind name in the sorted lines of text. The
// first line is the header.
func search(text, name string) (rest string, ok bool) {
	lo, hi := strings.IndexByte(text, '\n')+1, len(text) // the line is in text[lo:hi], whole lines
	for lo < hi {
		mid := lo + strings.LastIndexByte(text[lo:lo+(hi-lo)/2], '\n') + 1
		end := mid + strings.IndexByte(text[mid:hi], '\n')
		if end < mid {
			end = hi
		}
		key, rest, _ := strings.Cut(text[mid:end], "\t")
		switch strings.Compare(name, key) {
		case 0:
			return rest, true
		case -1:
			hi = mid
		default:
			lo = min(end+1, hi)
		}
	}
	return "", false
}

// parse reads an entry. The generator wrote it, and a test reads every one.
func parse(name, line string) Model {
	field := func() string {
		f, rest, _ := strings.Cut(line, "\t")
		line = rest
		return f
	}
	m := Model{ID: name, Name: field()}
	m.Context, m.MaxOutput = integer(field()), integer(field())
	m.Price.Rates = Rates{In: price(field()), Out: price(field()), CacheRead: price(field()), CacheWrite: price(field())}
	m.Price.Known = m.Price.In >= 0 && m.Price.Out >= 0
	abilities := field()
	m.Reasoning, m.Images = strings.Contains(abilities, "r"), strings.Contains(abilities, "i")
	for i := range efforts {
		if strings.IndexByte(abilities, byte('0'+i)) >= 0 {
			m.Efforts |= 1 << i
		}
	}
	if long := field(); long != "" {
		f := strings.SplitN(long, ":", 5)
		m.Price.Above = integer(f[0])
		m.Price.Long = Rates{In: price(f[1]), Out: price(f[2]), CacheRead: price(f[3]), CacheWrite: price(f[4])}
	}
	return m
}

// price is -1 for an empty field.
func price(s string) float64 {
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return f
	}
	return -1
}

// integer is 0 for an empty field.
func integer(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
