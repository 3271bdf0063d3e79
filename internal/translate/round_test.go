package translate

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/catalog"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/provider"
)

// Between two protocols a request keeps all that saidBy sees of it, there and
// back. exceptions are the aspects in which it need not, each with its reason;
// client and upstream are protocols, "" for any. What is lost is named in the
// ledger, unless it is quiet: then nothing is lost that changes an answer.
var exceptions = []exception{
	{"", claude, "sounds", false, "Claude hears nothing"},
	{"", claude, "looks", false, "Anthropic has no setting for how closely to look"},
	{"", gem, "looks", false, "but for Gemini 3 it is one for all media"},
	{"", claude, "n", false, "Anthropic gives one answer"},
	{"", claude, "logprobs", false, "Anthropic tells none"},
	{"", claude, "seed", false, "Anthropic has none"},
	{"", claude, "logit_bias", false, "Anthropic has none"},
	{"", claude, "frequency_penalty", false, "Anthropic has none"},
	{"", claude, "presence_penalty", false, "Anthropic has none"},
	{"", claude, "temperature", false, "the newest Claudes refuse it"},
	{"", claude, "top_p", false, "the newest Claudes refuse it"},
	{"", claude, "top_k", false, "the newest Claudes refuse it"},
	{"", claude, "verbosity", false, "Anthropic has none"},
	{"", claude, "tier", false, "Anthropic knows no tier that is cheaper or faster"},
	{"", claude, "max_tokens", true, "Anthropic demands a limit; the model's own is none"},
	{"", claude, "reasoning", false, "Claude has no effort below low"},
	{"", claude, "choice", false, "where some tools are allowed, those are declared and the others not"},
	{"", claude, "tools", false, "where some tools are allowed, those are declared and the others not"},
	{"", claude, "schemas", false, "where some tools are allowed, those are declared and the others not"},
	{"", claude, "strict", false, "where some tools are allowed, those are declared and the others not"},
	{"", claude, "output", false, "JSON of any form is asked for in words"},
	{"", claude, "output schema", true, "an object of a schema that is enforced is closed"},
	{"", claude, "user", false, "an instruction in mid-conversation stands behind a turn of the user"},
	{"", claude, "breakpoints", false, "four at most, and a long one before all short ones"},

	{"", responses, "stop", false, "the answer is cut here"},
	{"", responses, "n", false, "Responses give one answer"},
	{"", responses, "seed", false, "Responses have none"},
	{"", responses, "top_k", false, "Responses have none"},
	{"", responses, "logit_bias", false, "Responses have none"},
	{"", responses, "frequency_penalty", false, "Responses have none"},
	{"", responses, "presence_penalty", false, "Responses have none"},
	{"", responses, "failures", false, "a result has no mark of failure"},
	{"", responses, "breakpoints", false, "only what the user shows has a seat for one"},

	{"", chat, "pictures", false, "it has no seat for a picture that is a file"},
	{"", claude, "pictures", false, "a file is not carried to who does not hold it"},
	{"", gem, "pictures", false, "a file is not carried to who does not hold it"},
	{"", claude, "documents", false, "a file is not carried to who does not hold it"},
	{"", gem, "documents", false, "a file is not carried to who does not hold it"},

	{"", chat, "top_k", false, "OpenAI has none"},
	{"", chat, "stop", false, "four at most; at the others the answer is cut here"},
	{"", chat, "failures", false, "a result has no mark of failure"},
	{"", chat, "breakpoints", false, "calls and tools have no seat for one"},
	{"", chat, "display", true, "how reasoning is shown is not the client's choice"},
	{"", chat, "names of files", true, "a document must have a name, and gets one"},
	{"", responses, "names of files", true, "a document must have a name, and gets one"},

	{"", gem, "stop", false, "five at most; at the others the answer is cut here"},
	{"", gem, "seed", false, "Google's have 32 bits"},
	{"", gem, "logit_bias", false, "Google has none"},
	{"", gem, "verbosity", false, "Google has none"},
	{"", gem, "parallel", false, "Google has no such setting; further calls are not told"},
	{"", gem, "strict", false, "Google holds to all schemas or to none"},
	{"", gem, "reasoning", false, "Gemini knows four levels at most"},
	{"", gem, "breakpoints", false, "Google caches by itself"},
	{"", gem, "names of files", false, "but for Vertex AI Google takes none"},
	{"", gem, "user id", true, "Google does not ask who the user is"},

	{claude, "", "documents of text", false, "only Anthropic has a seat for them"},
	{claude, "", "names of files", false, "that of a document of text stands before it"},
	{claude, "", "display", true, "that thinking is not shown is said in no other protocol"},
	{claude, "", "reasoning", true, "the model decides anyway, unless it is told an effort"},
	{gem, claude, "display", true, "Anthropic shows thinking unless told otherwise"},
	{"", claude, "cache key", true, "Anthropic groups no requests"},
	{"", gem, "cache key", true, "Google groups no requests"},
	{"", claude, "cache retention", true, "breakpoints say it"},
	{"", gem, "cache retention", true, "Google has no such setting"},
	{"", claude, "metadata", true, "it is the client's own, and echoed in its answer"},
	{"", gem, "metadata", true, "it is the client's own, and echoed in its answer"},
}

