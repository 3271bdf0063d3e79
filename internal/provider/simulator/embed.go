package simulator

import (
	"context"
	"encoding/json/jsontext"
	"strings"

	"portico/internal/jsonedit"
)

// Bounds of a request for vectors. OpenAI takes 2048 texts at once.
const (
	maxTexts  = 2048
	maxValues = 1 << 20 // numbers in one answer
)

// vectors makes a vector for each text, as long as somebody waits for them.
func vectors(ctx context.Context, texts []string, dimensions *int64, param string) ([][]float32, error) {
	n := int64(defaultDimensions)
	if dimensions != nil {
		n = *dimensions
	}
	switch {
	case n < 1 || n > maxDimensions:
		return nil, refuse(param, "%s must be from 1 to %d", param, maxDimensions)
	case len(texts) == 0:
		return nil, refuse("input", "there is no text to embed")
	case len(texts) > maxTexts:
		return nil, refuse("input", "the simulator embeds at most %d texts at once", maxTexts)
	case int64(len(texts))*n > maxValues:
		return nil, refuse("input", "the simulator gives at most %d numbers in one answer: send fewer texts or ask for fewer dimensions", maxValues)
	}
	out := make([][]float32, len(texts))
	for i, t := range texts {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		out[i] = vector(t, int(n))
	}
	return out, nil
}

// faults are the faults that texts ask for, for operations that heed no other
// directive.
func faults(texts []string) ([]mishap, error) {
	d := parseDirectives(texts...)
	return d.mishaps, d.err
}

func textBytes(texts []string) (n int64) {
	for _, t := range texts {
		n += int64(len(t))
	}
	return n
}

// embeddings answers OpenAI's /embeddings.
func (s *Simulator) embeddings(q *inquiry) (*answer, error) {
	var r struct {
		Model      string         `json:"model"`
		Input      jsontext.Value `json:"input"`
		Format     string         `json:"encoding_format"`
		Dimensions jsontext.Value `json:"dimensions"`
	}
	if err := decode(q.body, &r); err != nil {
		return nil, err
	}
	texts := embedded(r.Input)
	vs, err := vectors(q.ctx, texts, whole64(r.Dimensions), "dimensions")
	if err != nil {
		return nil, err
	}
	data := make([]jsontext.Value, len(vs))
	for i, v := range vs {
		var numbers any = v
		if r.Format == "base64" {
			numbers = packed(v)
		}
		data[i] = object("object", "embedding", "index", i, "embedding", numbers)
	}
	n := tokens(textBytes(texts))
	x := whole(object("object", "list", "data", data, "model", r.Model, "usage", object("prompt_tokens", n, "total_tokens", n)))
	x.mishaps, err = faults(texts)
	return x, err
}

// embedded reads one text or several; a text may be a list of tokens, which
// stands for itself.
func embedded(v jsontext.Value) (texts []string) {
	switch v.Kind() {
	case '"':
		return []string{str(v)}
	case '[':
	default:
		return nil
	}
	for e, err := range jsonedit.Elements(v) {
		switch {
		case err != nil:
			return texts
		case e[0] == '"':
			texts = append(texts, str(e))
		case e[0] == '[':
			texts = append(texts, strings.ReplaceAll(string(e), ",", " "))
		default:
			return []string{strings.ReplaceAll(string(v), ",", " ")}
		}
		if len(texts) > maxTexts {
			return texts
		}
	}
	return texts
}

// A geminiEmbedding is a request of embedContent.
type geminiEmbedding struct {
	Content    jsontext.Value `json:"content"`
	Dimensions jsontext.Value `json:"outputDimensionality"`
}

func (r *geminiEmbedding) text() (string, error) {
	contents, err := geminiContents(r.Content)
	if err != nil {
		return "", err
	}
	var texts []string
	for i := range contents {
		parts, err := contents[i].parts()
		if err != nil {
			return "", err
		}
		for j := range parts {
			texts = append(texts, parts[j].Text)
		}
	}
	return strings.Join(texts, "\n"), nil
}

// embedGemini answers embedContent.
func embedGemini(q *inquiry, _ string) (*answer, error) {
	r := geminiEmbedding{}
	if err := decode(q.body, &r, protoNames); err != nil {
		return nil, err
	}
	vs, x, err := geminiVectors(q.ctx, []geminiEmbedding{r})
	if err == nil {
		x.whole = object("embedding", vs[0])
	}
	return x, err
}

// embedGeminiBatch answers batchEmbedContents.
func embedGeminiBatch(q *inquiry, _ string) (*answer, error) {
	var r struct {
		Requests []geminiEmbedding `json:"requests"`
	}
	if err := decode(q.body, &r, protoNames); err != nil {
		return nil, err
	}
	vs, x, err := geminiVectors(q.ctx, r.Requests)
	if err == nil {
		x.whole = object("embeddings", vs)
	}
	return x, err
}

// geminiVectors makes the vectors for rs, whose dimensions are those of the
// first.
func geminiVectors(ctx context.Context, rs []geminiEmbedding) ([]jsontext.Value, *answer, error) {
	texts := make([]string, len(rs))
	var dimensions *int64
	for i := range rs {
		var err error
		if texts[i], err = rs[i].text(); err != nil {
			return nil, nil, err
		}
		if i == 0 {
			dimensions = whole64(rs[i].Dimensions)
		}
	}
	vs, err := vectors(ctx, texts, dimensions, "outputDimensionality")
	if err != nil {
		return nil, nil, err
	}
	out := make([]jsontext.Value, len(vs))
	for i := range vs {
		out[i] = object("values", vs[i])
	}
	x := whole(nil)
	x.mishaps, err = faults(texts)
	return out, x, err
}
