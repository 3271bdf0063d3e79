package anthropic

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// EncodeRequest appends a request. What a client of this protocol says to
// Anthropic itself is repeated as it was said, but for what the model is known
// to refuse; everything else is put in the protocol's order.
//
// No beta is asked for: what needs one crosses only if the client's own headers
// ask for it.
func (*Codec) EncodeRequest(dst []byte, r *llm.Request, fit *protocol.Fit) ([]byte, []llm.Loss, error) {
	e := requestEncoder{r: r, fit: fit, can: abilitiesOf(fit), native: r.Protocol == protocol.Anthropic && fit.Native}
	if n := r.Sampling.MaxTokens; n != nil && *n < 1 && r.Protocol != protocol.Anthropic { // here it would warm the cache and answer nothing
		f := fault.New(fault.Malformed, "max_tokens: it must be at least 1")
		f.Param = "max_tokens"
		return nil, nil, f
	}
	e.tools = e.offer()
	e.think()
	head, turns := e.conversation()
	e.mark(head, turns)

	dst = append(dst, '{')
	if fit.Model != "" { // hosts that have it in the address take none here
		dst = jsonw.String(dst, "model", fit.Model)
	}
	if e.limit >= 0 {
		dst = jsonw.Int(dst, "max_tokens", e.limit)
	}
	dst = e.writeTools(dst)
	dst = e.system(dst, head)
	dst = e.messages(dst, turns)
	dst = e.sampling(dst)
	dst = e.plan.append(dst, &r.Reason, e.can, e.fit.Native)
	dst = e.output(dst)
	dst = e.rest(dst)
	return append(dst, '}'), e.losses, nil
}

type requestEncoder struct {
	r      *llm.Request
	fit    *protocol.Fit
	can    abilities
	native bool // the client speaks this protocol, and so does Anthropic
	losses []llm.Loss

	tools offer // which tools are declared, and which are to be called
	limit int64 // max_tokens, -1: none
	plan  plan
	cache cache
}

func (e *requestEncoder) lose(path, why string) {
	e.losses = append(e.losses, llm.Loss{Path: path, Why: why})
}

// believed reports whether the client may know the model better than its name
// tells.
func (e *requestEncoder) believed() bool { return e.native && !e.can.sure }

func (e *requestEncoder) thinks() bool { return e.plan.thinks() }

// think settles the limit and the thinking, which depend on each other.
func (e *requestEncoder) think() {
	q := &e.r.Reason
	e.limit = e.maxTokens()
	if e.believed() {
		e.plan = as(q)
		return
	}
	e.plan = planOf(q, e.can, e.limit, e.tools.forced())
}

// as is the plan that says what a client of this protocol said.
func as(q *llm.Reason) plan {
	p := plan{effort: q.Effort, budget: q.Budget}
	switch q.Mode {
	case llm.ReasonOff:
		p.kind = "disabled"
	case llm.ReasonBudget:
		p.kind = "enabled"
	case llm.ReasonAuto:
		if p.kind = wire.Text(jsonedit.Get(object(q.Extra), "type")); p.kind == "" {
			p.kind = "adaptive"
		}
	case llm.ReasonUnset, llm.ReasonEffort:
	}
	return p
}

// The limits of an answer that a client gets who names none, in tokens. The
// protocol demands one (spec: upstreams §2.5).
const (
	someTokens  = 32_000 // of a model that does not think first
	localTokens = 16_384 // of a model of which nothing is known
)

// maxTokens is the limit of the answer.
func (e *requestEncoder) maxTokens() int64 {
	most := e.can.maxOutput
	if n := e.r.Sampling.MaxTokens; n != nil {
		if e.fit.MaxOutput > 0 && *n > e.fit.MaxOutput {
			e.lose("max_tokens", "approximated: the model's limit is "+strconv.FormatInt(e.fit.MaxOutput, 10))
			return e.fit.MaxOutput
		}
		return *n
	}
	mode := e.r.Reason.Mode
	switch {
	case e.r.Protocol == protocol.Anthropic: // a request to count
		return -1
	case most == 0 && e.fit.Context > 0:
		return min(localTokens, max(e.fit.Context/4, 1))
	case most == 0:
		return localTokens
	case mode == llm.ReasonUnset && e.can.on, mode == llm.ReasonAuto, mode == llm.ReasonEffort, mode == llm.ReasonBudget:
		return most
	}
	return min(most, someTokens)
}

// sampling writes the knobs that the model takes. Those of later Claude refuse
// any but the default, and so do all while they think (spec: upstreams §0.1,
// §1C.1).
func (e *requestEncoder) sampling(dst []byte) []byte {
	s := &e.r.Sampling
	e.foreign(s)
	temperature, topP, topK := s.Temperature, s.TopP, s.TopK
	if !e.believed() {
		why := ""
		switch {
		case !e.can.sampling:
			why = "dropped: the model refuses it"
		case e.thinks():
			why = "dropped: the model refuses it while it thinks"
		}
		temperature = e.knob("temperature", temperature, why, 1, 1)
		topP = e.knob("top_p", topP, why, e.leastTopP(), 1)
		topK = e.knob("top_k", topK, why, 1, 0)
		if t := value(temperature); t > 1 && e.claude() {
			temperature = "1"
			e.lose("temperature", "approximated: "+string(s.Temperature)+" as 1, the highest here")
		}
		if e.can.oneKnob && temperature != "" && topP != "" {
			if value(temperature) == 1 { // which is the default
				temperature = ""
			} else {
				topP = ""
				e.lose("top_p", "dropped: the model takes it or the temperature")
			}
		}
	}
	dst = jsonw.Number(dst, "temperature", temperature)
	dst = jsonw.Number(dst, "top_p", topP)
	dst = jsonw.Number(dst, "top_k", topK)
	return e.stop(dst, s.Stop)
}

