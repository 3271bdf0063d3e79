package transcription

import (
	"math"
	"strconv"
	"strings"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// An Answer is the client's answer while it grows.
type Answer struct {
	r     *Request
	text  strings.Builder // what the model has said
	told  int             // of it, how much the client of a stream has
	begun bool            // the text is more than the beginning of silence
	skip  bool            // what comes now is no part of the answer
	stop  llm.Stop
	usage llm.Usage
	sound int64 // of the usage, what was heard

	language string // that is spoken, where the answer tells times
	segments []segment
}

// NewAnswer returns the answer to r without a word.
func (r *Request) NewAnswer() *Answer { return &Answer{r: r} }

// Count reads what only Google tells of the usage: how many of the prompt's
// tokens are sound. data is a whole answer, or a piece of one.
func (a *Answer) Count(data []byte) {
	details := jsonedit.Path(data, "usageMetadata", "promptTokensDetails")
	if len(details) == 0 || details[0] != '[' {
		return
	}
	for e, err := range jsonedit.Elements(details) {
		if err != nil {
			return
		}
		if wire.Text(jsonedit.Get(e, "modality")) == "AUDIO" {
			a.sound = wire.Tokens(jsonedit.Get(e, "tokenCount"))
		}
	}
}

// Add takes the whole answer of the model's. The error is a *fault.Fault.
func (a *Answer) Add(r *llm.Response) error {
	a.usage = r.Usage
	for i := range r.Answers {
		a.stop = r.Answers[i].Stop
		for _, p := range r.Answers[i].Parts {
			a.part(p)
		}
	}
	if err := a.check(); err != nil || !a.r.timed() {
		return err
	}
	var err error
	if a.language, a.segments, err = parse(a.said()); err != nil {
		return fault.New(fault.Broken, "%s", err)
	}
	return nil
}

func (a *Answer) part(p llm.Part) {
	switch p := p.(type) {
	case *llm.Prose:
		a.text.Write(p.Text.Append(nil))
	case *llm.Refusal:
		a.text.Write(p.Text.Append(nil))
	}
}

// check says what is wrong with an answer that came to its end.
func (a *Answer) check() error {
	switch a.stop {
	case llm.StopRefusal, llm.StopFilter:
		return fault.New(fault.ContentFiltered, "the model refused to write this down. %s", head(a.said()))
	case llm.StopLength, llm.StopContext:
		return fault.New(fault.ContextTooLong, "the recording is longer than what the model writes in one answer; send it in pieces")
	}
	return nil
}

// head is the beginning of what a model said, for an error.
func head(s string) string {
	if r := []rune(s); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}

// said is what was written down.
func (a *Answer) said() string {
	s := strings.TrimSpace(a.text.String())
	if s == silence {
		return ""
	}
	return s
}

// Kind is the media type of a whole answer.
func (a *Answer) Kind() string {
	switch a.r.format {
	case asJSON, asVerbose:
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}

// Body is the whole answer.
func (a *Answer) Body() []byte {
	switch a.r.format {
	case asText:
		return []byte(a.said() + "\n")
	case asSRT, asVTT:
		return subtitles(a.segments, a.r.format)
	case asVerbose:
		return a.verbose()
	}
	dst := jsonw.String([]byte{'{'}, "text", a.said())
	return append(a.appendUsage(dst), '}')
}

// verbose is OpenAI's verbose_json, as far as it is known.
func (a *Answer) verbose() []byte {
	task, language := "transcribe", a.language
	if a.r.english {
		task, language = "translate", "english"
	}
	dst := jsonw.String([]byte{'{'}, "task", task)
	dst = jsonw.String(dst, "language", language)
	long := a.length()
	dst = number(dst, "duration", long)
	dst = jsonw.String(dst, "text", joined(a.segments))
	dst = append(jsonw.Name(dst, "segments"), '[')
	for i, s := range a.segments {
		dst = jsonw.Int(append(jsonw.Comma(dst), '{'), "id", int64(i))
		dst = jsonw.String(number(number(dst, "start", s.start), "end", s.end), "text", s.text)
		dst = append(dst, '}')
	}
	dst = jsonw.String(append(jsonw.Name(append(dst, ']'), "usage"), '{'), "type", "duration")
	return append(jsonw.Int(dst, "seconds", int64(math.Ceil(long))), `}}`...)
}

// length is how long the recording is, in seconds: by its own head, by the
// tokens that it was heard as, or by its last segment.
func (a *Answer) length() float64 {
	if exact := length(a.r.kind, a.r.audio); exact > 0 {
		return math.Round(exact*1000) / 1000
	}
	a.r.lose("duration", "approximated: it is estimated by the tokens of the recording, or its last segment")
	last := 0.0
	for _, s := range a.segments {
		last = max(last, s.end)
	}
	return max(float64(a.sound)/audioTokens, last)
}

func number(dst []byte, name string, v float64) []byte {
	return strconv.AppendFloat(jsonw.Name(dst, name), v, 'f', -1, 64)
}

// appendUsage writes the usage as OpenAI's models tell it that are billed by
// tokens.
func (a *Answer) appendUsage(dst []byte) []byte {
	in, out := a.usage.Input+a.usage.CacheRead, a.usage.Output+a.usage.Reasoning
	dst = jsonw.String(append(jsonw.Name(dst, "usage"), '{'), "type", "tokens")
	dst = jsonw.Int(dst, "input_tokens", in)
	dst = jsonw.Int(append(jsonw.Name(dst, "input_token_details"), '{'), "text_tokens", max(in-a.sound, 0))
	dst = append(jsonw.Int(dst, "audio_tokens", a.sound), '}')
	return append(jsonw.Int(jsonw.Int(dst, "output_tokens", out), "total_tokens", in+out), '}')
}
