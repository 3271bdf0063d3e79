package relay

import (
	"regexp"
	"strings"
	"testing"
)

// madeHere are the parts of an answer that tell when and for which request it was
// written.
var madeHere = regexp.MustCompile(`"(created|created_at|completed_at)":\d+|req_[a-z0-9]+`)

// TestTranslatedSplits: however an upstream's bytes are cut on their way, even
// between those of one rune or of a line end, a client of another protocol gets
// the same ones.
func TestTranslatedSplits(t *testing.T) {
	for inbound, client := range dialects {
		for outbound, up := range dialects {
			if inbound == outbound {
				continue
			}
			for _, how := range []string{"\n", "\r\n"} {
				stream := strings.ReplaceAll(strings.ReplaceAll(strings.Join(up.parts(), ""), "llo", "llö 😀"), "\n", how)
				told := func(parts ...string) string {
					r := speaking(t, []string{outbound}, streaming(parts...))
					w := r.run(r.call(client, true))
					if w.status != 200 || !strings.Contains(w.text(), client.success) || !strings.Contains(w.text(), "llö 😀") {
						t.Fatalf("%s to %s: status %d\n%s", outbound, inbound, w.status, w.text())
					}
					return madeHere.ReplaceAllString(w.text(), "made")
				}
				want := told(stream)
				if got := told(strings.Split(stream, "")...); got != want {
					t.Fatalf("%s to %s, rune by rune:\n%s\nwant\n%s", outbound, inbound, got, want)
				}
				for at := 1; at < len(stream); at += 13 {
					if got := told(stream[:at], stream[at:]); got != want {
						t.Fatalf("%s to %s, cut at %d:\n%s\nwant\n%s", outbound, inbound, at, got, want)
					}
				}
			}
		}
	}
}
