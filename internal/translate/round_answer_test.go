package translate

import (
	"cmp"
	"encoding/json/jsontext"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
)

// answer is one answer that some upstream may have given.
func (m *maker) answer() llm.Answer {
	a := llm.Answer{Stop: llm.StopEnd}
	if m.one(3) {
		a.Parts = append(a.Parts, think(m.words()))
	}
	switch m.IntN(8) {
	case 0:
		a.Parts = append(a.Parts, &llm.Refusal{Text: m.text()})
		a.Stop = llm.StopRefusal
		return a
	case 1, 2, 3, 4, 5:
		t := &llm.Prose{Text: m.text()}
		if m.one(4) {
			for i := range 1 + m.IntN(2) {
				t.Cites = append(t.Cites, llm.Citation{URL: fmt.Sprintf("https://page.example/%d", i), Title: pickOf(m, "A page", "")})
			}
		}
		a.Parts = append(a.Parts, t)
	case 6:
		a.Parts = append(a.Parts, &llm.Blob{Kind: llm.Image, Type: "image/png", Data: llm.Plain(png + "0000")})
	}
	for range m.IntN(3) {
		m.calls++
		a.Parts = append(a.Parts, call(fmt.Sprint("call_", m.calls), pickOf(m, "f", "g"), m.args()))
		a.Stop = llm.StopCall
	}
	if n := len(a.Parts); n == 0 || n == 1 && isThought(a.Parts[0]) {
		a.Parts = append(a.Parts, say(m.words()))
	}
	if a.Stop == llm.StopEnd {
		switch m.IntN(8) {
		case 0:
			a.Stop = llm.StopLength
		case 1:
			a.Stop = llm.StopFilter
		case 2:
			a.Stop, a.Sequence = llm.StopSequence, llm.Plain("END")
		}
	}
	return a
}

func (m *maker) response() *llm.Response {
	r := &llm.Response{ID: "x1", Model: "m", HasUsage: true}
	for range pickOf(m, 1, 1, 1, 2) {
		r.Answers = append(r.Answers, m.answer())
	}
	u := &r.Usage
	*u = llm.Usage{Input: 1 + m.Int64N(50), Output: 1 + m.Int64N(90), CacheRead: m.Int64N(2) * 7, CacheWrite: m.Int64N(2) * 9, Reasoning: m.Int64N(2) * 5}
	if u.CacheWrite > 0 && m.one(2) {
		u.CacheHour = 4
	}
	if m.one(4) {
		r.Answers[0].Logprobs = jsontext.Value(`{"content":[{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[{"token":"a","logprob":-0.5,"bytes":[97]}]}]}`)
	}
	return r
}

var answerAspects = []aspect{
	{"text", nil},
	{"thinking", nil},
	{"refusal", nil},
	{"calls", nil},
	{"pictures", regexp.MustCompile(`^(answer|content\[).*(picture|image)`)},
	{"citations", regexp.MustCompile(`^citations`)},
	{"stop", nil},
	{"sequence", nil},
	{"logprobs", regexp.MustCompile(`^logprobs`)},
	{"more answers", regexp.MustCompile(`^(answers|choices)`)},
	{"read", nil},
	{"from cache", nil},
	{"to cache", regexp.MustCompile(`^usage`)},
	{"to cache for an hour", regexp.MustCompile(`^usage`)},
	{"written", nil},
	{"reasoned", nil},
}

