package codectest

import (
	"fmt"
	"reflect"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// A Reader is one way to read the events of a stream.
type Reader struct {
	Frame func(event, data []byte) protocol.Mark
	Seen  *protocol.Seen
}

// A Feed is one way to decode the events of a stream.
type Feed func(event, data []byte) ([]llm.Event, error)

// SameFeeds decodes a recorded stream in two ways and says where they first
// differ, "" if they never do.
func SameFeeds(stream []byte, a, b Feed) string {
	for i, f := range Frames(stream) {
		x, errX := a(f.Event, f.Data)
		y, errY := b(f.Event, f.Data)
		if !reflect.DeepEqual(x, y) || fmt.Sprint(errX) != fmt.Sprint(errY) {
			return fmt.Sprintf("event %d, %.300q: %v, %v and %v, %v", i, f.Data, x, errX, y, errY)
		}
	}
	return ""
}

// SameReaders lets two readers read a recorded stream and says where they
// first differ, "" if they never do.
func SameReaders(stream []byte, a, b Reader) string {
	for i, f := range Frames(stream) {
		x, y := a.Frame(f.Event, f.Data), b.Frame(f.Event, f.Data)
		if x != y || !reflect.DeepEqual(a.Seen, b.Seen) {
			return fmt.Sprintf("event %d, %.300q: %v and %v, %+v and %+v", i, f.Data, x, y, *a.Seen, *b.Seen)
		}
	}
	return ""
}
