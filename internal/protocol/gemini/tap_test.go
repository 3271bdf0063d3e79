package gemini

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/llm"
	"portico/internal/protocol"
)

const (
	none = protocol.Mark(0)
	some = protocol.Meaningful
	last = protocol.Meaningful | protocol.Final
	bad  = protocol.Failed
)

func candidate(parts, finish string) string {
	if finish != "" {
		finish = `,"finishReason":"` + finish + `"`
	}
	return `{"content":{"role":"model","parts":[` + parts + `]}` + finish + `,"index":0}`
}

func chunk(parts, finish, usage string) string {
	if usage != "" {
		usage = `,"usageMetadata":{` + usage + `}`
	}
	return `{"candidates":[` + candidate(parts, finish) + `]` + usage + `,"modelVersion":"gemini-x","responseId":"r1"}`
}

const (
	hi     = `{"text":"hi"}`
	call   = `{"functionCall":{"name":"f","args":{"a":1}}}`
	prompt = `"promptTokenCount":7,"totalTokenCount":7`
	counts = `"promptTokenCount":7,"candidatesTokenCount":2,"totalTokenCount":9`
	mused  = `"promptTokenCount":7,"thoughtsTokenCount":3,"totalTokenCount":10`
)

func TestFrame(t *testing.T) {
	type seen struct {
		Stop     string
		Finished bool
		Usage    llm.Usage
		Out      int64
		Code     string // of the error; "-" if it has none
	}
	used := llm.Usage{Input: 7, Output: 2}
	for name, c := range map[string]struct {
		frames []string
		marks  []protocol.Mark
		want   seen
	}{
		"an ordinary answer": {
			[]string{chunk(hi, "", prompt), chunk(hi, "STOP", counts)},
			[]protocol.Mark{some, last},
			seen{"STOP", true, used, 4, ""},
		},
		"usage in a chunk of its own": {
			[]string{chunk(hi, "STOP", ""), `{"usageMetadata":{` + counts + `}}`},
			[]protocol.Mark{last, last},
			seen{"STOP", true, used, 2, ""},
		},
		"no reason": {
			[]string{chunk(hi, "", counts)}, []protocol.Mark{some}, seen{"", false, used, 2, ""},
		},
		"a reason that is none": {
			[]string{chunk(hi, "FINISH_REASON_UNSPECIFIED", counts)}, []protocol.Mark{some}, seen{"", false, used, 2, ""},
		},
		"a thought, a call, an image": {
			[]string{chunk(`{"text":"hm","thought":true}`, "", ""), chunk(call, "", ""), chunk(`{"inlineData":{"mimeType":"image/png","data":"AAAA"}}`, "", ""), chunk("", "STOP", "")},
			[]protocol.Mark{some, some, some, last},
			seen{"STOP", true, llm.Usage{}, 9, ""},
		},
		"code that the upstream runs": {
			[]string{chunk(`{"executableCode":{"language":"PYTHON","code":"x=1"}}`, "", ""), chunk(`{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"1"}}`, "", "")},
			[]protocol.Mark{some, some},
			seen{"", false, llm.Usage{}, 3, ""},
		},
		"empty texts and roles mean nothing": {
			[]string{`{}`, `{"candidates":[]}`, chunk("", "", ""), chunk(`{"text":""}`, "", ""), chunk(`{"text":"","thought":true}`, "", ""), `{"candidates":[{"content":{"role":"model"}}]}`, `{"candidates":[{"index":0}]}`, `{"candidates":[7,null]}`, ""},
			[]protocol.Mark{none, none, none, none, none, none, none, none, none},
			seen{"", false, llm.Usage{}, 0, ""},
		},
		"a signature alone is carried": {
			[]string{chunk(`{"text":"","thoughtSignature":"AAAA"}`, "", "")}, []protocol.Mark{some}, seen{"", false, llm.Usage{}, 0, ""},
		},
		"a signature after the end leaves it": {
			[]string{chunk(hi, "STOP", counts), chunk(`{"text":"","thoughtSignature":"AAAA"}`, "", "")}, []protocol.Mark{last, last}, seen{"STOP", true, used, 2, ""},
		},
		"an answer goes on after STOP": {
			[]string{chunk(call, "STOP", counts), chunk(hi, "", "")}, []protocol.Mark{last, some}, seen{"STOP", false, used, 9, ""},
		},
		"and ends once more": {
			[]string{chunk(call, "STOP", counts), chunk(hi, "", ""), chunk(hi, "MAX_TOKENS", "")}, []protocol.Mark{last, some, last}, seen{"MAX_TOKENS", true, used, 11, ""},
		},
		"STOP with every chunk, as old models do": {
			[]string{chunk(hi, "STOP", ""), chunk(hi, "STOP", ""), `{"candidates":[{"finishReason":"RECITATION","index":0}]}`},
			[]protocol.Mark{last, last, last},
			seen{"RECITATION", true, llm.Usage{}, 4, ""},
		},
		"two candidates": {
			[]string{`{"candidates":[` + candidate(hi, "") + `,{"index":1,"content":{"parts":[` + hi + `]},"finishReason":"SAFETY"}]}`, chunk("", "STOP", counts)},
			[]protocol.Mark{last, last},
			seen{"STOP", true, used, 4, ""},
		},
		"one of two candidates": {
			[]string{`{"candidates":[` + candidate(hi, "STOP") + `,{"index":1,"content":{"parts":[` + hi + `]}}]}`},
			[]protocol.Mark{last},
			seen{"STOP", false, llm.Usage{}, 4, ""},
		},
		"candidates beyond all bounds": {
			[]string{`{"candidates":[{"index":1e9,"content":{"parts":[` + hi + `]},"finishReason":"STOP"},{"index":-4,"finishReason":"OTHER"}]}`},
			[]protocol.Mark{last},
			seen{"OTHER", true, llm.Usage{}, 2, ""},
		},
		"reasons as numbers": {
			[]string{`{"candidates":[{"content":{"parts":[` + hi + `]},"finishReason":0}]}`, `{"candidates":[{"finishReason":2}]}`},
			[]protocol.Mark{some, last},
			seen{"2", true, llm.Usage{}, 2, ""},
		},

		"a refused prompt is an answer": {
			[]string{`{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{` + prompt + `}}`},
			[]protocol.Mark{last},
			seen{"PROHIBITED_CONTENT", true, llm.Usage{Input: 7}, 0, ""},
		},
		"so is one that is only refused in words": {
			[]string{`{"candidates":[],"promptFeedback":{"blockReasonMessage":"no"}}`}, []protocol.Mark{last}, seen{"", true, llm.Usage{}, 0, ""},
		},
		"ratings refuse nothing": {
			[]string{`{"promptFeedback":{"safetyRatings":[{"probability":"LOW"}],"blockReason":"BLOCK_REASON_UNSPECIFIED","blockReasonMessage":""}}`}, []protocol.Mark{none}, seen{"", false, llm.Usage{}, 0, ""},
		},
		"what a filter leaves nothing of": {
			[]string{`{"candidates":[{"finishReason":"SAFETY"}],"usageMetadata":{` + prompt + `}}`}, []protocol.Mark{last}, seen{"SAFETY", true, llm.Usage{Input: 7}, 0, ""},
		},
		"a call that the model garbled": {
			[]string{chunk("", "MALFORMED_FUNCTION_CALL", prompt)}, []protocol.Mark{last}, seen{"MALFORMED_FUNCTION_CALL", true, llm.Usage{Input: 7}, 0, ""},
		},

		"STOP, and nothing written": {
			[]string{chunk(`{"text":""}`, "STOP", prompt)}, []protocol.Mark{bad}, seen{"STOP", false, llm.Usage{Input: 7}, 0, Empty},
		},
		"STOP as a number, and nothing written": {
			[]string{`{"candidates":[{"finishReason":1}],"usageMetadata":{` + prompt + `}}`}, []protocol.Mark{bad}, seen{"1", false, llm.Usage{Input: 7}, 0, Empty},
		},
		"STOP, and the usage tells it later": {
			[]string{chunk("", "STOP", ""), `{"usageMetadata":{` + prompt + `}}`}, []protocol.Mark{none, bad}, seen{"STOP", false, llm.Usage{Input: 7}, 0, Empty},
		},
		"STOP, nothing and no usage": {
			[]string{chunk("", "STOP", "")}, []protocol.Mark{none}, seen{"STOP", false, llm.Usage{}, 0, ""},
		},
		"STOP after nothing but hidden thoughts": {
			[]string{chunk("", "STOP", mused)}, []protocol.Mark{last}, seen{"STOP", true, llm.Usage{Input: 7, Reasoning: 3}, 0, ""},
		},
		"STOP, and the usage tells of thoughts later": {
			[]string{chunk("", "STOP", ""), `{"usageMetadata":{` + mused + `}}`}, []protocol.Mark{none, last}, seen{"STOP", true, llm.Usage{Input: 7, Reasoning: 3}, 0, ""},
		},
		"STOP after a call, by a usage without output": {
			[]string{chunk(call, "", ""), chunk("", "STOP", prompt)}, []protocol.Mark{some, last}, seen{"STOP", true, llm.Usage{Input: 7}, 7, ""},
		},

		"an error": {
			[]string{`{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}`}, []protocol.Mark{bad}, seen{"", false, llm.Usage{}, 0, "-"},
		},
		"an error in an array": {
			[]string{chunk(hi, "", ""), `[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"reason":"QUOTA"}]}}]`}, []protocol.Mark{some, bad}, seen{"", false, llm.Usage{}, 2, "QUOTA"},
		},
		"an error beside the answer": {
			[]string{`{"candidates":[` + candidate(hi, "STOP") + `],"error":{"message":"m"}}`}, []protocol.Mark{some | bad}, seen{"STOP", false, llm.Usage{}, 2, "-"},
		},
		"no error": {
			[]string{`{"error":null,"candidates":[` + candidate(hi, "") + `]}`}, []protocol.Mark{some}, seen{"", false, llm.Usage{}, 2, ""},
		},
		"an array of chunks": {
			[]string{`[` + chunk(hi, "", "") + `,` + chunk(hi, "STOP", "") + `]`}, []protocol.Mark{last}, seen{"STOP", true, llm.Usage{}, 4, ""},
		},
		"a mark of another protocol": {
			[]string{chunk(hi, "STOP", ""), "[DONE]"}, []protocol.Mark{last, protocol.Final}, seen{"STOP", true, llm.Usage{}, 2, ""},
		},
		"no JSON":         {[]string{"<html>"}, []protocol.Mark{bad}, seen{"", false, llm.Usage{}, 0, "-"}},
		"broken JSON":     {[]string{`{"candidates":[{]}`}, []protocol.Mark{bad}, seen{"", false, llm.Usage{}, 0, "-"}},
		"a broken array":  {[]string{`[{},`}, []protocol.Mark{bad}, seen{"", false, llm.Usage{}, 0, "-"}},
		"a broken member": {[]string{`{"candidates":[1 2]}`}, []protocol.Mark{bad}, seen{"", false, llm.Usage{}, 0, "-"}},
	} {
		x := New().NewTap()
		var marks []protocol.Mark
		for _, f := range c.frames {
			marks = append(marks, x.Frame(nil, []byte(f)))
		}
		s := x.Seen()
		got := seen{s.Stop, s.Finished, s.Usage, s.OutBytes, ""}
		if s.Error != nil {
			if got.Code = s.Error.Code; got.Code == "" {
				got.Code = "-"
			}
			if s.Error.Message == "" {
				t.Errorf("%s: the error says nothing", name)
			}
		}
		if d := cmp.Diff(c.marks, marks); d != "" {
			t.Errorf("%s: marks (-want +got)\n%s", name, d)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", name, d)
		}
		if strings.HasPrefix(name, "an ordinary") && (s.ID != "r1" || s.Model != "gemini-x") {
			t.Errorf("id %q, model %q", s.ID, s.Model)
		}
	}
	x := New().NewTap()
	if mark := x.Frame([]byte("error"), []byte(`{"message":"m"}`)); mark != bad || x.Seen().Error.Message != "m" {
		t.Errorf("an event named error: %v, %+v", mark, x.Seen().Error)
	}
}

