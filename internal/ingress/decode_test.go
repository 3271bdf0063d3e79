package ingress

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"runtime"
	"strings"
	"testing"

	"portico/internal/config"
)

func gzipOf(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func zlibOf(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func flateOf(b []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, 6)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func TestEncodings(t *testing.T) {
	large := `{"model":"m","text":"` + strings.Repeat("all work and no play ", 90_000) + `"}` // larger than once
	set := settings(config.AuthOff)
	set.Body = 4 << 20
	for _, tt := range []struct {
		coding, body string
		status       int
		want         string
	}{
		{"gzip", string(gzipOf([]byte(jsonBody))), 200, jsonBody},
		{"GZIP", string(gzipOf([]byte(jsonBody))), 200, jsonBody},
		{"x-gzip", string(gzipOf([]byte(large))), 200, large},
		{"deflate", string(zlibOf([]byte(jsonBody))), 200, jsonBody},
		{"deflate", string(flateOf([]byte(jsonBody))), 200, jsonBody},
		{"deflate", string(flateOf([]byte(large))), 200, large},
		{"identity", jsonBody, 200, jsonBody},
		{"", jsonBody, 200, jsonBody},
		{"gzip", string(gzipOf([]byte(jsonBody[:9]))) + string(gzipOf([]byte(jsonBody[9:]))), 200, jsonBody},
		{"gzip", string(gzipOf([]byte(large)))[:500], 400, ""},
		{"gzip", string(gzipOf([]byte(jsonBody))) + "trailing", 400, ""},
		{"gzip", jsonBody, 400, ""},
		{"zstd", "x", 415, ""},
		{"br", "x", 415, ""},
		{"gzip, gzip", string(gzipOf(gzipOf([]byte(jsonBody)))), 415, ""},
		{"gzip", string(gzipOf(make([]byte, 4<<20+1))), 413, ""},
	} {
		h := newHouse(set)
		w := h.ask("POST", "/v1/responses", tt.body, "Content-Encoding", tt.coding)
		if w.Code != tt.status {
			t.Errorf("%s %.20q: got %d %s, want %d", tt.coding, tt.body, w.Code, w.Body, tt.status)
			continue
		}
		if tt.status != 200 {
			if toldBy(t, w).Dialect != oResp || (w.Header().Get("Accept-Encoding") != "") != (tt.status == 415) {
				t.Errorf("%s: got %s", tt.coding, w.Body)
			}
			continue
		}
		if c := h.last(t); string(c.Body) != tt.want || tt.coding != "" && tt.coding != "identity" && c.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: the relay got %d bytes with coding %q", tt.coding, len(c.Body), c.Header.Get("Content-Encoding"))
		}
	}
}

// SEC-43: a bomb costs no more memory than the limit allows.
func TestSEC43Bombs(t *testing.T) {
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	zero := make([]byte, 1<<20)
	for range 66 {
		_, _ = w.Write(zero)
	}
	_ = w.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := decode(bomb.Bytes(), gzipped, maxDecoded)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, errOverLimit) {
		t.Errorf("a bomb: %v", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
		t.Errorf("a bomb took %d bytes, want at most 16 MiB", took)
	}
	for _, limit := range []int64{once - 1, once, once + 1, 3 << 20} {
		if b, err := decode(gzipOf(make([]byte, limit)), gzipped, limit); err != nil || int64(len(*b)) != limit {
			t.Errorf("exactly %d bytes: %v", limit, err)
		}
		if _, err := decode(gzipOf(make([]byte, limit+1)), gzipped, limit); !errors.Is(err, errOverLimit) {
			t.Errorf("one byte over %d: %v", limit, err)
		}
	}
}
