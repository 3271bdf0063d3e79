package rig

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// TestClientsReadTheUpstream: without a gateway between them, every client
// understands the upstream, whole and streamed, well and ill. What the soak
// and the attack tests find is then the gateway's.
func TestClientsReadTheUpstream(t *testing.T) {
	u, err := NewUpstream()
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	c := Client()
	for _, p := range Protocols {
		for _, stream := range []bool{false, true} {
			a := Ask{Protocol: p, Stream: stream, Model: "m", Script: Script{N: 7, In: 11, Cached: 22, Out: 33, Think: 44, Chunks: 3, Size: 40}}
			got := a.Do(t.Context(), c, u.URL, nil)
			want := a.Tell()
			if !got.Whole || got.Err != nil || got.Text != a.Script.Text() ||
				got.Usage.In != want.In || got.Usage.Cached != want.Cached || got.Usage.Out != want.Out || got.Usage.Think != want.Think {
				t.Errorf("%s, stream %t: %+v", p, stream, got)
			}
			for _, fault := range []string{Early, Head, Middle, Unended, Long, Garbage, Page, Empty, Error, "400", "429", "500"} {
				a.Script.Fault = fault
				got := a.Do(t.Context(), c, u.URL, nil)
				if got.Whole && got.Told == "" {
					t.Errorf("%s, stream %t, %s: taken for whole: %+v", p, stream, fault, got)
				}
			}
		}
	}
}

func TestStallEndsWithItsClient(t *testing.T) {
	u, err := NewUpstream()
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	left := make(chan int64, 1)
	u.Tell(Watch{Left: func(n int64, _ time.Time) { left <- n }})
	ctx, cancel := context.WithCancel(t.Context())
	a := Ask{Protocol: Messages, Stream: true, Model: "m", Script: Script{N: 5, Chunks: 4, Fault: Stall}}
	a.Do(ctx, Client(), u.URL, func(*Answer) { cancel() })
	if n := <-left; n != 5 {
		t.Errorf("%d left", n)
	}
	if err := u.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestScript(t *testing.T) {
	s := Script{N: 1, In: 2, Cached: 3, Out: 4, Think: 5, Chunks: 6, Size: 7, Wait: 8 * time.Millisecond, Pause: 9 * time.Microsecond, Fault: Early, Account: "a"}
	if got := ParseScript(`{"x":"` + s.String() + `"}`); got != s {
		t.Errorf("%+v", got)
	}
	if got := ParseScript("[rig nonsense]"); got.Fault != "500" {
		t.Errorf("a broken script is played: %+v", got)
	}
}

func TestFreePort(t *testing.T) {
	p, err := FreePort(t.Context())
	if err != nil || p < firstPort || p >= firstPort+ports {
		t.Errorf("%d, %v", p, err)
	}
}

func TestUsageOf(t *testing.T) {
	u, err := UsageOf(1 << 30)
	if err == nil {
		t.Errorf("a process that is not there takes %+v", u)
	}
}

var _ http.Handler = (*Upstream)(nil)
