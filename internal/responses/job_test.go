package responses

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/jsonedit"
	"portico/internal/sse"
)

var errStop = errors.New("stop")

// begun is a job, what became of its context, and what was kept of it.
type begun struct {
	*Job
	cause error
	kept  string
}

func begin(j *Jobs, scope, id string) *begun {
	b := &begun{}
	b.Job = j.Begin(scope, id, []byte(`{"id":"`+id+`","status":"queued"}`), func(err error) { b.cause = err }, func(object []byte) { b.kept = string(object) })
	return b
}

// told is the events of b from number n on, as "number type", and whether they
// are all.
func (b *begun) told(t *testing.T, n int) (all string, end, ok bool) {
	t.Helper()
	events, end, ok := b.Next(t.Context(), n)
	var out []string
	for _, e := range events {
		data := sse.Parse(e).Data
		kind, _ := jsonedit.Unquote(jsonedit.Get(data, "type"))
		if name := string(sse.Parse(e).Event); name != kind {
			t.Errorf("the event %s is called %s", kind, name)
		}
		out = append(out, string(jsonedit.Get(data, "sequence_number"))+" "+strings.TrimPrefix(kind, "response."))
	}
	return strings.Join(out, ", "), end, ok
}

// TestJob: the events of an answer in the background are those of its stream,
// with numbers and an id of their own; they can be had from any of them on.
func TestJob(t *testing.T) {
	j := NewJobs(time.Now)
	b := begin(j, "k", "resp_1")
	for _, e := range []string{
		`{"type":"response.created","sequence_number":0,"response":{"id":"up","status":"in_progress"}}`,
		`{"type":"response.in_progress","sequence_number":1,"response":{"id":"up","status":"in_progress","background":false}}`,
		`{"type":"response.output_text.delta","delta":"x","sequence_number":7}`,
		`{"type":"response.output_text.delta","delta":"y"}`,
	} {
		b.Event([]byte(e))
	}
	if all, end, ok := b.told(t, 0); all != "0 created, 1 queued, 2 in_progress, 3 output_text.delta, 4 output_text.delta" || end || !ok {
		t.Errorf("%s %v %v", all, end, ok)
	}
	if got, want := string(b.Object()), `{"store":true,"id":"resp_1","status":"in_progress","background":true}`; got != want {
		t.Errorf("it stands at %s, want %s", got, want)
	}
	b.Event([]byte(`{"type":"response.completed","response":{"id":"up","status":"completed","output":[1]}}`))
	b.Event([]byte(`{"type":"response.output_text.delta","delta":"late"}`))
	b.Fail("server_error", "late")
	if all, end, ok := b.told(t, 4); all != "4 output_text.delta, 5 completed" || !end || !ok {
		t.Errorf("%s %v %v", all, end, ok)
	}
	if all, end, ok := b.told(t, 99); all != "" || !end || !ok {
		t.Errorf("%s %v %v", all, end, ok)
	}
	if got := string(b.Object()); !strings.Contains(got, `"output":[1]`) || !strings.Contains(got, `"resp_1"`) || b.kept != "" || j.running != 0 {
		t.Errorf("it is %s, kept %q, %d run", got, b.kept, j.running)
	}
	if j.Find("k", "resp_1") != b.Job || j.Find("bob", "resp_1") != nil {
		t.Error("not its client, and nobody else, finds it")
	}
}

// TestJobEnds: an answer that fails or is cancelled says so, to those who follow
// it and to those who ask, and is kept so.
func TestJobEnds(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(b *begun)
		want string
		last string
	}{
		{"failed", func(b *begun) { b.Fail("server_error", `it "broke"`) }, `{"error":{"code":"server_error","message":"it \"broke\""},"id":"r","status":"failed"}`, "2 failed"},
		{"failed upstream", func(b *begun) {
			b.Event([]byte(`{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"x"}}}`))
		}, `{"error":{"code":"x"},"id":"r","status":"failed"}`, "2 failed"},
		{"cancelled", func(b *begun) { b.Cancel(errStop) }, `{"error":null,"id":"r","status":"cancelled"}`, "2 incomplete"},
		{"dropped", func(b *begun) { b.jobs.Drop("k", "r", errStop) }, `{"error":null,"id":"r","status":"cancelled"}`, "2 incomplete"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j := NewJobs(time.Now)
			b := begin(j, "k", "r")
			tc.end(b)
			all, end, ok := b.told(t, 2)
			if got := string(b.Object()); got != tc.want || b.kept != tc.want || all != tc.last || !end || !ok {
				t.Errorf("it is %s\nwant %s\nkept %s\ntold %s", got, tc.want, b.kept, all)
			}
			if cancelled := tc.name == "cancelled" || tc.name == "dropped"; (b.cause != nil) != cancelled {
				t.Errorf("the work ended with %v", b.cause)
			}
			if found := j.Find("k", "r") != nil; found == (tc.name == "dropped") {
				t.Errorf("it is found: %v", found)
			}
			if j.running != 0 {
				t.Errorf("%d are counted", j.running)
			}
		})
	}
}

