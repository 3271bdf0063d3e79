// Package fetch reads files that clients name by their addresses, for upstreams
// that take them by their bytes only.
//
// The address is a stranger's, so everything about it is bounded and guarded:
// the scheme, the port, every hop of a redirect, and at the dial the address
// that the name has come to, so that no name and no spelling leads into the
// operator's own network (spec: security SEC-35, SEC-36). Nothing of the client
// or of an account goes along: no header, no cookie, no credential, no proxy.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"sync"
	"time"
)

const (
	// maxHops is how many redirects one file may take.
	maxHops = 3
	// MaxAddress is the longest address that is fetched, in bytes.
	MaxAddress = 8 << 10
	// atOnce is how many files are fetched at one time in the whole process.
	atOnce = 8
	// maxWaiting is how many more may wait for their turn.
	maxWaiting = 128
	// Fresh is how long a file is served from the cache before it is fetched
	// anew. One that cannot be fetched any more is served on, so that a
	// conversation goes on with what it began with.
	Fresh = time.Hour
)

// A Policy is what the operator allows.
type Policy struct {
	// Bytes bounds a file, before it is encoded.
	Bytes int64
	// Files bounds how many files one request may name.
	Files int
	// Time is how long one file may take in all.
	Time time.Duration
	// Networks are private networks that may be asked nevertheless. Addresses
	// where clouds keep their credentials are not, whatever stands here.
	Networks []netip.Prefix
}

// A Seat is what a file is wanted for.
type Seat uint8

// The seats.
const (
	Image Seat = iota
	Sound
	Document
)

var seats = [...]struct {
	name  string
	types map[string]bool
}{
	Image:    {"an image (PNG, JPEG, GIF or WebP)", set("image/png", "image/jpeg", "image/gif", "image/webp")},
	Sound:    {"a sound (WAV, MP3, AAC, AIFF, OGG, FLAC or M4A)", set("audio/wav", "audio/mpeg", "audio/aac", "audio/aiff", "audio/ogg", "audio/flac", "audio/mp4")},
	Document: {"a PDF", set("application/pdf")},
}

func set(types ...string) map[string]bool {
	m := map[string]bool{}
	for _, t := range types {
		m[t] = true
	}
	return m
}

// A File is what stands at an address. It is shared; nobody changes it.
type File struct {
	Type string // media type, as its first bytes tell
	Data []byte // in base64, as a JSON string with its quotes
	Size int64  // in bytes, before it was encoded
}

// An Error says why a file could not be had. Its text is fit for the client:
// of the address it names the host alone, and it does not tell what a private
// address would have answered.
type Error struct {
	Host string
	Why  string
	// Busy: too many files are fetched already; it is nobody's fault.
	Busy bool
}

func (e *Error) Error() string {
	if e.Host == "" {
		return "the file cannot be fetched: " + e.Why
	}
	return fmt.Sprintf("the file at %s cannot be fetched: %s", e.Host, e.Why)
}

// A Client fetches files. It is safe for concurrent use.
type Client struct {
	agent string
	slots chan struct{}
	now   func() time.Time
	guard func(p *Policy, a netip.Addr) bool // allows, but for tests

	mu     sync.Mutex
	flying map[string]*flight
	cache  cache
}

// New returns a client whose cache holds at most the given number of bytes, 0
// for none. agent is the User-Agent that servers see.
func New(agent string, bytes int64) *Client {
	return &Client{agent: agent, slots: make(chan struct{}, atOnce), now: time.Now, guard: allows, flying: map[string]*flight{}, cache: cache{most: bytes}}
}

// Resize sets how many bytes the cache holds at most.
func (c *Client) Resize(bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cache.most = bytes
	c.cache.trim()
}

// A flight is one fetch, for all who want that file at this moment.
type flight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int
	file    *File
	err     error
}

// Get returns the file at address if it fits seat. The error is an *Error, or
// ctx's own.
func (c *Client) Get(ctx context.Context, address string, seat Seat, p *Policy) (*File, error) {
	u, err := check(address)
	if err != nil {
		return nil, err
	}
	f, err := c.file(ctx, u, p)
	switch {
	case err != nil:
		return nil, err
	case f.Size > p.Bytes:
		return nil, &Error{Host: u.Host, Why: tooLarge(p)}
	case !seats[seat].types[f.Type]:
		return nil, &Error{Host: u.Host, Why: "it is " + f.Type + ", where " + seats[seat].name + " is wanted"}
	}
	return f, nil
}

func tooLarge(p *Policy) string {
	return fmt.Sprintf("it is larger than the %d bytes that may be fetched (fetch.bytes)", p.Bytes)
}

// file takes a file from the cache, or fetches it together with all others who
// want it now.
func (c *Client) file(ctx context.Context, u *url.URL, p *Policy) (*File, error) {
	key := u.String()
	c.mu.Lock()
	old, fresh := c.cache.get(key, c.now())
	if fresh {
		c.mu.Unlock()
		return old, nil
	}
	f := c.flying[key]
	if f == nil {
		if len(c.flying) >= atOnce+maxWaiting {
			c.mu.Unlock()
			return nil, &Error{Host: u.Host, Why: "too many files are being fetched", Busy: true}
		}
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.Time)
		f = &flight{done: make(chan struct{}), cancel: cancel}
		c.flying[key] = f
		go c.fly(own, f, u, key, old, p)
	}
	f.waiting++
	c.mu.Unlock()
	select {
	case <-f.done:
		return f.file, f.err
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		if c.flying[key] == f { // whoever comes now begins anew
			delete(c.flying, key)
		}
	}
	return nil, context.Cause(ctx)
}

// fly fetches a file for all who wait for it. old is what the cache has of it,
// or nil.
func (c *Client) fly(ctx context.Context, f *flight, u *url.URL, key string, old *File, p *Policy) {
	defer f.cancel()
	file, err := c.turn(ctx, u, p)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.cache.put(key, file, c.now())
	case old != nil && !errors.Is(err, context.Canceled):
		file, err = old, nil
	}
	f.file, f.err = file, err
	if c.flying[key] == f {
		delete(c.flying, key)
	}
	close(f.done)
}

// turn waits for its turn and fetches.
func (c *Client) turn(ctx context.Context, u *url.URL, p *Policy) (*File, error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, &Error{Host: u.Host, Why: "too many files are being fetched", Busy: true}
	}
	defer func() { <-c.slots }()
	return c.fetch(ctx, u, p)
}
