package transcription

import (
	"encoding/json/jsontext"
	"errors"
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/llm"
)

const (
	contentType = "multipart/form-data; boundary=b"
	// wav is a second of silence: 8 bytes at 8 bytes a second.
	wav = "RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x08\x00\x00\x00\x08\x00\x00\x00\x01\x00\x08\x00data\x08\x00\x00\x00\x80\x80\x80\x80\x80\x80\x80\x80"
)

// formOf is a form of a recording and fields, name by value.
func formOf(audio string, fields ...string) []byte {
	var b strings.Builder
	if audio != "" {
		b.WriteString("--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n" + audio + "\r\n")
	}
	for i := 0; i < len(fields); i += 2 {
		b.WriteString("--b\r\nContent-Disposition: form-data; name=\"" + fields[i] + "\"\r\n\r\n" + fields[i+1] + "\r\n")
	}
	return []byte(b.String() + "--b--\r\n")
}

func read(t *testing.T, path string, fields ...string) *Request {
	t.Helper()
	r, err := FromOpenAI(path, contentType, formOf(wav, fields...))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRequests: what the model is asked.
func TestRequests(t *testing.T) {
	for name, tt := range map[string]struct {
		path   string
		fields []string
		want   []string // of the request
		lost   string
	}{
		"plain":      {Transcriptions, nil, []string{`"mimeType":"audio/wav","data":"UklGR`, "word for word", `"generationConfig":{}`}, ""},
		"hints":      {Transcriptions, []string{"language", "de", "prompt", "Say \"x\"", "keywords[]", "Portico", "temperature", "0.2"}, []string{"What is spoken is: de.", "may occur: Portico.", `Say \"x\"`, `"temperature":0.2`}, ""},
		"times":      {Transcriptions, []string{"response_format", "srt"}, []string{`"responseMimeType":"application/json"`, "MM:SS.mmm"}, "timestamps"},
		"verbose":    {Transcriptions, []string{"response_format", "verbose_json", "timestamp_granularities[]", "segment"}, []string{`"responseSchema"`}, "timestamps segments"},
		"translated": {Translations, nil, []string{"into English"}, ""},
		"odds":       {Transcriptions, []string{"include[]", "logprobs", "chunking_strategy", "auto", "known_speaker_names[]", "x"}, nil, "include known_speaker_names"},
	} {
		r := read(t, tt.path, tt.fields...)
		got := string(r.Google())
		if !jsontext.Value(got).IsValid() {
			t.Errorf("%s: %s", name, got)
		}
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %s in %s", name, want, got)
			}
		}
		var lost []string
		for _, l := range r.Losses {
			lost = append(lost, l.Path)
		}
		if got := strings.Join(lost, " "); got != tt.lost {
			t.Errorf("%s: lost %q", name, got)
		}
	}
}