type exception struct {
	client, upstream, aspect string
	quiet                    bool
	why                      string
}

func (x *exception) of(client, upstream, aspect string) bool {
	return (x.client == "" || x.client == client) && (x.upstream == "" || x.upstream == upstream) && x.aspect == aspect
}

// put is a client's body as an upstream gets it.
func put(t *testing.T, client, upstream protocol.Translator, body []byte, stream bool, to *Upstream) ([]byte, []llm.Loss) {
	t.Helper()
	b, err := New(client, upstream, body, Options{ID: "req_1", Model: "m", Stream: stream})
	if err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	out, losses, err := b.Request(to)
	if err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	if again, _, _ := b.Request(to); !bytes.Equal(out, again) {
		t.Fatalf("it is not always the same:\n%s\n%s", out, again)
	}
	return out, losses
}

// bodyOf is a made-up request in the words of a client of proto.
func bodyOf(t *testing.T, proto protocol.Translator, seed uint64) []byte {
	t.Helper()
	made := newMaker(seed).request()
	made.Stream = made.Stream && proto.Name() != gem // which says it in the path
	body, _, err := proto.EncodeRequest(nil, made, &protocol.Fit{Model: "m-1", Vendor: proto.Name(), Native: true})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// A trip is a request there and back.
type trip struct {
	client, upstream  protocol.Translator
	to                *Upstream
	body, there, back []byte
	want, got         said
	losses            []llm.Loss
}

func travel(t *testing.T, client, upstream protocol.Translator, body []byte, to *Upstream) *trip {
	t.Helper()
	x := &trip{client: client, upstream: upstream, to: to, body: body}
	want, err := client.DecodeRequest(body)
	if err != nil {
		t.Fatal(err)
	}
	var more []llm.Loss
	x.there, x.losses = put(t, client, upstream, body, want.Stream, to)
	x.back, more = put(t, upstream, client, x.there, want.Stream, upstreamOf(client, "one"))
	x.losses = append(slices.Clip(x.losses), more...)
	got, err := client.DecodeRequest(x.back)
	if err != nil {
		t.Fatalf("%v\n%s", err, x.back)
	}
	x.want, x.got = saidBy(want), saidBy(got)
	if len(x.want["breakpoints"]) == 0 { // they may be set for the client
		delete(x.got, "breakpoints")
	}
	return x
}

// named reports whether the ledger tells that an aspect did not cross.
func (x *trip) named(a *aspect) bool {
	return a.names != nil && slices.ContainsFunc(x.losses, func(l llm.Loss) bool { return a.names.MatchString(l.Path + " " + l.Why) })
}

func (x *trip) String() string {
	var b strings.Builder
	for _, l := range x.losses {
		fmt.Fprintf(&b, "lost: %s: %s\n", l.Path, l.Why)
	}
	fmt.Fprintf(&b, "%s says\n%s\n%s gets\n%s\nback it is\n%s", x.client.Name(), x.body, x.upstream.Name(), x.there, x.back)
	return b.String()
}

// roundTrips is how many requests go there and back between each two protocols.
const roundTrips = 75

// TestRoundTrips: a request that goes from its protocol to another and back
// says what it said, but for the exceptions; none of those is needless.
func TestRoundTrips(t *testing.T) {
	used := make([]bool, len(exceptions))
	for _, client := range translators {
		for _, upstream := range translators {
			if client == upstream {
				continue
			}
			for seed := range uint64(roundTrips) {
				x := travel(t, client, upstream, bodyOf(t, client, seed), upstreamOf(upstream, "one"))
				checkTrip(t, seed, x, used)
			}
		}
	}
	for i, used := range used {
		if !used && !testing.Short() {
			t.Errorf("needless: %+v", exceptions[i])
		}
	}
}

func checkTrip(t *testing.T, seed uint64, x *trip, used []bool) {
	t.Helper()
	for i := range aspects {
		a := &aspects[i]
		if slices.Equal(x.want[a.name], x.got[a.name]) {
			continue
		}
		allowed, named := false, x.named(a)
		for j := range exceptions {
			if e := &exceptions[j]; e.of(x.client.Name(), x.upstream.Name(), a.name) && (e.quiet || named) {
				used[j], allowed = true, true
			}
		}
		if !allowed {
			t.Fatalf("seed %d: %s differ (-want +got), named: %v\n%s\n%s", seed, a.name, named, cmp.Diff(x.want[a.name], x.got[a.name]), x)
		}
	}
}

// models are those of which something is known that matters to a request: what
// they refuse, and which efforts and levels they have.
var models = []struct{ provider, proto, model string }{
	{"openai", chat, "gpt-4.1"},
	{"openai", chat, "gpt-5.2"},
	{"openai", chat, "o3"},
	{"openai", responses, "gpt-5.6-sol"},
	{"openai", responses, "gpt-4o-mini"},
	{"compat", chat, "deepseek-chat"},
	{"compat", claude, "glm-5"},
	{"anthropic", claude, "claude-3-5-haiku-20241022"},
	{"anthropic", claude, "claude-sonnet-4-5"},
	{"anthropic", claude, "claude-opus-4-6"},
	{"anthropic", claude, "claude-opus-5-5"},
	{"gemini", gem, "gemini-2.0-flash"},
	{"gemini", gem, "gemini-2.5-pro"},
	{"gemini", gem, "gemini-3-pro-preview"},
	{"gemini", gem, "gemini-3.5-flash"},
}

// TestModelsRefuse: whatever a model refuses, what of a request does not come
// back is named, or no exception is quiet about it.
func TestModelsRefuse(t *testing.T) {
	for _, m := range models {
		fit := FitOf((*catalog.Catalog)(nil), m.model, &provider.Account{Provider: m.provider}, &provider.None)
		to := &Upstream{Fit: fit, Quirks: &provider.None, Account: "one"}
		upstream := translatorOf(m.proto)
		for _, client := range translators {
			if client == upstream {
				continue
			}
			for seed := range uint64(12) {
				x := travel(t, client, upstream, bodyOf(t, client, 1000+seed), to)
				for i := range aspects {
					a := &aspects[i]
					if !slices.Equal(x.want[a.name], x.got[a.name]) && !x.named(a) && !x.harmless(a) {
						t.Fatalf("%s, seed %d: %s differ (-want +got)\n%s\n%s", m.model, seed, a.name, cmp.Diff(x.want[a.name], x.got[a.name]), x)
					}
				}
			}
		}
	}
}

// harmless reports whether nothing is lost if an aspect of a request to one of
// models does not come back.
func (x *trip) harmless(a *aspect) bool {
	switch a.name {
	case "user id", "cache key", "cache retention", "metadata": // who did not make the protocol is not told
		return true
	case "display": // of thinking; not all models think
		return true
	case "reasoning": // none was wanted
		if strings.HasPrefix(strings.Join(x.want[a.name], ""), "1 ") {
			return true
		}
	case "strict": // as Gemini has it, which tells it of all tools
		return bytes.Contains(x.there, []byte(`"VALIDATED"`)) || bytes.Contains(x.there, []byte(`"mode":"ANY"`)) || bytes.Contains(x.there, []byte(`"mode":"NONE"`))
	}
	return slices.ContainsFunc(exceptions, func(e exception) bool { return e.quiet && e.of(x.client.Name(), x.upstream.Name(), a.name) })
}

func FuzzRoundTrips(f *testing.F) {
	f.Add(uint64(1), 0, 1)
	f.Fuzz(func(t *testing.T, seed uint64, i, j int) {
		if i < 0 || j < 0 || i >= len(translators) || j >= len(translators) || i == j {
			return
		}
		x := travel(t, translators[i], translators[j], bodyOf(t, translators[i], seed), upstreamOf(translators[j], "one"))
		checkTrip(t, seed, x, make([]bool, len(exceptions)))
	})
}
