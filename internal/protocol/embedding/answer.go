package embedding

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json/jsontext"
	"fmt"
	"math"
	"strconv"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// maxAnswer bounds an answer, in bytes: MaxTexts vectors of 3072 numbers.
const maxAnswer = 128 << 20

// An Answer is the client's answer while it grows.
type Answer struct {
	form   form
	data   []byte // the vectors, in the client's form
	n      int
	tokens int64 // of the texts, as the upstream counts them
}

// NewAnswer returns the answer to r without any vectors.
func (r *Request) NewAnswer() *Answer { return &Answer{form: r.form} }

// Google takes the answer to batch i of r. An error means that it is none, and
// leaves a as it was.
func (a *Answer) Google(r *Request, i int, body []byte) error {
	list := jsonedit.Get(body, "embeddings")
	if list == nil || list[0] != '[' {
		return broken("it has no embeddings")
	}
	vectors := make([][]byte, 0, PerBatch)
	for e, err := range jsonedit.Elements(list) {
		if err != nil {
			return broken("%s", err)
		}
		if len(vectors) == PerBatch {
			return broken("it has more vectors than there are texts")
		}
		vectors = append(vectors, jsonedit.Get(e, "values"))
	}
	return a.take(vectors, len(r.texts(i)), wire.Tokens(jsonedit.Path(body, "usageMetadata", "promptTokenCount")))
}

// OpenAI takes the answer to r. An error means that it is none, and leaves a as
// it was.
func (a *Answer) OpenAI(r *Request, body []byte) error {
	list := jsonedit.Get(body, "data")
	if list == nil || list[0] != '[' {
		return broken("it has no data")
	}
	vectors := make([][]byte, len(r.Texts))
	n := 0
	for e, err := range jsonedit.Elements(list) {
		if err != nil {
			return broken("%s", err)
		}
		at := int64(n)
		if i, ok := jsonedit.Int(jsonedit.Get(e, "index")); ok {
			at = i
		}
		if at < 0 || at >= int64(len(vectors)) || vectors[at] != nil {
			return broken("its vectors are not those of the texts")
		}
		if vectors[at] = jsonedit.Get(e, "embedding"); vectors[at] == nil {
			return broken("vector %d is missing", at)
		}
		n++
	}
	if n != len(vectors) {
		return broken("it has %d vectors for %d texts", n, len(vectors))
	}
	return a.take(vectors, n, wire.Tokens(jsonedit.Path(body, "usage", "prompt_tokens")))
}

func (a *Answer) take(vectors [][]byte, want int, tokens int64) (err error) {
	if len(vectors) != want {
		return broken("it has %d vectors for %d texts", len(vectors), want)
	}
	dst := a.data
	for i, v := range vectors {
		if dst, err = a.vector(dst, a.n+i, v); err != nil {
			return err
		}
		if len(dst) > maxAnswer {
			return broken("the vectors are larger than %d MiB", maxAnswer>>20)
		}
	}
	a.data, a.n, a.tokens = dst, a.n+want, a.tokens+tokens
	return nil
}

// vector writes vector n, which is an array of numbers or, if an upstream
// encodes them unasked, base64.
func (a *Answer) vector(dst []byte, n int, v []byte) ([]byte, error) {
	if len(v) > 0 && v[0] == '"' {
		raw, err := base64.StdEncoding.DecodeString(wire.Text(v))
		if err != nil || len(raw)%4 != 0 {
			return dst, broken("vector %d is no base64 of numbers", n)
		}
		list := append(make([]byte, 0, 4*len(raw)), '[')
		for ; len(raw) > 0; raw = raw[4:] {
			x := math.Float32frombits(binary.LittleEndian.Uint32(raw))
			if x != x || math.IsInf(float64(x), 0) {
				return dst, broken("vector %d holds what is no number", n)
			}
			list = strconv.AppendFloat(jsonw.Comma(list), float64(x), 'g', -1, 32)
		}
		v = append(list, ']')
	}
	if len(v) == 0 || v[0] != '[' || bytes.ContainsAny(v[1:], `"[{tfn`) || !jsontext.Value(v).IsValid() {
		return dst, broken("vector %d is no array of numbers", n)
	}
	if a.form == coded {
		var err error
		if v, err = encode(v); err != nil {
			return dst, broken("vector %d: %s", n, err)
		}
	}
	if dst = jsonw.Comma(dst); a.form > coded {
		return append(append(append(dst, `{"values":`...), v...), '}'), nil
	}
	dst = jsonw.Int(append(dst, `{"object":"embedding"`...), "index", int64(n))
	return append(jsonw.Raw(dst, "embedding", v), '}'), nil
}

// encode is the sound array v as OpenAI encodes it.
func encode(v []byte) ([]byte, error) {
	var raw []byte
	for e, err := range jsonedit.Elements(v) {
		if err != nil {
			return nil, err
		}
		x, err := strconv.ParseFloat(string(e), 32)
		if err != nil {
			return nil, err
		}
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(x)))
	}
	return append(base64.StdEncoding.AppendEncode([]byte{'"'}, raw), '"'), nil
}

// Counted reports whether the upstream counted the texts.
func (a *Answer) Counted() bool { return a.tokens > 0 }

// Body is the whole answer for a client that asked for model. guess is how many
// tokens the texts may have, for clients that demand a count where the upstream
// gave none.
func (a *Answer) Body(model string, guess int64) []byte {
	switch a.form {
	case single, batch:
		dst := make([]byte, 0, len(a.data)+128)
		if a.form == single {
			dst = jsonw.Raw(append(dst, '{'), "embedding", a.data)
		} else {
			dst = append(append(append(dst, `{"embeddings":[`...), a.data...), ']')
		}
		if a.Counted() {
			dst = append(jsonw.Int(append(jsonw.Name(dst, "usageMetadata"), '{'), "promptTokenCount", a.tokens), '}')
		}
		return append(dst, '}')
	}
	tokens := a.tokens
	if !a.Counted() {
		tokens = guess
	}
	dst := append(make([]byte, 0, len(a.data)+256), `{"object":"list","data":[`...)
	dst = jsonw.String(append(append(dst, a.data...), ']'), "model", model)
	dst = jsonw.Int(append(jsonw.Name(dst, "usage"), '{'), "prompt_tokens", tokens)
	return append(jsonw.Int(dst, "total_tokens", tokens), `}}`...)
}

func broken(format string, args ...any) error {
	return fault.New(fault.Broken, "its embeddings make no sense: %s", fmt.Sprintf(format, args...))
}
