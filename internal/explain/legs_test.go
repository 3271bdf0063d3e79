package explain

import (
	"strings"
	"testing"
	"time"

	"portico/internal/journal"
	"portico/internal/llm"
)

// TestLegs: several requests that make one answer are told as such, and only
// what failed is called a failure.
func TestLegs(t *testing.T) {
	const ms = time.Millisecond
	x := &journal.Exchange{
		ID: "req_1", Op: "chat", Inbound: "openai-chat", Outbound: "anthropic", Asked: "m", Served: "m", Account: "a", Status: 200, Took: 3 * time.Second,
		Usage: llm.Usage{Input: 14, Output: 6}, Losses: []string{"n=emulated: why"},
		Attempts: []journal.Attempt{
			{Account: "a", Model: "m", Took: time.Second, Status: 200, Step: "served", Leg: 1, Usage: llm.Usage{Input: 7, Output: 3}},
			{Account: "b", Model: "m", Took: 100 * ms, Status: 529, Fault: "overloaded", Phase: "answered", Step: "another", Leg: 2},
			{Account: "a", Model: "m", Start: 100 * ms, Took: 2 * time.Second, Status: 200, Step: "served", Leg: 2, Usage: llm.Usage{Input: 7, Output: 3}},
		},
	}
	e := Of(x, Cost{})
	text := e.Text()
	for _, want := range []string{
		"For part 1 of the answer, a answered after 1.0 s.\n",
		"For part 2 of the answer, b answered 529 after 100 ms: ",
		"For part 2 of the answer, a answered after 2.0 s.\n",
		"It used 20 tokens",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if e.Summary != "Served by a in 3.0 s, after one other attempt failed." {
		t.Error(e.Summary)
	}
	if a := e.Attempts[2]; a.Leg != 2 || a.Usage == nil || a.Usage.Total != 10 || e.Attempts[1].Usage != nil {
		t.Errorf("%+v", e.Attempts)
	}
	x.Fault, x.Status = "bad_request", 400
	x.Attempts[0].Fault, x.Attempts[0].Step = "canceled", "give_up"
	if text := new(Of(x, Cost{})).Text(); !strings.Contains(text, "For part 1 of the answer, a was at work for 1.0 s when another part failed.") {
		t.Error(text)
	}
}
