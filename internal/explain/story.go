package explain

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"portico/internal/fault"
	"portico/internal/journal"
)

// tell writes the sentences, in the order in which things happened.
func (e *Explanation) tell(x *journal.Exchange, cost Cost) {
	say := func(about, text string) {
		if text != "" {
			e.Sentences = append(e.Sentences, Sentence{about, text})
		}
	}
	say("asked", asked(x))
	say("route", routed(x, e.Model.Tried))
	say("changed", changed(x.Edits))
	for i, p := range e.Passed {
		if i == 8 {
			say("passed", fmt.Sprintf("%d more accounts were passed over.", len(e.Passed)-i))
			break
		}
		say("passed", plain(p.Account)+" was passed over: "+p.Why+".")
	}
	for i, a := range e.Attempts {
		if i == 16 && len(e.Attempts) > 17 {
			say("attempt", fmt.Sprintf("%d more attempts failed.", len(e.Attempts)-i-1))
		}
		if i < 16 || i == len(e.Attempts)-1 {
			say("chosen", chosen(&x.Attempts[i]))
			say("attempt", a.Text)
		}
	}
	say("way", way(x))
	say("losses", lost(e.Losses))
	say("told", told(x, e.Outcome))
	say("usage", spent(x, cost))
	say("advice", e.Advice)
}

// asked says who asked for what.
func asked(x *journal.Exchange) string {
	model, what := name(x.Asked, "no model by name"), ""
	switch x.Op {
	case "chat":
		what = "asked " + model + " for an answer"
		if x.Stream {
			what = "asked " + model + " for a streamed answer"
		}
	case "complete":
		what = "asked " + model + " to complete a text"
	case "count":
		what = "asked how many tokens a request to " + model + " has"
	case "embed":
		what = "asked " + model + " for embeddings"
	default:
		what = "called " + name(x.Path, "an operation that is passed through")
		if x.Asked != "" {
			what += " for " + model
		}
	}
	s := name(x.Client, "A client") + " " + what + ", in the protocol " + name(x.Inbound, "of nobody")
	if x.Key != "" {
		s += `, with the key "` + plain(x.Key) + `"`
	}
	return s + "."
}

// routed says what became of the model's name.
func routed(x *journal.Exchange, tried []string) string {
	switch {
	case x.Asked == "":
		return ""
	case x.Rule == "" && len(tried) > 0:
		return "No route matches this name, so it went on as it is."
	case x.Rule == "":
		return ""
	}
	s := `The route "` + plain(x.Rule) + `" matches this name`
	if len(tried) == 0 {
		return s + "."
	}
	names := make([]string, len(tried))
	for i, m := range tried {
		names[i] = plain(m)
	}
	return s + " and leads to " + strings.Join(names, ", then to ") + "."
}

// changed says what the settings changed in the request.
func changed(edits []string) string {
	var out []string
	for _, e := range edits {
		switch what, how, _ := strings.Cut(e, "="); what {
		case "system_prompt":
			out = append(out, "put the global system prompt ("+plain(how)+") before its instructions")
		case "thinking":
			out = append(out, "changed the thinking that it asks for ("+plain(how)+")")
		case "files":
			out = append(out, "had files fetched that it names by their addresses ("+plain(how)+")")
		default:
			out = append(out, "changed "+plain(e))
		}
	}
	if out == nil {
		return ""
	}
	return "The settings " + strings.Join(out, " and ") + "."
}

// chosen says why an account was taken, unless that goes without saying.
func chosen(a *journal.Attempt) string {
	account, s := name(a.Account, "an account"), ""
	if a.Waited >= time.Millisecond {
		s = "No account was able, so the request waited " + span(a.Waited) + ". "
		if a.Why == "home" {
			s = "The request waited " + span(a.Waited) + " for the account where its conversation is. "
		}
	}
	switch a.Why {
	case "home":
		if s == "" {
			s = "The conversation is at " + account + ", so it stayed there."
		}
	case "moved":
		s += "The conversation moved to " + account + ", since its own account was not able soon enough."
	case "picked":
		if a.Of > 1 {
			s += account + " was picked among " + strconv.Itoa(a.Of) + " able accounts."
		}
	case "last_hope":
		s += "Nobody else was able, so " + account + " was asked although it had broken down."
	case "preferred":
		s += account + " is the account that the operator prefers."
	case "reserve":
		s += "Nobody else was able, so " + account + " was asked although little is left of its quota."
	case "hedge":
		s = "No answer had begun " + span(a.Start) + " after the request came in, so " + account + " was asked, too."
	}
	return strings.TrimSpace(s)
}

