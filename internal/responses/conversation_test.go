package responses

import "testing"

// TestConversation: a conversation grows, changes its face, and loses items;
// what was answered before stays as it was.
func TestConversation(t *testing.T) {
	both(t, wide, func(t *testing.T, s *Store, _ *clock, again func() *Store) {
		s.Put("k", "conv_1", Response{Input: []byte(`{"id":"a"}`), Object: []byte(`{"id":"conv_1"}`)})
		s.Put("k", "resp_1", Response{Before: s.Thread("k", "conv_1"), Input: []byte(`{"id":"q"}`)})
		if !s.Extend("k", "conv_1", "by", []byte(`{"id":"b"},{"role":"user"},{"type":"reasoning"},{"type":"odd"}`)) {
			t.Error("there is no conversation")
		}
		if !s.Revise("k", "conv_1", []byte(`{"id":"conv_1","metadata":{"x":"y"}}`)) || !s.Omit("k", "conv_1", "a") || s.Omit("k", "conv_1", "a") {
			t.Error("it cannot be changed")
		}
		if s.Extend("bob", "conv_1", "", nil) || s.Revise("bob", "conv_1", nil) || s.Omit("bob", "conv_1", "b") || s.Extend("k", "conv_2", "", nil) {
			t.Error("one that is not there was changed")
		}
		for _, s := range []*Store{s, again()} {
			want := `{"id":"b"},{"id":"msg_by_1","role":"user"},{"id":"rs_by_2","type":"reasoning"},{"id":"item_by_3","type":"odd"}`
			if got := s.said(t, "k", "conv_1"); got != want {
				t.Errorf("it says %s\nwant %s", got, want)
			}
			if got, want := string(s.Object("k", "conv_1")), `{"id":"conv_1","metadata":{"x":"y"}}`; got != want {
				t.Errorf("it is %s, want %s", got, want)
			}
			if got, want := s.said(t, "k", "resp_1"), `{"id":"a"},{"id":"q"}`; got != want {
				t.Errorf("the answer says %s, want %s", got, want)
			}
			if got := string(Item([]byte(want), "msg_by_1")); got != `{"type":"message","id":"msg_by_1","role":"user"}` {
				t.Errorf("an item is %s", got)
			}
			if Item([]byte(want), "none") != nil {
				t.Error("an item that is not there")
			}
		}
		if !s.Delete("k", "conv_1") || again().holds("k", "conv_1") || !again().holds("k", "resp_1") {
			t.Error("not the conversation is gone, and nothing else")
		}
	})
}
