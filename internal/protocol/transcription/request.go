package transcription

import (
	"path"
	"strconv"
	"strings"

	"portico/internal/fault"
	"portico/internal/protocol/form"
	"portico/internal/sniff"
)

// FromOpenAI reads a request of OpenAI's to path, which is a form. The result
// points into body. The error is a *fault.Fault.
func FromOpenAI(path, contentType string, body []byte) (*Request, error) {
	fields, err := form.Read(contentType, body)
	if err != nil {
		return nil, refuse(fault.Malformed, "", "%s", err)
	}
	r := &Request{english: path == Translations, format: asJSON}
	var granularities []string
	for i := range fields {
		f := &fields[i]
		name := strings.TrimSuffix(f.Name, "[]")
		switch {
		case name == "file":
			if r.kind, err = kindOf(f); err != nil {
				return nil, err
			}
			r.audio = f.Value
		case f.File != "":
			r.lose(f.Name, "dropped: no such file belongs to the request")
		case !f.Plain():
			return nil, refuse(fault.Malformed, f.Name, "%s is no text in UTF-8", f.Name)
		case len(f.Value) == 0:
		case name == "timestamp_granularities":
			granularities = append(granularities, f.Text())
		default:
			if err := r.set(name, f.Text()); err != nil {
				return nil, err
			}
		}
	}
	if err := r.check(granularities); err != nil {
		return nil, err
	}
	return r, nil
}

// check says what is missing, or does not belong together.
func (r *Request) check(granularities []string) error {
	switch {
	case len(r.audio) == 0:
		return refuse(fault.Malformed, "file", "the request has no file")
	case len(r.audio) > MaxAudio:
		return refuse(fault.TooLarge, "file", "the recording has %d bytes; at most %d are taken", len(r.audio), MaxAudio)
	case r.Stream && r.english:
		return refuse(fault.Unsupported, "stream", "translations come whole: leave stream out")
	case r.Stream && r.timed():
		return refuse(fault.Unsupported, "stream", "only the formats json and text can be streamed")
	}
	for _, g := range granularities {
		switch {
		case g != "segment" && g != "word":
			return refuse(fault.Malformed, "timestamp_granularities", "timestamp_granularities are segment and word")
		case r.format != asVerbose:
			return refuse(fault.Malformed, "timestamp_granularities", "timestamp_granularities need the response_format verbose_json")
		case g == "word":
			return refuse(fault.Unsupported, "timestamp_granularities", "the model cannot tell when each word is said; ask for segment")
		}
	}
	if r.timed() {
		r.lose("timestamps", "approximated: the model estimates the times itself")
	}
	if r.format == asVerbose {
		r.lose("segments", "dropped: the model tells no tokens, log probabilities, compression ratio and chance of silence of a segment")
	}
	return nil
}

// set takes a setting.
func (r *Request) set(name, value string) error {
	switch name {
	case "model", "user":
	case "language", "languages":
		if len(value) > maxHint || strings.ContainsAny(value, "\r\n") {
			return refuse(fault.Malformed, name, "%s must be a language such as en", name)
		}
		if len(r.languages) < maxHints {
			r.languages = append(r.languages, value)
		}
	case "prompt":
		r.before = value
	case "keywords":
		if len(r.words) < maxHints {
			r.words = append(r.words, value)
		} else {
			r.lose(name, "dropped: those beyond the first "+strconv.Itoa(maxHints))
		}
	case "response_format":
		switch value {
		case asJSON, asText, asSRT, asVTT, asVerbose:
			r.format = value
		case byVoice:
			return refuse(fault.Unsupported, name, "the model tells no speakers apart; ask for json, text, srt, verbose_json or vtt")
		default:
			return refuse(fault.Malformed, name, "response_format must be json, text, srt, verbose_json or vtt")
		}
	case "temperature":
		t, err := strconv.ParseFloat(value, 64)
		if err != nil || !(t >= 0 && t <= 1) {
			return refuse(fault.Malformed, name, "temperature must be a number from 0 to 1")
		}
		r.temperature = strconv.FormatFloat(t, 'f', -1, 64)
	case "stream":
		r.Stream = value == "true"
	case "include":
		r.lose(name, "dropped: the model tells no log probabilities")
	case "chunking_strategy":
		if value != "auto" {
			r.lose(name, "dropped: the model hears the recording as a whole")
		}
	default:
		r.lose(name, "dropped: the model has no such setting")
	}
	return nil
}

// kindOf is the media type of a recording as Google names it. What is in an
// MP4 or a WebM only its sender can say without reading it whole.
func kindOf(f *form.Field) (string, error) {
	kind := sniff.Type(f.Value)
	film := strings.HasPrefix(f.Type, "video/")
	switch kind {
	case "audio/wav", "audio/aac", "audio/aiff", "audio/ogg", "audio/flac", "audio/mp4":
		return kind, nil
	case "audio/mpeg":
		return "audio/mp3", nil
	case "video/mp4":
		if strings.HasPrefix(f.Type, "audio/") || strings.EqualFold(path.Ext(f.File), ".m4a") {
			return "audio/mp4", nil
		}
		return kind, nil
	case "video/webm":
		if !film {
			return "audio/webm", nil
		}
		return kind, nil
	}
	return "", refuse(fault.Malformed, "file", "the file is no recording in one of the formats flac, m4a, mp3, mp4, mpeg, mpga, oga, ogg, wav, webm, aac and aiff")
}
