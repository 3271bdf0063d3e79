package gemini

import (
	"strconv"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// skip is what Google takes for a signature that nobody has. Gemini CLI itself
// sends it (spec: upstreams §2.6, translation-traps C8).
const skip = "skip_thought_signature_validator"

// system writes the leading instructions, a part for each text. Google takes
// nothing but texts there.
func (e *requestEncoder) system(dst []byte) []byte {
	from := len(dst)
	dst = append(jsonw.Name(dst, "systemInstruction"), `{"parts":[`...)
	empty := len(dst)
	for i := range e.r.Head() {
		at := "messages[" + strconv.Itoa(i) + "].content"
		for j, p := range e.r.Messages[i].Parts {
			here := at + "[" + strconv.Itoa(j) + "]"
			switch p := p.(type) {
			case *llm.Prose:
				if e.own || !p.Text.Empty() {
					dst = appendText(dst, p.Text, false, p.Seal, p.Extra)
				}
			case *llm.Thought:
				if e.own {
					dst = appendText(dst, p.Text, true, p.Seal, p.Extra)
				}
			case *llm.Blob:
				if e.own || p.Prose.IsSet() {
					dst = e.blob(dst, here, p, e.vertex)
				} else {
					e.lose(here, "dropped: instructions are text only")
				}
			default:
				dst = e.part(dst, here, p, llm.System)
			}
		}
	}
	if e.nudge != nil {
		dst = appendText(dst, llm.PlainBytes(e.nudge), false, nil, llm.Extra{})
	}
	if len(dst) == empty {
		return dst[:from]
	}
	return append(dst, "]}"...)
}

// A turn is a content while it is being written.
type turn uint8

const (
	noTurn   turn = iota
	userTurn      // of the user
	modelTurn
	resultTurn // of the user, results of functions
)

// begin makes sure that a content of a kind is open.
func (e *requestEncoder) begin(dst []byte, kind turn) []byte {
	if e.open == kind {
		return dst
	}
	dst = e.close(dst)
	e.open = kind
	e.count++
	role := "user"
	if kind == modelTurn {
		role = "model"
	}
	return append(jsonw.String(append(jsonw.Comma(dst), '{'), "role", role), `,"parts":[`...)
}

func (e *requestEncoder) close(dst []byte) []byte {
	if e.open == noTurn {
		return dst
	}
	e.open = noTurn
	return append(dst, "]}"...)
}

// put writes something into a content of a kind, which is opened if need be,
// unless write writes nothing.
func (e *requestEncoder) put(dst []byte, kind turn, write func(dst []byte) []byte) []byte {
	was, count, from := e.open, e.count, len(dst)
	dst = e.begin(dst, kind)
	empty := len(dst)
	if dst = write(dst); len(dst) == empty {
		e.open, e.count = was, count
		return dst[:from]
	}
	return dst
}

// goOn is what the user says where Google demands a turn of theirs and there is
// none (spec: translation-traps A3, C2).
const goOn = "(continued)"

// contents writes the conversation after its leading instructions.
//
// Turns of the model that follow one another become one content, and so do
// turns of the user. The results of its calls come right behind a content of
// the model, in a content of their own, one for each call and in their order
// (spec: translation-traps C2 to C5).
func (e *requestEncoder) contents(dst []byte) []byte {
	dst = append(jsonw.Name(dst, "contents"), '[')
	if e.own {
		return append(e.verbatim(dst), ']')
	}
	all := e.r.Messages
	for i := e.r.Head(); i < len(all); {
		if all[i].Role != llm.Assistant {
			dst = e.user(dst, i)
			i++
			continue
		}
		j := i
		for j < len(all) && all[j].Role == llm.Assistant {
			j++
		}
		dst = e.model(dst, i, j)
		i = j
	}
	dst = e.close(dst)
	if e.count == 0 && e.r.Cache.Content == "" {
		e.lose("messages", "emulated: a first turn of the user, which the upstream demands")
		dst = e.close(e.first(dst))
	}
	return append(dst, ']')
}

// first writes a turn of the user that says next to nothing.
func (e *requestEncoder) first(dst []byte) []byte {
	return appendText(e.begin(dst, userTurn), llm.Plain(goOn), false, nil, llm.Extra{})
}

// verbatim writes the contents of a Gemini client as they were.
func (e *requestEncoder) verbatim(dst []byte) []byte {
	for i := e.r.Head(); i < len(e.r.Messages); i++ {
		m := &e.r.Messages[i]
		role := "user"
		if m.Role == llm.Assistant {
			role = "model"
		}
		dst = append(jsonw.String(append(jsonw.Comma(dst), '{'), "role", role), `,"parts":[`...)
		for j, p := range m.Parts {
			at := "messages[" + strconv.Itoa(i) + "].content[" + strconv.Itoa(j) + "]"
			switch p := p.(type) {
			case *llm.Call:
				dst = e.call(dst, at, p, p.Seal)
			case *llm.Result:
				dst = e.result(dst, at, p, p.CallID, p.Name, nil)
			case *llm.Thought:
				dst = appendText(dst, p.Text, true, p.Seal, p.Extra)
			case *llm.Prose:
				dst = appendText(dst, p.Text, false, p.Seal, p.Extra)
			default:
				dst = e.part(dst, at, p, m.Role)
			}
		}
		dst = append(m.Extra.AppendTo(append(dst, ']'), protocol.Gemini), '}')
	}
	return dst
}

// user writes a turn of the user, or an instruction in mid-conversation.
func (e *requestEncoder) user(dst []byte, i int) []byte {
	m := &e.r.Messages[i]
	for j, p := range m.Parts {
		at := "messages[" + strconv.Itoa(i) + "].content[" + strconv.Itoa(j) + "]"
		dst = e.put(dst, userTurn, func(dst []byte) []byte {
			switch p := p.(type) {
			case *llm.Result:
				if e.used[p] {
					return dst
				}
				return e.orphan(dst, at, p)
			case *llm.Prose:
				if p.Text.Empty() {
					return dst
				}
				if !m.Role.IsInstruction() {
					return appendText(dst, p.Text, false, p.Seal, p.Extra)
				}
				e.lose(at, "moved: an instruction in mid-conversation stands in the user's turn")
				return appendText(dst, p.Text, false, nil, llm.Extra{})
			}
			return e.part(dst, at, p, m.Role)
		})
	}
	return dst
}

// model writes a turn of the model, which messages i to j-1 make up, and the
// results of its calls behind it.
func (e *requestEncoder) model(dst []byte, i, j int) []byte {
	if e.count == 0 {
		e.lose("messages", "emulated: a first turn of the user, which the upstream demands")
		dst = e.first(dst)
	}
	type placed struct {
		at   string
		call *llm.Call
		seal *llm.Seal
	}
	var calls []placed
	sealed := false
	for k := i; k < j; k++ {
		for _, p := range e.r.Messages[k].Parts {
			if c, ok := p.(*llm.Call); ok {
				sealed = sealed || isSealed(c.Seal)
			}
		}
	}
	for k := i; k < j; k++ {
		m := &e.r.Messages[k]
		for l, p := range m.Parts {
			at := "messages[" + strconv.Itoa(k) + "].content[" + strconv.Itoa(l) + "]"
			dst = e.put(dst, modelTurn, func(dst []byte) []byte {
				switch p := p.(type) {
				case *llm.Call:
					calls = append(calls, placed{at, p, p.Seal})
				case *llm.Thought:
					switch {
					case !isSealed(p.Seal):
						e.lose(at, "dropped: the upstream takes no thoughts without its signature")
						return dst
					case !p.Text.IsSet():
						return appendText(dst, llm.Plain(""), true, p.Seal, p.Extra)
					}
					return appendText(dst, p.Text, true, p.Seal, p.Extra)
				case *llm.Prose:
					if len(p.Cites) > 0 {
						e.lose(at+".citations", "dropped: what a text rests on has no seat in a request")
					}
					if !p.Text.Empty() || isSealed(p.Seal) {
						return appendText(dst, p.Text, false, p.Seal, p.Extra)
					}
				default:
					return e.part(dst, at, p, m.Role)
				}
				return dst
			})
		}
	}
	if len(calls) == 0 {
		return dst
	}
	if !sealed && !isSealed(calls[0].seal) && e.gen.signs() {
		e.lose(calls[0].at, "emulated: a thought signature that nobody has any more")
		calls[0].seal = &llm.Seal{Data: llm.Plain(skip)}
	}
	for _, c := range calls {
		dst = e.call(e.begin(dst, modelTurn), c.at, c.call, c.seal)
	}
	if e.used == nil {
		e.used = map[*llm.Result]bool{}
	}
	results, shown := e.results(j), []llm.Part(nil)
	for _, c := range calls {
		r := standing{missing, c.at}
		if list := results[c.call.ID]; len(list) > 0 {
			r, results[c.call.ID] = list[0], list[1:]
			e.used[r.result] = true
		} else {
			e.lose(c.at, "emulated: a result of this call, which has none")
		}
		dst = e.result(e.begin(dst, resultTurn), r.at, r.result, c.call.ID, c.call.Name, &shown)
	}
	for _, p := range shown {
		dst = e.part(dst, "messages", p, llm.User)
	}
	return dst
}

// isSealed reports whether there is a signature. Some seals are but an id.
func isSealed(s *llm.Seal) bool { return s != nil && !s.Data.Empty() }

// missing is the result of a call that has none.
var missing = &llm.Result{Failed: true, Parts: []llm.Part{&llm.Prose{Text: llm.Plain("the result of this call is missing")}}}

// A standing result and where it stands.
type standing struct {
	result *llm.Result
	at     string
}

// results are those from message j on, before the model speaks again, by the
// ids of their calls.
func (e *requestEncoder) results(j int) map[string][]standing {
	out := map[string][]standing{}
	for ; j < len(e.r.Messages) && e.r.Messages[j].Role != llm.Assistant; j++ {
		for l, p := range e.r.Messages[j].Parts {
			if r, ok := p.(*llm.Result); ok {
				out[r.CallID] = append(out[r.CallID], standing{r, "messages[" + strconv.Itoa(j) + "].content[" + strconv.Itoa(l) + "]"})
			}
		}
	}
	return out
}

// part writes a part that is the same whoever says it.
func (e *requestEncoder) part(dst []byte, at string, p llm.Part, role llm.Role) []byte {
	switch p := p.(type) {
	case *llm.Blob:
		return e.shown(dst, at, p)
	case *llm.Refusal:
		return appendText(dst, p.Text, false, nil, llm.Extra{})
	case *llm.Reference:
		e.lose(at, wire.ToolInWords)
		return appendText(dst, llm.Plain("[Tool loaded: "+p.Name+"]"), false, nil, llm.Extra{})
	case *llm.Opaque:
		return e.opaque(dst, at, p)
	case *llm.ServerCall:
		return e.serverCall(dst, at, p)
	case *llm.ServerResult:
		return e.serverResult(dst, at, p)
	case *llm.Prose:
		return appendText(dst, p.Text, false, nil, llm.Extra{})
	case *llm.Thought:
		if role != llm.Assistant {
			e.lose(at, "dropped: only the model thinks")
		}
	case *llm.Call, *llm.Result:
		e.lose(at, "dropped: a call or result has no seat here")
	}
	return dst
}

// levels of mediaResolution by how closely to look.
var looks = map[string]string{"low": "MEDIA_RESOLUTION_LOW", "high": "MEDIA_RESOLUTION_HIGH", "original": "MEDIA_RESOLUTION_ULTRA_HIGH"}

// shown writes a blob, and how closely to look at it, which Gemini 3 takes for
// each (spec: translation-traps D11 to D13).
func (e *requestEncoder) shown(dst []byte, at string, b *llm.Blob) []byte {
	if !e.own && e.gen.blind() && b.URL != "" {
		e.lose(at, wire.AddressTold)
		return appendText(dst, llm.Plain("["+kinds[b.Kind]+" at "+b.URL+"]"), false, nil, llm.Extra{})
	}
	before := len(dst)
	if dst = e.blob(dst, at, b, e.vertex); len(dst) == before {
		return dst
	}
	look := looks[b.Detail]
	switch {
	case look == "":
	case e.own || e.gen >= 30:
		dst = append(jsonw.Name(dst[:len(dst)-1], "mediaResolution"), `{"level":"`...)
		dst = append(append(dst, look...), `"}}`...)
	default:
		e.lose(at+".detail", "dropped: the model takes it for all media alike")
	}
	return dst
}

var kinds = [...]string{llm.Image: "image", llm.Audio: "sound", llm.Video: "film", llm.Document: "document"}
