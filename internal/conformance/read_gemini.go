package main

import (
	"slices"
	"strconv"
	"strings"
)

// A googleReader reads answers of Gemini: a whole one, or the chunks of a stream.
type googleReader struct {
	*digest
	calls []googleCall
}

// A googleCall is a call of the model's. Its arguments may come in pieces, each
// of which says where it belongs.
type googleCall struct {
	name   string
	args   any
	open   bool // more of it comes
	served bool // the answer itself holds what the tool said
}

func (g *googleReader) answer(b object) {
	if r := obj(b["response"]); r != nil {
		b = r
	}
	if b["error"] != nil {
		g.failed = true
		return
	}
	for _, y := range list(b["candidates"]) {
		if c := obj(y); num(c["index"]) == 0 {
			g.candidate(c)
		}
	}
	if len(list(b["candidates"])) == 0 && str(obj(b["promptFeedback"])["blockReason"]) != "" {
		g.finish = "filter"
	}
	if u := obj(b["usageMetadata"]); u != nil {
		g.in = num(u["promptTokenCount"]) + num(u["toolUsePromptTokenCount"])
		g.out = num(u["candidatesTokenCount"]) + num(u["thoughtsTokenCount"])
	}
}

func (g *googleReader) candidate(c object) {
	for _, y := range list(obj(c["content"])["parts"]) {
		p := obj(y)
		switch call, result := obj(p["functionCall"]), obj(p["functionResponse"]); {
		case call != nil:
			g.heard(call)
		case result != nil:
			g.ran(str(result["name"]))
		case p["thought"] == true:
			g.thinking += str(p["text"])
		default:
			g.assistant += str(p["text"])
			if in := obj(p["inlineData"]); strings.HasPrefix(str(in["mimeType"]), "image/") {
				g.images = append(g.images, image(str(in["data"])))
			}
			g.other = g.other || p["inlineData"] != nil || p["executableCode"] != nil || p["fileData"] != nil
		}
	}
	if s := str(c["finishReason"]); s != "" {
		g.finish = finishOf(s)
	}
	if n := num(c["finishReason"]); n > 0 { // some libraries write the number of the enum
		g.finish = finishOf([]string{other, "STOP", "MAX_TOKENS", "SAFETY"}[min(n, 4)%4])
	}
}

// heard takes a call or the next piece of the one that is open.
func (g *googleReader) heard(call object) {
	name := str(call["name"])
	if n := len(g.calls); name == "" && n > 0 && g.calls[n-1].open {
		g.grow(&g.calls[n-1], call)
		return
	}
	g.calls = append(g.calls, googleCall{name: name, args: call["args"]})
	g.grow(&g.calls[len(g.calls)-1], call)
}

func (g *googleReader) grow(c *googleCall, call object) {
	c.open = call["willContinue"] == true
	for _, y := range list(call["partialArgs"]) {
		p := obj(y)
		c.args = put(c.args, steps(str(p["jsonPath"])), p)
	}
}

// ran: the upstream had the tool called itself, so that nobody else has to.
func (g *googleReader) ran(name string) {
	for i := range g.calls {
		if c := &g.calls[i]; c.name == name && !c.served {
			c.served = true
			return
		}
	}
}

func (g *googleReader) end() {
	for _, c := range g.calls {
		if !c.served {
			g.call(c.name, c.args)
		}
	}
	g.called()
}

// steps are the names and indices of a path like $.items[2].name.
func steps(path string) (out []string) {
	path = strings.NewReplacer("['", ".", "']", "", "[", ".", "]", "").Replace(strings.TrimPrefix(path, "$"))
	for s := range strings.SplitSeq(path, ".") {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// maxIndex bounds the lists that paths make.
const maxIndex = 1000

// put is v with the value of a piece at a path: texts grow, others are set.
func put(v any, path []string, piece object) any {
	if len(path) == 0 {
		if s, ok := piece["stringValue"].(string); ok {
			return str(v) + s
		}
		return pick(piece, "numberValue", "boolValue")
	}
	if n, err := strconv.Atoi(path[0]); err == nil && n >= 0 && n < maxIndex {
		l := slices.Clone(list(v))
		for len(l) <= n {
			l = append(l, nil)
		}
		l[n] = put(l[n], path[1:], piece)
		return l
	}
	o := obj(v)
	if o == nil {
		o = object{}
	}
	o[path[0]] = put(o[path[0]], path[1:], piece)
	return o
}
