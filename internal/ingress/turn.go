package ingress

import (
	"context"
	"errors"
	"net/http"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/relay"
	"portico/internal/responses"
)

// A create is a client's frame that asks for a response (spec: upstreams
// §1B.6).
type create struct {
	kind   string
	lane   []byte // stream_id, as it stands in the frame; it is repeated in the answer
	warmup bool   // generate:false, nothing is to be said
	turn   responses.Turn
	before *responses.Thread // the conversation that this socket remembers
}

// maxLane is the longest stream_id that is repeated, in bytes.
const maxLane = 256

func readCreate(frame []byte) (c create, err error) {
	for m, err := range jsonedit.Members(frame) {
		switch {
		case err != nil:
			return c, err
		case m.Is("type"):
			c.kind, _ = jsonedit.Unquote(m.Value)
		case m.Is("stream_id") && len(m.Value) <= maxLane:
			c.lane = m.Value
		case m.Is("generate"):
			c.warmup = string(m.Value) == "false"
		}
	}
	c.turn, err = responses.Read(frame)
	return c, err
}

// ownMembers are members of a frame that are no part of the request.
var ownMembers = [...]string{"type", "stream", "stream_id", "generate", "background"}

// body is the request that a frame makes, as it would be sent by POST. The
// conversation that the socket remembers stands before the input.
func (c *create) body(frame []byte, memory *responses.Store) ([]byte, error) {
	if c.before != nil {
		items, err := c.turn.Items()
		if err != nil {
			return nil, err
		}
		before, err := memory.Items(c.before)
		if err != nil {
			return nil, err
		}
		if frame, err = responses.Expand(frame, responses.Join(before, responses.Fresh(before, items))); err != nil {
			return nil, err
		}
	}
	dst := append(make([]byte, 0, len(frame)+16), `{"stream":true`...)
next:
	for m, err := range jsonedit.Members(frame) {
		if err != nil {
			return nil, err
		}
		for _, name := range ownMembers {
			if m.Is(name) {
				continue next
			}
		}
		dst = append(append(append(dst, `,"`...), m.Name...), `":`...)
		dst = append(dst, m.Value...)
	}
	return append(dst, '}'), nil
}

// turn answers one frame. It reports whether the socket may go on.
func (k *socket) turn(ctx context.Context, frame []byte) (on bool) {
	s, v := k.s, k.v
	v.st = s.state.Load() // the settings may have changed since the last turn
	v.call = relay.Call{ID: s.newID(), Start: s.now()}
	w := &events{k: k, header: http.Header{idHeader: {v.call.ID}}, answer: responses.NewWatcher(maxOutput)}
	v.w = w
	defer func() {
		// The relay breaks a connection whose answer must not be taken for
		// whole.
		if p := recover(); p != nil {
			if err, _ := p.(error); !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			on = false
		}
	}()
	if s.outside(v) {
		v.tell(&fault.Fault{Class: fault.Forbidden, Code: "address_refused", Msg: "Portico does not take requests from your address"}, 0)
		w.finish()
		return false
	}
	if !s.admit(v) { // the key may have been taken back
		w.finish()
		return false
	}
	c := &v.call
	c.Settings, c.Codec, c.Op, c.Stream = v.st.Relay, v.codec, protocol.Chat, true
	c.Method, c.Path, c.Query, c.Header = http.MethodPost, "/responses", k.query, k.header.Clone()
	c.Client = product(v.r.Header.Get("User-Agent"))
	if f := k.answer(ctx, w, frame); f != nil {
		s.relay.Refuse(w, c, f)
	}
	w.finish()
	return w.err == nil
}

