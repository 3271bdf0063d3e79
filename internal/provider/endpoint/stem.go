package endpoint

import (
	"fmt"
	"net/url"
	"strings"
)

// Stem checks that the base URL u, which Base returned, does not end in one of
// the paths that requests append to it: whoever copies the address of a
// vendor's endpoint instead of its base would otherwise ask for
// "/v1/messages/v1/messages".
func Stem(u *url.URL, paths ...string) error {
	for _, p := range paths {
		if strings.HasSuffix(u.Path, p) {
			return fmt.Errorf("base_url: leave out %s at its end; it is appended to every request", p)
		}
	}
	return nil
}

// Word checks the value of an option that goes into a header.
func Word(options map[string]string, name string) error {
	for _, c := range []byte(options[name]) {
		if c <= ' ' || c > '~' {
			return fmt.Errorf("options: %s holds a character that no such name has", name)
		}
	}
	return nil
}
