package drawing

import (
	"strings"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// An Answer is the client's answer while it grows: one leg for each picture,
// each a whole answer of a model's or a stream.
//
// A leg makes one picture: the last that the model draws. Those before it, and
// those that it draws while it thinks, are drafts.
type Answer struct {
	r       *Request
	created int64
	data    []byte // the pictures of whole answers
	form    string // of the last picture
	usage   usage

	leg leg
}

// A leg is the answer to one request.
type leg struct {
	last   []byte // the base64 of the last picture
	form   string
	drafts int // that were shown
	said   strings.Builder
	thinks bool // what comes now is no part of the answer
	stop   llm.Stop
	usage  usage
}

// usage is what pictures cost, in OpenAI's words.
type usage struct{ in, images, out int64 }

func (u usage) plus(v usage) usage { return usage{u.in + v.in, u.images + v.images, u.out + v.out} }

// of takes what the model told of its usage.
func (u *usage) of(v *llm.Usage) { u.in, u.images, u.out = v.Read(), v.ImageIn, v.Output+v.Reasoning }

func (u usage) append(dst []byte) []byte {
	dst = jsonw.Int(append(jsonw.Name(dst, "usage"), '{'), "input_tokens", u.in)
	dst = jsonw.Int(append(jsonw.Name(dst, "input_tokens_details"), '{'), "text_tokens", max(u.in-u.images, 0))
	dst = append(jsonw.Int(dst, "image_tokens", u.images), '}')
	return append(jsonw.Int(jsonw.Int(dst, "output_tokens", u.out), "total_tokens", u.in+u.out), '}')
}

// NewAnswer returns the answer to r without any pictures, created at Unix
// seconds.
func (r *Request) NewAnswer(created int64) *Answer {
	return &Answer{r: r, created: created, form: "png"}
}

// Begin says that what follows answers another request.
func (a *Answer) Begin() { a.leg = leg{} }

// part takes a part of the model's answer. dst gets the drafts that are shown.
func (a *Answer) part(dst []byte, p llm.Part) []byte {
	switch p := p.(type) {
	case *llm.Prose:
		a.say(p.Text)
	case *llm.Refusal:
		a.say(p.Text)
	case *llm.Blob:
		return a.picture(dst, p)
	case *llm.ServerResult: // of a tool that draws
		for i := range p.Blobs {
			dst = a.picture(dst, &p.Blobs[i])
		}
	case *llm.Opaque: // a picture that it only thinks of
		data := jsonedit.Path(p.Raw, "inlineData", "data")
		if kind := wire.Text(jsonedit.Path(p.Raw, "inlineData", "mimeType")); len(data) > 2 && data[0] == '"' && strings.HasPrefix(kind, "image/") {
			return a.draft(dst, data[1:len(data)-1], formOf(kind))
		}
	}
	return dst
}

// picture takes a picture. The one before it was a draft.
func (a *Answer) picture(dst []byte, p *llm.Blob) []byte {
	if p.Kind != llm.Image || p.Data.Empty() {
		return dst
	}
	if a.leg.last != nil {
		dst = a.draft(dst, a.leg.last, a.leg.form)
	}
	a.leg.last, a.leg.form = p.Data.AppendInner(nil), formOf(p.Type)
	return dst
}

// maxSaid is how much is kept of what a model says beside its pictures.
const maxSaid = 2 << 10

func (a *Answer) say(t llm.Text) {
	if a.leg.said.Len() < maxSaid {
		a.leg.said.Write(t.Append(nil))
	}
}

// formOf is a picture's form as OpenAI names it.
func formOf(kind string) string {
	if form, ok := strings.CutPrefix(kind, "image/"); ok && form != "" && strings.Trim(form, "abcdefghijklmnopqrstuvwxyz+") == "" {
		return form
	}
	return "png"
}

// drawn says what is wrong with the leg that came to its end, as a
// *fault.Fault: a model that drew nothing is quoted.
func (a *Answer) drawn() error {
	l := &a.leg
	switch {
	case l.last != nil:
		a.form = l.form
		a.usage = a.usage.plus(l.usage)
		return nil
	case l.stop == llm.StopRefusal || l.stop == llm.StopFilter:
		return fault.New(fault.ContentFiltered, "the model refused to draw this. %s", head(l.said.String()))
	}
	return fault.New(fault.Broken, "it has no picture. It says: %s", head(l.said.String()))
}

// head is the beginning of what a model said, for an error.
func head(s string) string {
	if r := []rune(s); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}

// Add takes a whole answer of the model's. dst gets its events, if the client
// wants a stream. If the model drew nothing the error is a *fault.Fault that
// says what it said instead.
func (a *Answer) Add(dst []byte, r *llm.Response) ([]byte, error) {
	for i := range r.Answers {
		a.leg.stop = r.Answers[i].Stop
		for _, p := range r.Answers[i].Parts {
			dst = a.part(dst, p)
		}
	}
	a.leg.usage.of(&r.Usage)
	if a.r.Stream {
		return a.End(dst)
	}
	if err := a.drawn(); err != nil {
		return dst, err
	}
	a.data = append(jsonw.Comma(a.data), '{')
	if a.r.url { // there is no place to put it but the address itself
		a.data = append(append(jsonw.Name(a.data, "url"), `"data:image/`...), a.leg.form...)
		a.data = append(a.data, `;base64,`...)
	} else {
		a.data = append(jsonw.Name(a.data, "b64_json"), '"')
	}
	a.data = append(append(a.data, a.leg.last...), `"}`...)
	a.leg.last = nil
	return dst, nil
}

// Body is the whole answer.
func (a *Answer) Body() []byte {
	dst := jsonw.Int(append(make([]byte, 0, len(a.data)+256), '{'), "created", a.created)
	dst = append(append(append(jsonw.Name(dst, "data"), '['), a.data...), ']')
	dst = jsonw.String(dst, "output_format", a.form)
	return append(a.usage.append(dst), '}')
}
