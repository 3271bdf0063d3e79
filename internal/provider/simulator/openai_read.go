package simulator

import (
	"encoding/json/jsontext"
	"strings"

	"portico/internal/jsonedit"
)

// An openAIPart is a part of a message's content in either of OpenAI's
// protocols (spec: upstreams §1A.1, §1B.2).
type openAIPart struct {
	Type       string         `json:"type"`
	Text       string         `json:"text"`
	Refusal    string         `json:"refusal"`
	ImageURL   jsontext.Value `json:"image_url"` // {"url":…} in Chat, a string in Responses
	FileID     string         `json:"file_id"`
	FileData   string         `json:"file_data"`
	FileURL    string         `json:"file_url"`
	Filename   string         `json:"filename"`
	InputAudio struct {
		Data   string `json:"data"`
		Format string `json:"format"`
	} `json:"input_audio"`
	File *openAIPart `json:"file"` // of Chat, around file_id, file_data and filename
}

// medium is what the part shows; ok is false if it is none.
func (p *openAIPart) medium() (m medium, ok bool) {
	switch p.Type {
	case "image_url", "input_image":
		url := str(p.ImageURL)
		if url == "" {
			url = str(jsonedit.Get(p.ImageURL, "url"))
		}
		if url == "" {
			return remote("image", "", p.FileID), true
		}
		return located("image", url), true
	case "input_audio":
		return inline("audio", "audio/"+p.InputAudio.Format, p.InputAudio.Data), true
	case "file", "input_file":
		if p.File != nil {
			p = p.File
		}
		switch {
		case p.FileData != "":
			return inline("file", "", p.FileData), true
		case p.FileURL != "":
			return located("file", p.FileURL), true
		}
		return remote("file", "", p.FileID), true
	}
	return m, false
}

// openAIContent reads the content of a message or of a tool's result: its
// texts go to text, images, files and sounds to a.
func (a *ask) openAIContent(v jsontext.Value, text func(string)) error {
	whole, parts, err := textOrParts[openAIPart](v)
	if whole != "" {
		text(whole)
	}
	for i := range parts {
		p := &parts[i]
		if m, ok := p.medium(); ok {
			a.saw(m)
			continue
		}
		if t := p.Text + p.Refusal; t != "" {
			text(t)
		}
	}
	return err
}

// openAIResult reads the result of the tool name.
func (a *ask) openAIResult(name string, v jsontext.Value) error {
	var texts []string
	err := a.openAIContent(v, func(s string) { texts = append(texts, s) })
	a.got(result{name: name, text: strings.Join(texts, "\n")})
	return err
}

// instructed adds text of the operator. Before the first turn it belongs to
// what a cache holds.
func (a *ask) instructed(text string) {
	a.count(text)
	if len(a.turn) == 0 && !a.history {
		a.opens()
	}
}

// allowed reads the names of a list of tools to choose from, which Chat wraps
// once more than Responses does.
func allowed(list jsontext.Value) (names []string) {
	names = []string{}
	for e, err := range jsonedit.Elements(list) {
		if err != nil {
			break
		}
		for _, v := range []jsontext.Value{e, jsonedit.Get(e, "function"), jsonedit.Get(e, "custom")} {
			if n := str(jsonedit.Get(v, "name")); n != "" {
				names = append(names, n)
			}
		}
	}
	return names
}

// openAIChoice reads tool_choice in the spelling of either protocol.
func (a *ask) openAIChoice(v jsontext.Value) {
	switch v.Kind() {
	case '"':
		switch str(v) {
		case "none":
			a.choice.none = true
		case "required":
			a.choice.forced = true
		}
	case '{':
		kind := str(jsonedit.Get(v, "type"))
		in := v
		if w := jsonedit.Get(v, kind); w != nil {
			in = w
		}
		switch kind {
		case "function", "custom":
			a.choice.forced, a.choice.name = true, str(jsonedit.Get(in, "name"))
		case "allowed_tools":
			a.choice.forced = str(jsonedit.Get(in, "mode")) == "required"
			a.choice.among = allowed(jsonedit.Get(in, "tools"))
		case "image_generation":
			a.image = true
		}
	}
}

// openAIFormat reads the format of the text; schema lies in shape.
func (a *ask) openAIFormat(kind string, schema jsontext.Value) {
	switch kind {
	case "json_object":
		a.format = formatJSON
	case "json_schema":
		a.format, a.schema = formatSchema, schema
		a.count(string(schema))
	}
}