func TestBody(t *testing.T) {
	for body, want := range map[string]struct {
		stop, err string
		finished  bool
	}{
		chunk(hi, "STOP", counts):                                           {"STOP", "", true},
		chunk(hi, "", ""):                                                   {"", "", true}, // its length says that it is whole
		chunk("", "MAX_TOKENS", mused):                                      {"MAX_TOKENS", "", true},
		chunk("", "STOP", mused):                                            {"STOP", "", true},
		`{"promptFeedback":{"blockReason":"SAFETY"}}`:                       {"SAFETY", "", true},
		`{"embedding":{"values":[1]}}`:                                      {"", "", true},
		`{"embeddings":[{"values":[1]}]}`:                                   {"", "", true},
		`{"totalTokens":31,"promptTokensDetails":[]}`:                       {"", "", true},
		"[" + chunk(hi, "", "") + ",\n" + chunk("", "STOP", counts) + "]\n": {"STOP", "", true},

		chunk("", "STOP", prompt):     {"STOP", "before it had written", false},
		chunk("", "STOP", ""):         {"STOP", "before it had written", false},
		chunk(`{"text":""}`, "", ""):  {"", "holds nothing", false},
		`{"candidates":[]}`:           {"", "no candidates: {\"cand", false},
		`[]`:                          {"", "no candidates: []", false},
		``:                            {"", "the upstream's answer has no candidates", false},
		`{"object":"list","data":[]}`: {"", "no candidates", false},
		`{"error":{"code":400,"message":"m","status":"X"}}`:        {"", "m", false},
		`[{"error":{"code":400,"message":"m","status":"X"}}]`:      {"", "m", false},
		"[" + chunk(hi, "", "") + `,{"error":{"message":"late"}}]`: {"", "late", false},
		"[" + chunk(hi, "", ""):                                    {"", "no chunk", false},
		`<html><title>Sorry</title>`:                               {"", "Sorry", false},
	} {
		x := New().NewTap()
		mark := x.Body([]byte(body))
		s := x.Seen()
		msg := ""
		if s.Error != nil {
			msg = s.Error.Message
		}
		if s.Stop != want.stop || s.Finished != want.finished || !strings.Contains(msg, want.err) || (msg == "") != (want.err == "") {
			t.Errorf("%s: got %q, %v, error %q; want %+v", body, s.Stop, s.Finished, msg, want)
		}
		if mark&bad != 0 == want.finished || want.finished && mark != last {
			t.Errorf("%s: mark %v", body, mark)
		}
	}
}

