package translate

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// sameChild is set where the test below runs as the other process.
const sameChild = "PORTICO_TEST_SAME"

// TestSameInAnotherProcess: the same requests and answers give the same bytes in
// another process, where maps are walked in another order (trap X3).
func TestSameInAnotherProcess(t *testing.T) {
	sum := sha256.New()
	for _, client := range translators {
		for _, upstream := range translators {
			if client == upstream {
				continue
			}
			for seed := range uint64(12) {
				x := travel(t, client, upstream, bodyOf(t, client, seed), upstreamOf(upstream, "one"))
				fmt.Fprintf(sum, "%s%s%v", x.there, x.back, x.losses)
				asked, err := upstream.DecodeRequest([]byte(lawAsks[upstream.Name()]))
				if err != nil {
					t.Fatal(err)
				}
				out, losses := tell(t, client, upstream, streamed(upstream, asked, newMaker(seed).response()), true)
				fmt.Fprintf(sum, "%s%v", out, losses)
			}
		}
	}
	here := fmt.Sprintf("sum %x", sum.Sum(nil))
	if os.Getenv(sameChild) != "" {
		fmt.Println(here)
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestSameInAnotherProcess$")
	cmd.Env = append(os.Environ(), sameChild+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if there := regexp.MustCompile(`sum [0-9a-f]+`).FindString(string(out)); there != here {
		t.Errorf("here %s, there %s", here, there)
	}
}
