package translate

import (
	"slices"
	"strconv"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// A draft is the request on its way to one upstream. The passes replace what
// they change: parts and texts belong to the client's request, which may have
// to be put to another upstream afterwards.
type draft struct {
	*llm.Request
	b       *Bridge
	to      *Upstream
	home    bool // client and upstream speak the same protocol
	takes   limits
	quirks  quirks
	plan    plan
	losses  []llm.Loss
	matches issuer
	shared  bool              // what only OpenAI's two protocols know was carried
	items   map[string]string // OpenAI's own tools by name: the type of their calls
}

// A plan is what a request demands of its answer.
type plan struct {
	tools  map[string]*tool // by the names that the upstream knows them by
	stops  []string         // what ends the answer and was not told to the upstream
	single bool             // only one call may be given to the client
	issuer issuer           // whose seals come with the answer
}

func newDraft(b *Bridge, to *Upstream) *draft {
	r := *b.req
	d := &draft{Request: &r, b: b, to: to, home: b.client.Name() == b.upstream.Name(), takes: limitsOf(b.upstream.Name(), to), quirks: quirksOf(b.upstream.Name(), to)}
	d.matches = issuerOf(b.upstream.Name(), to)
	d.plan.issuer = d.matches
	n := 0
	r.Messages = slices.Clone(r.Messages)
	for i := range r.Messages {
		n += len(r.Messages[i].Parts)
	}
	all := make([]llm.Part, 0, n)
	for i := range r.Messages {
		m := &r.Messages[i]
		from := len(all)
		all = append(all, m.Parts...)
		m.Parts = all[from:len(all):len(all)]
	}
	r.Tools = slices.Clone(r.Tools)
	r.Choice.Tools = slices.Clone(r.Choice.Tools)
	return d
}

// prepare makes the request fit its upstream. Seals are remembered and looked
// up by the ids that the client knows, so they come before the ids; tools are
// settled before the calls that name them.
func (d *draft) prepare() error {
	if d.home {
		d.seals()
		d.addresses()
		return nil
	}
	d.billing()
	d.updates()
	d.hosted()
	d.seals()
	d.remember()
	d.echo()
	d.pair()
	d.name()
	d.ids()
	d.knobs()
	d.form()
	d.stop()
	d.addresses()
	d.caching()
	if d.Parallel != nil && !*d.Parallel && d.b.upstream.Name() == protocol.Gemini {
		d.plan.single = true
		d.lose("parallel_tool_calls", "emulated: only the first call of a turn is told, since the upstream cannot be asked for one")
	}
	return nil
}

func (d *draft) lose(path, why string) {
	d.losses = append(d.losses, llm.Loss{Path: path, Why: why})
}

// at is the path of a part.
func at(message, part int) string {
	return "messages[" + strconv.Itoa(message) + "].content[" + strconv.Itoa(part) + "]"
}
