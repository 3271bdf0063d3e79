package main

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"portico/internal/rig"
)

// A book is what the clients know: which requests they sent, and what they got
// whole. Requests are known by their User-Agent, which is another for each, so
// that a request that is in the ledger twice is found under whichever ids.
type book struct {
	mu    sync.Mutex
	since time.Time        // a little before the first request that is not compared yet
	sent  map[string]bool  // agents of requests that are not compared yet
	acks  map[string]ack   // by the gateway's request id
	seen  map[string]uint8 // every agent in the ledger so far

	acked, missing, doubled, cut int
	answers, refusals, breaks    int // kinds of what was acknowledged
	translated                   int // of all of them
	faults                       []string

	rows, in, out int64 // of the whole ledger
}

// An ack is what a client got whole.
type ack struct {
	ask rig.Ask
	got *rig.Answer
}

func newBook() book {
	return book{sent: map[string]bool{}, acks: map[string]ack{}, seen: map[string]uint8{}}
}

// begin begins a round.
func (b *book) begin() { b.since = time.Now().Add(-time.Millisecond) }

func (b *book) send(agent string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent[agent] = true
}

// got notes what came of a request. An answer counts as soon as its protocol's
// own end has come, whatever happens to the connection afterwards.
func (b *book) got(a rig.Ask, x *rig.Answer) {
	if x.ID == "" || !x.Whole && (x.Told == "" || x.Err != nil) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.acked++
	switch {
	case x.Status != http.StatusOK:
		b.refusals++
	case x.Told != "":
		b.breaks++
	default:
		b.answers++
	}
	b.acks[x.ID] = ack{a, x}
}

func (b *book) wrong(format string, args ...any) {
	if len(b.faults) < 50 {
		b.faults = append(b.faults, fmt.Sprintf(format, args...))
	}
}

// compare compares the rows since the last comparison.
func (b *book) compare(rows []rig.Row) {
	byID := map[string]*rig.Row{}
	for i := range rows {
		row := &rows[i]
		if byID[row.ID] != nil {
			b.doubled++
		}
		byID[row.ID] = row
		if !b.sent[row.Client] {
			if b.seen[row.Client] == 0 {
				b.wrong("row %s is of %q, who sent nothing", row.ID, row.Client)
			}
			continue // of the round before, by the margin of since
		}
		if b.seen[row.Client]++; b.seen[row.Client] > 1 {
			b.doubled++
		}
		if _, ok := b.acks[row.ID]; !ok {
			b.cut++
		}
	}
	for id, x := range b.acks {
		row := byID[id]
		if row == nil {
			b.missing++
			b.wrong("%s (%s, stream %t, status %d) is not in the ledger", id, x.ask.Protocol, x.ask.Stream, x.got.Status)
			continue
		}
		if row.Outbound != "" && row.Outbound != row.Inbound {
			b.translated++
		}
		if why := differs(x, row); why != "" {
			b.wrong("%s (%s, stream %t, fault %q): %s", id, x.ask.Protocol, x.ask.Stream, x.ask.Script.Fault, why)
		}
	}
	clear(b.sent)
	clear(b.acks)
}

// differs says what a row tells otherwise than the client knows it.
func differs(x ack, row *rig.Row) string {
	a, got := x.ask, x.got
	last := ""
	if n := len(row.Attempts); n > 0 {
		last = row.Attempts[n-1].Step
	}
	switch {
	case row.Client != a.Agent || row.Inbound != a.Protocol || row.Asked != a.Named() || row.Stream != a.Stream || row.Op != "chat":
		return fmt.Sprintf("it is another request's: %+v", row)
	case row.Status != got.Status:
		return fmt.Sprintf("status %d, the client got %d", row.Status, got.Status)
	case got.Err == nil && row.BytesOut != got.Bytes:
		return fmt.Sprintf("%d bytes out, the client got %d", row.BytesOut, got.Bytes)
	case row.Took <= 0:
		return "no time"
	case got.Status != http.StatusOK || got.Told != "":
		if row.Fault == "" {
			return "no fault, the client was told " + got.Told
		}
		if got.Status == http.StatusOK && !row.Partial {
			return "it is not partial"
		}
		return ""
	case row.Fault != "" || row.Partial || row.Estimated:
		return fmt.Sprintf("fault %q, partial %t, estimated %t of a whole answer", row.Fault, row.Partial, row.Estimated)
	case row.Account == "" || last != "served" || row.Stop == "":
		return fmt.Sprintf("account %q, last step %q, stop %q", row.Account, last, row.Stop)
	}
	u, want := row.Usage, a.Tell()
	if got.Text != a.Script.Text() {
		return fmt.Sprintf("the client itself got something else: %+v", got)
	}
	if row.Outbound != row.Inbound {
		// Protocols count the same tokens under different names.
		if is, told, all := u.Input+u.CacheRead+u.CacheWrite+u.Output+u.Reasoning, got.Usage.Tokens(), a.Script.Tokens(); is != all || told != all {
			return fmt.Sprintf("%d tokens, the client was told %d, the upstream told %d", is, told, all)
		}
		return ""
	}
	if u.Input != want.In || u.CacheRead != want.Cached || u.Output != want.Out || u.Reasoning != want.Think || u.CacheWrite != 0 {
		return fmt.Sprintf("usage %+v, the upstream told %+v", u, want)
	}
	if g := got.Usage; g.In != want.In || g.Cached != want.Cached || g.Out != want.Out || g.Think != want.Think {
		return fmt.Sprintf("the client itself got something else: %+v", got)
	}
	return ""
}

// whole looks at the ledger as a whole: nothing that was there in a round
// before is gone or has come twice.
func (b *book) whole(rows []rig.Row) {
	ids, agents := map[string]bool{}, map[string]bool{}
	for i := range rows {
		row := &rows[i]
		if ids[row.ID] || agents[row.Client] {
			b.doubled++
		}
		ids[row.ID], agents[row.Client] = true, true
		if b.seen[row.Client] == 0 {
			b.wrong("row %s (%s) came later", row.ID, row.Client)
		}
		b.rows++
		b.in += row.Usage.Input
		b.out += row.Usage.Output
	}
	for agent := range b.seen {
		if !agents[agent] {
			b.missing++
			b.wrong("%s was in the ledger and is gone", agent)
		}
	}
}

func (b *book) summary() string {
	return fmt.Sprintf("%d answers acknowledged (%d whole, %d refusals, %d broken off and told; %d of them translated), %d cut by a kill and in the ledger, %d missing, %d doubled, %d wrong",
		b.acked, b.answers, b.refusals, b.breaks, b.translated, b.cut, b.missing, b.doubled, len(b.faults))
}
