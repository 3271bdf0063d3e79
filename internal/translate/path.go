package translate

import (
	"portico/internal/fault"
	"portico/internal/protocol"
)

// A pathModeler is a codec whose requests name the model in the path.
type pathModeler interface {
	SetPathModel(path, model string) (out string, ok bool)
}

// path is where a conversation's next turn is asked for in a protocol, below
// its base URL (see provider.Target), and the query that belongs to it.
func path(codec protocol.Codec, model string, stream bool) (path, query string, err error) {
	switch codec.Name() {
	case protocol.OpenAIChat:
		return "/chat/completions", "", nil
	case protocol.OpenAIResponses:
		return "/responses", "", nil
	case protocol.Anthropic:
		return "/v1/messages", "", nil
	case protocol.BedrockConverse:
		return "/converse", "", nil // the provider puts the model before it
	}
	at := "/models/m:generateContent"
	if stream {
		at, query = "/models/m:streamGenerateContent", "alt=sse"
	}
	if p, is := codec.(pathModeler); is {
		if out, ok := p.SetPathModel(at, model); ok {
			return out, query, nil
		}
	}
	f := fault.New(fault.Malformed, "the model's name %q cannot stand in a path", model)
	f.Param = "model"
	return "", "", f
}
