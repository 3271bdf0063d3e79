package anthropic

import (
	"slices"
	"strconv"
	"strings"

	"portico/internal/llm"
)

// A place is where a part stands in the neutral conversation. Part -1 is the
// whole message.
type place struct{ message, part int }

func (p place) String() string {
	at := "messages[" + strconv.Itoa(p.message) + "]"
	if p.part >= 0 {
		at += ".content[" + strconv.Itoa(p.part) + "]"
	}
	return at
}

// A block is a part that has a seat in a turn.
type block struct {
	part llm.Part
	at   place
}

// A turn is one message as the protocol wants it.
type turn struct {
	role   llm.Role // System, User or Assistant
	blocks []block
	extra  llm.Extra
}

// The words that stand where the protocol wants some and there are none.
const (
	filler    = "."
	continued = "Continue your last message exactly where it stops. Repeat nothing of it."
	missing   = "The result of this call is missing."
	orphaned  = "[What a tool answered to a call that is not part of this conversation]"
)

func saying(at place, text string) block { return block{&llm.Prose{Text: llm.Plain(text)}, at} }

// lay puts the messages from the given one on in the order of the protocol
// (spec: upstreams §1C.3, §2.4, translation-traps A2–A5): the user speaks first
// and roles alternate, results follow their calls at once and stand first, an
// instruction in mid-conversation stands behind a turn of the user.
func (e *requestEncoder) lay(from int) []turn {
	l := layout{e: e, results: map[string][]block{}, taken: map[*llm.Result]bool{}}
	ms := e.r.Messages
	for i := from; i < len(ms); i++ {
		for j, p := range ms[i].Parts {
			if r, ok := p.(*llm.Result); ok && ms[i].Role == llm.User {
				l.results[r.CallID] = append(l.results[r.CallID], block{r, place{i, j}})
			}
		}
	}
	for i := from; i < len(ms); i++ {
		l.add(i, &ms[i])
	}
	l.flush()
	l.last()
	return l.turns
}

// A layout is the conversation under way.
type layout struct {
	e       *requestEncoder
	turns   []turn
	results map[string][]block   // of every call in order, but for those that have a seat
	taken   map[*llm.Result]bool // those that have one

	// What was said since the model's last turn.
	answers, user, system []block
	spoke                 bool // there was a message of the user
}

func (l *layout) add(i int, m *llm.Message) {
	e := l.e
	if m.Name != "" {
		e.lose(place{i, -1}.String()+".name", "dropped: the upstream does not tell speakers apart")
	}
	var said []block
	for j, p := range m.Parts {
		if r, ok := p.(*llm.Result); ok && m.Role == llm.User {
			l.answers = append(l.answers, block{r, place{i, j}})
			continue
		}
		said = e.admit(said, m.Role, block{p, place{i, j}})
	}
	switch {
	case m.Role == llm.Assistant:
		if len(said) > 0 {
			l.flush()
			l.push(llm.Assistant, said)
		}
	case m.Role == llm.User:
		l.spoke = true
		if len(said) > 0 && len(l.system) > 0 {
			e.lose(l.system[0].at.String(), "moved: it stands behind the user's turn")
		}
		l.user = append(l.user, said...)
	case len(said) == 0:
	case e.can.midway:
		l.system = append(l.system, said...)
	default:
		e.lose(place{i, -1}.String(), "moved: the user says it, since the model takes no instruction in mid-conversation")
		l.user = append(l.user, said...)
	}
}

// push adds blocks to the conversation: to the last turn if that is of role.
func (l *layout) push(role llm.Role, blocks []block) {
	if n := len(l.turns); n > 0 && l.turns[n-1].role == role {
		l.turns[n-1].blocks = append(l.turns[n-1].blocks, blocks...)
		return
	}
	l.turns = append(l.turns, turn{role: role, blocks: blocks})
}

// flush ends what the user's side said since the model's last turn.
func (l *layout) flush() {
	blocks, shown := l.pair()
	blocks = append(append(blocks, shown...), l.user...)
	if len(blocks) == 0 {
		if len(l.system) > 0 {
			l.e.lose(l.system[0].at.String(), "moved: the user says it, since the upstream takes an instruction only behind a turn of the user")
			blocks, l.system = l.system, nil
		} else if l.spoke || len(l.turns) == 0 {
			l.e.lose("messages", "emulated: the upstream wants the user to say something")
			blocks = []block{saying(place{}, filler)}
		}
	}
	if len(blocks) > 0 {
		l.push(llm.User, blocks)
	}
	if len(l.system) > 0 {
		l.push(llm.System, l.system)
	}
	l.answers, l.user, l.system, l.spoke = nil, nil, nil, false
}

// pair answers the calls of the model's last turn, each once and in their
// order. shown is what follows the results: what a failed tool showed, and as
// text what was answered to nobody.
func (l *layout) pair() (blocks, shown []block) {
	e := l.e
	if n := len(l.turns); n > 0 && l.turns[n-1].role == llm.Assistant {
		for _, b := range l.turns[n-1].blocks {
			if c, ok := b.part.(*llm.Call); ok {
				var r block
				r, shown = e.result(l.take(c, b.at), shown)
				blocks = append(blocks, r)
			}
		}
	}
	for _, b := range l.answers {
		r := b.part.(*llm.Result)
		if l.taken[r] {
			continue
		}
		l.results[r.CallID] = slices.DeleteFunc(l.results[r.CallID], func(o block) bool { return o.part == b.part })
		e.lose(b.at.String(), "moved: a result without its call is told as text")
		shown = append(shown, saying(b.at, orphaned))
		for _, p := range r.Parts {
			shown = e.admit(shown, llm.User, block{p, b.at})
		}
	}
	return blocks, shown
}

// take is the result of a call. Some clients send it late; if there is none,
// the model is told so.
func (l *layout) take(c *llm.Call, at place) block {
	of := l.results[c.ID]
	if len(of) == 0 {
		l.e.lose(at.String(), "emulated: the call has no result, and the upstream wants one")
		return block{&llm.Result{CallID: c.ID, Failed: true, Parts: []llm.Part{&llm.Prose{Text: llm.Plain(missing)}}}, at}
	}
	r := of[0]
	l.results[c.ID] = of[1:]
	l.taken[r.part.(*llm.Result)] = true
	if !slices.ContainsFunc(l.answers, func(b block) bool { return b.part == r.part }) {
		l.e.lose(r.at.String(), "moved: a result stands behind its call")
	}
	return r
}

// last sees to the model's own words at the end, which the model shall go on
// with.
func (l *layout) last() {
	n := len(l.turns) - 1
	if l.turns[n].role != llm.Assistant {
		return
	}
	blocks := l.turns[n].blocks
	at := blocks[len(blocks)-1].at
	if !l.e.can.prefill || l.e.thinks() {
		l.e.lose(at.String(), "emulated: the model is asked to continue, since it takes no beginning of its answer")
		l.turns = append(l.turns, turn{role: llm.User, blocks: []block{saying(at, continued)}})
		return
	}
	if t, ok := blocks[len(blocks)-1].part.(*llm.Prose); ok {
		whole := t.Text.String()
		if trimmed := strings.TrimRight(whole, " \n\r\t"); trimmed != whole {
			l.e.lose(at.String(), "approximated: the upstream takes no white space at the end of the model's words")
			own := *t
			own.Text = llm.Plain(trimmed)
			blocks[len(blocks)-1].part = &own
		}
	}
}
