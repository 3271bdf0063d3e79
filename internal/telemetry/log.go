package telemetry

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"portico/internal/config"
)

// A Log writes log lines. Level and form can be changed while it is in use.
type Log struct {
	*slog.Logger
	requests *slog.Logger // for Lines: many, of bounded values, and in no hurry
	gathered *gather
	level    slog.LevelVar
	json     atomic.Bool
}

// maxValue bounds one value of a log line in bytes.
const maxValue = 2048

// NewLog returns a log that writes to w, one line and one Write for each
// record; the lines of requests are gathered for some milliseconds. What does
// not print is escaped, whatever wrote it: a log is read on terminals, which
// obey control characters, and by machines, which take a line end for the end
// of a record.
func NewLog(w io.Writer, c config.Log) *Log {
	l := &Log{gathered: newGather(w)}
	l.Set(c)
	l.Logger = l.logger(w, shorten)
	l.requests = l.logger(l.gathered, nil)
	return l
}

func (l *Log) logger(w io.Writer, replace func([]string, slog.Attr) slog.Attr) *slog.Logger {
	o := &slog.HandlerOptions{Level: &l.level, ReplaceAttr: replace}
	return slog.New(either{&l.json, slog.NewTextHandler(tame{w}, o), slog.NewJSONHandler(tame{w}, o)})
}

// Flush writes the lines of requests that wait. It is called before the
// process ends.
func (l *Log) Flush() { l.gathered.flush() }

// Set changes level and form to what c says.
func (l *Log) Set(c config.Log) {
	level := slog.LevelInfo
	// The configuration has checked the name; a wrong one leaves Info.
	_ = level.UnmarshalText([]byte(c.Level))
	l.level.Set(level)
	l.json.Store(c.Format == "json")
}

// Request is the attribute that leads from a log line to its request.
func Request(id string) slog.Attr { return slog.String("request_id", id) }

// either writes text or JSON, as on says at the time of writing.
type either struct {
	on         *atomic.Bool
	text, json slog.Handler
}

func (e either) Enabled(ctx context.Context, l slog.Level) bool { return e.text.Enabled(ctx, l) }

func (e either) Handle(ctx context.Context, r slog.Record) error {
	if e.on.Load() {
		return e.json.Handle(ctx, r)
	}
	return e.text.Handle(ctx, r)
}

func (e either) WithAttrs(as []slog.Attr) slog.Handler {
	return either{e.on, e.text.WithAttrs(as), e.json.WithAttrs(as)}
}

func (e either) WithGroup(name string) slog.Handler {
	return either{e.on, e.text.WithGroup(name), e.json.WithGroup(name)}
}

// shorten bounds the texts of a record.
func shorten(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		if s := a.Value.String(); len(s) > maxValue {
			a.Value = slog.StringValue(clip(s))
		}
	case slog.KindAny:
		switch v := a.Value.Any().(type) {
		case error:
			a.Value = slog.StringValue(clip(v.Error()))
		case []byte:
			a.Value = slog.StringValue(clip(string(v)))
		}
	}
	return a
}

func clip(s string) string {
	if len(s) <= maxValue {
		return s
	}
	n := maxValue
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "… (" + strconv.Itoa(len(s)) + " bytes)"
}

// tame passes lines on with everything escaped that does not print, in the
// form that is the same text in JSON and is read easily elsewhere. The
// handlers escape most of it themselves, but JSON lets pass what only
// terminals obey: DEL, the controls of U+0080 to U+009F, and marks that turn
// the direction of text.
type tame struct{ w io.Writer }

func (t tame) Write(line []byte) (int, error) {
	body := line
	if n := len(line); n > 0 && line[n-1] == '\n' {
		body = line[:n-1]
	}
	at := odd(body)
	if at < 0 {
		return t.w.Write(line)
	}
	out := make([]byte, 0, len(line)+32)
	for at >= 0 {
		out = append(out, body[:at]...)
		r, n := utf8.DecodeRune(body[at:])
		out = escape(out, r)
		body = body[at+n:]
		at = odd(body)
	}
	out = append(append(out, body...), '\n')
	if _, err := t.w.Write(out); err != nil {
		return 0, err
	}
	return len(line), nil
}

// odd is where the first rune of b stands that does not print, or -1.
func odd(b []byte) int {
	for i := 0; i < len(b); {
		if c := b[i]; c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 || !unicode.IsPrint(r) {
			return i
		}
		i += n
	}
	return -1
}

func escape(out []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	u := func(r rune) {
		out = append(out, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
	}
	if r > 0xffff {
		r -= 0x10000
		u(0xd800 + r>>10)
		u(0xdc00 + r&0x3ff)
		return out
	}
	u(r)
	return out
}
