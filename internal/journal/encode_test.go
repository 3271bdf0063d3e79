package journal

import (
	"bytes"
	"encoding/hex"
	"encoding/json/v2"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/llm"
)

// whole returns an exchange with no field empty, whatever fields there are.
func whole(t testing.TB) *Exchange {
	t.Helper()
	x := new(Exchange)
	n := 0
	fill(t, reflect.ValueOf(x).Elem(), &n)
	return x
}

func fill(t testing.TB, v reflect.Value, n *int) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000, int64(*n)).UTC()))
	case v.Kind() == reflect.String:
		v.SetString(strings.Repeat("é", *n))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(int64(*n) << 40 * (1 - 2*int64(*n%2)))
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0), n)
		fill(t, v.Index(1), n)
	case v.Kind() == reflect.Struct:
		for _, f := range v.Fields() {
			fill(t, f, n)
		}
	default:
		t.Fatalf("a field of type %s is neither filled here nor encoded", v.Type())
	}
}

// typical is what most requests leave behind.
func typical() *Exchange {
	return &Exchange{
		ID: "req_01kb0z3m5t8h2abcdefghjkmnp", Start: time.Unix(1_764_000_000, 123_456_789).UTC(),
		Key: "default", Client: "claude-cli/2.0.50", Peer: "127.0.0.1", Session: "9f86d081884c7d65",
		Op: "chat", Inbound: "anthropic", Outbound: "anthropic", Stream: true, Asked: "claude-sonnet-4-5", Served: "claude-sonnet-4-5-20250929",
		Account: "work", Status: 200, Stop: "end_turn", Upstream: "msg_01XFDUDYJgAACzvnptvVoYEL",
		First: 640 * time.Millisecond, Took: 9_400 * time.Millisecond, BytesIn: 81_920, BytesOut: 20_480,
		Usage:    llm.Usage{Input: 4, CacheRead: 20_000, CacheWrite: 700, Output: 650, Reasoning: 120},
		Attempts: []Attempt{{Account: "work", Model: "claude-sonnet-4-5-20250929", Start: 20_000, Took: 9_399 * time.Millisecond, Status: 200, Step: "served"}},
	}
}

