package journal

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

const salt = 0x1234_5678

// laid returns a segment's records from offset 0 on, and where each lies.
func laid(payloads ...string) (b []byte, at []int) {
	for _, p := range payloads {
		f := append(make([]byte, frameHeader), p...)
		sealFrame(f, salt)
		at = append(at, len(b))
		b = append(b, f...)
		b = append(b, make([]byte, int(padded(int64(len(f))))-len(f))...)
	}
	return b, at
}

func scanned(t testing.TB, b []byte, gaps bool) (found []string, at int64) {
	t.Helper()
	s := scan{r: bytes.NewReader(b), salt: salt, end: int64(len(b)), gaps: gaps}
	at, err := s.run(0, func(p []byte) bool { found = append(found, string(p)); return true })
	if err != nil {
		t.Fatal(err)
	}
	return found, at
}

func payloads() []string {
	r := rand.New(rand.NewPCG(1, 2))
	var ps []string
	for i := range 40 {
		n := 1 + r.IntN(300)
		if i%13 == 0 {
			n = 100_000 // more than is read at once
		}
		ps = append(ps, fmt.Sprintf("%d:%s", i, bytes.Repeat([]byte{byte(i + 1)}, n)))
	}
	return ps
}

func TestScanFindsAll(t *testing.T) {
	want := payloads()
	b, _ := laid(want...)
	got, at := scanned(t, b, false)
	if !slices.Equal(got, want) || at != int64(len(b)) {
		t.Fatalf("found %d of %d, stopped at %d of %d", len(got), len(want), at, len(b))
	}
}

// TestScanStopsOrSkips damages each record in turn, in ways that a crash or a
// disk may: the others are found.
func TestScanStopsOrSkips(t *testing.T) {
	want := payloads()
	whole, at := laid(want...)
	for i := range want {
		n := frameHeader + len(want[i])
		for name, damage := range map[string]func([]byte){
			"never written": func(b []byte) { clear(b) },
			"torn":          func(b []byte) { clear(b[len(b)/2:]) },
			"magic flipped": func(b []byte) { b[0] ^= 1 },
			"length long":   func(b []byte) { b[6] = 0x0f },
			"length huge":   func(b []byte) { b[7] = 0xff },
			"length short":  func(b []byte) { b[4]-- },
			"sum flipped":   func(b []byte) { b[8] ^= 0x80 },
			"byte flipped":  func(b []byte) { b[len(b)-1] ^= 4 },
		} {
			b := slices.Clone(whole)
			damage(b[at[i] : at[i]+n])
			if got, _ := scanned(t, b, true); !slices.Equal(got, slices.Delete(slices.Clone(want), i, i+1)) {
				t.Fatalf("record %d %s: found %d of the other %d", i, name, len(got), len(want)-1)
			}
			if got, stop := scanned(t, b, false); len(got) != i || stop != int64(at[i]) {
				t.Fatalf("record %d %s: stopped at %d after %d, want %d after %d", i, name, stop, len(got), at[i], i)
			}
		}
	}
}

// TestTextIsNoFrame: a text that a client chose lies at a multiple of align
// after its record was torn, and looks like a frame.
func TestTextIsNoFrame(t *testing.T) {
	forged := append(make([]byte, frameHeader), "forged"...)
	sealFrame(forged, salt+1) // the client does not know the salt
	b, _ := laid(string(append(make([]byte, align-frameHeader), forged...)))
	b[0] = 0
	if got, _ := scanned(t, b, true); len(got) > 0 {
		t.Errorf("found %q", got)
	}
}

func FuzzScan(f *testing.F) {
	b, _ := laid("one", "two", string(make([]byte, 200)))
	f.Add(b, uint16(0), byte(0))
	f.Add(b, uint16(70), byte(1))
	f.Add(b[:100], uint16(3), byte(0xff))
	f.Fuzz(func(t *testing.T, b []byte, where uint16, flip byte) {
		if int(where) < len(b) {
			b[where] ^= flip
		}
		found, at := scanned(t, b, true)
		if at < int64(len(b)) {
			t.Fatalf("stopped at %d of %d", at, len(b))
		}
		// Every payload that was found stands in a frame of its own.
		rest := b
		for _, p := range found {
			frame := append(make([]byte, frameHeader), p...)
			sealFrame(frame, salt)
			i := bytes.Index(rest, frame)
			if i < 0 {
				t.Fatalf("%q was found and is not there", p)
			}
			rest = rest[i+len(frame):]
		}
		if _, stop := scanned(t, b, false); stop > at {
			t.Fatalf("stopped behind the end")
		}
	})
}
