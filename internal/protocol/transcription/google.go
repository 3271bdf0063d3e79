package transcription

import (
	"encoding/base64"
	"strings"

	"portico/internal/protocol/jsonw"
)

// silence is what the model is told to say where there is nothing to write
// down: an answer without a word is taken for a failure of the upstream's.
const silence = "[silence]"

// instruction says what is wanted of the recording.
func (r *Request) instruction() string {
	var b strings.Builder
	if r.english {
		b.WriteString("Translate what is said in this recording into English, sentence by sentence.")
	} else {
		b.WriteString("Write down what is said in this recording, word for word, in the language in which it is said.")
	}
	if r.timed() {
		b.WriteString(" Divide it into segments of a sentence or a few seconds each, and say when each begins and ends, as minutes, seconds and milliseconds from the beginning of the recording (MM:SS.mmm). A recording in which nothing is said has no segments. Name the language that is spoken in English, in lower case.")
	} else {
		b.WriteString(" Answer with the words alone: no title, no times, no speakers' names, no remarks. If nothing is said, answer with " + silence + " alone.")
	}
	if len(r.languages) > 0 {
		b.WriteString(" What is spoken is: " + strings.Join(r.languages, ", ") + ".")
	}
	if len(r.words) > 0 {
		b.WriteString(" These words may occur: " + strings.Join(r.words, ", ") + ".")
	}
	if r.before != "" {
		b.WriteString(" This was said before, or shows how it is to be written, and is no part of the answer:\n" + r.before)
	}
	return b.String()
}

// segmentSchema has the model answer with what parse reads.
const segmentSchema = `"responseMimeType":"application/json","responseSchema":{"type":"OBJECT","properties":{"language":{"type":"STRING"},` +
	`"segments":{"type":"ARRAY","items":{"type":"OBJECT","properties":{"start":{"type":"STRING","description":"MM:SS.mmm"},` +
	`"end":{"type":"STRING","description":"MM:SS.mmm"},"text":{"type":"STRING"}},"required":["start","end","text"]}}},"required":["language","segments"]}`

// Google writes the request.
func (r *Request) Google() []byte {
	dst := append(make([]byte, 0, base64.StdEncoding.EncodedLen(len(r.audio))+len(r.before)+4<<10), `{"contents":[{"role":"user","parts":[{`...)
	dst = append(jsonw.String(dst, "text", r.instruction()), `},{"inlineData":{`...)
	dst = append(jsonw.String(dst, "mimeType", r.kind), `,"data":"`...)
	dst = append(base64.StdEncoding.AppendEncode(dst, r.audio), `"}}]}],"generationConfig":{`...)
	if r.temperature != "" {
		dst = jsonw.Raw(dst, "temperature", []byte(r.temperature))
	}
	if r.timed() {
		dst = append(jsonw.Comma(dst), segmentSchema...)
	}
	return append(dst, `}}`...)
}
