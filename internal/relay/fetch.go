package relay

import (
	"errors"
	"fmt"
	"strings"

	"portico/internal/fault"
	"portico/internal/fetch"
	"portico/internal/llm"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/translate"
)

// A gatherer is a carrier of requests that may name files by their addresses.
type gatherer interface {
	// addresses lists those that have to be fetched for this upstream.
	addresses(to *pool.Account, served string) []translate.Address
	// give has f stand in the place of its address.
	give(url string, f translate.File)
}

func (t *translation) addresses(to *pool.Account, served string) []translate.Address {
	return t.bridge.Addresses(upstreamOf(t.c, to, served, t.bare))
}

func (t *translation) give(url string, f translate.File) { t.bridge.Give(url, f) }

// fetches reports whether the operator has files fetched.
func (a *answer) fetches() bool { return a.r.fetch != nil && a.c.Settings.Fetch != nil }

// fetchFor fetches the files that g's request has to take along, one after the
// other, while the account is leased. They are the same in the next turn of the
// conversation, which finds them in the cache.
func (a *answer) fetchFor(g gatherer, to *pool.Account, served string) error {
	if !a.fetches() {
		return nil
	}
	p := *a.c.Settings.Fetch
	all := g.addresses(to, served)
	if len(all) > p.Files {
		return unfetched(all[p.Files].Path, fmt.Errorf("the request names more than %d files by their addresses that have to be fetched (fetch.files)", p.Files))
	}
	var n int64
	for _, x := range all {
		f, err := a.r.fetch.Get(a.ctx, x.URL, seats[x.Kind], &p)
		if a.ctx.Err() != nil {
			return a.gone()
		}
		if err != nil {
			return unfetched(x.Path, err)
		}
		g.give(x.URL, translate.File{Type: f.Type, Data: f.Data})
		n += f.Size
		p.Bytes -= f.Size // of what is left for the others
	}
	if len(all) > 0 {
		a.noteEdit(fmt.Sprintf("files=%d of %d bytes", len(all), n))
	}
	return nil
}

var seats = [...]fetch.Seat{llm.Image: fetch.Image, llm.Audio: fetch.Sound, llm.Document: fetch.Document}

// unfetched is the refusal of a request whose file could not be had. Vendors
// who fetch by themselves refuse it likewise.
func unfetched(path string, err error) error {
	f := &fault.Fault{Class: fault.Malformed, Code: "file_not_fetched", Param: path, Msg: err.Error(), Err: err}
	if e, ok := errors.AsType[*fetch.Error](err); ok && e.Busy {
		f.Class, f.Param = fault.Busy, ""
	}
	return f
}

// noteEdit notes a change of the request that the settings made. What is said
// anew of the same thing replaces what was said before.
func (a *answer) noteEdit(edit string) {
	what, _, _ := strings.Cut(edit, "=")
	edits := make([]string, 0, len(a.x.Edits)+1)
	for _, e := range a.x.Edits { // a record may hold the old list
		if !strings.HasPrefix(e, what+"=") {
			edits = append(edits, e)
		}
	}
	a.x.Edits = append(edits, edit)
}

// inlined is the client's own request with the files in it that an upstream of
// the same protocol does not take by their addresses.
func (a *answer) inlined(t asked, to *pool.Account, model string) (asked, error) {
	client, ok := a.c.Codec.(protocol.Translator)
	if !ok || a.c.Op != protocol.Chat || !a.fetches() || !provider.QuirksOf(to.By, to.Account).InlineImages {
		return t, nil
	}
	b, err := translate.New(client, client, t.body, a.r.options(a.c))
	if err != nil {
		return t, nil // whoever is asked says what is wrong with it
	}
	home := &homebound{b, upstreamOf(a.c, to, model, a.unsealed)}
	if len(home.addresses(to, model)) == 0 {
		return t, nil
	}
	if err := a.fetchFor(home, to, model); err != nil {
		return asked{}, err
	}
	if t.body, _, err = b.Request(home.to); err != nil {
		return asked{}, err
	}
	t.lasting = true
	return t, nil
}

// A homebound request stays in its protocol.
type homebound struct {
	*translate.Bridge
	to *translate.Upstream
}

func (h *homebound) addresses(*pool.Account, string) []translate.Address { return h.Addresses(h.to) }
func (h *homebound) give(url string, f translate.File)                   { h.Give(url, f) }
