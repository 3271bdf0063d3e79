package gemini

import (
	"encoding/json/jsontext"
	"slices"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// call reads a functionCall. One without an id gets one that is made of where
// it stands and what it says, so that it is the same whenever it is read (spec:
// upstreams §2.4, translation-traps C31, F16).
func (d *decoder) call(v []byte) *llm.Call {
	c := &llm.Call{}
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(camel(m.Name)) {
		case "id":
			c.ID = wire.Text(m.Value)
		case "name":
			c.Name = wire.Text(m.Value)
		case "args":
			c.Args = llm.PlainBytes(m.Value)
		default:
			keepIn(&c.Extra, "functionCall", m)
		}
	}
	if c.ID == "" {
		c.ID = mint(d.salt, d.turn, d.seen, c.Name, c.Args)
	}
	d.seen++
	d.calls = append(d.calls, c)
	return c
}

// result reads a functionResponse. Without an id it answers the first call of
// its name that has no result yet.
func (d *decoder) result(path string, v []byte) *llm.Result {
	r := &llm.Result{}
	var response, parts []byte
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(camel(m.Name)) {
		case "id":
			r.CallID = wire.Text(m.Value)
		case "name":
			r.Name = wire.Text(m.Value)
		case "response":
			response = m.Value
		case "parts":
			parts = m.Value
		default:
			keepIn(&r.Extra, "functionResponse", m)
		}
	}
	d.answers(r)
	said(r, response)
	if parts != nil {
		r.Parts = append(r.Parts, d.partList(path+".parts", parts)...)
	}
	return r
}

// maxOpenCalls is how many calls without a result are looked at for the one
// that a result answers.
const maxOpenCalls = 1024

// answers finds the call that r answers. Gemini CLI makes ids for the results
// of calls that had none; such a call then takes its result's id.
func (d *decoder) answers(r *llm.Result) {
	for len(d.calls) > 0 && d.calls[0] == nil {
		d.calls = d.calls[1:]
	}
	look := d.calls[:min(len(d.calls), maxOpenCalls)]
	at := slices.IndexFunc(look, func(c *llm.Call) bool { return c != nil && c.ID == r.CallID })
	if at < 0 {
		at = slices.IndexFunc(look, func(c *llm.Call) bool {
			return c != nil && c.Name == r.Name && (r.CallID == "" || minted(c.ID))
		})
	}
	if at < 0 {
		return
	}
	c := d.calls[at]
	d.calls[at] = nil
	if r.CallID == "" {
		r.CallID = c.ID
	}
	c.ID = r.CallID
}

// said reads what a function gave back. A lone text in "output" or "error" is
// that text, marked by its protocol as one that was wrapped; anything else is
// its JSON (spec: upstreams §2.4).
func said(r *llm.Result, v []byte) {
	if len(v) == 0 { // an empty object is what the function gave back
		return
	}
	if v[0] == '"' {
		r.Parts = append(r.Parts, &llm.Prose{Text: llm.Wire(v)})
		return
	}
	n := 0
	var only jsonedit.Member
	for m := range wire.Object(v) {
		if n++; string(m.Name) == "error" && !wire.Empty(m.Value) {
			r.Failed = true
		}
		only = m
	}
	if name := string(only.Name); n == 1 && (name == "output" || name == "error" && r.Failed) && only.Value[0] == '"' {
		r.Parts = append(r.Parts, &llm.Prose{Text: llm.Wire(only.Value), Extra: llm.Extra{Protocol: protocol.Gemini}})
		return
	}
	r.Parts = append(r.Parts, &llm.Prose{Text: llm.PlainBytes(v)})
}

// toolTypes are the neutral names of the tools in toolCall and toolResponse.
var toolTypes = map[string]string{"GOOGLE_SEARCH_WEB": "web_search", "GOOGLE_SEARCH": "web_search", "URL_CONTEXT": "web_fetch", "CODE_EXECUTION": "code_execution", "FILE_SEARCH": "file_search", "MCP_SERVER": "mcp"}

// runs reads what Google ran: an executableCode or a toolCall. Input is the
// part's data, verbatim.
func (d *decoder) runs(kind string, v []byte, x llm.Extra) *llm.ServerCall {
	c := &llm.ServerCall{Name: "code_execution", ID: wire.Text(d.doc.Get(v, "id")), Input: jsontext.Value(v), Extra: x}
	if kind == "toolCall" {
		c.Name = toolName(v)
		args := d.doc.Get(v, "args")
		for _, name := range []string{"queries", "urls"} {
			if c.Query = texts(d.doc.Get(args, name)); c.Query.IsSet() {
				break
			}
		}
	} else {
		c.Query = openaiwire.String(d.doc.Get(v, "code"))
	}
	if c.ID == "" {
		c.ID = mint(d.salt, d.turn, d.seen, kind, llm.PlainBytes(v))
	}
	d.code = c.ID
	d.seen++
	return c
}

// ran reads what came of it: a codeExecutionResult or a toolResponse.
func (d *decoder) ran(kind string, v []byte, x llm.Extra) *llm.ServerResult {
	r := &llm.ServerResult{Name: "code_execution", CallID: wire.Text(d.doc.Get(v, "id")), Raw: jsontext.Value(v), Extra: x}
	if kind == "toolResponse" {
		r.Name = toolName(v)
	} else {
		r.Text = openaiwire.String(d.doc.Get(v, "output"))
		outcome := wire.Text(d.doc.Get(v, "outcome"))
		r.Failed = outcome != "" && outcome != "OUTCOME_OK"
	}
	if r.CallID == "" {
		r.CallID = d.code
	}
	return r
}

// toolName is the neutral name of the tool in a toolCall or toolResponse.
func toolName(v []byte) string {
	kind := ""
	for m := range wire.Object(v) {
		if string(camel(m.Name)) == "toolType" {
			kind = wire.Text(m.Value)
		}
	}
	if name := toolTypes[kind]; name != "" {
		return name
	}
	return kind
}

// texts is the strings of the array v, with commas between.
func texts(v []byte) llm.Text {
	if len(v) == 0 || v[0] != '[' {
		return llm.Text{}
	}
	var ts []llm.Text
	for e, err := range jsonedit.Elements(v) {
		if err == nil && len(e) > 0 && e[0] == '"' {
			ts = append(ts, llm.Wire(e))
		}
	}
	if len(ts) == 0 {
		return llm.Text{}
	}
	return llm.Join(ts, ", ")
}
