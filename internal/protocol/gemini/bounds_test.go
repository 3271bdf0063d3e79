package gemini

import (
	"fmt"
	"strings"
	"testing"

	"portico/internal/llm"
)

// decodeAll is the events of chunks.
func decodeAll(t *testing.T, chunks ...string) (events []llm.Event) {
	t.Helper()
	d := New().NewDecoder()
	for _, c := range chunks {
		var err error
		if events, err = d.Feed(events, nil, []byte(c)); err != nil {
			t.Fatal(err)
		}
	}
	return d.End(events)
}

// TestPartialBounds: paths that lead too far and arguments that are too long
// are left out; the call stays.
func TestPartialBounds(t *testing.T) {
	piece := func(path, value string) string {
		return part(`{"functionCall":{"partialArgs":[{"jsonPath":"` + path + `","stringValue":"` + value + `"}],"willContinue":true}}`)
	}
	long := strings.Repeat("x", maxPartial-1000)
	events := decodeAll(t, part(`{"functionCall":{"id":"a","name":"f","willContinue":true}}`),
		piece(fmt.Sprintf("$.a[%d]", maxIndex), "far"),
		piece("$.b[-1]", "before"),
		piece("$", "root"),
		piece("nonsense", "x"),
		piece("$.c['open", "x"),
		piece("$"+strings.Repeat(".d", maxNesting+1), "deep"),
		piece("$"+strings.Repeat(".g", maxNesting), "as deep as may be"),
		piece("$.e", long), piece("$.e", long))
	var call *llm.Call
	for i := range events {
		if c, ok := events[i].What.(*llm.Call); ok {
			call = c
		}
	}
	if call == nil {
		t.Fatal("there is no call")
	}
	args := call.Args.String()
	want := `{` + strings.Repeat(`"g":{`, maxNesting-1) + `"g":"as deep as may be"` + strings.Repeat("}", maxNesting-1) + `,"e":"` + long + `"}`
	if args != want {
		t.Errorf("%d bytes of arguments, not %d: %.400s", len(args), len(want), args)
	}
}

// TestSourceBounds: so many sources are read, and so much text is kept to find
// their places; what lies beyond has none.
func TestSourceBounds(t *testing.T) {
	var chunks, supports []string
	for i := range maxSources + 100 {
		chunks = append(chunks, fmt.Sprintf(`{"web":{"uri":"u%d"}}`, i))
		supports = append(supports, fmt.Sprintf(`{"segment":{"startIndex":%d,"endIndex":%d},"groundingChunkIndices":[%d]}`, maxVisible+i, maxVisible+i+1, i))
	}
	half := strings.Repeat("x", maxVisible/2)
	events := decodeAll(t, part(`{"text":"`+half+`"}`), part(`{"text":"`+half+`"}`), part(`{"text":"`+half+`"}`),
		piece(`{"finishReason":"STOP","groundingMetadata":{"groundingChunks":[`+strings.Join(chunks, ",")+`],"groundingSupports":[`+strings.Join(supports, ",")+`]}}`))
	n := 0
	for i := range events {
		if e := &events[i]; e.Kind == llm.Cited {
			if n++; e.Cite.Start != 0 || e.Cite.End != 0 {
				t.Errorf("source %d has the place %d-%d", n, e.Cite.Start, e.Cite.End)
			}
		}
	}
	if n != maxSources {
		t.Errorf("%d sources", n)
	}
	var texts []llm.Event
	for range 3 {
		texts = append(texts, llm.Event{Kind: llm.Open, What: &llm.Prose{}}, llm.Event{Kind: llm.Grow, Text: llm.Plain(half)}, llm.Event{Kind: llm.Close})
	}
	e := New().NewEncoder(echoOf(nil)).(*streamEncoder)
	for i := range texts {
		e.Feed(nil, &texts[i])
	}
	if c := e.at(0); c.size > maxVisible {
		t.Errorf("%d bytes are kept", c.size)
	}
}

// TestOpenCalls: results in the wrong order find their calls as far as one
// looks.
func TestOpenCalls(t *testing.T) {
	const n = maxOpenCalls + 10
	var calls, results []string
	for i := range n {
		calls = append(calls, fmt.Sprintf(`{"functionCall":{"name":"f%d"}}`, i))
		results = append(results, fmt.Sprintf(`{"functionResponse":{"name":"f%d","response":{}}}`, n-1-i))
	}
	r, err := New().DecodeRequest([]byte(`{"contents":[{"role":"model","parts":[` + strings.Join(calls, ",") + `]},{"role":"user","parts":[` + strings.Join(results, ",") + `]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for _, p := range r.Messages[0].Parts {
		ids[p.(*llm.Call).Name] = p.(*llm.Call).ID
	}
	found := 0
	for _, p := range r.Messages[1].Parts {
		if x := p.(*llm.Result); x.CallID == ids[x.Name] {
			found++
		} else if x.CallID != "" {
			t.Fatalf("%s answers %s", x.Name, x.CallID)
		}
	}
	if found != maxOpenCalls {
		t.Errorf("%d of %d results found their calls", found, n)
	}
}

// TestCandidates: an index that is too large, or none, is not made room for.
func TestCandidates(t *testing.T) {
	r, err := New().DecodeResponse([]byte(`{"candidates":[{"index":1000000,"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"},{"index":-5,"content":{"parts":[{"text":"b"}]}}]}`))
	if err != nil || len(r.Answers) != maxCandidates {
		t.Error(err, len(r.Answers))
	}
}
