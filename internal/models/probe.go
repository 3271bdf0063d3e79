package models

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/provider"
)

// A Report says in plain words how an account does.
type Report struct {
	Account  string        `json:"account"`
	OK       bool          `json:"ok"`
	Protocol string        `json:"protocol,omitzero"` // in which it was asked last
	Models   int           `json:"models,omitzero"`   // of its own list, as far as the account serves them
	Model    string        `json:"model,omitzero"`    // that was asked for a token, if one was
	Latency  time.Duration `json:"latency,format:nano"`
	Class    string        `json:"class,omitzero"`  // the fault's class
	Vendor   string        `json:"vendor,omitzero"` // what the vendor said, without the key
	Link     string        `json:"link,omitzero"`   // where the vendor says that it can be mended
	Says     string        `json:"says"`            // what was found, in a sentence
	Do       string        `json:"do,omitzero"`     // what the operator can do about it
}

// chatTime is how long the answer to a probe may take. It is enough to load a
// model of a moderate size.
const chatTime = time.Minute

// Probe asks a for its list of models. If that does not tell whether the
// account works (there is no list, or everybody may read it), it asks a model
// for one token. It costs next to nothing and says nothing to the pool.
func (s *Shelf) Probe(ctx context.Context, a *pool.Account) Report {
	r := Report{Account: a.Name}
	start := time.Now()
	var ms []protocol.Model
	err := errNoList
	if s.listed(a) {
		ms, r.Protocol, err = s.fetch(ctx, a)
	}
	r.Latency = time.Since(start)
	served := ms[:0:0]
	for _, m := range ms {
		if a.Serves(m.ID) {
			served = append(served, m)
		}
	}
	r.Models = len(served)
	switch {
	case err == nil && !provider.QuirksOf(a.By, a.Account).OpenList:
		r.OK = true
		r.Says = fmt.Sprintf("it works: it lists %s and answered in %s", count(len(served), len(ms)), brief(r.Latency))
		if len(served) == 0 {
			r.Do = "none of its models fits the account's models, so it will not be asked; correct the globs"
		}
		return r
	case err != nil && !inconclusive(err):
		return r.failed(err, "the list of models could not be read")
	}
	tries := trials(a, served)
	if len(tries) == 0 {
		r.Says = "it could be reached, but nobody knows a model to try"
		r.Do = "write the exact name of a chat model into the account's models and test again"
		return r
	}
	out := s.ask(ctx, a, tries[0], r)
	for _, model := range tries[1:] {
		if out.OK || out.Class != fault.ModelDenied.String() && out.Class != fault.ModelGone.String() {
			break
		}
		out = s.ask(ctx, a, model, r)
	}
	return out
}

// trials are the models to try, the next if the account has not the one before:
// the one that pick chooses, else those that most accounts of its kind have.
func trials(a *pool.Account, served []protocol.Model) (models []string) {
	if model := pick(a, served); model != "" {
		return []string{model}
	}
	for _, model := range provider.QuirksOf(a.By, a.Account).Trials {
		if a.Serves(model) {
			models = append(models, model)
		}
	}
	return models
}

// inconclusive reports whether a list that could not be read says little about
// the account: there is none, or the key may do other things than read it.
func inconclusive(err error) bool {
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok {
		return true
	}
	switch f.Class {
	case fault.Permission, fault.BadRequest, fault.ModelDenied, fault.Unknown:
		return f.Status != 0
	}
	return false
}

// count is "1 model", or "30 models, of which it serves 12,".
func count(served, all int) string {
	text := fmt.Sprintf("%d models", all)
	if all == 1 {
		text = "1 model"
	}
	if served != all {
		text += fmt.Sprintf(", of which it serves %d,", served)
	}
	return text
}

func brief(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// pick chooses a model that can chat: one that the operator names, else the
// first of the list that looks like one; "" if there is none.
func pick(a *pool.Account, served []protocol.Model) string {
	for _, g := range a.Models {
		if name, ok := g.Literal(); ok {
			return name
		}
	}
	for _, m := range served {
		if chats(m) {
			return m.ID
		}
	}
	return ""
}

// silent are parts of the names of models that do something else than chat.
var silent = []string{"embed", "whisper", "tts", "audio", "speech", "transcribe", "image", "imagen", "dall-e", "sora", "veo", "moderation", "rerank", "guard", "ocr", "realtime", "bge-"}

func chats(m protocol.Model) bool {
	if len(m.Methods) > 0 {
		return slices.Contains(m.Methods, "generateContent")
	}
	id := strings.ToLower(m.ID)
	for _, s := range silent {
		if strings.Contains(id, s) {
			return false
		}
	}
	return true
}

// ask asks model for one token.
func (s *Shelf) ask(ctx context.Context, a *pool.Account, model string, r Report) Report {
	protos := a.By.Speaks(a.Account, protocol.Chat, model)
	if len(protos) == 0 || s.codecs[protos[0]] == nil {
		r.Says, r.Do = "it offers no chat in any protocol that we speak", "give it other protocols"
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, chatTime)
	defer cancel()
	r.Protocol, r.Model = protos[0], model
	path, body := hello(protos[0], model, provider.QuirksOf(a.By, a.Account).MaxTokens)
	start := time.Now()
	answer, err := s.send(ctx, a, s.codecs[r.Protocol], "POST", provider.Target{Protocol: r.Protocol, Op: protocol.Chat, Model: model, Path: path}, body)
	r.Latency = time.Since(start)
	if err != nil {
		return r.failed(err, fmt.Sprintf("a request for the model %q failed", model))
	}
	tap := s.codecs[r.Protocol].NewTap()
	if tap.Body(answer)&protocol.Failed != 0 {
		f := &fault.Fault{Class: fault.Broken, Status: 200, Msg: "its answer is none of this protocol"}
		if sign := tap.Seen().Error; sign != nil {
			f = a.By.Rules().Judge(*sign, time.Now())
			key := a.Key
			if a.Tokens != nil {
				key, _ = a.Tokens.Token(ctx) // the one that was shown just now
			}
			f.Msg = masked(key, f.Msg)
			if f.Class == fault.Unknown { // a page of somebody else's
				f.Class = fault.Broken
			}
		}
		return r.failed(f, fmt.Sprintf("a request for the model %q failed", model))
	}
	r.OK = true
	r.Says = fmt.Sprintf("it works: the model %q answered in %s", model, brief(r.Latency))
	return r
}

// hello is a request for one token, or as few as the protocol permits, and its
// path.
func hello(proto, model, maxTokens string) (path string, body []byte) {
	name := string(jsonedit.Quote(nil, model))
	switch proto {
	case protocol.OpenAIResponses:
		return "/responses", []byte(`{"model":` + name + `,"input":"Hi","max_output_tokens":16,"store":false}`)
	case protocol.Anthropic:
		return "/v1/messages", []byte(`{"model":` + name + `,"max_tokens":1,"messages":[{"role":"user","content":"Hi"}]}`)
	case protocol.BedrockConverse:
		return "/converse", []byte(`{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"inferenceConfig":{"maxTokens":1}}`)
	case protocol.Gemini:
		return "/models/" + escape(model) + ":generateContent", []byte(`{"contents":[{"role":"user","parts":[{"text":"Hi"}]}],"generationConfig":{"maxOutputTokens":1}}`)
	}
	if maxTokens == "" {
		maxTokens = "max_completion_tokens"
	}
	return "/chat/completions", []byte(`{"model":` + name + `,"` + maxTokens + `":1,"messages":[{"role":"user","content":"Hi"}]}`)
}
