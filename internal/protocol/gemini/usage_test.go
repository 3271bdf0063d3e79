package gemini

import (
	"testing"

	"portico/internal/llm"
)

func TestUsage(t *testing.T) {
	for body, want := range map[string]llm.Usage{
		`{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":15}`:                                                    {Input: 10, Output: 5},
		`{"promptTokenCount":10,"candidatesTokenCount":5,"thoughtsTokenCount":7,"totalTokenCount":22}`:                             {Input: 10, Output: 5, Reasoning: 7},
		`{"promptTokenCount":1000,"cachedContentTokenCount":900,"candidatesTokenCount":5,"totalTokenCount":1005}`:                  {Input: 100, CacheRead: 900, Output: 5},
		`{"promptTokenCount":70,"toolUsePromptTokenCount":390,"candidatesTokenCount":31,"thoughtsTokenCount":175}`:                 {Input: 460, Output: 31, Reasoning: 175},
		`{"promptTokenCount":10,"cachedContentTokenCount":90}`:                                                                     {CacheRead: 10}, // never more than there is
		`{"promptTokenCount":"12","candidatesTokenCount":-3,"thoughtsTokenCount":1e99,"toolUsePromptTokenCount":2.0,"x":{"y":[]}}`: {Input: 2},
		`{"promptTokenCount":0,"trafficType":"ON_DEMAND"}`:                                                                         {},
		`null`: {},
		`[]`:   {},
		``:     {},
	} {
		got, ok := usage([]byte(body))
		if got != want || ok != (want != llm.Usage{}) {
			t.Errorf("%s: got %+v, %v; want %+v", body, got, ok, want)
		}
	}
}