// attempt tells attempt i.
func attempt(x *journal.Exchange, i int) string {
	a := &x.Attempts[i]
	account := name(a.Account, "an account")
	s := account
	switch {
	case a.Leg > 0:
		s = "For part " + strconv.Itoa(a.Leg) + " of the answer, " + account
	case len(x.Attempts) == 1, a.Why == "hedge":
	case i == 0:
		s = "First, " + account
	default:
		s = "Then " + account
	}
	if a.Fault == "" {
		if begun := first(x, i); begun > 0 && x.Stream {
			return s + " began to answer after " + span(begun) + " and was done after " + span(a.Took) + "."
		}
		return s + " answered after " + span(a.Took) + "."
	}
	class := fault.ParseClass(a.Fault)
	switch {
	case a.Step == "outrun":
		return s + " had not begun to answer when " + name(x.Account, "another account") + " did, and was stopped after " + span(a.Took) + "." + used(a)
	case class == fault.Canceled && x.Fault != "" && fault.ParseClass(x.Fault) != fault.Canceled:
		return s + " was at work for " + span(a.Took) + " when another part failed."
	case class == fault.Canceled:
		return s + " was at work for " + span(a.Took) + " when the client left."
	case a.Phase == "streaming":
		s += " broke off " + span(a.Took) + " into the attempt, in the middle of its answer"
	case a.Phase == "dialing":
		s += " could not be reached within " + span(a.Took)
	case a.Phase == "sent" && class == fault.Timeout:
		s += " sent nothing for " + span(a.Took)
	case a.Phase == "sent":
		s += " sent no answer, after " + span(a.Took)
	case a.Status >= 400:
		s += " answered " + strconv.Itoa(a.Status) + " after " + span(a.Took)
	default:
		s += " answered with an error after " + span(a.Took)
	}
	s += ": " + Reason(class) + quoted(a.Error) + "."
	if a.After > 0 {
		s += " It asked to wait " + span(a.After) + "."
	}
	return s + next(a, class, i == len(x.Attempts)-1)
}

// used says what an attempt cost that was outrun, with a space before it.
func used(a *journal.Attempt) string {
	switch n := a.Usage.Total(); {
	case n == 0:
		return ""
	case a.Estimated:
		return " Until then it may have used about " + count(n) + " tokens, which are counted."
	default:
		return " Until then it had used " + count(n) + " tokens, which are counted."
	}
}

// next says what followed a failed attempt, with a space before it.
func next(a *journal.Attempt, class fault.Class, last bool) string {
	switch {
	case a.Step == "give_up" && a.Phase == "streaming":
		return " Part of the answer had reached the client, so nobody else could take over."
	case a.Step == "give_up" && requests(class):
		return " Every account would have said the same, so this went back to the client."
	case a.Step == "give_up" && a.Phase == "sent":
		return " The vendor may have carried it out all the same, so it was not tried again."
	case a.Step == "give_up":
		return " It was not tried again."
	case last && (a.Step == "another" || a.Step == "again"):
		return " Nobody else was able, or no try was left."
	case last && a.Step == "onward":
		return " The route names no further model."
	case a.Step == "another":
		return " Another account was tried."
	case a.Step == "again":
		return " The request was tried again."
	case a.Step == "onward":
		return " The next model of the route was tried."
	}
	return ""
}

// way says whether the request was translated.
func way(x *journal.Exchange) string {
	switch {
	case x.Outbound == "" || x.Inbound == "":
		return ""
	case x.Outbound != x.Inbound:
		return "The request was translated from " + plain(x.Inbound) + " to " + plain(x.Outbound) + "."
	case len(x.Edits) > 0:
		return "The account speaks the client's protocol, so all but what the settings change went through unchanged."
	case x.Asked != x.Served:
		return "The account speaks the client's protocol, so all but the model's name went through unchanged."
	}
	return "The account speaks the client's protocol, so the bytes went through unchanged."
}

// lost lists what a translation could not carry.
func lost(losses []Loss) string {
	if len(losses) == 0 {
		return ""
	}
	items := make([]string, len(losses))
	for i, l := range losses {
		items[i] = plain(l.Path)
		if l.Reason != "" {
			items[i] += " (" + plain(l.Reason) + ")"
		}
	}
	return "Not carried over: " + listed(items) + "."
}

