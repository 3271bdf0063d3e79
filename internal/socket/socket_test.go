package socket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/nettest"
)

// pipe makes a connection over loopback, both of whose ends are cheap.
func pipe() (dialled, accepted net.Conn, stop func(), err error) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, nil, err
	}
	l := Listen(inner)
	defer l.Close()
	type result struct {
		c   net.Conn
		err error
	}
	done := make(chan result, 1)
	go func() {
		c, err := l.Accept()
		done <- result{c, err}
	}()
	dialled, err = Dialing((&net.Dialer{}).DialContext)(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		return nil, nil, nil, err
	}
	r := <-done
	if r.err != nil {
		dialled.Close()
		return nil, nil, nil, r.err
	}
	return dialled, r.c, func() { dialled.Close(); r.c.Close() }, nil
}

func ends(t testing.TB) (dialled, accepted net.Conn) {
	t.Helper()
	a, b, stop, err := pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return a, b
}

// TestConn is the standard library's own suite for connections: deadlines,
// closing under a call, concurrent use.
func TestConn(t *testing.T) { nettest.TestConn(t, pipe) }

// TestSizes: pieces on both sides of the bound arrive as they were sent,
// whatever the sizes of the reads.
func TestSizes(t *testing.T) {
	for _, size := range []int{1, 300, 64 << 10, 64<<10 + 1, 3 << 20} {
		for _, read := range []int{7, 4 << 10, 1 << 20} {
			if size/read > 10_000 {
				continue
			}
			a, b := ends(t)
			want := bytes.Repeat([]byte("0123456789abcdef!"), size/17+1)[:size]
			var sent sync.WaitGroup
			sent.Go(func() {
				if n, err := a.Write(want); n != size || err != nil {
					t.Errorf("a write of %d: %d, %v", size, n, err)
				}
				a.Close()
			})
			var got bytes.Buffer
			_, err := io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{b}, make([]byte, read))
			sent.Wait()
			if err != nil || !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%d bytes read by %d: %d bytes, %v", size, read, got.Len(), err)
			}
		}
	}
}

// TestErrors: net/http tells errors apart by what the net package makes of
// them.
func TestErrors(t *testing.T) {
	check := func(t *testing.T, err error, op string, is error) {
		t.Helper()
		var o *net.OpError
		if !errors.As(err, &o) || o.Op != op || o.Net != "tcp" || o.Source == nil || o.Addr == nil || !errors.Is(err, is) {
			t.Errorf("got %#v (%v), want a %s error that is %v", err, err, op, is)
		}
	}
	t.Run("deadline", func(t *testing.T) {
		a, _ := ends(t)
		if err := a.SetDeadline(time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		_, err := a.Read(make([]byte, 1))
		check(t, err, "read", os.ErrDeadlineExceeded)
		_, err = a.Write(make([]byte, 1))
		check(t, err, "write", os.ErrDeadlineExceeded)
	})
	t.Run("closed", func(t *testing.T) {
		a, _ := ends(t)
		a.Close()
		_, err := a.Read(make([]byte, 1))
		check(t, err, "read", net.ErrClosed)
		_, err = a.Write(make([]byte, 1))
		check(t, err, "write", net.ErrClosed)
	})
	t.Run("closed under a read", func(t *testing.T) {
		a, _ := ends(t)
		failed := make(chan error)
		go func() {
			_, err := a.Read(make([]byte, 1))
			failed <- err
		}()
		a.Close()
		check(t, <-failed, "read", net.ErrClosed)
	})
	t.Run("reset", func(t *testing.T) {
		if errReset == nil {
			t.Skip("the system tells it in its own way")
		}
		a, b := ends(t)
		if err := b.(interface{ SetLinger(int) error }).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		b.Close()
		_, err := a.Read(make([]byte, 1))
		check(t, err, "read", errReset)
	})
	t.Run("end", func(t *testing.T) {
		a, b := ends(t)
		b.Close()
		if n, err := a.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("got %d, %v, want 0, EOF", n, err)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		a, _ := ends(t)
		if n, err := a.Read(nil); n != 0 || err != nil {
			t.Errorf("a read of nothing: %d, %v", n, err)
		}
		if n, err := a.Write(nil); n != 0 || err != nil {
			t.Errorf("a write of nothing: %d, %v", n, err)
		}
	})
}

// TestFull: a write that finds no room waits for it, and one whose reader
// never comes back ends at its deadline and says how much went.
func TestFull(t *testing.T) {
	a, b := ends(t)
	piece := make([]byte, 60<<10)
	var written, last int
	for {
		// The deadline is set only to find out that there is no room.
		if err := a.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, err := a.Write(piece)
		written += n
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
			last = n
			break
		}
		if written > 1<<30 {
			t.Fatal("there is always room")
		}
	}
	if last == len(piece) {
		t.Error("a write failed and wrote all")
	}
	if err := a.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	var wrote sync.WaitGroup
	wrote.Go(func() {
		if n, err := a.Write(piece); n != len(piece) || err != nil {
			t.Errorf("the write that waited: %d, %v", n, err)
		}
		a.Close()
	})
	n, err := io.Copy(io.Discard, struct{ io.Reader }{b})
	wrote.Wait()
	if want := int64(written + len(piece)); n != want || err != nil {
		t.Errorf("%d bytes arrived, %v; want %d", n, err, want)
	}
}

// TestReadFrom: what is copied from a reader goes through, whatever the reader.
func TestReadFrom(t *testing.T) {
	a, b := ends(t)
	want := bytes.Repeat([]byte("x"), 200<<10)
	var sent sync.WaitGroup
	sent.Go(func() {
		if n, err := io.Copy(a, io.LimitReader(bytes.NewReader(want), int64(len(want)))); n != int64(len(want)) || err != nil {
			t.Errorf("copied %d, %v", n, err)
		}
		a.Close()
	})
	got, err := io.ReadAll(b)
	sent.Wait()
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestAllocations: a piece costs none.
func TestAllocations(t *testing.T) {
	a, b := ends(t)
	p, q := make([]byte, 300), make([]byte, 4<<10)
	n := testing.AllocsPerRun(200, func() {
		if _, err := a.Write(p); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Read(q); err != nil {
			t.Fatal(err)
		}
	})
	if n > 0 {
		t.Errorf("a piece costs %v allocations", n)
	}
}

// TestOthers: what is no TCP connection stays as it is.
func TestOthers(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	dial := func(context.Context, string, string) (net.Conn, error) { return a, nil }
	if got, err := Dialing(dial)(t.Context(), "tcp", "x"); got != a || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	fails := errors.New("no way")
	dial = func(context.Context, string, string) (net.Conn, error) { return nil, fails }
	if got, err := Dialing(dial)(t.Context(), "tcp", "x"); got != nil || !errors.Is(err, fails) {
		t.Errorf("got %v, %v, want the dialler's error", got, err)
	}
}

func BenchmarkPiece(b *testing.B) {
	for name, wrapped := range map[string]bool{"plain": false, "cheap": true} {
		b.Run(name, func(b *testing.B) {
			x, y := ends(b)
			if c, ok := x.(interface{ plain() net.Conn }); ok && !wrapped {
				x = c.plain()
			}
			if c, ok := y.(interface{ plain() net.Conn }); ok && !wrapped {
				y = c.plain()
			}
			p, q := make([]byte, 300), make([]byte, 4<<10)
			for b.Loop() {
				if _, err := x.Write(p); err != nil {
					b.Fatal(err)
				}
				if _, err := y.Read(q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
