package openaiwire

import (
	"strconv"
	"strings"

	"portico/internal/catalog/modelid"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
)

// Losses of breakpoints, in the ledger's words. Both are about all of a
// request's, so they are told once.
const (
	// CachesItself: no breakpoint changes anything.
	CachesItself = "dropped: the upstream caches prefixes by itself"
	// NoBreakpoint: some stand where the protocol has no seat for them.
	NoBreakpoint = "dropped: the upstream takes none behind calls, tools and, in Responses, the model's words"
)

// TakesBreakpoints reports whether the model of fit takes breakpoints of the
// prompt cache: OpenAI's from GPT-5.6 on. Before that, and at those who copied
// the protocols, prefixes are cached by themselves (spec: upstreams §2.7).
func TakesBreakpoints(fit *protocol.Fit) bool {
	if !fit.Native {
		return false
	}
	base := modelid.Base(fit.Model)
	for _, old := range []string{"o1", "o3", "o4", "chatgpt", "codex", "computer-use", "gpt-oss"} {
		if strings.HasPrefix(base, old) {
			return false
		}
	}
	words := strings.Split(base, "-")
	if len(words) < 2 || words[0] != "gpt" {
		return true // a name that tells nothing
	}
	major, err := strconv.Atoi(words[1])
	if err != nil || major != 5 {
		return err == nil && major > 5
	}
	minor := 0
	if len(words) > 2 && len(words[2]) <= 2 {
		minor, _ = strconv.Atoi(words[2])
	}
	return minor >= 6
}

// AppendBreakpoint appends a prompt_cache_breakpoint. It lasts half an hour
// unless it says otherwise, and twelve hours are the nearest to an hour that
// there is. What else proto's client said of it goes back to proto.
func AppendBreakpoint(dst []byte, b *llm.Breakpoint, proto string) []byte {
	dst = append(jsonw.Name(dst, "prompt_cache_breakpoint"), `{"mode":"explicit"`...)
	switch b.TTL {
	case "", "5m":
	case "1h":
		dst = jsonw.String(dst, "ttl", "12h")
	default:
		dst = jsonw.String(dst, "ttl", b.TTL)
	}
	return append(b.Extra.AppendTo(dst, proto), '}')
}