// told says what the client got.
func told(x *journal.Exchange, o Outcome) string {
	switch o {
	case Served:
		s := "The client got the whole answer after " + span(x.Took) + ", " + count(x.BytesOut) + " bytes"
		if x.Stop != "" {
			s += "; it ended with " + plain(x.Stop)
		}
		return s + "."
	case Left:
		if x.Status == 499 || x.BytesOut == 0 {
			return "The client left after " + span(x.Took) + ", before it was sent anything."
		}
		return "The client left after " + span(x.Took) + ", in the middle of the answer."
	case Broken:
		return "The client got " + count(x.BytesOut) + " bytes before the answer broke off" + quoted(x.Error) + "."
	}
	s := "The client got HTTP " + strconv.Itoa(x.Status)
	if x.Code != "" {
		s += " with the code " + plain(x.Code)
	}
	return s + quoted(x.Error) + "."
}

// A tally is a count and what was counted.
type tally struct {
	n    int64
	what string
}

// counted says those tallies that count anything.
func counted(all ...tally) (parts []string) {
	for _, t := range all {
		if t.n > 0 {
			parts = append(parts, count(t.n)+" "+t.what)
		}
	}
	return parts
}

// spent says what the request cost.
func spent(x *journal.Exchange, cost Cost) string {
	u := x.Usage
	if u.Total() == 0 {
		return ""
	}
	parts := counted(
		tally{u.Input, "read"}, tally{u.CacheRead, "read from the cache"}, tally{u.CacheWrite - u.CacheHour - u.CacheHalfDay, "written to the cache"},
		tally{u.CacheHour, "written to the cache for an hour"}, tally{u.CacheHalfDay, "written to the cache for twelve hours"},
		tally{u.Output, "written"}, tally{u.Reasoning, "thought"},
	)
	about, note := "It used ", ""
	if x.Estimated {
		about, note = "It used about ", " The provider did not tell; Portico counted."
	}
	for i := range x.Attempts {
		if a := &x.Attempts[i]; a.Step == "outrun" && a.Usage.Total() > 0 {
			note = " That includes what " + name(a.Account, "an account") + " used until it was stopped"
			if a.Estimated {
				note += ", which Portico estimated"
			}
			note += "."
		}
	}
	s := about + count(u.Total()) + " tokens: " + listed(parts)
	if among := listed(counted(
		tally{u.AudioIn, "of sound read"}, tally{u.ImageIn, "of pictures read"}, tally{u.AudioOut, "of sound written"}, tally{u.ImageOut, "of pictures written"},
	)); among != "" {
		s += ", among them " + among
	}
	if tools := listed(counted(tally{u.Searches, "searches of the web"}, tally{u.Fetches, "pages fetched"})); tools != "" {
		s += "; beside them " + tools
	}
	if cost.Known {
		s += "; " + dollars(cost.USD) + " at list price"
	}
	return s + "." + note
}

// summary is the whole in one sentence.
func summary(x *journal.Exchange, o Outcome) string {
	account, class := name(x.Account, "an account"), fault.ParseClass(x.Fault)
	switch o {
	case Served:
		s := "Served by " + account + " in " + span(x.Took)
		if x.Account == "" {
			s = "Answered by Portico itself in " + span(x.Took)
		}
		n := 0
		for i := range x.Attempts {
			if a := &x.Attempts[i]; a.Fault != "" && a.Step != "outrun" {
				n++
			}
		}
		switch {
		case n == 1:
			s += ", after one other attempt failed"
		case n > 1:
			s += ", after " + strconv.Itoa(n) + " other attempts failed"
		}
		return s + "."
	case Left:
		return "The client left after " + span(x.Took) + "."
	case Broken:
		return "The answer of " + account + " broke off after " + span(x.Took) + ": " + Reason(class) + "."
	case Refused:
		who := "Portico"
		if requests(class) && len(x.Attempts) > 0 {
			who = account
		}
		return who + " refused it with HTTP " + strconv.Itoa(x.Status) + ": " + Reason(class) + "."
	}
	s := "Nobody could serve it"
	if n := len(x.Attempts); n > 0 {
		s += ", after " + strconv.Itoa(n) + " attempt"
		if n > 1 {
			s += "s"
		}
	}
	return s + "; the client got HTTP " + strconv.Itoa(x.Status) + "."
}
