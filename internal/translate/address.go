package translate

import "portico/internal/llm"

// addresses tells the address of a picture where the upstream takes pictures as
// data only: nothing is fetched here.
func (d *draft) addresses() {
	if !d.to.Quirks.InlineImages {
		return
	}
	for i := range d.Messages {
		for j, p := range d.Messages[i].Parts {
			if b, ok := p.(*llm.Blob); ok && b.Kind == llm.Image && b.URL != "" {
				d.Messages[i].Parts[j] = &llm.Prose{Text: llm.Plain("[Picture at " + b.URL + "]")}
				d.lose(at(i, j), "approximated: the upstream takes pictures as data only, so their address is told")
			}
		}
	}
}