// answerExceptions are what an answer need not keep on its way from the
// upstream's protocol to the client's and back, as exceptions are for requests.
var answerExceptions = []exception{
	{claude, "", "more answers", false, "Anthropic gives one answer"},
	{responses, "", "more answers", false, "Responses give one answer"},
	{claude, "", "logprobs", false, "Anthropic tells none"},
	{claude, "", "pictures", false, "Claude makes none"},
	{claude, "", "text", true, "Anthropic tells the words of a refusal as text, too"},
	{claude, chat, "stop", true, "Anthropic's reason for a refusal is not the model's words"},
	{responses, "", "logprobs", false, "without a text there are none"},
	{"", gem, "citations", false, "Google cites when all is said, the others before a text ends"},
	{gem, "", "citations", false, "Google cites when all is said, the others before a text ends"},
	{"", claude, "text", true, "Anthropic tells the words of a refusal as text, too"},
	{"", claude, "stop", true, "only Anthropic tells a stop sequence from an end"},
	{"", claude, "sequence", true, "only Anthropic tells which stop sequence it was"},
	{chat, claude, "to cache for an hour", false, "OpenAI counts one cache"},
	{responses, claude, "to cache for an hour", false, "OpenAI counts one cache"},
	{gem, claude, "to cache for an hour", false, "Google tells of none that is written"},
	{gem, "", "to cache", false, "Google tells of none that is written"},
	{gem, "", "refusal", true, "Google's refusals have no words of their own, but a reason"},
	{gem, "", "text", true, "Google's refusals have no words of their own, but a reason"},
	{gem, "", "stop", true, "Google's refusals have no words of their own, but a reason"},
}

// saidIn is what an answer says.
func saidIn(r *llm.Response) said {
	s := said{}
	for i := range r.Answers {
		a := &r.Answers[i]
		if i > 0 {
			s.add("more answers", "%d", i)
			continue
		}
		var text, thought strings.Builder
		for _, p := range a.Parts {
			switch p := p.(type) {
			case *llm.Prose:
				text.WriteString(p.Text.String())
				for _, c := range p.Cites {
					s.add("citations", "%s %s", c.URL, c.Title)
				}
			case *llm.Thought:
				thought.WriteString(p.Text.String())
			case *llm.Refusal:
				s.add("refusal", "%s", p.Text.String())
			case *llm.Call:
				s.add("calls", "%s %s %s", p.ID, p.Name, normal([]byte(cmp.Or(p.Args.String(), "{}"))))
			case *llm.Blob:
				s.add("pictures", "%s", p.Data.String())
			case *llm.ServerResult:
				for j := range p.Blobs {
					s.add("pictures", "%s", p.Blobs[j].Data.String())
				}
			}
		}
		s.add("text", "%s", text.String())
		s.add("thinking", "%s", thought.String())
		s.add("stop", "%d", a.Stop)
		if a.Sequence.IsSet() {
			s.add("sequence", "%s", a.Sequence.String())
		}
		if a.Logprobs != nil {
			s.add("logprobs", "%s", normal(jsonedit.Get(a.Logprobs, "content")))
		}
	}
	u := &r.Usage
	for name, n := range map[string]int64{
		"read": u.Input + u.CacheRead + u.CacheWrite, "from cache": u.CacheRead, "to cache": u.CacheWrite, "to cache for an hour": u.CacheHour,
		"written": u.Output + u.Reasoning, "reasoned": u.Reasoning,
	} {
		s.add(name, "%d", n)
	}
	return s
}

// tell tells an upstream's answer to a client of another protocol.
func tell(t *testing.T, client, upstream protocol.Translator, body []byte, stream bool) ([]byte, []llm.Loss) {
	t.Helper()
	b := bridge(t, client, upstream, []byte(lawAsks[client.Name()]), Options{ID: "req_1", Stream: stream})
	if !stream {
		out, err := b.Whole(body)
		if err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		return out, b.Losses()
	}
	var out []byte
	var err error
	for _, f := range codectest.Frames(body) {
		if out, err = b.Frame(out, f.Event, f.Data); err != nil {
			t.Fatal(err)
		}
	}
	return b.End(out), b.Losses()
}

// TestRoundAnswers: an answer, whole or streamed, that goes from its protocol to
// another and back says what it said, but for the exceptions; none of those is
// needless.
func TestRoundAnswers(t *testing.T) {
	used := make([]bool, len(answerExceptions))
	for _, upstream := range translators {
		for _, client := range translators {
			if client == upstream {
				continue
			}
			for seed := range uint64(90) {
				for _, stream := range []bool{false, true} {
					checkAnswer(t, client, upstream, seed, stream, used)
				}
			}
		}
	}
	for i, used := range used {
		if !used {
			t.Errorf("needless: %+v", answerExceptions[i])
		}
	}
}