// TestRefused: what cannot be had is refused, and says where.
func TestRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		audio  string
		fields []string
		class  fault.Class
		param  string
	}{
		"no file":        {"", nil, fault.Malformed, "file"},
		"no recording":   {"<html>", nil, fault.Malformed, "file"},
		"too large":      {wav + strings.Repeat("x", MaxAudio), nil, fault.TooLarge, "file"},
		"speakers":       {wav, []string{"response_format", "diarized_json"}, fault.Unsupported, "response_format"},
		"no such format": {wav, []string{"response_format", "pdf"}, fault.Malformed, "response_format"},
		"words":          {wav, []string{"response_format", "verbose_json", "timestamp_granularities[]", "word"}, fault.Unsupported, "timestamp_granularities"},
		"no times":       {wav, []string{"timestamp_granularities[]", "segment"}, fault.Malformed, "timestamp_granularities"},
		"hot":            {wav, []string{"temperature", "2"}, fault.Malformed, "temperature"},
		"no number":      {wav, []string{"temperature", "NaN"}, fault.Malformed, "temperature"},
		"streamed times": {wav, []string{"stream", "true", "response_format", "vtt"}, fault.Unsupported, "stream"},
		"no text":        {wav, []string{"prompt", "\xff"}, fault.Malformed, "prompt"},
		"a long name":    {wav, []string{"language", strings.Repeat("x", maxHint+1)}, fault.Malformed, "language"},
	} {
		_, err := FromOpenAI(Transcriptions, contentType, formOf(tt.audio, tt.fields...))
		if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Class != tt.class || f.Param != tt.param {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := FromOpenAI(Transcriptions, "application/json", []byte("{}")); err == nil {
		t.Error("JSON is taken")
	}
	if _, err := FromOpenAI(Translations, contentType, formOf(wav, "stream", "true")); err == nil {
		t.Error("a translation is streamed")
	}
}

func said(text string, stop llm.Stop) *llm.Response {
	return &llm.Response{Usage: llm.Usage{Input: 12, Output: 3, Reasoning: 1}, Answers: []llm.Answer{{Stop: stop, Parts: []llm.Part{&llm.Thought{Text: llm.Plain("hm")}, &llm.Prose{Text: llm.Plain(text)}}}}}
}

// TestAnswers: each format, of what the model says.
func TestAnswers(t *testing.T) {
	const segments = `{"language":"German ","segments":[{"start":"00:00.500","end":"00:01,25","text":" Guten\n Tag. "},{"start":"0:00:00.2","end":"01:02","text":"a --> b <i>"},{"start":"0","end":"0","text":""}]}`
	for _, tt := range []struct{ path, format, in, want string }{
		{Transcriptions, "json", " Hello.\n", `{"text":"Hello.","usage":{"type":"tokens","input_tokens":12,"input_token_details":{"text_tokens":4,"audio_tokens":8},"output_tokens":4,"total_tokens":16}}`},
		{Transcriptions, "text", "Hello. ", "Hello.\n"},
		{Transcriptions, "text", silence + "\n", "\n"},
		{Transcriptions, "srt", segments, "1\n00:00:00,500 --> 00:00:01,250\nGuten Tag.\n\n2\n00:00:00,500 --> 00:01:02,000\na -> b <i>\n\n"},
		{Transcriptions, "vtt", segments, "WEBVTT\n\n00:00:00.500 --> 00:00:01.250\nGuten Tag.\n\n00:00:00.500 --> 00:01:02.000\na -&gt; b &lt;i>\n\n"},
		{Transcriptions, "verbose_json", segments, `{"task":"transcribe","language":"german","duration":1,"text":"Guten Tag. a --> b <i>","segments":[{"id":0,"start":0.5,"end":1.25,"text":"Guten Tag."},{"id":1,"start":0.5,"end":62,"text":"a --> b <i>"}],"usage":{"type":"duration","seconds":1}}`},
		{Translations, "verbose_json", `{"language":"german","segments":[]}`, `{"task":"translate","language":"english","duration":1,"text":"","segments":[],"usage":{"type":"duration","seconds":1}}`},
	} {
		a := read(t, tt.path, "response_format", tt.format).NewAnswer()
		a.Count([]byte(`{"usageMetadata":{"promptTokensDetails":[{"modality":"AUDIO","tokenCount":8}]}}`))
		if err := a.Add(said(tt.in, llm.StopEnd)); err != nil || string(a.Body()) != tt.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", tt.format, err, a.Body(), tt.want)
		}
	}
	for name, tt := range map[string]struct {
		format, in string
		stop       llm.Stop
		class      fault.Class
	}{
		"refused":     {"json", "No.", llm.StopFilter, fault.ContentFiltered},
		"too long":    {"json", "a b", llm.StopLength, fault.ContextTooLong},
		"no segments": {"srt", "Hello.", llm.StopEnd, fault.Broken},
		"no times":    {"srt", `{"segments":[{"start":"now","end":"1","text":"x"}]}`, llm.StopEnd, fault.Broken},
	} {
		err := read(t, Transcriptions, "response_format", tt.format).NewAnswer().Add(said(tt.in, tt.stop))
		if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Class != tt.class {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStream: what is told piece by piece is what is told at the end.
func TestStream(t *testing.T) {
	const usage = `"usage":{"type":"tokens","input_tokens":0,"input_token_details":{"text_tokens":0,"audio_tokens":0},"output_tokens":0,"total_tokens":0}`
	for _, tt := range []struct {
		pieces []string
		deltas []string
		text   string
	}{
		{[]string{" ", "He", "llo ", "there", ".\n"}, []string{"He", "llo", " there", "."}, "Hello there."},
		{[]string{"[sil", "ence]", "\n"}, nil, ""},
		{[]string{"[si", "gh] Yes"}, []string{"[sigh] Yes"}, "[sigh] Yes"},
	} {
		a := read(t, Transcriptions, "stream", "true").NewAnswer()
		var out []byte
		for _, p := range tt.pieces {
			out = a.Event(out, &llm.Event{Kind: llm.Grow, Text: llm.Plain(p)})
		}
		out, err := a.End(out)
		want := ""
		for _, d := range tt.deltas {
			want += `data: {"type":"transcript.text.delta","delta":"` + d + "\"}\n\n"
		}
		want += `data: {"type":"transcript.text.done","text":"` + tt.text + `",` + usage + "}\n\n"
		if err != nil || string(out) != want {
			t.Errorf("%q: %v\n%s\nwant\n%s", tt.pieces, err, out, want)
		}
	}
}

// TestLength: what heads tell of a recording's length.
func TestLength(t *testing.T) {
	flac := "fLaC\x80\x00\x00\x22" + strings.Repeat("\x00", 10) + "\x0a\xc4\x40\xf0\x00\x01\x58\x88" // 44,100 a second, 88,200 in all
	for name, tt := range map[string]struct {
		kind, head string
		want       float64
	}{
		"WAV":               {"audio/wav", wav, 1},
		"a WAV that is cut": {"audio/wav", wav[:len(wav)-4], 0.5},
		"no WAV":            {"audio/wav", wav[:20], 0},
		"FLAC":              {"audio/flac", flac, 2},
		"no FLAC":           {"audio/flac", "fLaC", 0},
		"another":           {"audio/mp3", wav, 0},
	} {
		if got := length(tt.kind, []byte(tt.head)); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// FuzzRequest: any form is refused or makes a sound request.
func FuzzRequest(f *testing.F) {
	f.Add(formOf(wav, "response_format", "verbose_json", "prompt", "x"))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := FromOpenAI(Transcriptions, contentType, body)
		if err != nil {
			return
		}
		if out := r.Google(); !jsontext.Value(out).IsValid() || length(r.kind, r.audio) < 0 {
			t.Errorf("%s", out)
		}
	})
}

// FuzzSegments: whatever the model answers, it is refused or has an order.
func FuzzSegments(f *testing.F) {
	f.Add(`{"language":"x","segments":[{"start":"1:02.5","end":"3","text":"t"}]}`)
	f.Fuzz(func(t *testing.T, answer string) {
		_, all, err := parse(answer)
		if err != nil {
			return
		}
		now := 0.0
		for _, s := range all {
			if s.start < now || s.end < s.start || s.text == "" || strings.ContainsAny(s.text, "\r\n") {
				t.Errorf("%+v", s)
			}
			now = s.start
		}
	})
}