// answer reads a frame and has it answered.
func (k *socket) answer(ctx context.Context, w *events, frame []byte) *fault.Fault {
	in, err := readCreate(frame)
	if err != nil {
		return &fault.Fault{Class: fault.Malformed, Code: "invalid_json", Msg: err.Error(), Err: err}
	}
	w.lane = in.lane
	switch in.kind {
	case "response.create":
	case "response.steer":
		return &fault.Fault{Class: fault.Unsupported, Code: "steering_not_supported", Param: "type", Msg: "a response cannot be steered here; send response.create when it is over"}
	default:
		return &fault.Fault{Class: fault.Malformed, Code: "unknown_event", Param: "type", Msg: "the type of a frame must be response.create, not " + printable(in.kind)}
	}
	if in.turn.Background {
		// What a socket says ends with it (spec: upstreams §1B.6).
		return &fault.Fault{Class: fault.Unsupported, Code: "unsupported_parameter", Param: "background", Msg: "a response is not made in the background on a WebSocket; send the request by POST"}
	}
	c := &k.v.call
	if in.turn.Previous != "" && in.turn.Conversation == "" { // the relay refuses both
		if in.before = k.s.memory.Thread(k.name, in.turn.Previous); in.before != nil {
			c.Previous = in.turn.Previous
		}
	}
	body, err := in.body(frame, k.s.memory)
	if err != nil {
		return &fault.Fault{Class: fault.Malformed, Code: "invalid_json", Param: "input", Msg: err.Error(), Err: err}
	}
	c.Body = body
	if f := k.v.peek(); f != nil {
		return f
	}
	if f := k.s.permit(k.v); f != nil {
		return f
	}
	if in.warmup {
		return k.warmUp(w, &in)
	}
	if !in.turn.Store && (in.turn.Previous == "" || in.before != nil) {
		// Nobody else keeps it, and the client may name it next.
		w.keep = func(id string, output []byte) { k.remember(&in, id, output) }
	}
	defer k.s.inFlight.Add(-1)
	if k.s.room(k.v) {
		k.s.relay.Do(ctx, w, c)
	}
	return nil
}

// remember keeps what was said for the life of the socket.
func (k *socket) remember(in *create, id string, output []byte) {
	items, err := in.turn.Items()
	if err != nil {
		return // it was no request
	}
	before := in.before
	if before != nil {
		said, err := k.s.memory.Items(before)
		if err != nil {
			return // there is none that cannot be read in memory
		}
		items = responses.Fresh(said, items)
	}
	if _, compacts := responses.Triggers(items); compacts {
		before, items = nil, nil // who goes on from the answer goes on from it alone
	}
	k.s.memory.Put(k.name, id, responses.Response{Before: before, Input: items, Output: output})
}

// warmUp answers a request that wants nothing said: Codex sends the beginning
// of its conversation ahead, and goes on from the id of the answer.
func (k *socket) warmUp(w *events, in *create) *fault.Fault {
	if in.turn.Previous != "" && in.before == nil {
		return &fault.Fault{
			Class: fault.Unsupported, Code: "previous_response_not_found", Param: "previous_response_id",
			Msg: "Previous response with id '" + printable(in.turn.Previous) + "' not found.",
		}
	}
	c := &k.v.call
	t, ok := c.Codec.(protocol.Translator)
	if !ok {
		return &fault.Fault{Class: fault.Unsupported, Param: "generate", Msg: "nothing can be prepared here"}
	}
	r, err := t.DecodeRequest(c.Body)
	if err != nil {
		if f, ok := errors.AsType[*fault.Fault](err); ok {
			return f
		}
		return &fault.Fault{Class: fault.Malformed, Msg: err.Error(), Err: err}
	}
	r.Previous = c.Previous
	w.keep = func(id string, output []byte) { k.remember(in, id, output) }
	w.header["Content-Type"] = []string{eventStream}
	w.WriteHeader(http.StatusOK)
	stream := t.NewEncoder(&protocol.Echo{ID: c.ID, Model: c.Model, Created: c.Start.Unix(), Request: r}).End(nil)
	_, _ = w.Write(stream)
	return nil
}
