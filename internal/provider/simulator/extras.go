package simulator

import (
	"bytes"
	"encoding/base64"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// Bounds of OpenAI's smaller operations.
const (
	maxImages = 10
	maxSpeech = 4096 // bytes of text
	maxForm   = 64   // members of a form
)

// images answers /images/generations.
func (s *Simulator) images(q *inquiry) (*answer, error) {
	var r struct {
		Prompt string         `json:"prompt"`
		N      jsontext.Value `json:"n"`
		Format string         `json:"response_format"`
	}
	if err := decode(q.body, &r); err != nil {
		return nil, err
	}
	n := whole64(r.N)
	switch {
	case r.Prompt == "":
		return nil, refuse("prompt", "prompt must not be empty")
	case n != nil && (*n < 1 || *n > maxImages):
		return nil, refuse("n", "n must be from 1 to %d", maxImages)
	}
	png := picture(r.Prompt)
	member, value := "b64_json", base64.StdEncoding.EncodeToString(png)
	if r.Format == "url" {
		member, value = "url", dataURL("image/png", png)
	}
	data := []jsontext.Value{object(member, value, "revised_prompt", greeting)}
	for n != nil && int64(len(data)) < *n {
		data = append(data, data[0])
	}
	in, out := tokens(int64(len(r.Prompt))), blobTokens*int64(len(data))
	x := whole(object("created", s.now().Unix(), "background", "opaque", "output_format", "png", "quality", "low",
		"size", fmt.Sprintf("%dx%d", pictureSide, pictureSide), "data", data,
		"usage", object("input_tokens", in, "input_tokens_details", object("text_tokens", in, "image_tokens", 0), "output_tokens", out, "total_tokens", in+out)))
	var err error
	x.mishaps, err = faults([]string{r.Prompt})
	return x, err
}

// harms are the categories that OpenAI's moderation model scores.
var harms = []string{
	"harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent",
	"self-harm", "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
}

// moderations answers /moderations: nothing is ever flagged. The parts of a
// list of parts are judged as one.
func (s *Simulator) moderations(q *inquiry) (*answer, error) {
	var r struct {
		Model string         `json:"model"`
		Input jsontext.Value `json:"input"`
	}
	if err := decode(q.body, &r); err != nil {
		return nil, err
	}
	texts, n := stringOrList(r.Input), 0
	if n = len(texts); texts == nil {
		_, parts, err := textOrParts[openAIPart](r.Input)
		if err != nil {
			return nil, err
		}
		n = min(1, len(parts))
		for i := range parts {
			texts = append(texts, parts[i].Text)
		}
	}
	if n < 1 || n > maxTexts {
		return nil, refuse("input", "input must hold from 1 to %d texts", maxTexts)
	}
	var flags, scores, applied []any
	for _, h := range harms {
		flags, scores, applied = append(flags, h, false), append(scores, h, 0), append(applied, h, []string{"text"})
	}
	verdict := object("flagged", false, "categories", object(flags...), "category_scores", object(scores...), "category_applied_input_types", object(applied...))
	verdicts := make([]jsontext.Value, n)
	for i := range verdicts {
		verdicts[i] = verdict
	}
	if r.Model == "" {
		r.Model = models[0].id
	}
	x := whole(object("id", s.id("modr-"), "model", r.Model, "results", verdicts))
	var err error
	x.mishaps, err = faults(texts)
	return x, err
}

// speech answers /audio/speech with a tone: as raw samples if asked for pcm,
// as a WAVE file whatever else is asked for.
func (s *Simulator) speech(q *inquiry) (*answer, error) {
	var r struct {
		Input  string `json:"input"`
		Format string `json:"response_format"`
	}
	if err := decode(q.body, &r); err != nil {
		return nil, err
	}
	if r.Input == "" || len(r.Input) > maxSpeech {
		return nil, refuse("input", "input must hold from 1 to %d bytes", maxSpeech)
	}
	x := &answer{mime: "audio/wav", whole: wav(sound())}
	if r.Format == "pcm" {
		x = &answer{mime: "audio/pcm", whole: sound()}
	}
	var err error
	x.mishaps, err = faults([]string{r.Input})
	return x, err
}

// transcription answers /audio/transcriptions and /audio/translations. The
// text says what was sent.
func (s *Simulator) transcription(q *inquiry) (*answer, error) {
	f, err := readForm(q)
	if err != nil {
		return nil, err
	}
	if !f.file {
		return nil, refuse("file", "the form holds no file")
	}
	ms, err := faults([]string{f.values["prompt"]})
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("%s You sent a sound of %d bytes.", greeting, f.size)
	in, out := tokens(f.size), tokens(int64(len(text)))
	x := whole(object("text", text, "usage", object("type", "tokens", "input_tokens", in,
		"input_token_details", object("text_tokens", 0, "audio_tokens", in), "output_tokens", out, "total_tokens", in+out)))
	line := "00:00:00%s000 --> 00:00:01%s000\n" + text + "\n\n"
	switch f.values["response_format"] {
	case "text":
		x = &answer{mime: "text/plain; charset=utf-8", whole: []byte(text + "\n")}
	case "srt":
		x = &answer{mime: "text/plain; charset=utf-8", whole: fmt.Appendf(nil, "1\n"+line, ",", ",")}
	case "vtt":
		x = &answer{mime: "text/vtt; charset=utf-8", whole: fmt.Appendf(nil, "WEBVTT\n\n"+line, ".", ".")}
	case "verbose_json":
		x = whole(object("task", "transcribe", "language", "english", "duration", 1, "text", text, "segments",
			list(object("id", 0, "seek", 0, "start", 0, "end", 1, "text", text, "tokens", []jsontext.Value{}, "temperature", 0,
				"avg_logprob", 0, "compression_ratio", 1, "no_speech_prob", 0))))
	}
	x.mishaps = ms
	return x, nil
}

// A form is a multipart body: its short members, and whether there is a file.
type form struct {
	values map[string]string
	file   bool
	size   int64 // of the file, in bytes
}

func readForm(q *inquiry) (*form, error) {
	kind, params, err := mime.ParseMediaType(q.header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return nil, refuse("", "the request must be a multipart form")
	}
	f := &form{values: map[string]string{}}
	r := multipart.NewReader(bytes.NewReader(q.body), params["boundary"])
	for range maxForm {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return nil, err
		}
		if part.FileName() != "" || part.FormName() == "file" {
			n, err := io.Copy(io.Discard, part)
			if err != nil {
				return nil, err
			}
			f.file, f.size = true, n
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, maxQuote))
		if err != nil {
			return nil, err
		}
		f.values[part.FormName()] = string(value)
	}
	return nil, refuse("", "the form has more than %d members", maxForm)
}
