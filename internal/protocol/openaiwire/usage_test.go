package openaiwire

import (
	"testing"

	"portico/internal/llm"
)

func TestUsage(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want llm.Usage
	}{
		"chat with cache and reasoning": {
			`{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":10},"completion_tokens_details":{"reasoning_tokens":20}}`,
			llm.Usage{Input: 30, CacheRead: 60, CacheWrite: 10, Output: 30, Reasoning: 20},
		},
		"responses": {
			`{"input_tokens":100,"output_tokens":50,"total_tokens":150,"input_tokens_details":{"cached_tokens":60},"output_tokens_details":{"reasoning_tokens":50}}`,
			llm.Usage{Input: 40, CacheRead: 60, Reasoning: 50},
		},
		"DeepSeek's cache hits": {
			`{"prompt_tokens":100,"completion_tokens":5,"total_tokens":105,"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36}`,
			llm.Usage{Input: 36, CacheRead: 64, Output: 5},
		},
		"Moonshot's cached_tokens": {
			`{"prompt_tokens":10,"completion_tokens":5,"cached_tokens":4}`, llm.Usage{Input: 6, CacheRead: 4, Output: 5},
		},
		"xAI leaves reasoning out of the completion": {
			`{"prompt_tokens":12,"completion_tokens":2,"total_tokens":334,"completion_tokens_details":{"reasoning_tokens":320}}`,
			llm.Usage{Input: 12, Output: 2, Reasoning: 320},
		},
		"Gemini tells reasoning in the total only": {
			`{"completion_tokens":12,"prompt_tokens":35,"total_tokens":109}`, llm.Usage{Input: 35, Output: 12, Reasoning: 62},
		},
		"Mistral leaves audio out of the prompt": {
			`{"prompt_tokens":9,"total_tokens":632,"completion_tokens":248,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":375}}`,
			llm.Usage{Input: 384, Output: 248, AudioIn: 375},
		},
		"sound and pictures": {
			`{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"audio_tokens":20,"image_tokens":30,"text_tokens":50},"completion_tokens_details":{"audio_tokens":40,"image_tokens":5}}`,
			llm.Usage{Input: 100, Output: 50, AudioIn: 20, ImageIn: 30, AudioOut: 40, ImageOut: 5},
		},
		"parts larger than the whole": {
			`{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"audio_tokens":8,"image_tokens":30,"cache_write_tokens":4,"cache_write_tokens_details":{"ttl_12h_tokens":9}},"completion_tokens_details":{"audio_tokens":40,"image_tokens":5,"reasoning_tokens":1}}`,
			llm.Usage{Input: 6, CacheWrite: 4, Output: 4, Reasoning: 1, CacheHalfDay: 4, AudioIn: 8, ImageIn: 2, AudioOut: 4},
		},
		"a cache for half a day": {
			`{"input_tokens":100,"input_tokens_details":{"cached_tokens":10,"cache_write_tokens":60,"cache_write_tokens_details":{"ttl_30m_tokens":20,"ttl_12h_tokens":40}},"output_tokens":5,"total_tokens":105}`,
			llm.Usage{Input: 30, CacheRead: 10, CacheWrite: 60, CacheHalfDay: 40, Output: 5},
		},
		"OpenRouter's tools":  {`{"prompt_tokens":1,"completion_tokens":2,"server_tool_use":{"web_search_requests":3}}`, llm.Usage{Input: 1, Output: 2, Searches: 3}},
		"details are no such": {`{"prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":{"cache_write_tokens_details":null,"audio_tokens":"x"},"server_tool_use":[]}`, llm.Usage{Input: 1, Output: 2}},
		"Azure's Grok caches more than it reads": {
			`{"prompt_tokens":198,"completion_tokens":18,"total_tokens":216,"prompt_tokens_details":{"cached_tokens":314}}`,
			llm.Usage{CacheRead: 198, Output: 18},
		},
		"OpenRouter's other tokenizer": {
			`{"prompt_tokens":15,"completion_tokens":256,"total_tokens":271,"completion_tokens_details":{"reasoning_tokens":271}}`,
			llm.Usage{Input: 15, Reasoning: 256},
		},
		"Vercel leaves reasoning out of the total": {
			`{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"completion_tokens_details":{"reasoning_tokens":25}}`,
			llm.Usage{Input: 9, Output: 2, Reasoning: 25},
		},
		"details are null":       {`{"prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":null}`, llm.Usage{Input: 1, Output: 2}},
		"an embedding":           {`{"prompt_tokens":8,"total_tokens":8}`, llm.Usage{Input: 8}},
		"floats, negative, huge": {`{"prompt_tokens":1.0,"completion_tokens":-4,"total_tokens":1e300}`, llm.Usage{Input: 1}},
		"zeros":                  {`{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}`, llm.Usage{}},
		"null":                   {`null`, llm.Usage{}},
		"not an object":          {`[1]`, llm.Usage{}},
	} {
		got, ok := Usage([]byte(c.in))
		if got != c.want || ok != (c.want != llm.Usage{}) {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, ok, c.want)
		}
	}
}
