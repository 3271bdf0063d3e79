package relay

import (
	"strconv"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/responses"
	"portico/internal/sse"
	"portico/internal/tape"
)

// compactPath is where a client asks for a conversation to be compacted.
const compactPath = "/responses/compact"

// A compaction has a conversation written down by a model, for upstreams that
// do not do so themselves. Its client gets what was written sealed in an item,
// see package responses.
type compaction struct {
	object bool   // the client asked at compactPath, and gets an object of its own
	quoted []byte // what stays of the conversation beside it, as items
}

// compactAll serves a request at compactPath, if no upstream does.
func (a *answer) compactAll() *fault.Fault {
	if a.native() {
		return nil
	}
	c := *a.c
	c.Op, c.Path, c.Stream = protocol.Chat, "/responses", false
	c.compaction = &compaction{object: true}
	a.c = &c
	in, err := responses.Read(c.Body)
	if err != nil {
		return refusalOf(err)
	}
	return a.gather(&in)
}

// compact makes c, whose conversation is items, one that has it written down.
func (a *answer) compact(c *Call, items []byte) (err error) {
	x := compaction{}
	if c.compaction != nil {
		x.object, x.quoted = true, responses.Quoted(items, c.ID)
	}
	if c.turn.before != nil {
		if c.Body, err = responses.Expand(c.Body, items); err != nil {
			return err
		}
	}
	if c.Body, err = responses.Compact(c.Body, items); err != nil {
		return err
	}
	// Whoever goes on from the answer goes on from what was written alone.
	c.turn.before, c.turn.input = nil, nil
	c.turn.keep = c.turn.keep && !x.object
	c.compaction, c.Lasting = &x, true
	return nil
}

// addCompactions adds the forms in which a conversation is written down by
// upstreams of each protocol, the client's own first.
func (a *answer) addCompactions() {
	own := a.c.Codec.Name()
	for _, foreign := range []bool{false, true} {
		for _, f := range a.r.foreign[protocol.Chat] {
			if (f.way.Protocol != own) != foreign {
				continue
			}
			upstream := f.codec.(protocol.Asker)
			f.foreign = foreign
			f.make = func(c *Call) (carrier, error) { return a.r.newCompactor(c, upstream) }
			a.addForm(f)
		}
	}
}

// A compactor carries the request to have a conversation written down, and
// makes an item of what was written.
type compactor struct {
	*translation
	sealer tape.Sealer
	buf    []byte
	number int64 // of the next event
	over   bool
	result []byte // of an answer that is no stream
}

func (r *Relay) newCompactor(c *Call, upstream protocol.Asker) (carrier, error) {
	t, err := r.newTranslation(c, upstream)
	if err != nil {
		return nil, err
	}
	return &compactor{translation: t.(*translation), sealer: r.sealer}, nil
}

func (t *compactor) ask(leg int, to *pool.Account, served string) (asked, error) {
	t.buf, t.number, t.over, t.result = nil, 0, false, nil
	return t.translation.ask(leg, to, served)
}

func (t *compactor) frame(dst, event, data []byte) (_ []byte, err error) {
	if t.buf, err = t.bridge.Frame(t.buf[:0], event, data); err != nil {
		return dst, err
	}
	return t.pass(dst), nil
}

func (t *compactor) end(dst []byte) []byte {
	t.buf = t.bridge.End(t.buf[:0])
	return t.pass(dst)
}

func (t *compactor) fail(dst []byte, f *fault.Fault, id string) []byte {
	t.over = true
	return t.bridge.Fail(dst, f, id)
}

