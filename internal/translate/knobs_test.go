package translate

import (
	"slices"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/provider"
)

// Trap X28: what a model refuses is not sent, and what stands at its default is
// no loss.
func TestKnobs(t *testing.T) {
	for name, c := range map[string]struct {
		upstream, model string
		efforts         []string
		mode            llm.ReasonMode
		in, want        llm.Sampling
		lost            []string
	}{
		"a model that takes all": {
			protocol.OpenAIChat, "gpt-4o", nil, 0,
			llm.Sampling{Temperature: "0", TopP: "0.5", Frequency: "1"},
			llm.Sampling{Temperature: "0", TopP: "0.5", Frequency: "1"},
			nil,
		},
		"a model that thinks": {
			protocol.OpenAIChat, "gpt-5.5", nil, 0,
			llm.Sampling{Temperature: "0.2", TopP: "0.9", Presence: "0.1", Logprobs: true, TopLogprobs: 2, LogitBias: []byte("{}"), Seed: "1"},
			llm.Sampling{Seed: "1"},
			[]string{"temperature", "top_p", "presence_penalty", "logprobs", "logit_bias"},
		},
		"the defaults are no loss": {
			protocol.OpenAIResponses, "openai/o3-2025-04-16", nil, 0,
			llm.Sampling{Temperature: "1", TopP: "1.0", Frequency: "0"},
			llm.Sampling{},
			nil,
		},
		"a model that is told not to think": {
			protocol.OpenAIChat, "gpt-5.6-sol",
			[]string{"none", "low"},
			llm.ReasonOff,
			llm.Sampling{Temperature: "0.2"},
			llm.Sampling{Temperature: "0.2"},
			nil,
		},
		"a chat model":              {protocol.OpenAIChat, "gpt-5-chat-latest", nil, 0, llm.Sampling{Temperature: "0.2"}, llm.Sampling{Temperature: "0.2"}, nil},
		"Grok":                      {protocol.OpenAIChat, "grok-4-fast-reasoning", nil, 0, llm.Sampling{Temperature: "0.2", Presence: "1"}, llm.Sampling{Temperature: "0.2"}, []string{"presence_penalty"}},
		"another vendor's protocol": {protocol.Gemini, "gpt-5.5", nil, 0, llm.Sampling{Temperature: "0.2"}, llm.Sampling{Temperature: "0.2"}, nil},
	} {
		to := native(c.model)
		to.Fit.Efforts = c.efforts
		d := prepared(t, crossing(protocol.Anthropic, c.upstream, &llm.Request{Sampling: c.in, Reason: llm.Reason{Mode: c.mode}}, Options{}), to)
		got := d.Sampling
		if got.Temperature != c.want.Temperature || got.TopP != c.want.TopP || got.Frequency != c.want.Frequency || got.Presence != c.want.Presence || got.Seed != c.want.Seed ||
			got.Logprobs != c.want.Logprobs || (got.LogitBias == nil) != (c.want.LogitBias == nil) {
			t.Errorf("%s: %+v", name, got)
		}
		var paths []string
		for _, l := range d.losses {
			paths = append(paths, l.Path)
		}
		slices.Sort(paths)
		slices.Sort(c.lost)
		if !slices.Equal(paths, c.lost) {
			t.Errorf("%s: lost %v, want %v", name, paths, c.lost)
		}
	}
}

// What a vendor departs from its protocol in is not sent either.
func TestLacks(t *testing.T) {
	to := native("m")
	to.Quirks = &provider.Quirks{Lacks: []string{"seed", "n", "tool_choice", "stop", "user", "top_k"}}
	r := &llm.Request{
		Sampling: llm.Sampling{Seed: "7", N: 2, Stop: []llm.Text{llm.Plain("END")}, TopP: "0.5"},
		Tools:    []llm.Tool{{Name: "f"}}, Choice: llm.Choice{Mode: llm.ChoiceRequired},
	}
	b := crossing(protocol.Gemini, protocol.OpenAIChat, r, Options{})
	d := prepared(t, b, to)
	if s := d.Sampling; s.Seed != "" || s.N != 0 || len(s.Stop) != 0 || s.TopP != "0.5" || d.Choice.Mode != llm.ChoiceUnset {
		t.Errorf("%+v, %+v", s, d.Choice)
	}
	for _, path := range []string{"seed", "n", "tool_choice", "stop"} {
		if !lost(d.losses, path) {
			t.Errorf("%s is lost in silence", path)
		}
	}
	if lost(d.losses, "top_k") {
		t.Error("a loss of what was never asked for")
	}
	// Who may call no tool gets none.
	r.Choice.Mode = llm.ChoiceNone
	if d = prepared(t, b, to); len(d.Tools) != 0 || lost(d.losses, "tool_choice") {
		t.Errorf("%d tools, lost %+v", len(d.Tools), d.losses)
	}
}

