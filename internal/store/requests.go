package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"
)

// A Filter says which requests are wanted. Empty members match all.
type Filter struct {
	Since, Until time.Time // began at or after, began before
	Account      string    // served, or was tried last
	Model        string    // asked for or served; a * in it stands for any text, and then case does not matter
	Key          string    // name of the client key
	Client       string
	Session      string
	Protocol     string // the client's
	Outbound     string // the upstream's
	Op           string
	Fault        string // a class, "none" or "any"
	MinStatus    int
	MaxStatus    int
	MinTokens    int64         // used that many, of all kinds, or more
	MinTook      time.Duration // took so long or longer; only Requests looks at it
	Text         string        // part of the id, of a model's name or of the account's; case does not matter for ASCII
	Limit        int           // 1 to MaxPage; 0: DefaultPage
	Cursor       string        // from a page before
}

// Sizes of a page.
const (
	DefaultPage = 50
	MaxPage     = 1000
)

// maxLook is how many requests one page looks at, if it has to read them to know
// whether they are wanted: some 50 ms.
const maxLook = 10_000

// maxText is how much of Filter.Text is looked for, in bytes. No name is
// longer.
const maxText = 256

// where is the filter as SQL: terms and their arguments.
type where struct {
	terms []string
	args  []any
}

func (w *where) add(term string, args ...any) {
	w.terms = append(w.terms, term)
	w.args = append(w.args, args...)
}

func (w *where) sql() string {
	if len(w.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.terms, " AND ")
}

// where translates all but the cursor and the limit. No text of the filter
// becomes SQL.
func (f *Filter) where() *where {
	w := new(where)
	if !f.Since.IsZero() {
		w.add("n >= ? AND start >= ?", place(f.Since.UnixMicro()), nanos(f.Since))
	}
	if !f.Until.IsZero() {
		w.add("n < ? AND start < ?", place(f.Until.UnixMicro()+1), nanos(f.Until))
	}
	for _, c := range []struct{ column, value string }{
		{"account", f.Account},
		{"key", f.Key},
		{"client", f.Client},
		{"session", f.Session},
		{"inbound", f.Protocol},
		{"outbound", f.Outbound},
		{"op", f.Op},
	} {
		if c.value != "" {
			w.add(c.column+" = ?", c.value)
		}
	}
	switch {
	case strings.Contains(f.Model, "*"):
		like := glob(f.Model)
		w.add(`(served LIKE ? ESCAPE '\' OR asked LIKE ? ESCAPE '\')`, like, like)
	case f.Model != "":
		w.add("(served = ? OR asked = ?)", f.Model, f.Model)
	}
	switch f.Fault {
	case "":
	case "none":
		w.add("fault = ''")
	case "any":
		w.add("fault <> ''")
	default:
		w.add("fault = ?", f.Fault)
	}
	if f.MinStatus != 0 {
		w.add("status >= ?", f.MinStatus)
	}
	if f.MaxStatus != 0 {
		w.add("status <= ?", f.MaxStatus)
	}
	if f.MinTokens > 0 {
		w.add("input + cache_read + cache_write + output + reasoning >= ?", f.MinTokens)
	}
	if f.Text != "" {
		like := pattern(f.Text)
		w.add(`(id LIKE ? ESCAPE '\' OR served LIKE ? ESCAPE '\' OR asked LIKE ? ESCAPE '\' OR account LIKE ? ESCAPE '\')`, like, like, like, like)
	}
	return w
}

// pattern is the LIKE pattern, with \ as its escape, of what contains text.
func pattern(text string) string { return "%" + escaped(text) + "%" }

// glob is the LIKE pattern of a name in which the first maxStars * stand for any
// text; with more of them, a look at one name could take long.
func glob(name string) string { return strings.Replace(escaped(name), "*", "%", maxStars) }

const maxStars = 4

// escaped is text, shortened to maxText, as a pattern that matches itself.
func escaped(text string) string {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(clean(text))
}

// Requests lists requests, newest first, and the cursor of the page after it,
// "" if there is none. A request is on exactly one page, whatever is kept
// meanwhile; one that is kept meanwhile may be on none. The error is ErrCursor
// if f.Cursor comes from elsewhere.
//
// Only MinTook has no column. With it, a page looks at maxLook requests at most,
// so that it may be short, or empty, and yet have one after it.
func (s *Store) Requests(ctx context.Context, f Filter) (page []Request, next string, err error) {
	w := f.where()
	if f.Cursor != "" {
		n, err := strconv.ParseInt(f.Cursor, 36, 64)
		if err != nil {
			return nil, "", ErrCursor
		}
		w.add("n < ?", n)
	}
	limit := f.Limit
	if limit <= 0 {
		limit = DefaultPage
	}
	limit = min(limit, MaxPage)
	query := "SELECT " + columns + " FROM exchanges" + w.sql() + " ORDER BY n DESC LIMIT ?"
	most := limit + 1
	if f.MinTook > 0 {
		most = maxLook + 1
	}
	err = s.ledger.use(func(_, read *sql.DB) error {
		page, next = nil, ""
		rows, err := read.QueryContext(ctx, query, append(w.args, most)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		var last int64
		for looked := 0; rows.Next(); looked++ {
			if looked == maxLook {
				next = strconv.FormatInt(last, 36)
				break
			}
			r, n, err := scan(rows)
			if err != nil {
				return err
			}
			if f.MinTook > 0 && r.Took < f.MinTook {
				last = n
				continue
			}
			if len(page) == limit {
				next = strconv.FormatInt(last, 36)
				break
			}
			page, last = append(page, r), n
		}
		return rows.Err()
	})
	return page, next, err
}

// Request returns the request with that id, and whether the ledger has it.
func (s *Store) Request(ctx context.Context, id string) (r Request, ok bool, err error) {
	err = s.ledger.use(func(_, read *sql.DB) error {
		r, _, err = scan(read.QueryRowContext(ctx, "SELECT "+columns+" FROM exchanges WHERE id = ?", id))
		if ok = err == nil; errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return r, ok, err
}