// claude reports whether the model is one of Anthropic's.
func (e *requestEncoder) claude() bool { return e.fit.Native || e.can.sure }

// leastTopP is the lowest top_p that a model takes which refuses it else.
func (e *requestEncoder) leastTopP() float64 {
	if e.can.sampling {
		return 0.95
	}
	return 0.99
}

// knob is n, or nothing if why says that the model does not take it. A value
// between from and to is the default and as good as none: where the model
// takes the knob at all it stays.
func (e *requestEncoder) knob(name string, n llm.Number, why string, from, to float64) llm.Number {
	if n == "" || why == "" {
		return n
	}
	if v := value(n); v >= from && v <= to {
		if e.can.sampling {
			return n
		}
		return ""
	}
	e.lose(name, why)
	return ""
}

// value is n as a number, 0 if there is none.
func value(n llm.Number) float64 {
	v, _ := strconv.ParseFloat(string(n), 64)
	return v
}

// foreign tells of the knobs that the protocol does not have (spec:
// translation-traps A38). One that stands at its default is no loss.
func (e *requestEncoder) foreign(s *llm.Sampling) {
	const why = "dropped: the upstream has no such setting"
	if value(s.Frequency) != 0 {
		e.lose("frequency_penalty", why)
	}
	if value(s.Presence) != 0 {
		e.lose("presence_penalty", why)
	}
	if s.Seed != "" {
		e.lose("seed", why)
	}
	if s.N > 1 {
		e.lose("n", "dropped: the upstream gives one answer")
	}
	if s.Logprobs {
		e.lose("logprobs", "dropped: the upstream does not tell them")
	}
	if s.LogitBias != nil {
		e.lose("logit_bias", why)
	}
}

// stop writes the stop sequences but for those of white space, which the
// upstream refuses.
func (e *requestEncoder) stop(dst []byte, stop []llm.Text) []byte {
	if stop == nil || len(stop) == 0 && !e.native {
		return dst
	}
	n := len(dst)
	dst = append(jsonw.Name(dst, "stop_sequences"), '[')
	some := e.native
	for i, s := range stop {
		if blank(s) && !e.native {
			e.lose("stop["+strconv.Itoa(i)+"]", "dropped: the upstream takes no stop sequence of white space")
			continue
		}
		some = true
		dst = s.AppendJSON(jsonw.Comma(dst))
	}
	if !some {
		return dst[:n]
	}
	return append(dst, ']')
}

// rest writes who asks, the tier, and the client's own members.
func (e *requestEncoder) rest(dst []byte) []byte {
	r := e.r
	if r.Stream {
		dst = jsonw.Bool(dst, "stream", true)
	}
	dst = e.metadata(dst)
	dst = e.tier(dst)
	if r.Previous != "" {
		e.lose("previous_response_id", "dropped: the upstream keeps no answers")
	}
	if r.Cache.Content != "" {
		e.lose("cached_content", "dropped: a cached content that only its provider holds")
	}
	if r.Extra.Protocol != protocol.Anthropic {
		return dst
	}
	for m := range members(r.Extra) {
		name := string(m.Name)
		switch {
		case strings.HasPrefix(name, inMetadata) || strings.HasPrefix(name, inConfig) && e.fit.Native:
			// They stand in their own objects.
		case !e.fit.Native && (isAnthropics(name) || strings.HasPrefix(name, inConfig)):
			e.lose(name, notCopied)
		default:
			dst = jsonw.Raw(dst, name, m.Value)
		}
	}
	return dst
}

// isAnthropics reports whether a member is one that Anthropic added since
// others copied its protocol, and that they may refuse (spec: upstreams §2.14).
func isAnthropics(name string) bool {
	switch name {
	case "cache_control", "container", "context_management", "diagnostics", "inference_geo", "speed",
		"billing_policy", "compaction", "fallbacks", "fallback_credit_token", "thread", "safeguards":
		return true
	}
	return false
}

// maxUser is how much of an end user's name is sent as it is, in bytes.
const maxUser = 64

// metadata writes who the end user is. What a client of another protocol calls
// its user may be longer than Anthropic takes, or an address that is nobody's
// business: then a hash stands for it (spec: translation-traps A39).
func (e *requestEncoder) metadata(dst []byte) []byte {
	n := len(dst)
	dst = append(jsonw.Name(dst, "metadata"), '{')
	if user := e.r.User; user.IsSet() {
		if plain := user.String(); e.r.Protocol != protocol.Anthropic && (len(plain) > maxUser || strings.Contains(plain, "@")) {
			sum := sha256.Sum256([]byte(plain))
			dst = jsonw.String(dst, "user_id", hex.EncodeToString(sum[:]))
		} else {
			dst = jsonw.Text(dst, "user_id", user)
		}
	}
	if dst = nested(dst, e.r.Extra, inMetadata, ""); dst[len(dst)-1] == '{' {
		return dst[:n]
	}
	return append(dst, '}')
}

func (e *requestEncoder) tier(dst []byte) []byte {
	tier := e.r.Tier
	switch {
	case tier == "":
		return dst
	case !e.fit.Native:
		if tier != "auto" && tier != "default" {
			e.lose("service_tier", "dropped: the upstream has no tiers")
		}
		return dst
	case e.native || tier == "auto" || tier == "standard_only":
	case tier == "default" || tier == "standard":
		tier = "standard_only"
	case tier == "priority" || tier == "fast":
		e.lose("service_tier", "approximated: "+tier+" as auto")
		tier = "auto"
	default:
		e.lose("service_tier", "dropped: the upstream has no tier "+tier)
		return dst
	}
	return jsonw.String(dst, "service_tier", tier)
}
