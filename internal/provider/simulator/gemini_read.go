package simulator

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"strings"

	"portico/internal/jsonedit"
)

// protoNames matches members as Google's JSON does, which takes
// maxOutputTokens for max_output_tokens.
var protoNames = json.MatchCaseInsensitiveNames(true)

// A geminiRequest is a request of generateContent, as far as the simulator
// heeds it (spec: upstreams §1D.1).
type geminiRequest struct {
	Contents   jsontext.Value `json:"contents"`
	System     jsontext.Value `json:"systemInstruction"`
	Tools      jsontext.Value `json:"tools"` // a list, or one as Vertex AI takes it
	ToolConfig struct {
		Calling struct {
			Mode    string   `json:"mode"`
			Allowed []string `json:"allowedFunctionNames"`
		} `json:"functionCallingConfig"`
	} `json:"toolConfig"`
	Config struct {
		Stops      jsontext.Value `json:"stopSequences"`
		Limit      jsontext.Value `json:"maxOutputTokens"`
		Candidates jsontext.Value `json:"candidateCount"`
		MIME       string         `json:"responseMimeType"`
		Schema     jsontext.Value `json:"responseSchema"`
		JSONSchema jsontext.Value `json:"responseJsonSchema"`
		Modalities []string       `json:"responseModalities"`
		Thinking   *struct {
			Include bool           `json:"includeThoughts"`
			Budget  jsontext.Value `json:"thinkingBudget"`
			Level   string         `json:"thinkingLevel"`
		} `json:"thinkingConfig"`
	} `json:"generationConfig"`
}

type geminiTool struct {
	Functions []geminiFunction `json:"functionDeclarations"`
}

type geminiFunction struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Parameters  jsontext.Value `json:"parameters"`
	JSONSchema  jsontext.Value `json:"parametersJsonSchema"`
}

type geminiContent struct {
	Role  string         `json:"role"`
	Parts jsontext.Value `json:"parts"`
}

// A geminiPart is a part of a content (spec: upstreams §1D.2).
type geminiPart struct {
	Text       string `json:"text"`
	Thought    bool   `json:"thought"`
	InlineData *struct {
		MIME string `json:"mimeType"`
		Data string `json:"data"`
	} `json:"inlineData"`
	FileData *struct {
		MIME string `json:"mimeType"`
		URI  string `json:"fileUri"`
	} `json:"fileData"`
	Call *struct {
		ID   string         `json:"id"`
		Name string         `json:"name"`
		Args jsontext.Value `json:"args"`
	} `json:"functionCall"`
	Response *struct {
		Name     string         `json:"name"`
		Response jsontext.Value `json:"response"`
		Parts    []geminiPart   `json:"parts"`
	} `json:"functionResponse"`
}

// readGemini reads a request of generateContent for model.
func readGemini(body []byte, model string) (*ask, error) {
	r := &geminiRequest{}
	if err := decode(body, r, protoNames); err != nil {
		return nil, err
	}
	c := &r.Config
	n := whole64(c.Candidates)
	if n != nil && (*n < 1 || *n > maxCopies) {
		return nil, refuse("", "candidateCount must be from 1 to %d", maxCopies)
	}
	a := &ask{model: model, seat: true, copies: 1, limit: whole64(c.Limit), stops: stringOrList(c.Stops)}
	if n != nil {
		a.copies = int(*n)
	}
	if t := c.Thinking; t != nil {
		budget := whole64(t.Budget)
		a.think = budget == nil || *budget != 0
		a.hide = !t.Include
	}
	for _, m := range c.Modalities {
		a.image = a.image || strings.EqualFold(m, "IMAGE")
	}
	a.geminiFormat(c.MIME, c.Schema, c.JSONSchema)
	if err := a.geminiTools(r); err != nil {
		return nil, err
	}
	system, err := geminiContents(r.System)
	if err != nil {
		return nil, err
	}
	for i := range system {
		parts, err := system[i].parts()
		if err != nil {
			return nil, err
		}
		for j := range parts {
			a.count(parts[j].Text)
		}
	}
	a.opens()
	contents, err := geminiContents(r.Contents)
	if err == nil && len(contents) == 0 {
		err = refuse("", "contents is not specified")
	}
	if err != nil {
		return nil, err
	}
	return a, a.geminiTurns(contents)
}

