package explain

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"portico/internal/fault"
)

// reasons say what a class means, after "… because" or a colon.
var reasons = map[fault.Class]string{
	fault.Unauthorized:      "the client's key was missing or wrong",
	fault.Forbidden:         "the client's key may not be used for this",
	fault.OverBudget:        "the client's key has spent its budget",
	fault.NotFound:          "there is no such path or object",
	fault.Method:            "the path does not take this method",
	fault.TooLarge:          "the request was larger than Portico takes",
	fault.Malformed:         "the request could not be read",
	fault.Unsupported:       "no account takes this kind of request",
	fault.NoAccount:         "no account serves this model",
	fault.Busy:              "no account was free to serve it",
	fault.Internal:          "Portico itself failed",
	fault.BadRequest:        "the request was not accepted",
	fault.ContextTooLong:    "the conversation does not fit the model",
	fault.ContentFiltered:   "the vendor's policy refused the content",
	fault.SealMismatch:      "a signature from an earlier answer was not accepted",
	fault.CredentialInvalid: "its key was rejected",
	fault.CredentialExpired: "its access token was out of date",
	fault.Permission:        "it may not do this",
	fault.RateLimited:       "too many requests in too short a time",
	fault.QuotaSpent:        "its allowance was used up",
	fault.PlanGate:          "its plan does not include this",
	fault.ModelDenied:       "it does not have this model",
	fault.ModelGone:         "the vendor retired the model",
	fault.Overloaded:        "the vendor was short of capacity",
	fault.Broken:            "the vendor failed",
	fault.Timeout:           "it was too slow",
	fault.Network:           "the connection failed",
	fault.Canceled:          "the client left",
}

// Reason says in plain words what a class means, as in "… because …", without a
// full stop.
func Reason(c fault.Class) string {
	if s, ok := reasons[c]; ok {
		return s
	}
	return "an error that Portico does not know"
}

// why turns what the pool says of an account that it passed over into words.
func why(s string) string {
	if c, ok := strings.CutPrefix(s, "cooling: "); ok {
		return "it was still waiting after a failure (" + Reason(fault.ParseClass(c)) + ")"
	}
	if c, ok := strings.CutPrefix(s, "needs attention: "); ok {
		return "it needs attention (" + Reason(fault.ParseClass(c)) + ")"
	}
	if strings.HasPrefix(s, "protected") {
		return "so little is left of its quota that it is protected"
	}
	if strings.HasPrefix(s, "at its limit") {
		return "it was " + plain(s)
	}
	return plain(s)
}

// plain makes foreign text fit for a sentence: one line of at most 300 bytes,
// and what does not print escaped.
func plain(s string) string {
	const longest = 300
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "…"
	}
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	q := strconv.QuoteToGraphic(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// name is foreign text that stands as a name, or what stands in for none.
func name(s, none string) string {
	if s == "" {
		return none
	}
	return plain(s)
}

// quoted is foreign text in quotation marks, in brackets, or nothing.
func quoted(s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return ""
	}
	return ` ("` + plain(s) + `")`
}

// span is a duration as people say it.
func span(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "less than 1 ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < 2*time.Minute:
		return strconv.FormatInt(int64(d.Round(time.Second)/time.Second), 10) + " s"
	case d < 2*time.Hour:
		return strconv.FormatInt(int64(d.Round(time.Minute)/time.Minute), 10) + " min"
	}
	return strconv.FormatInt(int64(d.Round(time.Hour)/time.Hour), 10) + " h"
}

// count is n with commas, as in 1,240.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// dollars is an amount with as many digits as it takes to see it.
func dollars(usd float64) string {
	switch {
	case usd == 0:
		return "nothing"
	case usd < 0.0001:
		return "less than $0.0001"
	case usd < 1:
		return fmt.Sprintf("$%.4f", usd)
	}
	return fmt.Sprintf("$%.2f", usd)
}

// listed joins at most 8 of items with commas and counts the rest.
func listed(items []string) string {
	const most = 8
	if n := len(items) - most; n > 0 {
		return strings.Join(items[:most], ", ") + " and " + strconv.Itoa(n) + " more"
	}
	if n := len(items); n > 1 {
		return strings.Join(items[:n-1], ", ") + " and " + items[n-1]
	}
	return strings.Join(items, "")
}
