package ingress

import (
	"net/http"
	"strings"

	"portico/internal/access"
	"portico/internal/protocol"
)

// A dialect is in which of the four protocols a client speaks and is answered.
type dialect uint8

// The dialects.
const (
	asChat dialect = iota
	asResponses
	asAnthropic
	asGemini
	dialects
	// byHeader marks paths that several vendors have; the client's headers
	// tell which one it means.
	byHeader
)

var dialectNames = [dialects]string{protocol.OpenAIChat, protocol.OpenAIResponses, protocol.Anthropic, protocol.Gemini}

// methods is a set of HTTP methods.
type methods uint8

// The methods.
const (
	get methods = 1 << iota
	head
	post
	put
	patch
	del

	any5 = get | post | put | patch | del
)

// An entry is one path of the data plane.
type entry struct {
	path string // below the version prefix
	in   dialect
	op   protocol.Op // of a POST to the path itself; all else is Other
	take methods     // at the path itself
	more methods     // at every path below it
}

// entries is the data plane: each path with a version prefix (/v1, /v1beta)
// and, where bare says so, without one. /models and what lies below it is in
// matchModels, since three vendors share it.
var entries = [...]entry{
	{"/chat/completions", asChat, protocol.Chat, get | post, any5}, // GET and below: stored completions
	{"/completions", asChat, protocol.Complete, post, 0},
	{"/responses", asResponses, protocol.Chat, post, any5},
	{"/responses/input_tokens", asResponses, protocol.Count, post, 0},
	{"/responses/compact", asResponses, protocol.Other, post, 0},
	{"/conversations", asResponses, protocol.Other, post, any5},
	{"/embeddings", asChat, protocol.Embed, post, 0},
	{"/moderations", asChat, protocol.Other, post, 0},
	{"/images", asChat, protocol.Other, 0, get | post},
	{"/audio", asChat, protocol.Other, 0, get | post},
	{"/videos", asChat, protocol.Other, get | post, any5},
	{"/realtime", asChat, protocol.Other, get | post, any5},
	{"/uploads", asChat, protocol.Other, post, any5},
	{"/vector_stores", asChat, protocol.Other, get | post, any5},
	{"/fine_tuning", asChat, protocol.Other, 0, any5},
	{"/containers", asChat, protocol.Other, get | post, any5},
	{"/evals", asChat, protocol.Other, get | post, any5},
	{"/assistants", asChat, protocol.Other, get | post, any5},
	{"/threads", asChat, protocol.Other, post, any5},

	{"/messages", asAnthropic, protocol.Chat, post, 0},
	{"/messages/count_tokens", asAnthropic, protocol.Count, post, 0},
	{"/messages/cache_touch", asAnthropic, protocol.Other, post, 0},
	{"/messages/batches", asAnthropic, protocol.Other, get | post, any5},
	{"/complete", asAnthropic, protocol.Other, post, 0},

	{"/tunedModels", asGemini, protocol.Other, get | post, any5},
	{"/dynamic", asGemini, protocol.Other, 0, post},
	{"/cachedContents", asGemini, protocol.Other, get | post, any5},
	{"/operations", asGemini, protocol.Other, get, any5},
	{"/corpora", asGemini, protocol.Other, get | post, any5},
	{"/fileSearchStores", asGemini, protocol.Other, get | post, any5},
	{"/interactions", asGemini, protocol.Other, get | post, any5},

	{"/files", byHeader, protocol.Other, get | post, any5},
	{"/batches", byHeader, protocol.Other, get | post, any5},
	{"/skills", byHeader, protocol.Other, get | post, any5},

	{"/models", byHeader, protocol.Other, get | head, 0},
}

// bare are the first segments that are taken without a version prefix too:
// what clients call whose base URL lacks it.
var bare = map[string]bool{
	"chat": true, "completions": true, "responses": true, "conversations": true, "messages": true, "models": true,
	"embeddings": true, "images": true, "audio": true, "moderations": true,
}

// A fixed path is answered here, whatever is configured.
type fixed struct {
	plane access.Plane
	kind  kind
}

var fixedPaths = map[string]fixed{
	"/healthz": {access.Health, health},
	"/readyz":  {access.Health, ready},
	// Claude Code asks for it at its start, without a key (spec: clients §3.1).
	"/api/hello": {access.Open, hello},
}

var byPath = func() map[string]*entry {
	m := make(map[string]*entry, len(entries))
	for i := range entries {
		m[entries[i].path] = &entries[i]
	}
	return m
}()

var methodBits = map[string]methods{
	http.MethodGet: get, http.MethodHead: head, http.MethodPost: post,
	http.MethodPut: put, http.MethodPatch: patch, http.MethodDelete: del,
}

// String lists the methods as the Allow header does.
func (m methods) String() string {
	var s strings.Builder
	s.WriteString("OPTIONS")
	for _, x := range [...]struct {
		bit  methods
		name string
	}{{get, "GET"}, {head, "HEAD"}, {post, "POST"}, {put, "PUT"}, {patch, "PATCH"}, {del, "DELETE"}} {
		if m&x.bit != 0 {
			s.WriteString(", " + x.name)
		}
	}
	return s.String()
}