func (a *ask) geminiFormat(mime string, schema, jsonSchema jsontext.Value) {
	if len(schema) == 0 {
		schema = jsonSchema
	}
	a.count(string(schema))
	switch {
	case mime == "text/x.enum":
		a.format, a.schema = formatEnum, schema
	case len(schema) > 0:
		a.format, a.schema = formatSchema, schema
	case mime == "application/json":
		a.format = formatJSON
	}
}

func (a *ask) geminiTools(r *geminiRequest) error {
	_, tools, err := textOrParts[geminiTool](r.Tools, protoNames)
	for _, t := range tools {
		for _, f := range t.Functions {
			if len(f.Parameters) == 0 {
				f.Parameters = f.JSONSchema
			}
			a.offered(tool{name: f.Name, schema: f.Parameters}, f.Description)
		}
	}
	calling := &r.ToolConfig.Calling
	switch strings.ToUpper(calling.Mode) {
	case "NONE":
		a.choice.none = true
	case "ANY":
		a.choice.forced = true
		if len(calling.Allowed) > 0 {
			a.choice.among = calling.Allowed
		}
	}
	return err
}

// geminiContents reads a content or a list of contents. Google's SDKs also
// send a bare string for either.
func geminiContents(v jsontext.Value) ([]geminiContent, error) {
	text, contents, err := textOrParts[geminiContent](v, protoNames)
	if text != "" {
		contents = []geminiContent{{Parts: object("text", text)}}
	}
	return contents, err
}

func (c *geminiContent) parts() ([]geminiPart, error) {
	text, parts, err := textOrParts[geminiPart](c.Parts, protoNames)
	if text != "" {
		parts = []geminiPart{{Text: text}}
	}
	return parts, err
}

func (a *ask) geminiTurns(contents []geminiContent) error {
	for i := range contents {
		parts, err := contents[i].parts()
		if err != nil {
			return err
		}
		if contents[i].Role == "model" {
			for j := range parts {
				a.count(parts[j].Text)
				if c := parts[j].Call; c != nil {
					a.count(c.Name, string(c.Args))
				}
			}
			a.answered()
			continue
		}
		for j := range parts {
			a.geminiPart(&parts[j])
		}
	}
	return nil
}

// geminiPart reads a part of the user's.
func (a *ask) geminiPart(p *geminiPart) {
	if p.Text != "" {
		a.heard(p.Text)
	}
	if d := p.InlineData; d != nil {
		a.saw(inline(mediaKind(d.MIME), d.MIME, d.Data))
	}
	if d := p.FileData; d != nil {
		a.saw(remote(mediaKind(d.MIME), d.MIME, d.URI))
	}
	if r := p.Response; r != nil {
		a.got(result{name: r.Name, text: geminiResult(r.Response)})
		for i := range r.Parts {
			if in := &r.Parts[i]; in.Response == nil {
				a.geminiPart(in)
			}
		}
	}
}

// geminiResult is the text of a tool's result: the member output or result if
// there is nothing else, or the object as it is.
func geminiResult(v jsontext.Value) string {
	only, n := "", 0
	for m, err := range jsonedit.Members(v) {
		if err != nil {
			break
		}
		if n++; m.Is("output") || m.Is("result") {
			only = str(m.Value)
		}
	}
	if n == 1 && only != "" {
		return only
	}
	return string(v)
}

// mediaKind is what a medium of the type mime is called.
func mediaKind(mime string) string {
	kind, _, _ := strings.Cut(mime, "/")
	switch kind {
	case "image", "audio", "video":
		return kind
	case "application", "text":
		return "document"
	}
	return "file"
}
