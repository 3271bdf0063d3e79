package cli

import "testing"

// A browser is sent nowhere but where people sign in, whatever an issuer's
// address would have the system do; spec: security SEC-63.
func TestOpens(t *testing.T) {
	for address, want := range map[string]bool{
		"https://accounts.google.com/o/oauth2/v2/auth?client_id=1": true, "http://127.0.0.1:9/auth": true, "http://[::1]:9/auth": true,
		"http://accounts.example/auth": false, "http://localhost/auth": false, "file:///etc/passwd": false, "javascript:alert(1)": false, "-flag": false, "$(id)": false,
		"calc.exe": false, "": false, "https://": false, "https://a@b.example/": false, "ms-settings:x": false, "\x00": false,
	} {
		if got := opens(address); got != want {
			t.Errorf("%q: %v, want %v", address, got, want)
		}
	}
	if err := visit(t.Context(), "file:///etc/passwd"); err == nil {
		t.Error("a file was opened")
	}
}
