package converse

import (
	"encoding/json/jsontext"
	"strconv"
	"strings"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// A role is whose message is being written.
type role uint8

const (
	nobody role = iota
	user
	assistant
)

// begin makes sure that a message of a role is open.
func (e *encoder) begin(dst []byte, r role) []byte {
	if e.open == r {
		return dst
	}
	dst = e.close(dst)
	e.open = r
	e.count++
	name := "user"
	if r == assistant {
		name = "assistant"
	}
	return append(jsonw.String(append(jsonw.Comma(dst), '{'), "role", name), `,"content":[`...)
}

func (e *encoder) close(dst []byte) []byte {
	if e.open == nobody {
		return dst
	}
	e.open = nobody
	return append(dst, "]}"...)
}

// put writes something into a message of a role, which is opened if need be,
// unless write writes nothing.
func (e *encoder) put(dst []byte, r role, write func(dst []byte) []byte) []byte {
	was, count, from := e.open, e.count, len(dst)
	dst = e.begin(dst, r)
	empty := len(dst)
	if dst = write(dst); len(dst) == empty {
		e.open, e.count = was, count
		return dst[:from]
	}
	return dst
}

// blank reports whether a text shows nothing, which Bedrock refuses.
func blank(t llm.Text) bool {
	return t.Empty() || t.Len() <= maxBlank && strings.TrimSpace(t.String()) == ""
}

// maxBlank is how long a text may be that is looked at for being blank, in
// bytes; more white space is nobody's.
const maxBlank = 64

// goOn is what the user says where Bedrock demands a word of theirs and there is
// none (spec: translation-traps A3).
const goOn = "(continued)"

// messages writes the conversation. The two sides take turns, the user begins,
// and a message that answers calls has a result for each of them before anything
// else.
func (e *encoder) messages(dst []byte) []byte {
	dst = append(jsonw.Name(dst, "messages"), '[')
	all := e.r.Messages
	for i := e.r.Head(); i < len(all); {
		j := i
		for j < len(all) && (all[j].Role == llm.Assistant) == (all[i].Role == llm.Assistant) {
			j++
		}
		if all[i].Role == llm.Assistant {
			dst = e.model(dst, i, j)
		} else {
			dst = e.user(dst, i, j, e.awaited(i))
		}
		i = j
	}
	if calls := e.awaited(len(all)); len(calls) > 0 {
		dst = e.missing(dst, calls, map[string]bool{})
	}
	if e.count == 0 {
		dst = e.first(dst)
	}
	return append(e.close(dst), ']')
}

// first writes a message of the user that says next to nothing.
func (e *encoder) first(dst []byte) []byte {
	e.lose("messages", "emulated: a first turn of the user, which the upstream demands")
	return appendText(e.begin(dst, user), llm.Plain(goOn))
}

// awaited are the calls of the model's turn that ends before message i.
func (e *encoder) awaited(i int) (calls []*llm.Call) {
	from := i
	for from > 0 && e.r.Messages[from-1].Role == llm.Assistant {
		from--
	}
	for ; from < i; from++ {
		for _, p := range e.r.Messages[from].Parts {
			if c, ok := p.(*llm.Call); ok {
				calls = append(calls, c)
			}
		}
	}
	return calls
}

// user writes a turn of the user, which messages i to j-1 make up: first the
// results of calls, then what else there is.
func (e *encoder) user(dst []byte, i, j int, calls []*llm.Call) []byte {
	wanted, given := map[string]bool{}, map[string]bool{}
	for _, c := range calls {
		wanted[c.ID] = true
	}
	stands := func(r *llm.Result) bool { return wanted[r.CallID] && !given[r.CallID] }
	var rest []func(dst []byte) []byte
	for k := i; k < j; k++ {
		m := &e.r.Messages[k]
		for l, p := range m.Parts {
			path := at(k, l)
			if r, ok := p.(*llm.Result); ok && stands(r) {
				given[r.CallID] = true
				dst = e.result(e.begin(dst, user), path, r)
				continue
			}
			rest = append(rest, func(dst []byte) []byte { return e.said(dst, path, m.Role, p) })
		}
	}
	dst = e.missing(dst, calls, given)
	for _, write := range rest {
		dst = e.put(dst, user, write)
	}
	return dst
}

// missing writes results for calls that have none: Bedrock takes no conversation
// without.
func (e *encoder) missing(dst []byte, calls []*llm.Call, given map[string]bool) []byte {
	for _, c := range calls {
		if given[c.ID] {
			continue
		}
		given[c.ID] = true
		e.lose("messages", "emulated: a result of the call "+c.ID+", which has none")
		dst = append(jsonw.String(append(jsonw.Comma(e.begin(dst, user)), `{"toolResult":{`...), "toolUseId", c.ID),
			`,"content":[{"text":"the result of this call is missing"}],"status":"error"}}`...)
	}
	return dst
}

// said writes what the user says, or an instruction in mid-conversation.
func (e *encoder) said(dst []byte, path string, r llm.Role, p llm.Part) []byte {
	switch p := p.(type) {
	case *llm.Prose:
		if blank(p.Text) {
			return dst
		}
		if r.IsInstruction() {
			e.lose(path, "moved: an instruction in mid-conversation stands in the user's turn")
		}
		return e.cache(appendText(dst, p.Text), path, p.Cache)
	case *llm.Result:
		e.lose(path, "approximated: a result without its call stands as text")
		for _, part := range p.Parts {
			dst = e.said(dst, path, r, part)
		}
		return dst
	case *llm.Blob:
		return e.cache(e.blob(dst, path, p), path, p.Cache)
	}
	return e.other(dst, path, p)
}

// other writes what may stand anywhere, in words if it has no seat.
func (e *encoder) other(dst []byte, path string, p llm.Part) []byte {
	switch p := p.(type) {
	case *llm.Refusal:
		if !blank(p.Text) {
			return appendText(dst, p.Text)
		}
	case *llm.Reference:
		e.lose(path, wire.ToolInWords)
		return appendText(dst, llm.Plain("[Tool loaded: "+p.Name+"]"))
	case *llm.Opaque:
		if p.Alt.IsSet() && !blank(p.Alt) {
			e.lose(path, "approximated: a part of kind "+p.Kind+" as text")
			return appendText(dst, p.Alt)
		}
		e.lose(path, "dropped: there is no seat for a part of kind "+p.Kind)
	case *llm.ServerCall, *llm.ServerResult:
		e.lose(path, "dropped: there is no seat for what another upstream ran")
	case *llm.Thought:
		e.lose(path, "dropped: only the model thinks")
	case *llm.Blob:
		e.lose(path, "dropped: the model's own turns are text")
	case *llm.Call, *llm.Result, *llm.Prose:
		e.lose(path, "dropped: a call or result has no seat here")
	}
	return dst
}

// model writes a turn of the model, which messages i to j-1 make up: its calls
// come last.
func (e *encoder) model(dst []byte, i, j int) []byte {
	if e.count == 0 {
		dst = e.first(dst)
	}
	for k := i; k < j; k++ {
		for l, p := range e.r.Messages[k].Parts {
			if _, ok := p.(*llm.Call); ok {
				continue
			}
			dst = e.put(dst, assistant, func(dst []byte) []byte { return e.told(dst, at(k, l), p) })
		}
	}
	for k := i; k < j; k++ {
		for l, p := range e.r.Messages[k].Parts {
			if c, ok := p.(*llm.Call); ok {
				dst = e.call(e.begin(dst, assistant), at(k, l), c)
			}
		}
	}
	return dst
}

// told writes what the model said or thought.
func (e *encoder) told(dst []byte, path string, p llm.Part) []byte {
	switch p := p.(type) {
	case *llm.Prose:
		if len(p.Cites) > 0 {
			e.lose(path+".citations", "dropped: what a text rests on has no seat in a request")
		}
		if blank(p.Text) {
			return dst
		}
		return e.cache(appendText(dst, p.Text), path, p.Cache)
	case *llm.Thought:
		switch {
		case p.Seal == nil || p.Seal.Data.Empty():
			e.lose(path, "dropped: the upstream takes no thoughts without its signature")
			return dst
		case p.Seal.Kind == llm.Encrypted:
			return append(jsonw.Text(append(jsonw.Comma(dst), `{"reasoningContent":{`...), "redactedContent", p.Seal.Data), "}}"...)
		}
		dst = append(jsonw.Comma(dst), `{"reasoningContent":{"reasoningText":{`...)
		dst = jsonw.Text(dst, "text", p.Text)
		return append(jsonw.Text(dst, "signature", p.Seal.Data), "}}}"...)
	}
	return e.other(dst, path, p)
}

// call writes a call of the model. Its arguments are an object; what is none is
// kept as it is, as the member "input" (spec: translation-traps A12, A13).
func (e *encoder) call(dst []byte, path string, c *llm.Call) []byte {
	e.note(c.Name)
	dst = jsonw.String(append(jsonw.Comma(dst), `{"toolUse":{`...), "toolUseId", c.ID)
	dst = jsonw.String(dst, "name", c.Name)
	dst = jsonw.Name(dst, "input")
	from := len(dst)
	dst = c.Args.Append(dst)
	args := jsontext.Value(dst[from:])
	switch valid := args.IsValid(jsontext.AllowDuplicateNames(true)); {
	case len(args) == 0:
		dst = append(dst, "{}"...)
	case !valid || args.Kind() != '{':
		e.lose(path+".arguments", "approximated: they are no object, and stand as text in the member input")
		dst = append(c.Args.AppendJSON(append(dst[:from], `{"input":`...)), '}')
	}
	return e.cache(append(dst, "}}"...), path, c.Cache)
}

// result writes what came of a call.
func (e *encoder) result(dst []byte, path string, r *llm.Result) []byte {
	dst = jsonw.String(append(jsonw.Comma(dst), `{"toolResult":{`...), "toolUseId", r.CallID)
	dst = append(jsonw.Name(dst, "content"), '[')
	empty := len(dst)
	for i, p := range r.Parts {
		here := path + ".content[" + strconv.Itoa(i) + "]"
		switch p := p.(type) {
		case *llm.Prose:
			if !blank(p.Text) {
				dst = appendText(dst, p.Text)
			}
		case *llm.Blob:
			dst = e.blob(dst, here, p)
		default:
			dst = e.other(dst, here, p)
		}
	}
	if len(dst) == empty {
		dst = append(dst, `{"text":"(no output)"}`...) // an empty result is refused
	}
	dst = append(dst, ']')
	if r.Failed {
		dst = jsonw.String(dst, "status", "error")
	}
	return e.cache(append(dst, "}}"...), path, r.Cache)
}

// formats are Bedrock's names of what is sent, by its media type.
var formats = map[string]string{
	"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp",
	"application/pdf": "pdf", "text/csv": "csv", "text/html": "html", "text/plain": "txt", "text/markdown": "md",
	"application/msword": "doc", "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
	"application/vnd.ms-excel": "xls", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
	"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav", "audio/ogg": "ogg", "audio/flac": "flac", "audio/aac": "aac", "audio/mp4": "m4a", "audio/webm": "webm",
	"video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm", "video/x-matroska": "mkv", "video/mpeg": "mpeg",
}

var kinds = [...]string{llm.Image: "image", llm.Audio: "audio", llm.Video: "video", llm.Document: "document"}

// Inline reports whether b, which is at an address, has to be sent by its bytes:
// Bedrock fetches nothing but from Amazon's own storage.
func (*Codec) Inline(_ *protocol.Fit, b *llm.Blob) bool { return b.URL != "" }

// blob writes a picture, a document, a sound or a film.
func (e *encoder) blob(dst []byte, path string, b *llm.Blob) []byte {
	switch {
	case b.Prose.IsSet():
		e.lose(path, wire.TextOnly)
		if blank(b.Prose) {
			return dst
		}
		return appendText(dst, b.Prose)
	case b.File != "":
		e.lose(path, wire.HeldElsewhere)
		return dst
	case b.URL != "":
		e.lose(path, wire.AddressTold)
		return appendText(dst, llm.Plain("["+kinds[b.Kind]+" at "+b.URL+"]"))
	}
	mime, _, _ := strings.Cut(b.Type, ";")
	format := formats[strings.ToLower(strings.TrimSpace(mime))]
	if format == "" {
		if b.Kind == llm.Image && b.Type == "" {
			format = "png"
		} else if b.Kind == llm.Document && b.Type == "" {
			format = "pdf"
		} else {
			e.lose(path, "dropped: the upstream takes nothing of the type "+b.Type)
			return dst
		}
	}
	if b.Kind == llm.Document {
		// A document goes with a text in the same message.
		dst = appendText(dst, llm.Plain("[document]"))
	}
	dst = append(jsonw.Name(append(jsonw.Comma(dst), '{'), kinds[b.Kind]), '{')
	dst = jsonw.String(dst, "format", format)
	if b.Kind == llm.Document {
		e.files++
		dst = jsonw.String(dst, "name", documentName(b.Name, e.files))
	}
	return append(jsonw.Text(append(jsonw.Name(dst, "source"), '{'), "bytes", b.Data), "}}}"...)
}

// maxName bounds the name of a document, in characters.
const maxName = 100

// documentName is a name that Bedrock takes for document number n: letters,
// digits, hyphens, brackets and single blanks; no two are alike.
func documentName(name string, n int) string {
	out := make([]byte, 0, maxName)
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', strings.IndexByte("-()[]", c) >= 0:
			out = append(out, c)
		case len(out) > 0 && out[len(out)-1] != ' ':
			out = append(out, ' ')
		}
		if len(out) == maxName-8 {
			break
		}
	}
	return strings.TrimSpace(string(out) + " " + strconv.Itoa(n))
}