// TestJobBounds: how many are under way, and how much of their events is held,
// is bounded, and so is for how long.
func TestJobBounds(t *testing.T) {
	now := time.Unix(0, 0)
	j := NewJobs(func() time.Time { return now })
	var all []*begun
	for i := range MaxJobs {
		all = append(all, begin(j, "k", fmt.Sprint(i)))
	}
	if begin(j, "k", "more").Job != nil {
		t.Error("one more than may be was begun")
	}
	big := fmt.Appendf(nil, `{"type":"x","delta":"%s"}`, strings.Repeat("x", maxLogged/2))
	for range 3 {
		all[0].Event(big)
	}
	if _, end, ok := all[0].told(t, 0); ok || end {
		t.Error("events without a bound are held")
	}
	all[0].Event([]byte(`{"type":"response.completed","response":{"id":"0","status":"completed"}}`))
	if string(jsonedit.Get(all[0].Object(), "status")) != `"completed"` {
		t.Error("its answer is lost with its events")
	}
	for _, b := range all[1:12] {
		b.Event(big)
		if j.logged > maxLogs {
			t.Fatalf("%d bytes are held", j.logged)
		}
	}
	for _, b := range all[1:] {
		b.Fail("x", "x")
	}
	if j.running != 0 {
		t.Fatalf("%d are counted", j.running)
	}
	now = now.Add(lingering + time.Second)
	if j.Find("k", "5") != nil || len(j.all) != 0 || len(j.over) != 0 || j.logged != 0 {
		t.Errorf("%d are known, %d bytes held, after their time", len(j.all), j.logged)
	}
	for i := range 3 * MaxJobs {
		begin(j, "k", fmt.Sprint(i)).Fail("x", "x")
		if len(j.all) > MaxJobs+2 {
			t.Fatalf("%d are known", len(j.all))
		}
	}
}

// TestFollow: who follows an answer hears of an event as soon as there is one,
// and can leave.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := begin(NewJobs(time.Now), "k", "r")
		go func() {
			time.Sleep(time.Minute)
			b.Event([]byte(`{"type":"x"}`))
		}()
		start := time.Now()
		if all, end, ok := b.told(t, 2); all != "2 x" || end || !ok || time.Since(start) != time.Minute {
			t.Errorf("%s %v %v after %s", all, end, ok, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if events, end, _ := b.Next(ctx, 3); len(events) != 0 || !end {
			t.Errorf("%d events, %v", len(events), end)
		}
		b.Fail("x", "x")
	})
}

// TestDrain: answers under way are waited for, then ended; none begins.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := NewJobs(time.Now)
		a, b := begin(j, "k", "a"), begin(j, "k", "b")
		go func() {
			time.Sleep(time.Second)
			a.Fail("x", "x")
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		j.Drain(ctx, errStop)
		if time.Since(start) != time.Minute || a.cause != nil || !errors.Is(b.cause, errStop) {
			t.Errorf("after %s: %v, %v", time.Since(start), a.cause, b.cause)
		}
		if begin(j, "k", "c").Job != nil {
			t.Error("another one was begun")
		}
		b.Fail("x", "x")
		if j.Drain(t.Context(), errStop); time.Since(start) != time.Minute {
			t.Error("nobody is waited for")
		}
	})
}

// TestLost: what was to come when the process ended has failed.
func TestLost(t *testing.T) {
	for object, pending := range map[string]bool{
		`{"status":"queued"}`: true, `{"status":"in_progress"}`: true, `{"status":"completed"}`: false, `{}`: false,
	} {
		if Pending([]byte(object)) != pending {
			t.Errorf("%s", object)
		}
	}
	got := Lost([]byte(`{"id":"r","status":"queued","error":null}`))
	if string(jsonedit.Get(got, "status")) != `"failed"` || string(jsonedit.Path(got, "error", "code")) != `"server_error"` {
		t.Errorf("it is %s", got)
	}
}

// TestWatcher: the answer is found in a stream, whatever the upstream repeats at
// its end.
func TestWatcher(t *testing.T) {
	for _, tc := range []struct {
		name   string
		events []string
		id     string
		output string
	}{
		{"repeated", []string{`{"type":"response.output_item.done","item":{"n":1}}`, `{"type":"response.completed","response":{"id":"r","output":[{"n":2}]}}`}, "r", `{"n":2}`},
		{"not repeated", []string{`{"type":"response.output_item.done","item":{"n":1}}`, `{"type":"response.incomplete","response":{"id":"r","output":[]}}`}, "r", `{"n":1}`},
		{"left out", []string{`{"type":"response.output_item.done","item":{"n":1}}`, `{"type":"response.completed","response":{"id":"r"}}`}, "r", `{"n":1}`},
		{"too much", []string{`{"type":"response.output_item.done","item":"` + strings.Repeat("x", 100) + `"}`, `{"type":"response.completed","response":{"id":"r"}}`}, "r", ``},
		{"failed", []string{`{"type":"response.failed","response":{"id":"r"}}`}, "", ""},
		{"no id", []string{`{"type":"response.completed","response":{}}`}, "", ""},
		{"a long id", []string{`{"type":"response.completed","response":{"id":"` + strings.Repeat("x", MaxID+1) + `"}}`}, "", ""},
	} {
		w, got, output := NewWatcher(100), "", ""
		for _, e := range tc.events {
			if id, _, out, ok := w.Event([]byte(e)); ok {
				got, output = id, string(out)
			}
		}
		if got != tc.id || output != tc.output {
			t.Errorf("%s: %q %s, want %q %s", tc.name, got, output, tc.id, tc.output)
		}
	}
}
