package main

import "bytes"

// unsound says why a recorded answer measures nobody, "" if it does: what was
// recorded is then not one answer of an upstream. want is what was read of it.
func unsound(c *recording, want *digest, err error) string {
	switch {
	case err != nil:
		return "no JSON"
	case c.sse && glued(c.protocol, c.response):
		return "several answers, one behind the other"
	case want.bad == contradicts:
		return "edited by who recorded it: its deltas and its end say different things"
	case want.failed:
		return ""
	case c.sse && want.finish == "" && !want.useless():
		return "a stream that is cut short: it never says that it is done"
	}
	return ""
}

// useless reports whether an answer says nothing at all, for no reason that is
// known everywhere. A gateway may pass it on like that, or tell it as an error.
func (d *digest) useless() bool {
	return d.assistant+d.thinking == "" && len(d.calls) == 0 && !d.other && (d.finish == "" || d.finish == other)
}

// glued reports whether a stream holds more than one answer: another one begins
// where one has begun or ended. No gateway passes on what follows an end.
func glued(protocol string, raw []byte) bool {
	id, over := "", false
	for _, e := range events(raw) {
		v, err := tree(bytes.TrimSpace(e.data))
		if err != nil {
			continue
		}
		o := obj(v)
		own := ""
		switch protocol {
		case "openai-responses":
			if str(o["type"]) != "response.created" {
				continue
			}
			own, over = str(obj(o["response"])["id"]), true
		case "anthropic":
			if str(o["type"]) != "message_start" {
				continue
			}
			own, over = str(obj(o["message"])["id"]), true
		default:
			own = str(pick(o, "id", "responseId"))
		}
		if over && id != "" && own != "" && own != id {
			return true
		}
		if own != "" {
			id = own
		}
		over = over || str(pick(first(o["choices"]), "finish_reason")) != "" || str(first(o["candidates"])["finishReason"]) != ""
	}
	return false
}