func checkAnswer(t *testing.T, client, upstream protocol.Translator, seed uint64, stream bool, used []bool) {
	t.Helper()
	asked, err := upstream.DecodeRequest([]byte(lawAsks[upstream.Name()]))
	if err != nil {
		t.Fatal(err)
	}
	made := newMaker(seed).response()
	var body []byte
	if stream {
		body = streamed(upstream, asked, made)
	} else if body, _, err = upstream.EncodeResponse(nil, made, lawEcho(asked)); err != nil {
		t.Fatal(err)
	}
	x := &trip{client: client, upstream: upstream, body: body}
	var more []llm.Loss
	x.there, x.losses = tell(t, client, upstream, body, stream)
	x.back, more = tell(t, upstream, client, x.there, stream)
	x.losses = append(slices.Clip(x.losses), more...)
	x.want, x.got = saidIn(decoded(t, upstream, body, stream)), saidIn(decoded(t, upstream, x.back, stream))
	for i := range answerAspects {
		a := &answerAspects[i]
		if slices.Equal(x.want[a.name], x.got[a.name]) {
			continue
		}
		allowed, named := false, x.named(a)
		for j := range answerExceptions {
			if e := &answerExceptions[j]; e.of(client.Name(), upstream.Name(), a.name) && (e.quiet || named) {
				used[j], allowed = true, true
			}
		}
		if !allowed {
			t.Fatalf("%s to a client of %s, seed %d, stream %t: %s differ (-want +got), named: %t\n%s\n%s", upstream.Name(), client.Name(), seed, stream, a.name, named, gocmp.Diff(x.want[a.name], x.got[a.name]), x)
		}
	}
}

func FuzzRoundAnswers(f *testing.F) {
	f.Add(uint64(1), 0, 1, true)
	f.Fuzz(func(t *testing.T, seed uint64, i, j int, stream bool) {
		if i >= 0 && j >= 0 && i < len(translators) && j < len(translators) && i != j {
			checkAnswer(t, translators[i], translators[j], seed, stream, make([]bool, len(answerExceptions)))
		}
	})
}

func decoded(t *testing.T, p protocol.Translator, body []byte, stream bool) *llm.Response {
	t.Helper()
	if !stream {
		r, err := p.DecodeResponse(body)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r, err := codectest.Fold(p.NewDecoder(), body)
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return r
}

// streamed is r as its upstream streams it.
func streamed(up protocol.Translator, asked *llm.Request, r *llm.Response) []byte {
	e := up.NewEncoder(lawEcho(asked))
	out := e.Feed(nil, &llm.Event{Kind: llm.Begin, ID: r.ID, Model: r.Model})
	for i := range r.Answers {
		a := &r.Answers[i]
		odds := a.Logprobs
		for j, p := range a.Parts {
			t, ok := p.(*llm.Prose)
			if !ok || odds == nil {
				out = e.Feed(out, &llm.Event{Kind: llm.Whole, Answer: i, Part: j, What: p})
				continue
			}
			for _, ev := range []llm.Event{{Kind: llm.Open, What: &llm.Prose{}}, {Kind: llm.Grow, Text: t.Text}, {Kind: llm.Odds, Logprobs: odds}, {Kind: llm.Close}} {
				ev.Answer, ev.Part = i, j
				out = e.Feed(out, &ev)
			}
			odds = nil
		}
	}
	out = e.Feed(out, &llm.Event{Kind: llm.Tally, Usage: r.Usage})
	for i := range r.Answers {
		out = e.Feed(out, &llm.Event{Kind: llm.Halt, Answer: i, Stop: r.Answers[i].Stop, Sequence: r.Answers[i].Sequence})
	}
	return e.End(out)
}
