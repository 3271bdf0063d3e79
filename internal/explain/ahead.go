package explain

import (
	"strconv"
	"strings"
	"time"

	"portico/internal/fault"
)

// An Outlook is what would happen to a request that came now. It is not what
// will happen to the next one: by then things may stand otherwise.
type Outlook struct {
	Asked    string   `json:"asked"`
	Protocol string   `json:"protocol" doc:"The client's."`
	Rule     string   `json:"rule,omitzero" doc:"The route that matches; absent if none does."`
	Targets  []Target `json:"targets" doc:"The models that would be tried, in order; the last is the one that decides."`
	// Sentences tell the same.
	Sentences []Sentence `json:"sentences"`
}

// A Target is what would happen at one model.
type Target struct {
	Model      string      `json:"model"`
	Candidates []Candidate `json:"candidates" doc:"Accounts that could serve it if they were well, those of the best priority first."`
	More       int         `json:"more,omitzero" doc:"How many of them are not listed."`
	Taken      string      `json:"taken,omitzero" doc:"Who would serve; absent if that is whoever is able first, or nobody."`
	Why        string      `json:"why,omitzero" enum:"only,picked,home,moved,last_hope,preferred,reserve"`
	Of         int         `json:"of,omitzero" doc:"How many accounts are able."`
	WaitMS     int64       `json:"wait_ms,omitzero" doc:"How long the request would wait, or be told to."`
	Refused    bool        `json:"refused,omitzero" doc:"Nobody would serve it, and it would not wait."`
	Abroad     bool        `json:"abroad,omitzero" doc:"No account that speaks the client's protocol is able, so others are looked at, too."`
	Accounts   int         `json:"accounts" doc:"How many accounts are on at all."`
	Mute       int         `json:"mute,omitzero" doc:"How many serve the model, but in no way that fits the request."`
}

// A Candidate is an account as it stands to the request.
type Candidate struct {
	Account   string    `json:"account"`
	Verdict   string    `json:"verdict" enum:"taken,able,waits,passed" doc:"Would serve; could, but another would; would be waited for; cannot."`
	Why       string    `json:"why,omitzero" doc:"What keeps it from serving."`
	Class     string    `json:"class,omitzero" doc:"The class of fault of that."`
	Until     time.Time `json:"until,omitzero" doc:"When that is over, as far as is known."`
	Protocol  string    `json:"protocol" doc:"In which it would be asked."`
	Home      bool      `json:"home,omitzero" doc:"The conversation is there."`
	InFlight  int       `json:"in_flight"`
	PerSecond float64   `json:"per_second,omitzero" doc:"Requests that it takes, told or learned; absent if no limit is known."`
	FirstMS   int64     `json:"first_ms,omitzero" doc:"Time to the first byte, smoothed."`
	Failing   float64   `json:"failing,omitzero" doc:"Share of its requests that failed lately."`
}

// Ahead writes the sentences of o, and the reasons of its candidates in plain
// words.
func Ahead(o *Outlook) {
	say := func(about, text string) { o.Sentences = append(o.Sentences, Sentence{about, text}) }
	switch {
	case o.Rule != "":
		names := make([]string, len(o.Targets))
		for i, t := range o.Targets {
			names[i] = plain(t.Model)
		}
		say("route", `The route "`+plain(o.Rule)+`" matches `+plain(o.Asked)+" and leads to "+strings.Join(names, ", then to ")+".")
	case o.Asked != "":
		say("route", "No route matches "+plain(o.Asked)+", so it would go on as it is.")
	}
	for i := range o.Targets {
		t := &o.Targets[i]
		passed := 0
		for j := range t.Candidates {
			c := &t.Candidates[j]
			if c.Why == "" {
				continue
			}
			c.Why = why(c.Why)
			if passed++; passed <= 8 && c.Verdict == "passed" {
				say("passed", plain(c.Account)+" would be passed over: "+c.Why+".")
			}
		}
		if passed > 8 {
			say("passed", strconv.Itoa(passed-8)+" more accounts would be passed over.")
		}
		say("chosen", ahead(t))
	}
}

// ahead says what would happen at t.
func ahead(t *Target) string {
	model, wait := plain(t.Model), time.Duration(t.WaitMS)*time.Millisecond
	switch {
	case t.Refused && t.Accounts == 0:
		return "There is no account that is on, so nobody would serve " + model + "."
	case t.Refused && len(t.Candidates) == 0 && t.Mute > 0:
		return "No account takes this kind of request for " + model + "."
	case t.Refused && len(t.Candidates) == 0:
		return "No account serves " + model + "."
	case t.Refused && wait > 0:
		return "Nobody would serve " + model + ": the client would be told to come back in " + span(wait) + "."
	case t.Refused:
		return "Nobody would serve " + model + ", and nobody knows when that will be otherwise."
	case t.Taken == "":
		return "The request would wait about " + span(wait) + " for the first account that is able to serve " + model + "."
	}
	account := plain(t.Taken)
	s := account + " would serve " + model
	switch t.Why {
	case "home":
		s += ", since the conversation is there"
		if wait > 0 {
			s += ", after a wait of about " + span(wait)
		}
	case "moved":
		s += "; the conversation would move there, since its own account is not able soon enough"
	case "picked":
		s += ", picked among " + strconv.Itoa(t.Of) + " able accounts"
	case "last_hope":
		s += ", since nobody else is able, although it had broken down"
	case "reserve":
		s += ", since nobody else is able, although little is left of its quota"
	case "preferred":
		s += ", since the operator prefers it"
	case "only":
		s += "; no other account is able"
	}
	return s + "."
}

// Text is the outlook as lines, one sentence each.
func (o *Outlook) Text() string {
	var b strings.Builder
	for _, s := range o.Sentences {
		b.WriteString(s.Text)
		b.WriteByte('\n')
	}
	return b.String()
}

// ClassName is the name of c for a Candidate, "" if it says nothing.
func ClassName(c fault.Class) string {
	if c == fault.Unknown {
		return ""
	}
	return c.String()
}