// Trap B9: stop sequences that the upstream does not take end the answer here.
func TestStop(t *testing.T) {
	stops := []llm.Text{llm.Plain("END"), llm.Plain("\n\n")}
	for name, c := range map[string]struct {
		said, want string
		stop       llm.Stop
	}{
		"none":                        {"an answer", "an answer", llm.StopEnd},
		"met":                         {"one END two", "one ", llm.StopSequence},
		"the first that is met":       {"a\n\nEND", "a", llm.StopSequence},
		"the beginning of one":        {"THE E", "THE E", llm.StopEnd},
		"nearly":                      {"ENENDD", "EN", llm.StopSequence},
		"at once":                     {"END", "", llm.StopSequence},
		"characters of several bytes": {"äöü€END", "äöü€", llm.StopSequence},
	} {
		b := crossing(protocol.OpenAIChat, protocol.OpenAIResponses, &llm.Request{Sampling: llm.Sampling{Stop: stops}}, Options{})
		d := prepared(t, b, native("m"))
		if len(d.Sampling.Stop) != 0 || !lost(d.losses, "stop") {
			t.Fatalf("%+v", d.losses)
		}
		a := backward(t, b, llm.StopEnd, say(c.said), say("more"), call("c", "f", "{}"))
		got := ""
		for _, p := range a.Parts {
			if s, ok := p.(*llm.Prose); ok {
				got += s.Text.String()
			}
		}
		want := c.want
		if c.stop == llm.StopEnd {
			want += "more"
		}
		if got != want || c.stop == llm.StopSequence && a.Stop != llm.StopSequence {
			t.Errorf("%s: %q, stopped for %d", name, got, a.Stop)
		}
		if c.stop == llm.StopSequence && a.Sequence.String() != "END" && name != "the first that is met" {
			t.Errorf("%s: stopped at %q", name, a.Sequence)
		}
	}
}

// Only the first few go to an upstream that takes few.
func TestStopBeyondTheMost(t *testing.T) {
	var stops []llm.Text
	for _, s := range []string{"1", "2", "3", "4", "5", "6"} {
		stops = append(stops, llm.Plain(s))
	}
	for upstream, most := range map[string]int{protocol.OpenAIChat: 4, protocol.Gemini: 5, protocol.Anthropic: 6} {
		d := prepared(t, crossing(protocol.OpenAIResponses, upstream, &llm.Request{Sampling: llm.Sampling{Stop: stops}}, Options{}), native("m"))
		if len(d.Sampling.Stop) != most || len(d.plan.stops) != 6-most {
			t.Errorf("%s: %d are sent, %d are kept", upstream, len(d.Sampling.Stop), len(d.plan.stops))
		}
	}
}

// No more is held back than may be the beginning of a stop sequence.
func TestMatcherIsPrompt(t *testing.T) {
	m := matcher{stops: []string{"STOP"}}
	for _, c := range [][2]string{{"ab", "ab"}, {"cS", "c"}, {"T", ""}, {"x", "STx"}, {"S", ""}, {"S", "S"}} {
		if got := m.feed(llm.Plain(c[0])).String(); got != c[1] {
			t.Errorf("%q gives %q, want %q", c[0], got, c[1])
		}
	}
	if got := m.rest().String(); got != "S" {
		t.Errorf("the rest is %q", got)
	}
}

// TestWhiteStop: a stop sequence of white space, which Claude's API refuses,
// ends the answer all the same.
func TestWhiteStop(t *testing.T) {
	stops := []llm.Text{llm.Plain("\n"), llm.Plain("END"), llm.Plain(" \t"), llm.Plain("")}
	for upstream, want := range map[string]int{protocol.Anthropic: 2, protocol.OpenAIChat: 0, protocol.Gemini: 0} {
		d := prepared(t, crossing(protocol.OpenAIResponses, upstream, &llm.Request{Sampling: llm.Sampling{Stop: stops}}, Options{}), native("m"))
		if len(d.plan.stops) != want || len(d.Sampling.Stop) != len(stops)-want {
			t.Errorf("%s: %q are kept, %d are sent", upstream, d.plan.stops, len(d.Sampling.Stop))
		}
		if lost := slices.ContainsFunc(d.losses, func(l llm.Loss) bool { return l.Path == "stop" }); lost != (want > 0) {
			t.Errorf("%s: %v", upstream, d.losses)
		}
	}
	if d := prepared(t, crossing(protocol.Anthropic, protocol.Anthropic, &llm.Request{Sampling: llm.Sampling{Stop: stops}}, Options{}), native("m")); len(d.plan.stops) != 0 {
		t.Error("a client of the same protocol gets what it asks for")
	}
}