func TestFrameAllocates(t *testing.T) {
	data := []byte(chunk(`{"text":"the answer \"is\" this"}`, "", counts+`,"promptTokensDetails":[{"modality":"TEXT","tokenCount":7}]`))
	end := []byte(chunk(`{"text":"","thoughtSignature":"AAAA"}`, "STOP", counts))
	x := New().NewTap()
	x.Frame(nil, data) // learns the id and the model
	if n := testing.AllocsPerRun(100, func() { x.Frame(nil, data); x.Frame(nil, end) }); n != 0 {
		t.Errorf("an ordinary chunk costs %v allocations", n)
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte(chunk(hi, "STOP", counts)), []byte(`{"error":{}}`))
	f.Add([]byte(`[{"candidates":[{"content":{"parts":[{}]}}]}]`), []byte(`{"usageMetadata":{"promptTokenCount":9e99}}`))
	f.Add([]byte(`{"promptFeedback":{"blockReason":1}}`), []byte("[DONE]"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x := New().NewTap()
		check(t, x, x.Frame(nil, a))
		check(t, x, x.Frame([]byte("error"), b)&^protocol.Failed)
		check(t, x, x.Frame(nil, b))
	})
}

func FuzzBody(f *testing.F) {
	f.Add([]byte(chunk(hi, "STOP", counts)))
	f.Add([]byte(`[{"candidates":[]},{"error":{"code":1}}]`))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		x := New().NewTap()
		mark := x.Body(body)
		check(t, x, mark)
		if mark&protocol.Failed == 0 && !x.Seen().Finished {
			t.Errorf("neither failed nor finished: %s", fmt.Sprintf("%q", body))
		}
	})
}

func check(t *testing.T, x protocol.Tap, mark protocol.Mark) {
	s := x.Seen()
	if mark&protocol.Failed != 0 && (s.Error == nil || s.Error.Message == "" || s.Finished) {
		t.Errorf("failed, but %+v", s)
	}
	u := s.Usage
	if u.Input < 0 || u.CacheRead < 0 || u.Output < 0 || u.Reasoning < 0 || s.OutBytes < 0 {
		t.Errorf("negative counts: %+v", s)
	}
}
