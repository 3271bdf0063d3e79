package anthropic

import (
	"strings"
	"testing"

	"portico/internal/llm"
)

// TestUsage: counts are sums so far, and later ones replace earlier ones (X20).
func TestUsage(t *testing.T) {
	for name, c := range map[string]struct {
		told []string // usage objects in the order of their events
		want llm.Usage
	}{
		"a whole answer": {
			[]string{`{"input_tokens":10,"cache_creation_input_tokens":20,"cache_read_input_tokens":300,"output_tokens":40,"output_tokens_details":{"thinking_tokens":12},"service_tier":"standard"}`},
			llm.Usage{Input: 10, CacheWrite: 20, CacheRead: 300, Output: 28, Reasoning: 12},
		},
		"cache writes by their time to live": {
			[]string{`{"input_tokens":10,"cache_creation":{"ephemeral_5m_input_tokens":15,"ephemeral_1h_input_tokens":5},"output_tokens":1}`},
			llm.Usage{Input: 10, CacheWrite: 20, CacheHour: 5, Output: 1},
		},
		"and their sum": {
			[]string{`{"cache_creation_input_tokens":20,"cache_creation":{"ephemeral_5m_input_tokens":15,"ephemeral_1h_input_tokens":5}}`},
			llm.Usage{CacheWrite: 20, CacheHour: 5},
		},
		"a stream": {
			[]string{`{"input_tokens":10,"cache_read_input_tokens":300,"output_tokens":1}`, `{"output_tokens":15}`, `{"output_tokens":40}`},
			llm.Usage{Input: 10, CacheRead: 300, Output: 40},
		},
		"hosted tools add to the input": {
			[]string{`{"input_tokens":10,"output_tokens":1}`, `{"input_tokens":4000,"output_tokens":40,"server_tool_use":{"web_search_requests":1}}`},
			llm.Usage{Input: 4000, Output: 40, Searches: 1},
		},
		"tools in both": {
			[]string{`{"input_tokens":10,"server_tool_use":{"web_search_requests":2,"web_fetch_requests":0}}`, `{"output_tokens":40,"server_tool_use":{"web_search_requests":3,"web_fetch_requests":1}}`},
			llm.Usage{Input: 10, Output: 40, Searches: 3, Fetches: 1},
		},
		"tools that are none": {[]string{`{"input_tokens":10,"server_tool_use":null}`, `{"server_tool_use":[7]}`, `{"server_tool_use":{"web_search_requests":-3}}`}, llm.Usage{Input: 10}},
		"a vendor tells the input late": {
			[]string{`{"input_tokens":0,"output_tokens":0}`, `{"input_tokens":10,"cache_read_input_tokens":6,"output_tokens":40}`},
			llm.Usage{Input: 10, CacheRead: 6, Output: 40},
		},
		"a gateway guesses the input, and knows it at the end": {
			[]string{`{"input_tokens":16,"output_tokens":1}`, `{"input_tokens":7,"cache_read_input_tokens":7,"output_tokens":40}`},
			llm.Usage{Input: 7, CacheRead: 7, Output: 40},
		},
		"a vendor fills in zeros": {
			[]string{`{"input_tokens":10,"cache_read_input_tokens":300,"output_tokens":1}`, `{"input_tokens":0,"cache_read_input_tokens":0,"cache_creation_input_tokens":null,"output_tokens":40}`},
			llm.Usage{Input: 10, CacheRead: 300, Output: 40},
		},
		"a conversation was compacted": {
			[]string{
				`{"input_tokens":100,"cache_read_input_tokens":55096,"output_tokens":7}`,
				`{"input_tokens":181,"cache_read_input_tokens":0,"output_tokens":8,"iterations":[{"type":"compaction","input_tokens":100,"cache_read_input_tokens":55096,"output_tokens":83},{"type":"message","input_tokens":181,"output_tokens":8}]}`,
			},
			llm.Usage{Input: 281, CacheRead: 55096, Output: 91},
		},
		"it was only compacted": {
			[]string{`{"input_tokens":0,"output_tokens":0,"iterations":[{"type":"compaction","input_tokens":144,"cache_creation":{"ephemeral_1h_input_tokens":9},"output_tokens":276}]}`},
			llm.Usage{Input: 144, CacheWrite: 9, CacheHour: 9, Output: 276},
		},
		"an adviser": {
			[]string{`{"input_tokens":2390,"output_tokens":121,"iterations":[{"type":"message","input_tokens":1128,"output_tokens":110},{"type":"advisor_message","model":"claude-big","input_tokens":2518,"output_tokens":22},{"type":"message","input_tokens":1262,"output_tokens":11}]}`},
			llm.Usage{Input: 4908, Output: 143},
		},
		"another model took over": { // what the first read is not billed
			[]string{`{"input_tokens":412,"output_tokens":264,"iterations":[{"type":"message","input_tokens":408,"output_tokens":0},{"type":"fallback_message","input_tokens":412,"output_tokens":264}]}`},
			llm.Usage{Input: 412, Output: 264},
		},
		"more thinking than output": {[]string{`{"output_tokens":5,"output_tokens_details":{"thinking_tokens":9}}`}, llm.Usage{Reasoning: 5}},
		"details are null":          {[]string{`{"input_tokens":1,"output_tokens":2,"cache_creation":null,"output_tokens_details":null,"iterations":null}`}, llm.Usage{Input: 1, Output: 2}},
		"floats, negative, huge":    {[]string{`{"input_tokens":1.0,"output_tokens":-4,"cache_read_input_tokens":1e300}`}, llm.Usage{Input: 1}},
		"not an object":             {[]string{`[1]`, `null`, `7`}, llm.Usage{}},
		"iterations are no array":   {[]string{`{"input_tokens":1,"iterations":{"type":"compaction","input_tokens":5}}`}, llm.Usage{Input: 1}},
	} {
		var b bill
		for _, v := range c.told {
			b.add([]byte(v))
		}
		if got := b.total(); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// TestUsageShown: clients are told how full the window is, not what ran beside
// the conversation.
func TestUsageShown(t *testing.T) {
	for told, want := range map[string]int64{
		`{"input_tokens":181,"output_tokens":8,"iterations":[{"type":"compaction","input_tokens":55196},{"type":"message","input_tokens":181}]}`: 181,
		`{"input_tokens":0,"output_tokens":0,"iterations":[{"type":"compaction","input_tokens":144}]}`:                                           144,
	} {
		var b bill
		b.add([]byte(told))
		if got := b.usage().Input; got != want {
			t.Errorf("%s: the client is told %d, want %d", told, got, want)
		}
	}
}

func TestIterationsAreBounded(t *testing.T) {
	const one = `{"type":"compaction","input_tokens":1}`
	var b bill
	b.add([]byte(`{"iterations":[` + strings.Repeat(one+",", maxIterations+5) + one + `]}`))
	if got := b.total().Input; got != maxIterations {
		t.Errorf("%d iterations were read, want %d", got, maxIterations)
	}
}
