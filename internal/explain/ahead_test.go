package explain

import (
	"testing"
)

// TestAhead is how what would happen is told.
func TestAhead(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Outlook
		want string
	}{
		{"picked", Outlook{Asked: "m", Targets: []Target{{Model: "m", Taken: "a", Why: "picked", Of: 2, Accounts: 3, Candidates: []Candidate{
			{Account: "a", Verdict: "taken"}, {Account: "b", Verdict: "able"}, {Account: "c", Verdict: "passed", Why: "cooling: rate_limited"},
		}}}}, `No route matches m, so it would go on as it is.
c would be passed over: it was still waiting after a failure (too many requests in too short a time).
a would serve m, picked among 2 able accounts.
`},
		{
			"home, after a wait",
			Outlook{Asked: "m", Targets: []Target{{Model: "m", Taken: "a", Why: "home", WaitMS: 300, Accounts: 1, Candidates: []Candidate{{Account: "a", Verdict: "waits", Why: "cooling: rate_limited"}}}}},
			"No route matches m, so it would go on as it is.\na would serve m, since the conversation is there, after a wait of about 300 ms.\n",
		},
		{"a chain", Outlook{Asked: "x", Rule: "x*", Targets: []Target{
			{Model: "m", Refused: true, WaitMS: 60_000, Accounts: 1, Candidates: []Candidate{{Account: "a", Verdict: "passed", Why: "needs attention: credential_invalid"}}},
			{Model: "n", WaitMS: 2000, Accounts: 1, Candidates: []Candidate{{Account: "b", Verdict: "passed", Why: "at its limit of requests or tokens"}}},
		}}, `The route "x*" matches x and leads to m, then to n.
a would be passed over: it needs attention (its key was rejected).
Nobody would serve m: the client would be told to come back in 60 s.
b would be passed over: it was at its limit of requests or tokens.
The request would wait about 2.0 s for the first account that is able to serve n.
`},
		{
			"no account",
			Outlook{Asked: "m", Targets: []Target{{Model: "m", Refused: true}}},
			"No route matches m, so it would go on as it is.\nThere is no account that is on, so nobody would serve m.\n",
		},
		{
			"none that takes it",
			Outlook{Asked: "m", Targets: []Target{{Model: "m", Refused: true, Accounts: 2, Mute: 2}}},
			"No route matches m, so it would go on as it is.\nNo account takes this kind of request for m.\n",
		},
		{
			"none with the model",
			Outlook{Asked: "m", Targets: []Target{{Model: "m", Refused: true, Accounts: 2}}},
			"No route matches m, so it would go on as it is.\nNo account serves m.\n",
		},
		{
			"moved",
			Outlook{Targets: []Target{{Model: "m", Taken: "a", Why: "moved", Accounts: 2}}},
			"a would serve m; the conversation would move there, since its own account is not able soon enough.\n",
		},
		{
			"last hope",
			Outlook{Targets: []Target{{Model: "m", Taken: "a", Why: "last_hope", Accounts: 2}}},
			"a would serve m, since nobody else is able, although it had broken down.\n",
		},
	} {
		if Ahead(&tt.o); tt.o.Text() != tt.want {
			t.Errorf("%s:\n%s, want\n%s", tt.name, tt.o.Text(), tt.want)
		}
	}
}
