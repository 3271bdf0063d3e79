// Package providertest helps to test providers: that their rules mean what
// vendors are known to send.
package providertest

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/internal/fault"
)

// A Sample is an answer that a vendor is known to give, and what it means.
type Sample struct {
	Name   string
	Status int
	Header http.Header
	Body   []byte
	Want   string // "CLASS of SCOPE", or "CLASS of SCOPE after WAIT"
}

// Noon is the moment at which samples are judged.
var Noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// Judge checks that rules judge every sample of a file as it says, and that
// each of the first own rules decides at least one of them: a rule without a
// sample is a guess. The file is as ParseSamples takes it; decode is the
// protocol's codec.
func Judge(t *testing.T, rules fault.Rules, own int, file string, decode func(status int, body []byte) fault.Sign) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := ParseSamples(string(text))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	decides := make([]int, own)
	for _, s := range samples {
		sign := decode(s.Status, s.Body)
		sign.Header, sign.Phase = s.Header, fault.Answered
		if got := Verdict(rules.Judge(sign, Noon)); got != s.Want {
			t.Errorf("%s: %s, want %s", s.Name, got, s.Want)
		}
		for i := range own {
			if rules[i].Matches(&sign, Noon) {
				decides[i]++
				break
			}
		}
	}
	for i, n := range decides {
		if n == 0 {
			t.Errorf("rule %d decides no sample: %+v", i, rules[i])
		}
	}
}

// Verdict is f as samples spell it.
func Verdict(f *fault.Fault) string {
	s := fmt.Sprintf("%v of %v", f.Class, f.Scope)
	if f.After > 0 {
		s += fmt.Sprintf(" after %v", f.After)
	}
	return s
}

// ParseSamples reads samples, each of which is a block of lines with an empty
// line after it:
//
//	# what it is
//	FROM STATUS [NAME=VALUE]… -> CLASS of SCOPE [after WAIT]
//	the body, on one or more lines
//
// FROM says how it is known that vendors send this: "recorded" from a vendor,
// "quoted" in a public report or in the vendor's documentation, or "spec" if
// only the codes are known. Codes and phrases are the vendor's; names, numbers
// and what is of no account were written anew. NAME=VALUE is a header, in
// which an underscore stands for a space.
func ParseSamples(text string) (samples []Sample, err error) {
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		title, rest, _ := strings.Cut(strings.TrimSpace(block), "\n")
		line, body, _ := strings.Cut(rest, "\n")
		is, want, ok := strings.Cut(line, " -> ")
		words := strings.Fields(is)
		if !strings.HasPrefix(title, "# ") || !ok || len(words) < 2 {
			return nil, fmt.Errorf("%q is no sample", title)
		}
		s := Sample{Name: title[2:], Header: http.Header{}, Body: []byte(body), Want: want}
		if from := words[0]; from != "recorded" && from != "quoted" && from != "spec" {
			return nil, fmt.Errorf("%q: nobody knows where it comes from (%q)", title, from)
		}
		if s.Status, err = strconv.Atoi(words[1]); err != nil {
			return nil, fmt.Errorf("%q: %w", title, err)
		}
		for _, w := range words[2:] {
			name, value, _ := strings.Cut(w, "=")
			s.Header.Set(name, strings.ReplaceAll(value, "_", " "))
		}
		samples = append(samples, s)
	}
	return samples, nil
}
