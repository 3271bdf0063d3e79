package translate

import "portico/internal/llm"

// ids makes the ids of calls such as the upstream takes, the same in a call and
// in its result (spec: translation-traps A10). Nothing need be remembered: the
// upstream's own ids go to the client as they are, and come back so.
func (d *draft) ids() {
	for i := range d.Messages {
		parts := d.Messages[i].Parts
		for j, p := range parts {
			switch p := p.(type) {
			case *llm.Call:
				if id := d.takes.id.fit(p.ID); id != p.ID {
					c := *p
					c.ID, parts[j] = id, &c
				}
			case *llm.Result:
				if id := d.takes.id.fit(p.CallID); id != p.CallID {
					r := *p
					r.CallID, parts[j] = id, &r
				}
			}
		}
	}
}