// pass appends what the client gets of the events that the bridge wrote: the
// first and the last ones, and between them the item alone.
func (t *compactor) pass(dst []byte) []byte {
	var cut sse.Cutter
	for rest := t.buf; len(rest) > 0 && !t.over; {
		n := cut.Cut(rest)
		if n == 0 {
			break // it writes nothing but whole events
		}
		f := sse.Parse(rest[:n])
		rest = rest[n:]
		kind, _ := jsonedit.Unquote(jsonedit.Get(f.Data, "type"))
		switch kind {
		case "response.created", "response.in_progress":
			dst = t.event(dst, kind, "response", jsonedit.Get(f.Data, "response"))
		case "response.completed", "response.incomplete":
			dst = t.close(dst, jsonedit.Get(f.Data, "response"))
		}
	}
	return dst
}

func (t *compactor) event(dst []byte, kind, name string, value []byte) []byte {
	data := strconv.AppendInt(append(jsonedit.Quote([]byte(`{"type":`), kind), `,"sequence_number":`...), t.number, 10)
	t.number++
	if name == "item" {
		data = append(data, `,"output_index":0`...)
	}
	data = append(append(append(data, `,"`...), name...), `":`...)
	return sse.Append(dst, kind, append(append(data, value...), '}'))
}

// close writes the item and the end of the answer.
func (t *compactor) close(dst, object []byte) []byte {
	t.over = true
	item, object, f := t.made(object)
	if f != nil {
		return t.c.Codec.StreamError(dst, f, t.c.ID)
	}
	dst = t.event(dst, "response.output_item.added", "item", item)
	dst = t.event(dst, "response.output_item.done", "item", item)
	return t.event(dst, "response.completed", "response", object)
}

// made is the item that holds what the model wrote, and the response with it
// as its output.
func (t *compactor) made(object []byte) (item, own []byte, f *fault.Fault) {
	id, output, ok := responses.Whole(object)
	written := responses.Written(output)
	if !ok || written == "" {
		return nil, nil, &fault.Fault{Class: fault.Broken, Code: "compaction_failed", Msg: "the model was to write down the conversation, and wrote nothing"}
	}
	item, err := responses.Capsule(t.sealer, t.c.Key, id, written)
	if err != nil {
		return nil, nil, &fault.Fault{Class: fault.Internal, Msg: "what the model wrote down cannot be sealed: " + err.Error(), Err: err}
	}
	own = object
	for _, m := range []struct{ name, value string }{{"output", "[" + string(item) + "]"}, {"status", `"completed"`}, {"incomplete_details", "null"}} {
		if own, err = jsonedit.Set(own, m.name, []byte(m.value)); err != nil {
			return nil, nil, refusalOf(err)
		}
	}
	t.c.turn.settle(id, own, item)
	return item, own, nil
}

func (t *compactor) whole(body []byte) (err error) {
	if t.c.Stream {
		if t.buf, err = t.bridge.Unfold(t.buf[:0], body); err == nil {
			t.buf = t.bridge.End(t.buf)
			t.result = t.pass(nil)
		}
		return err
	}
	object, err := t.bridge.Whole(body)
	if err != nil {
		return err
	}
	item, own, f := t.made(object)
	if f != nil {
		return f
	}
	if t.result = own; t.c.compaction.object {
		t.result = t.object(own, item)
	}
	return nil
}

// object is what is answered at compactPath.
func (t *compactor) object(response, item []byte) []byte {
	dst := append([]byte(`{"id":`), jsonedit.Get(response, "id")...)
	dst = strconv.AppendInt(append(dst, `,"object":"response.compaction","created_at":`...), t.c.Start.Unix(), 10)
	dst = append(append(dst, `,"output":[`...), responses.Join(t.c.compaction.quoted, item)...)
	dst = append(append(dst, `],"usage":`...), jsonedit.Get(response, "usage")...)
	return append(dst, '}')
}

func (t *compactor) body() ([]byte, error) { return t.result, nil }

// badCapsule is the refusal of a request whose conversation was written down
// and cannot be read.
func badCapsule(err error) *fault.Fault {
	f := fault.New(fault.Malformed, "%s", err)
	f.Code, f.Param = "invalid_encrypted_content", "input"
	return f
}
