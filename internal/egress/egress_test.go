package egress

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestAllowed(t *testing.T) {
	for _, tt := range []struct {
		addr          string
		open, private bool // allowed for an ordinary account, for a local one
	}{
		{"93.184.216.34", true, true},
		{"2606:4700::1111", true, true},
		{"127.0.0.1", false, true},
		{"::1", false, true},
		{"10.1.2.3", false, true},
		{"172.16.0.1", false, true},
		{"192.168.1.5", false, true},
		{"100.64.0.9", false, true},
		{"fd12::1", false, true},
		{"::ffff:192.168.1.5", false, true},
		{"64:ff9b::c0a8:0105", false, true},
		{"169.254.169.254", false, false},
		{"::ffff:169.254.169.254", false, false},
		{"64:ff9b::a9fe:a9fe", false, false},
		{"fe80::1", false, false},
		{"fd00:ec2::254", false, false},
		{"100.100.100.200", false, false},
		{"0.0.0.0", false, false},
		{"0.1.2.3", false, false},
		{"::", false, false},
		{"224.0.0.1", false, false},
		{"255.255.255.255", false, false},
	} {
		a := netip.MustParseAddr(tt.addr)
		if got := Allowed(a, false); got != tt.open {
			t.Errorf("Allowed(%s, false) = %v", a, got)
		}
		if got := Allowed(a, true); got != tt.private {
			t.Errorf("Allowed(%s, true) = %v", a, got)
		}
	}
}

func TestLocal(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "localhost": true, "[::1]": true, "::1": true, "192.168.0.2": true, "nas": true, "box.local": true, "host.docker.internal": true,
		"api.openai.com": false, "8.8.8.8": false, "169.254.169.254": false, "metadata.google.internal": false, "local.example.com": false,
	} {
		if got := Local(host); got != want {
			t.Errorf("Local(%q) = %v", host, got)
		}
	}
}

// TestGuardAtTheDial: the check is made on the address that is really dialled.
func TestGuardAtTheDial(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	out := New(time.Second, nil)
	for _, local := range []bool{true, false} {
		tr, err := out.Transport("direct", local)
		if err != nil {
			t.Fatal(err)
		}
		req, _ := http.NewRequestWithContext(t.Context(), "GET", srv.URL, nil)
		resp, err := tr.RoundTrip(req)
		if resp != nil {
			resp.Body.Close()
		}
		var refused *RefusedError
		if got := errors.As(err, &refused); got == local {
			t.Errorf("local %v: refused %v (%v)", local, got, err)
		}
		if err != nil && !IsDial(err) {
			t.Errorf("IsDial(%v) = false", err)
		}
	}
	out.CloseIdle()
}

func TestTransports(t *testing.T) {
	out := New(time.Second, nil)
	a, _ := out.Transport("", false)
	b, _ := out.Transport("", false)
	if a != b {
		t.Error("two transports for one way")
	}
	if _, err := out.Transport("ftp://u:hunter2@x", false); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a bad proxy: %v", err)
	}
	for i := range maxTransports + 10 {
		_, err := out.Transport("http://127.0.0.1:"+strings.Repeat("1", 1)+string(rune('a'+i%26))+strings.Repeat("x", i/26), false)
		_ = err
	}
	if len(out.made) > maxTransports {
		t.Errorf("%d transports", len(out.made))
	}
}
