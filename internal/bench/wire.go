package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
)

// A wire is one connection of HTTP/1.1, read with as little work as may be, so
// that the load and the upstream leave the machine to what is measured.
type wire struct {
	c    net.Conn
	r    *bufio.Reader
	body []byte // of the last message
}

func newWire(c net.Conn) *wire { return &wire{c: c, r: bufio.NewReaderSize(c, 16<<10)} }

// A head is what the head of a message says: first is its first line.
type head struct {
	first   string
	length  int // -1: none was told
	chunked bool
	closes  bool
}

func (w *wire) line() ([]byte, error) {
	b, err := w.r.ReadSlice('\n')
	return bytes.TrimRight(b, "\r\n"), err
}

func (w *wire) head() (head, error) {
	h := head{length: -1}
	line, err := w.line()
	if err != nil {
		return h, err
	}
	h.first = string(line)
	for {
		if line, err = w.line(); err != nil || len(line) == 0 {
			return h, err
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case is(name, "content-length"):
			if h.length, err = strconv.Atoi(string(value)); err != nil {
				return h, err
			}
		case is(name, "transfer-encoding"):
			h.chunked = is(value, "chunked")
		case is(name, "connection"):
			h.closes = is(value, "close")
		}
	}
}

func is(name []byte, lower string) bool {
	return len(name) == len(lower) && bytes.EqualFold(name, []byte(lower))
}

var errUnframed = errors.New("an answer has neither a length nor chunks")

// read reads the body that belongs to h. took is called whenever more of it is
// there; it may be nil.
func (w *wire) read(h head, took func()) error {
	w.body = w.body[:0]
	switch {
	case h.chunked:
		return w.chunks(took)
	case h.length >= 0:
		return w.take(h.length, took)
	}
	return errUnframed
}

func (w *wire) chunks(took func()) error {
	for {
		line, err := w.line()
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(size), 16, 30)
		if err != nil {
			return fmt.Errorf("a chunk's size: %w", err)
		}
		if err := w.take(int(n), took); err != nil {
			return err
		}
		if line, err = w.line(); err != nil || len(line) > 0 {
			return errors.Join(errors.New("a chunk does not end where it should"), err)
		}
		if n == 0 {
			return nil
		}
	}
}

// take reads n bytes more of the body.
func (w *wire) take(n int, took func()) error {
	end := len(w.body) + n
	w.body = slices.Grow(w.body, n)
	for len(w.body) < end {
		n, err := w.r.Read(w.body[len(w.body):end])
		w.body = w.body[:len(w.body)+n]
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if took != nil {
			took()
		}
	}
	return nil
}
