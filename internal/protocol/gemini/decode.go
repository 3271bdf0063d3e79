package gemini

import (
	"bytes"
	"strings"
	"time"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol/wire"
)

// maxDetails is how many bytes of an error's details are kept, maxDetail how
// many of one of them, and maxEntries how many are looked at.
const (
	maxDetails = 2048
	maxDetail  = 256
	maxEntries = 32
)

// DecodeError reads an error body: a google.rpc.Status as Google's services
// wrap it, alone or in an array, or what any other vendor sends (wire).
//
// Of Google's, Type is the status ("RESOURCE_EXHAUSTED"), Code the reason of an
// ErrorInfo ("API_KEY_INVALID"), Param the first field that a BadRequest
// blames, Link where an account's owner can mend it, After the delay of a
// RetryInfo, and Details holds ids of quotas, metadata and what is wrong with
// fields, each as name=value. Google's DebugInfo is left out: it repeats the
// API key.
func (*Codec) DecodeError(status int, body []byte) fault.Sign { return decodeError(status, body) }

func decodeError(status int, body []byte) fault.Sign {
	body = mend(body)
	s := wire.DecodeError(status, body)
	if isStatus(s.Code) {
		s.Code = "" // error.code repeats the HTTP status
	}
	if e := rpcStatus(body); e != nil {
		g := google{sign: &s}
		s.Code, s.Details = "", ""
		g.read(e)
	}
	return s
}

// isStatus reports whether s is the number of an HTTP error.
func isStatus(s string) bool { return len(s) == 3 && (s[0] == '4' || s[0] == '5') }

// rpcStatus is the google.rpc.Status in body, or nil if there is none.
func rpcStatus(body []byte) []byte {
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '[' {
		for e, err := range jsonedit.Elements(body) {
			if err != nil {
				return nil
			}
			body = e
			break
		}
	}
	e := jsonedit.Get(body, "error")
	for m := range wire.Object(e) {
		switch string(m.Name) {
		case "status":
			if m.Value[0] == '"' {
				return e
			}
		case "details":
			if m.Value[0] == '[' {
				return e
			}
		}
	}
	return nil
}

// google gathers the details of a google.rpc.Status. The first of a kind
// counts.
type google struct {
	sign *fault.Sign
	help string // the link of a Help
}

func (g *google) read(status []byte) {
	details := jsonedit.Get(status, "details")
	n := 0
	if len(details) > 0 && details[0] == '[' {
		for d, err := range jsonedit.Elements(details) {
			if n++; err != nil || n > maxEntries {
				break
			}
			g.detail(d)
		}
	}
	if g.sign.Link == "" {
		g.sign.Link = g.help
	}
}

// detail reads one detail. Kinds are told by their members, since reports and
// gateways lose the "@type".
func (g *google) detail(d []byte) {
	for m := range wire.Object(d) {
		switch string(m.Name) {
		case "reason": // ErrorInfo
			if g.sign.Code == "" {
				g.sign.Code = short(wire.Text(m.Value))
			}
		case "domain":
			g.note("domain", m.Value)
		case "metadata":
			g.metadata(m.Value)
		case "violations": // QuotaFailure, PreconditionFailure
			g.each(m.Value, "quotaId", "quotaMetric", "quotaValue", "type", "subject", "description")
		case "fieldViolations": // BadRequest
			if g.sign.Param == "" {
				g.sign.Param = short(wire.Text(jsonedit.Get(first(m.Value), "field")))
			}
			g.each(m.Value, "field", "description")
		case "links": // Help
			if g.help == "" {
				g.help = link(jsonedit.Get(first(m.Value), "url"))
			}
		}
	}
}

// metadata reads that of an ErrorInfo. Some of it is where the account's owner
// must go, and Code Assist's delay until a quota is renewed.
func (g *google) metadata(v []byte) {
	n := 0
	for m := range wire.Object(v) {
		if n++; n > maxEntries {
			return
		}
		switch string(m.Name) {
		case "validation_url", "validation_link", "activationUrl":
			if g.sign.Link == "" {
				g.sign.Link = link(m.Value)
			}
			continue
		case "quotaResetDelay":
			if d, err := time.ParseDuration(wire.Text(m.Value)); err == nil && d > 0 && g.sign.After == 0 {
				g.sign.After = min(d, fault.MaxWait)
			}
		}
		g.note(string(m.Name), m.Value)
	}
}

// each notes members of the objects in the array v.
func (g *google) each(v []byte, names ...string) {
	if len(v) == 0 || v[0] != '[' {
		return
	}
	n := 0
	for e, err := range jsonedit.Elements(v) {
		if n++; err != nil || n > maxEntries {
			return
		}
		for _, name := range names {
			g.note(name, jsonedit.Get(e, name))
		}
	}
}

// note adds name=value to the details, if the value is a string or a number and
// there is room.
func (g *google) note(name string, v []byte) {
	text := wire.Text(v)
	if text == "" && len(v) > 0 && v[0] != '"' && v[0] != '{' && v[0] != '[' {
		text = string(v)
	}
	if text == "" {
		return
	}
	text = short(name) + "=" + short(text)
	if g.sign.Details != "" {
		text = "; " + text
	}
	if len(g.sign.Details)+len(text) <= maxDetails {
		g.sign.Details += text
	}
}

// first is the first element of the array v, or nil.
func first(v []byte) []byte {
	if len(v) > 0 && v[0] == '[' {
		for e, err := range jsonedit.Elements(v) {
			if err == nil {
				return e
			}
		}
	}
	return nil
}

// link is the web address v, or "".
func link(v []byte) string {
	s := wire.Text(v)
	if len(s) > maxDetails || !strings.HasPrefix(s, "https://") {
		return ""
	}
	return s
}

// short is s, valid UTF-8 and at most maxDetail bytes long.
func short(s string) string {
	if len(s) > maxDetail {
		s = s[:maxDetail]
	}
	return strings.ToValidUTF8(s, "")
}

// mend drops commas that are followed by another one or by a closing bracket.
// Code Assist is known to send such JSON (spec: upstreams §4.4). A body without
// them is returned as it is.
func mend(body []byte) []byte {
	var out []byte
	done, comma := 0, -1 // bytes in out; the last comma if only space followed
	for i := 0; i < len(body); i++ {
		switch b := body[i]; {
		case isSpace(b):
			continue
		case b == '"':
			for i++; i < len(body) && body[i] != '"'; i++ {
				if body[i] == '\\' {
					i++
				}
			}
			comma = -1
		case b == ',' || b == ']' || b == '}':
			if comma >= 0 {
				out = append(out, body[done:comma]...)
				done = comma + 1
			}
			comma = -1
			if b == ',' {
				comma = i
			}
		default:
			comma = -1
		}
	}
	if done == 0 {
		return body
	}
	return append(out, body[done:]...)
}
