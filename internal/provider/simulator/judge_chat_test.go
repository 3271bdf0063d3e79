package simulator

import (
	"encoding/base64"
	"encoding/json/jsontext"
	"strings"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
)

type chatAnswer struct {
	ID, Object, Model string
	Created           int64
	Choices           []struct {
		Index   *int
		Message *chatDelta
		Delta   *chatDelta
		Finish  *string `json:"finish_reason"`
	}
	Usage *chatCounts
}

type chatDelta struct {
	Role      string
	Content   *string
	Reasoning *string `json:"reasoning_content"`
	Calls     []struct {
		Index    *int
		ID, Type string
		Function *struct{ Name, Arguments string }
		Custom   *struct{ Name, Input string }
	} `json:"tool_calls"`
	Images []struct {
		Type string
		URL  struct{ URL string } `json:"image_url"`
	}
}

type chatCounts struct {
	In    int64 `json:"prompt_tokens"`
	Out   int64 `json:"completion_tokens"`
	Total int64 `json:"total_tokens"`
	Read  struct {
		Cached int64 `json:"cached_tokens"`
		Write  int64 `json:"cache_write_tokens"`
	} `json:"prompt_tokens_details"`
	Detail struct {
		Reasoning int64 `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

func (c *chatCounts) usage(t testing.TB) llm.Usage {
	return sum(t, c.In, c.Out, c.Total, c.Read.Cached, c.Read.Write, c.Detail.Reasoning)
}

// take adds what a delta or a message says.
func (c *chatDelta) take(t testing.TB, x *told, open map[int]int, whole bool) {
	if c.Content != nil {
		x.Text += *c.Content
	}
	if c.Reasoning != nil {
		x.Thought += *c.Reasoning
	}
	for _, i := range c.Images {
		data, ok := strings.CutPrefix(i.URL.URL, "data:image/png;base64,")
		b, err := base64.StdEncoding.DecodeString(data)
		if !ok || err != nil || i.Type != "image_url" {
			t.Errorf("an image at %.40s: %v", i.URL.URL, err)
		}
		isPNG(t, b)
		x.Images++
	}
	for i, call := range c.Calls {
		at, begins := i, true
		if !whole {
			if call.Index == nil {
				t.Fatal("a call without an index")
			}
			at = *call.Index
			_, known := open[at]
			begins = !known
		}
		if begins {
			if call.ID == "" || (call.Type == "function") == (call.Function == nil) || (call.Type == "custom") == (call.Custom == nil) {
				t.Errorf("call %d begins as %+v", at, call)
			}
			open[at] = len(x.Calls)
			x.Calls = append(x.Calls, "")
		} else if call.ID != "" || call.Type != "" {
			t.Errorf("call %d begins twice", at)
		}
		s := &x.Calls[open[at]]
		if f := call.Function; f != nil {
			if begins {
				*s = f.Name + " "
			}
			*s += f.Arguments
		}
		if f := call.Custom; f != nil {
			if begins {
				*s = f.Name + " "
			}
			*s += f.Input
		}
	}
}

// judgeChat reads an answer of Chat Completions and checks that clients can
// live with it (spec: clients §4). usage: the stream was asked for it.
func judgeChat(t testing.TB, body []byte, streamed, usage bool) (choices []told) {
	t.Helper()
	if !streamed {
		a := read[chatAnswer](t, body)
		if a.ID == "" || a.Object != "chat.completion" || a.Model == "" || a.Created == 0 || a.Usage == nil {
			t.Errorf("the answer's head is %+v", a)
		}
		for i, c := range a.Choices {
			if c.Index == nil || *c.Index != i || c.Message == nil || c.Message.Role != "assistant" || c.Finish == nil {
				t.Errorf("choice %d is %+v", i, c)
			}
			x := told{Stop: *c.Finish, Usage: a.Usage.usage(t)}
			c.Message.take(t, &x, map[int]int{}, true)
			choices = append(choices, x)
		}
		watch(t, protocol.OpenAIChat, false, body)
		return choices
	}
	fs := cut(t, body)
	if last := fs[len(fs)-1]; string(last.Data) != "[DONE]" {
		t.Fatalf("the stream ends with %s", last.Data)
	}
	var id string
	var counts *chatCounts
	var calls []map[int]int
	for i, f := range fs[:len(fs)-1] {
		c := read[chatAnswer](t, f.Data)
		if id == "" {
			id = c.ID
		}
		if f.Event != nil || c.ID == "" || c.ID != id || c.Object != "chat.completion.chunk" || c.Model == "" || c.Created == 0 || counts != nil {
			t.Errorf("chunk %d is %s", i, f.Data)
		}
		if m := read[map[string]jsontext.Value](t, f.Data); usage != (m["usage"] != nil) {
			t.Errorf("usage in %s", f.Data)
		}
		if counts = c.Usage; counts != nil && len(c.Choices) > 0 {
			t.Errorf("usage beside choices in %s", f.Data)
		}
		for _, h := range c.Choices {
			if h.Index == nil || h.Delta == nil {
				t.Fatalf("a choice in %s", f.Data)
			}
			switch n := *h.Index; {
			case n == len(choices):
				if h.Delta.Role != "assistant" {
					t.Errorf("choice %d begins with %s", n, f.Data)
				}
				choices, calls = append(choices, told{}), append(calls, map[int]int{})
			case h.Delta.Role != "" || choices[n].Stop != "":
				t.Errorf("choice %d goes on with %s", n, f.Data)
			}
			x := &choices[*h.Index]
			h.Delta.take(t, x, calls[*h.Index], false)
			if h.Finish != nil {
				x.Stop = *h.Finish
			}
		}
	}
	if usage != (counts != nil) {
		t.Errorf("usage was asked for: %v; it came: %v", usage, counts != nil)
	}
	for i := range choices {
		if counts != nil {
			choices[i].Usage = counts.usage(t)
		}
		if choices[i].Stop == "" {
			t.Errorf("choice %d never ends", i)
		}
	}
	if usage {
		watch(t, protocol.OpenAIChat, true, body)
	}
	return choices
}
