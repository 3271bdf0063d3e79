package journal

import (
	"slices"
	"testing"
)

type listen func(*Exchange)

func (f listen) Heard(x *Exchange) { f(x) }

// TestListeners: each is told everything from Listen to stop, in order.
func TestListeners(t *testing.T) {
	j := open(t, t.TempDir(), Options{})
	record(t, j, 0, 10) // before anybody listens
	var a, b []int64
	got := make(chan struct{}, 100)
	stopA := j.Listen(listen(func(x *Exchange) { a = append(a, x.BytesIn); got <- struct{}{} }))
	record(t, j, 10, 20)
	j.hear()
	for range 10 {
		<-got
	}
	j.Listen(listen(func(x *Exchange) { b = append(b, x.BytesIn); got <- struct{}{} }))
	record(t, j, 20, 25)
	j.hear()
	for range 10 {
		<-got
	}
	stopA()
	record(t, j, 25, 30)
	j.hear()
	for range 5 {
		<-got
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if want := []int64{10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24}; !slices.Equal(a, want) {
		t.Errorf("a heard %v", a)
	}
	if want := []int64{20, 21, 22, 23, 24, 25, 26, 27, 28, 29}; !slices.Equal(b, want) {
		t.Errorf("b heard %v", b)
	}
}

// TestOpenIsNotTold: of an exchange that is recorded again, listeners hear once.
func TestOpenIsNotTold(t *testing.T) {
	j := open(t, t.TempDir(), Options{})
	got := make(chan *Exchange, 10)
	j.Listen(listen(func(x *Exchange) { got <- x }))
	for _, isOpen := range []bool{true, true, false} {
		x := exchange(1)
		x.Open = isOpen
		if err := j.Record(x); err != nil {
			t.Fatal(err)
		}
		j.hear()
	}
	if x := <-got; x.Open || len(got) != 0 {
		t.Errorf("heard %+v and %d more", x, len(got))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestSlowListener: it misses the oldest, and nobody waits for it.
func TestSlowListener(t *testing.T) {
	j := open(t, t.TempDir(), Options{})
	entered, leave := make(chan struct{}), make(chan struct{})
	var heard []int64
	done := make(chan struct{})
	const n = maxEar + 1000
	j.Listen(listen(func(x *Exchange) {
		heard = append(heard, x.BytesIn)
		switch {
		case len(heard) == 1:
			close(entered)
			<-leave
		case x.BytesIn == n:
			close(done)
		}
	}))
	record(t, j, 0, 1)
	j.hear()
	<-entered
	record(t, j, 1, n+1)
	j.hear()
	if got := j.Stats().Unheard; got != 1000 {
		t.Errorf("%d were dropped, want 1000", got)
	}
	close(leave)
	<-done
	if len(heard) != maxEar+1 || heard[1] != 1001 {
		t.Errorf("heard %d, the second being number %d", len(heard), heard[1])
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}