func TestEncodingCarriesEveryField(t *testing.T) {
	for name, x := range map[string]*Exchange{"whole": whole(t), "typical": typical(), "empty": {Start: time.Time{}}} {
		b := Append(nil, x)
		got, err := Decode(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(x, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for n := range b {
			if _, err := Decode(b[:n]); err == nil {
				t.Fatalf("%s: its first %d of %d bytes pass for an exchange", name, n, len(b))
			}
		}
		if _, err := Decode(append(b, 0)); err == nil {
			t.Errorf("%s: a byte too many is not noticed", name)
		}
	}
}

// TestEncodingIsBounded: whatever an exchange holds, it fits a frame and the
// cut is between characters.
func TestEncodingIsBounded(t *testing.T) {
	x := whole(t)
	huge := strings.Repeat("é", maxPayload)
	var stretch func(v reflect.Value)
	stretch = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			v.SetString(huge)
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1000, 1000))
			for i := range v.Len() {
				stretch(v.Index(i))
			}
		case reflect.Struct:
			for _, f := range v.Fields() {
				if f.CanSet() {
					stretch(f)
				}
			}
		}
	}
	stretch(reflect.ValueOf(x).Elem())
	b := Append(nil, x)
	if len(b) > maxPayload {
		t.Fatalf("the largest exchange has %d bytes, more than %d", len(b), maxPayload)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.Error != huge[:maxText] || got.Attempts[0].Error != huge[:maxNote] {
		t.Errorf("texts were cut to %d and %d bytes, want %d and %d", len(got.Error), len(got.Attempts[0].Error), maxText, maxNote)
	}
	if len(got.Attempts) != maxAttempts || len(got.Passed) != maxPassed || len(got.Losses) != maxLosses || len(got.Edits) != maxEdits {
		t.Errorf("lists were cut to %d, %d, %d, %d", len(got.Attempts), len(got.Passed), len(got.Losses), len(got.Edits))
	}
	if s := string(appendText(nil, strings.Repeat("a", maxNote-1)+"é", maxNote)); !strings.HasSuffix(s, "a") {
		t.Errorf("a character was cut in half: …%q", s[len(s)-2:])
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	b := Append(nil, typical())
	b[0] = version + 1
	if _, err := Decode(b); err == nil || !strings.Contains(err.Error(), fmt.Sprint("format ", version+1)) {
		t.Errorf("error = %v, want one that names the format", err)
	}
}

// TestOlderFormat: what the version before wrote is read.
func TestOlderFormat(t *testing.T) {
	b, err := hex.DecodeString("01057265715f31cad6b9950d070000000004636861740009616e7468726f70696300000000000000000000009003000a0000000000000002" +
		"0161016d0c726174655f6c696d697465640000000007616e6f746865720204da060001620000000000000673657276656406049003000101630f636f6f6c696e673a2062726f6b656e00")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	want := &Exchange{
		ID: "req_1", Start: time.Unix(1767323045, 7).UTC(), Op: "chat", Inbound: "anthropic", Status: 200, Took: 5,
		Attempts: []Attempt{{Account: "a", Model: "m", Start: 1, Took: 2, Status: 429, Fault: "rate_limited", Step: "another"}, {Account: "b", Start: 3, Took: 2, Status: 200, Step: "served"}},
		Passed:   []Passed{{"c", "cooling: broken"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestShorterFormats: each of these formats ends where the next one goes on,
// with what is mostly empty.
func TestShorterFormats(t *testing.T) {
	for format, lists := range map[byte]int{2: 4, 3: 3, 4: 2, 5: 1} {
		b := Append(nil, typical())
		b[0] = format
		got, err := Decode(b[:len(b)-lists])
		if err != nil {
			t.Fatalf("format %d: %v", format, err)
		}
		if d := cmp.Diff(typical(), got); d != "" {
			t.Errorf("format %d: %s", format, d)
		}
	}
}

// TestOlderShares: what an attempt used is read as the format before told it,
// without the details.
func TestOlderShares(t *testing.T) {
	want := typical()
	want.Attempts = []Attempt{{Account: "a", Leg: 1, Usage: llm.Usage{Input: 3, CacheWrite: 2, CacheHour: 1}}}
	b := Append(nil, want)
	n := len(b)
	if b[n-3] != 0 || b[n-1] != 0 {
		t.Fatalf("it ends with %x", b[n-4:])
	}
	older := append(bytes.Clone(b[:n-3]), b[n-2]) // without the details of the attempt and of the whole
	older[0] = 5
	if got, err := Decode(older); err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("%v, %s", err, cmp.Diff(want, got))
	}
	b[n-1] = 1 << llm.Details // a detail of a later version
	if _, err := Decode(b); err == nil {
		t.Error("a detail that nobody knows is read")
	}
}

// TestDetails: each detail of what was used comes back by itself.
func TestDetails(t *testing.T) {
	for i := range llm.Details {
		want := typical()
		want.Attempts = []Attempt{{Account: "a"}}
		*want.Usage.Details()[i] = 1 << 40
		*want.Attempts[0].Usage.Details()[i] = 7
		if got, err := Decode(Append(nil, want)); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%d: %v, %s", i, err, cmp.Diff(want, got))
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Append(nil, typical()))
	f.Add(Append(nil, &Exchange{}))
	f.Add([]byte{version, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := Decode(b)
		if err != nil {
			return
		}
		// What decodes is encodable, and means the same (the encoding of a
		// number need not have been the shortest).
		y, err := Decode(Append(nil, x))
		if err != nil {
			t.Fatal(err)
		}
		if len(b) < maxNote { // nothing was cut
			if diff := cmp.Diff(x, y); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestJSONKeepsDurations(t *testing.T) {
	x := typical()
	b, err := json.Marshal(x, JSON)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `"took_ns":9400000000`) {
		t.Errorf("no whole nanoseconds in %s", b)
	}
	var got Exchange
	if err := json.Unmarshal(b, &got, JSON); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(x, &got); diff != "" {
		t.Error(diff)
	}
}

func TestNewID(t *testing.T) {
	now := time.Unix(1_764_000_000, 0)
	seen := make(map[string]bool)
	last := ""
	for i := range 10_000 {
		id := newID(now.Add(time.Duration(i) * time.Microsecond))
		if len(id) > 32 || strings.Trim(id[len(idPrefix):], digits) != "" || id[:len(idPrefix)] != idPrefix {
			t.Fatalf("%q is no name", id)
		}
		if id <= last {
			t.Fatalf("%q does not sort behind %q", id, last)
		}
		if random := id[len(id)-15:]; seen[random] {
			t.Fatalf("%q was made twice", id)
		} else {
			seen[random] = true
		}
		last = id
	}
}
