package relay

import (
	"errors"
	"slices"

	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/protocol"
)

// A carrier stands between a client and an upstream that is asked in another
// form than the client's: another operation, another protocol, or several
// requests for one. It is made for one call and used by one goroutine.
//
// Nothing of a stream is given to a carrier before the relay has decided for
// the upstream that sends it, so a carrier never has to take anything back.
type carrier interface {
	// legs is how many requests make one answer, at least 1. They are made
	// one after the other.
	legs() int
	// ask is the request of one leg for an account that knows the model by
	// the name served. It may be called several times. The error is a
	// *fault.Fault that says why the request cannot be put in this form.
	ask(leg int, to *pool.Account, served string) (asked, error)
	// losses is what the client asked for and will not get, as "path=reason".
	losses() []string

	// begin says that what follows answers leg.
	begin(leg int)
	// frame appends to dst what one event of the upstream's stream makes for
	// the client, framed. An error means that the event makes no sense.
	frame(dst, event, data []byte) ([]byte, error)
	// end appends what is still owed when the last leg is through.
	end(dst []byte) []byte
	// fail appends what tells the client that the answer broke off here.
	fail(dst []byte, f *fault.Fault, id string) []byte

	// whole takes the whole answer to a leg.
	whole(body []byte) error
	// body is the client's answer once all legs are through.
	body() ([]byte, error)
	// kind is the media type of the client's answer. streamed says that the
	// upstream's is a stream.
	kind(streamed bool) []string
}

// asked is what goes to an upstream, see provider.Target.
type asked struct {
	path, query string
	body        []byte
	lasting     bool // the body's memory is, see Call
}

// A form is one way to put a call to an upstream.
type form struct {
	way     pool.Way
	codec   protocol.Codec // the upstream's
	make    func(*Call) (carrier, error)
	carrier carrier // nil before it is made; with make nil bytes pass as they are
	fed     bool    // the carrier was given a part of an answer
	foreign bool    // the upstream is asked in another protocol than the client's
}

// findForms lists the forms in which the call can be put, best first. The
// client's own protocol is the best: nothing is lost.
func (a *answer) findForms() {
	own := a.c.Codec
	if a.c.compaction != nil {
		a.addCompactions()
		return
	}
	op := a.c.Op
	if draws(a.c) {
		op = protocol.Images
	}
	a.addForm(form{way: pool.Way{Op: op, Protocol: own.Name()}, codec: own})
	if a.c.Op == protocol.Complete {
		a.addForm(form{way: pool.Way{Op: protocol.Chat, Protocol: protocol.OpenAIChat}, codec: own, make: newCompletion})
	}
	if a.c.Op == protocol.Embed {
		a.addEmbeddings()
	}
	if a.c.Op == protocol.Other {
		a.addDrawings()
		a.addTranscriptions()
	}
	if _, ok := own.(protocol.Translator); ok && (a.c.Op == protocol.Complete || a.c.Op == protocol.Chat || a.c.Op == protocol.Count) {
		for _, f := range a.r.foreign[a.c.Op] {
			if f.way.Protocol != own.Name() {
				a.addForm(f)
			}
		}
	}
}

func (a *answer) addForm(f form) {
	a.forms, a.ways = append(a.forms, f), append(a.ways, f.way)
}

// formOf is the form of a way that the pool chose.
func (a *answer) formOf(w pool.Way) *form { return &a.forms[slices.Index(a.ways, w)] }

// drop gives a form up for which the request does not fit, and says why.
func (a *answer) drop(w pool.Way, why *fault.Fault) *fault.Fault {
	i := slices.Index(a.ways, w)
	a.forms, a.ways = slices.Delete(a.forms, i, i+1), slices.Delete(a.ways, i, i+1)
	a.unfit = why
	return why
}

// settle keeps to the form that served the first leg.
func (a *answer) settle() {
	i := slices.Index(a.ways, a.form.way)
	a.forms[0], a.ways[0] = a.forms[i], a.ways[i]
	a.forms, a.ways = a.forms[:1], a.ways[:1]
	a.form = &a.forms[0]
}

// carrier is what stands between the client and the upstream that serves, or
// nil.
func (a *answer) carrier() carrier {
	if a.form == nil {
		return nil
	}
	return a.form.carrier
}

// legs is how many legs the call has, as far as it is known.
func (a *answer) legs() int {
	if c := a.carrier(); c != nil {
		return c.legs()
	}
	return 1
}

// lastLeg reports whether the attempt under way is for the last leg.
func (a *answer) lastLeg() bool { return a.try.leg == a.legs()-1 }

// ready makes the carrier for an attempt at leg, unless it is there. What was
// fed came from an attempt that failed.
func (f *form) ready(c *Call, leg int) (err error) {
	if f.carrier == nil || f.fed && leg == 0 {
		f.carrier, err = f.make(c)
		f.fed = false
	}
	return err
}

// ask prepares the request of an attempt in form f.
func (a *answer) ask(f *form, leg int, to *pool.Account, model string) (asked, error) {
	if f.make == nil {
		t, err := a.own(model)
		if err == nil && (a.unsealed || sealed(a.c)) {
			t, err = a.unseal(t, to, model)
		}
		if err != nil {
			return asked{}, err
		}
		return a.inlined(t, to, model)
	}
	if err := f.ready(a.c, leg); err != nil {
		return asked{}, err
	}
	if u, ok := f.carrier.(unsealer); ok && a.unsealed {
		u.unseal()
	}
	if g, ok := f.carrier.(gatherer); ok {
		if err := a.fetchFor(g, to, model); err != nil {
			return asked{}, err
		}
	}
	t, err := f.carrier.ask(leg, to, model)
	if err != nil {
		return asked{}, err
	}
	if lost := f.carrier.losses(); len(lost) > 0 && a.c.strict() {
		return asked{}, lossy(lost)
	}
	return t, nil
}

// A PathModeler is a codec whose requests name the model in the path.
type PathModeler interface {
	// SetPathModel returns path with the model that it names replaced. ok is
	// false if it names none, or if model cannot stand in a path.
	SetPathModel(path, model string) (out string, ok bool)
}

// own is the client's own request, with the model's name replaced where the
// account knows it by another.
func (a *answer) own(model string) (asked, error) {
	c := a.c
	if model == c.Model && !c.alone {
		return asked{c.Path, c.Query, c.Body, c.Lasting}, nil
	}
	if a.asked.path != "" && a.askFor == model {
		return a.asked, nil
	}
	t := asked{c.Path, c.Query, c.Body, c.Lasting}
	if c.alone {
		var err error
		if t.body, err = onePicture(c); err != nil {
			return asked{}, unroutable(err)
		}
	}
	if model == c.Model {
		a.asked, a.askFor = t, model
		return t, nil
	}
	if p, ok := c.Codec.(PathModeler); ok {
		if t.path, ok = p.SetPathModel(c.Path, model); !ok {
			return asked{}, unroutable(errors.New("the path cannot name it"))
		}
	}
	if len(c.Body) > 0 {
		var err error
		if boundary, ok := formBoundary(c.Header); ok {
			t.body, err = setFormField(t.body, boundary, "model", model)
		} else {
			t.body, err = c.Codec.SetModel(t.body, model)
		}
		if err != nil {
			return asked{}, unroutable(err)
		}
	}
	a.asked, a.askFor = t, model
	return t, nil
}

// unroutable is the refusal of a request whose model cannot be replaced.
func unroutable(err error) *fault.Fault {
	f := fault.New(fault.Malformed, "the model cannot be replaced as a route demands: %s", err)
	f.Param = "model"
	return f
}
