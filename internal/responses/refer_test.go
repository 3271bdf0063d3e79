package responses

import "testing"

func TestResolve(t *testing.T) {
	s, _ := roomy()
	s.Put("k", "resp_req_1", Response{Output: []byte(`{"id":"rs_req_1_0","type":"reasoning"},{"id":"fc_req_1_1","type":"function_call"}`)})
	for _, tc := range []struct{ name, scope, items, want string }{
		{"one", "k", `{"type":"item_reference","id":"fc_req_1_1"},{"x":1}`, `{"id":"fc_req_1_1","type":"function_call"},{"x":1}`},
		{"two", "k", `{"type":"item_reference","id":"rs_req_1_0"},{"type":"item_reference","id":"fc_req_1_1"}`, `{"id":"rs_req_1_0","type":"reasoning"},{"id":"fc_req_1_1","type":"function_call"}`},
		{"another's", "x", `{"type":"item_reference","id":"fc_req_1_1"}`, `{"type":"item_reference","id":"fc_req_1_1"}`},
		{"an item that is not there", "k", `{"type":"item_reference","id":"fc_req_1_2"}`, `{"type":"item_reference","id":"fc_req_1_2"}`},
		{"an answer that is not there", "k", `{"type":"item_reference","id":"fc_req_2_1"}`, `{"type":"item_reference","id":"fc_req_2_1"}`},
		{"an odd id", "k", `{"type":"item_reference","id":"x"}`, `{"type":"item_reference","id":"x"}`},
		{"a text about it", "k", `{"type":"message","content":"item_reference"}`, `{"type":"message","content":"item_reference"}`},
		{"nothing", "k", ``, ``},
	} {
		if got := string(s.Resolve(tc.scope, []byte(tc.items))); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestFresh(t *testing.T) {
	const before = `{"id":"msg_1"},{"id":"fc_1","type":"function_call","call_id":"c1"}`
	for _, tc := range []struct{ name, items, want string }{
		{"new", `{"id":"msg_2"},{"role":"user"}`, `{"id":"msg_2"},{"role":"user"}`},
		{"the same id", `{"id":"msg_1","x":1},{"role":"user"}`, `{"role":"user"}`},
		{"the same call", `{"type":"function_call","call_id":"c1"}`, ``},
		{"its result", `{"type":"function_call_output","call_id":"c1"}`, `{"type":"function_call_output","call_id":"c1"}`},
		{"a reference", `{"type":"item_reference","id":"fc_1"},{"role":"user"}`, `{"role":"user"}`},
		{"the same words", `{"role":"user"},{"role":"user"}`, `{"role":"user"},{"role":"user"}`},
		{"no objects", `1,"x"`, `1,"x"`},
		{"nothing", ``, ``},
	} {
		if got := string(Fresh([]byte(before), []byte(tc.items))); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}
