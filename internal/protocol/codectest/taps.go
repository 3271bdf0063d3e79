package codectest

import (
	"fmt"
	"reflect"

	"portico/internal/protocol"
)

// A Reader is one way to read the events of a stream.
type Reader struct {
	Frame func(event, data []byte) protocol.Mark
	Seen  *protocol.Seen
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
