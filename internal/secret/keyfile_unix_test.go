//go:build unix

package secret

import (
	"os"
	"strings"
	"testing"
)

func TestKeyFileOfOthers(t *testing.T) {
	s := sealer(t)
	sealed := seal(t, s, "x")
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o666} {
		if err := os.Chmod(s.path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := NewSealer(s.path).Open(sealed); err == nil || !strings.Contains(err.Error(), "chmod 600 "+s.path) {
			t.Errorf("mode %04o: error = %v", mode, err)
		}
	}
}
