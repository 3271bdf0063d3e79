package main

import (
	"encoding/json/v2"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A customer is an account at the vendor of a lab, with its limits and its
// mishaps.
type customer struct {
	key       string
	rate      float64       // requests a second, which come back drop by drop
	burst     float64       // how many at once; 0: there is no limit of requests
	window    time.Duration // they come back at the end of each; 0: drop by drop
	perMinute float64       // tokens, of which a sixth at once; 0: no limit
	parallel  int           // requests at one time, 0: no limit
	quota     int           // requests in all, or in each every; 0: no limit
	every     time.Duration // 0: what was used of quota never comes back
	ends      time.Time     // the first every, then this one
	tells     bool          // answers say how much is left of every
	off       [2]time.Time  // from when to when it is out of order
	price     float64       // US dollars for a million tokens; at home a tenth of it
	refused   int           // status of an account that the vendor does not serve, or 0
	fails     float64       // share of requests that it is too busy for
	latency   time.Duration
	style     style

	mu      sync.Mutex
	left    float64 // requests
	tokens  float64
	last    time.Time
	begun   time.Time // the window
	busy    int
	served  int
	said    time.Time // when it said to wait
	rejects time.Time // until when
	early   int       // calls before that, other than those that were under way
	used    int       // of quota
	lapsing int       // requests of every that has ended
	lapsed  int       // of them, that nobody used
}

// underWay is how long a request may take from the gateway's decision to here,
// and a refusal back.
const underWay = 50 * time.Millisecond

// A style is how a vendor tells when to come back.
type style uint8

const (
	inMillis  style = iota // Retry-After-Ms, and Retry-After in seconds
	inProse                // in the message alone
	inHeaders              // Retry-After-Ms, and x-ratelimit-* in every answer
	inSeconds              // Retry-After in seconds; from here on it is not exact
	asDate                 // Retry-After as a date
	silent                 // not at all
	styles                 // how many there are
)

// start fills the limits.
func (c *customer) start(now time.Time) {
	c.left, c.tokens, c.last, c.begun = c.burst, c.perMinute/6, now, now
}

// A refusal is what the vendor answers in place of an answer.
type refusal struct {
	status          int
	kind, code, msg string
	after           time.Duration // 0: not told
}

// take serves a request of so many tokens, or says why not. One that is served
// is to be ended with done.
func (c *customer) take(now time.Time, tokens float64) *refusal {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.rejects) && now.Sub(c.said) > underWay {
		c.early++
	}
	c.roll(now)
	switch {
	case now.After(c.off[0]) && now.Before(c.off[1]):
		return &refusal{http.StatusInternalServerError, "server_error", "server_error", "The server had an error while processing your request.", 0}
	case c.refused == http.StatusUnauthorized:
		return &refusal{c.refused, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.", 0}
	case c.refused != 0:
		return &refusal{c.refused, "invalid_request_error", "account_deactivated", "Your account has been deactivated.", 0}
	case c.fails > 0 && rand.Float64() < c.fails:
		return &refusal{http.StatusServiceUnavailable, "server_error", "overloaded", "The server is currently overloaded. Please try again later.", 0}
	case c.quota > 0 && c.used >= c.quota:
		r := &refusal{http.StatusTooManyRequests, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details.", 0}
		if c.every > 0 {
			r.after = c.ends.Sub(now).Truncate(time.Millisecond) + time.Millisecond
		}
		return r
	case c.parallel > 0 && c.busy >= c.parallel:
		return &refusal{http.StatusTooManyRequests, "requests", "rate_limit_exceeded", "Too many concurrent requests for this account.", 0}
	}
	c.fill(now)
	if c.burst > 0 && c.left < 1 {
		return c.limited("requests", "Rate limit reached for requests.", c.opens(now))
	}
	if c.perMinute > 0 && c.tokens < tokens {
		return c.limited("tokens", "Rate limit reached on tokens per min (TPM).", time.Duration((tokens-c.tokens)/c.perMinute*float64(time.Minute)))
	}
	c.left--
	c.tokens -= tokens
	c.busy++
	c.used++
	c.served++
	return nil
}

func (c *customer) limited(kind, msg string, after time.Duration) *refusal {
	if after = after.Truncate(time.Millisecond) + time.Millisecond; c.style != silent {
		c.said, c.rejects = c.last, c.last.Add(after)
	}
	return &refusal{http.StatusTooManyRequests, kind, "rate_limit_exceeded", msg, after}
}

func (c *customer) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy--
}

// fill brings the limits to now.
func (c *customer) fill(now time.Time) {
	passed := now.Sub(c.last).Seconds()
	c.last = now
	c.tokens = math.Min(c.perMinute/6, c.tokens+passed*c.perMinute/60)
	if c.window == 0 {
		c.left = math.Min(c.burst, c.left+passed*c.rate)
	} else if n := now.Sub(c.begun) / c.window; n > 0 {
		c.left, c.begun = c.burst, c.begun.Add(n*c.window)
	}
}

// roll brings the quota to now: what is left of an every that has ended is gone.
func (c *customer) roll(now time.Time) {
	for c.every > 0 && !now.Before(c.ends) {
		c.lapsing += c.quota
		c.lapsed += c.quota - c.used
		c.used, c.ends = 0, c.ends.Add(c.every)
	}
}

// opens is after how long one more request passes.
func (c *customer) opens(now time.Time) time.Duration {
	if c.window > 0 {
		return c.begun.Add(c.window).Sub(now)
	}
	return time.Duration((1 - c.left) / c.rate * float64(time.Second))
}

// tell writes what headers say of the limits.
func (c *customer) tell(h http.Header, r *refusal) {
	if r != nil && r.after > 0 {
		switch c.style {
		case inMillis, inHeaders:
			h.Set("Retry-After-Ms", strconv.FormatInt(r.after.Milliseconds(), 10))
			fallthrough
		case inSeconds:
			h.Set("Retry-After", strconv.Itoa(int(math.Ceil(r.after.Seconds()))))
		case asDate:
			h.Set("Retry-After", time.Now().Add(r.after+time.Second).UTC().Format(http.TimeFormat))
		case inProse:
			r.msg += fmt.Sprintf(" Please try again in %dms.", r.after.Milliseconds())
		}
	}
	if c.tells {
		c.mu.Lock()
		h.Set("X-Codex-Primary-Used-Percent", strconv.FormatFloat(100*float64(c.used)/float64(c.quota), 'f', 3, 64))
		h.Set("X-Codex-Primary-Reset-After-Seconds", strconv.FormatFloat(time.Until(c.ends).Seconds(), 'f', 3, 64))
		c.mu.Unlock()
	}
	if c.style != inHeaders {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.fill(now)
	say := func(unit string, limit, left float64, reset time.Duration) {
		h.Set("X-Ratelimit-Limit-"+unit, strconv.Itoa(int(limit)))
		h.Set("X-Ratelimit-Remaining-"+unit, strconv.Itoa(max(int(left), 0)))
		h.Set("X-Ratelimit-Reset-"+unit, (reset.Truncate(time.Millisecond) + time.Millisecond).String())
	}
	if c.burst > 0 {
		reset := c.opens(now)
		if c.window == 0 {
			reset = time.Duration((c.burst - c.left) / c.rate * float64(time.Second))
		}
		say("Requests", c.burst, c.left, reset)
	}
	if c.perMinute > 0 {
		say("Tokens", c.perMinute/6, c.tokens, time.Duration((c.perMinute/6-c.tokens)/c.perMinute*float64(time.Minute)))
	}
}

// A vendor is the upstream of a lab.
type vendor struct {
	customers map[string]*customer

	mu     sync.Mutex
	home   map[string]string // conversation -> who served its last turn
	again  int               // turns after the first
	same   int               // of those, served by the same account
	calls  int
	wasted int
	cost   float64 // US dollars
}

// answer is a rig.Reply. The client's prompt tells the conversation and its
// tokens, see turn.
func (v *vendor) answer(w http.ResponseWriter, r *http.Request, body []byte) bool {
	if !strings.HasSuffix(r.URL.Path, "/chat/completions") {
		return false
	}
	c := v.customers[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	talk, tokens := readTurn(body)
	if c == nil || talk == "" {
		http.Error(w, "a request that nobody made", http.StatusTeapot)
		return true
	}
	refused := c.take(time.Now(), tokens)
	v.mu.Lock()
	v.calls++
	if refused != nil {
		v.wasted++
	} else {
		cost := c.price * tokens / 1e6
		if was, ok := v.home[talk]; ok {
			v.again++
			if was == c.key {
				v.same++
				cost /= 10
			}
		}
		v.cost += cost
		v.home[talk] = c.key
	}
	v.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	c.tell(h, refused)
	if refused != nil {
		w.WriteHeader(refused.status)
		_ = json.MarshalWrite(w, map[string]any{"error": map[string]any{"message": refused.msg, "type": refused.kind, "code": refused.code, "param": nil}})
		return true
	}
	defer c.done()
	time.Sleep(c.latency)
	fmt.Fprintf(w, `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"lab","choices":[{"index":0,"message":{"role":"assistant","content":"served"},"finish_reason":"stop"}],"usage":{"prompt_tokens":%d,"completion_tokens":5,"total_tokens":%[2]d}}`, int(tokens)-5, int(tokens))
	return true
}

// turn is a request of a conversation, about so many tokens long. Its name is
// in the first message, and with named where OpenAI's clients tell it.
func turn(talk, n int, tokens float64, named bool) []byte {
	key := ""
	if named {
		key = fmt.Sprintf(`"prompt_cache_key":"talk-%d",`, talk)
	}
	return fmt.Appendf(nil, `{"model":"lab",%s"messages":[{"role":"system","content":"You help in talk-%d. "},{"role":"user","content":"Hello, this is talk-%[2]d."},{"role":"assistant","content":"Yes."},{"role":"user","content":"turn %d tokens %d %s"}]}`,
		key, talk, n, int(tokens), strings.Repeat("abc ", max(int(tokens)-45, 0)))
}

// readTurn reads what turn wrote.
func readTurn(body []byte) (talk string, tokens float64) {
	_, rest, ok := strings.Cut(string(body), "You help in ")
	if !ok {
		return "", 0
	}
	talk, rest, _ = strings.Cut(rest, ". ")
	_, rest, _ = strings.Cut(rest, " tokens ")
	number, _, _ := strings.Cut(rest, " ")
	n, _ := strconv.Atoi(number)
	return talk, float64(n)
}
