package credential

import (
	"fmt"
	"testing"
	"time"

	"portico/internal/provider"
	"portico/internal/provider/oauth/oauthtest"
)

// TestJumps: wherever the clock goes by an hour or a day, in the process or
// between two, a token is to be had with one renewal at most, and one that its
// issuer refused is tried again after a day at most.
func TestJumps(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, 24 * time.Hour, -time.Hour, -24 * time.Hour} {
		for _, restarts := range []bool{false, true} {
			t.Run(fmt.Sprint(jump, restarts), func(t *testing.T) {
				s := oauthtest.New(t)
				s.Rotate(true, time.Hour)
				dir := t.TempDir()
				c := userOf(t, s, s.Login("api"))
				v, _ := open(t, dir)
				src := v.Source(c, s.Way())
				stale, err := src.Token(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				shift := jump
				clock := func() time.Time { return time.Now().Add(shift).Round(0) }
				again := func() {
					if restarts {
						v.Close()
						v, _ = open(t, dir)
					}
					v.now = clock
					if restarts {
						src = v.Source(c, s.Way())
					}
				}
				again()
				token, err := src.Token(t.Context())
				if n := s.Granted("refresh_token"); err != nil || n > 2 || (n == 2) != (jump > 0) {
					t.Fatalf("the token: %v after %d renewals", err, n)
				}
				s.Expire() // whatever the clock says
				if token != stale {
					stale = token
				}
				if err := src.Renew(t.Context(), stale); err != nil {
					t.Fatal(err)
				}
				if token, err = src.Token(t.Context()); err != nil || !s.Valid("Bearer "+token.Reveal()) {
					t.Fatalf("renewed: %v", err)
				}

				// The issuer refuses the login, and the clock jumps back to where it was.
				s.Revoke()
				s.Expire()
				if err := src.Renew(t.Context(), token); err == nil {
					t.Fatal("a login that was revoked is good")
				}
				shift = 0
				again()
				if d := src.Condition(clock()); d.State == provider.SignedOut && d.Until.Sub(clock()) > refusedPause && restarts {
					t.Errorf("it is away for %s", d.Until.Sub(clock()))
				}
				shift += refusedPause + time.Minute + max(jump, 0)
				if restarts {
					shift = refusedPause + time.Minute
				}
				if d := src.Condition(clock()); d.State == provider.SignedOut {
					t.Errorf("a day later it is not tried again, but in %s", d.Until.Sub(clock()))
				}
			})
		}
	}
}
