package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A database is one SQLite file: one connection that writes and some that
// read. If the file turns out to be damaged it is set aside and another one
// takes its place.
type database struct {
	path       string
	migrations []string
	probe      string // a query that works if the schema is what migrations make; "" asks nothing
	readers    int    // connections that only read; 0: the one that writes does both
	// precious: the database is small and is checked as a whole when it is
	// opened; it has a copy, from which it is begun anew.
	precious bool
	log      *slog.Logger

	mu     sync.RWMutex // held for reading while the connections are in use
	write  *sql.DB
	read   *sql.DB // write, if there are no readers
	broken []string
	closed bool

	// Of a precious database: its copy is made by at most one goroutine.
	copyMu           sync.Mutex
	copyDue, copying bool
	copies           sync.WaitGroup
}

const (
	// checkpoint is how far the write-ahead log grows, in pages of 4 KiB,
	// before it goes into the database.
	checkpoint = 1000
	// maxBroken is how many damaged files of one database are kept.
	maxBroken = 3
	// readerIdle is how long a connection that reads is kept for the next
	// query. The writer's stays.
	readerIdle = time.Minute
)

// connect returns a pool of n connections. busy_timeout comes first, because
// what follows may have to wait for a lock already.
func (d *database) connect(n int, more ...string) (*sql.DB, error) {
	pragmas := append([]string{
		"busy_timeout(5000)",
		"auto_vacuum(incremental)",
		"journal_mode(wal)",
		"synchronous(full)", // a commit is on the disk: Keep and the accounts' changes promise it
		fmt.Sprintf("wal_autocheckpoint(%d)", checkpoint),
		fmt.Sprintf("journal_size_limit(%d)", 4096*checkpoint),
		"cache_size(-1024)", // KiB
		"trusted_schema(off)",
	}, more...)
	if d.precious {
		pragmas = append(pragmas, "secure_delete(on)") // a credential that was removed is gone
	}
	u := url.URL{
		Scheme: "file", Path: filepath.ToSlash(d.path),
		RawQuery: url.Values{"_pragma": pragmas, "_txlock": {"immediate"}, "_dqs": {"0"}, "_defensive": {"1"}}.Encode(),
	}
	if !strings.HasPrefix(u.Path, "/") {
		u.Path = "/" + u.Path // C:/…
	}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	return db, nil
}

// open opens the file, making it if it is not there. One that is damaged is
// set aside first.
func (d *database) open() error {
	err := d.tryOpen()
	for tries := 0; damaged(err) && tries < 2; tries++ { // the second time, the copy was damaged too
		if err = errors.Join(d.moveAside(err), d.restore(tries)); err == nil {
			err = d.tryOpen()
		}
	}
	return err
}

func (d *database) tryOpen() error {
	f, err := os.OpenFile(d.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	// SQLite gives its other files the mode of this one.
	for _, suffix := range sidecars {
		if err := tighten(d.path + suffix); err != nil {
			return err
		}
	}
	w, err := d.connect(1)
	if err != nil {
		return err
	}
	if err = d.prepare(w); err != nil {
		w.Close()
		return err
	}
	r := w
	if d.readers > 0 {
		if r, err = d.connect(d.readers, "query_only(on)"); err != nil {
			w.Close()
			return err
		}
		r.SetConnMaxIdleTime(readerIdle)
	}
	d.write, d.read = w, r
	return nil
}

// sidecars are the suffixes of the files of one database.
var sidecars = []string{"", "-wal", "-shm"}

// tighten takes a file from everybody but its owner.
func tighten(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = os.Chmod(path, 0o600)
	}
	return err
}

// prepare brings the schema up to date and finds out whether the file can be
// read: as a whole if it is precious, else the places where it is entered.
func (d *database) prepare(db *sql.DB) error {
	ctx := context.Background()
	// The ledger is large and has no snapshot: each step is a transaction.
	before := func() error { return nil }
	if d.precious {
		before = func() error {
			err := d.snapshot(ctx, db, forSchema, time.Now())
			if err != nil && !damaged(err) {
				d.log.Warn("no snapshot was made before the schema is changed", "file", d.path, "error", err)
				return nil
			}
			return err
		}
	}
	if err := migrate(ctx, db, d.migrations, before); err != nil {
		return err
	}
	if err := d.ask(ctx, db); err != nil {
		return err
	}
	if !d.precious {
		return nil
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return &damage{verdict}
	}
	return nil
}

// ask asks what the schema must be able to answer.
func (d *database) ask(ctx context.Context, db *sql.DB) error {
	if d.probe == "" {
		return nil
	}
	var one int
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM ("+d.probe+")").Scan(&one)
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == sqlite3.SQLITE_ERROR {
		return &damage{err.Error()} // SQLite sees no damage if the schema is still SQL
	}
	return err
}

// damage is what SQLite has no code for.
type damage struct{ verdict string }

func (d *damage) Error() string { return "the database is damaged: " + d.verdict }

// damaged reports whether err says that the file itself is wrong.
func damaged(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		code := e.Code() & 0xff
		return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
	}
	_, ok := errors.AsType[*damage](err)
	return ok
}

// moveAside renames the file, so that a new one can be begun.
func (d *database) moveAside(why error) error {
	old, err := filepath.Glob(globEscape(d.path) + ".broken-*")
	if err != nil {
		return err
	}
	old = slices.DeleteFunc(old, func(p string) bool { return strings.HasSuffix(p, "-wal") || strings.HasSuffix(p, "-shm") })
	slices.Sort(old) // by their time
	for ; len(old) >= maxBroken; old = old[1:] {
		for _, suffix := range sidecars {
			if err := os.Remove(old[0] + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	to := d.path + ".broken-" + strconv.FormatInt(time.Now().UnixNano(), 10)
	for _, suffix := range slices.Backward(sidecars) { // the file itself last, so that none is without its log
		if err := os.Rename(d.path+suffix, to+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	d.broken = append(d.broken, to)
	d.log.Error("a database is damaged; it was set aside and another one takes its place", "file", d.path, "set_aside", to, "error", why)
	return nil
}

// globEscape makes path match itself.
func globEscape(path string) string {
	return strings.NewReplacer("[", "[[]", "*", "[*]", "?", "[?]").Replace(path)
}

// use calls f with the connections. If the file turns out to be damaged it is
// replaced and f is called once more.
func (d *database) use(f func(write, read *sql.DB) error) error {
	used, err := d.call(f)
	if !damaged(err) && !errors.Is(err, errAway) {
		return err
	}
	if err := d.replace(used, err); err != nil {
		return err
	}
	_, err = d.call(f)
	return err
}

var (
	errAway   = errors.New("the database could not be opened")
	errClosed = errors.New("the database is closed")
)

func (d *database) call(f func(write, read *sql.DB) error) (used *sql.DB, err error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	switch {
	case d.closed:
		return nil, errClosed
	case d.write == nil:
		return nil, errAway
	}
	return d.write, f(d.write, d.read)
}

// replace sets the file aside and opens another one, unless somebody has done
// so since used was in use. used is nil if that failed before.
func (d *database) replace(used *sql.DB, why error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.write != used || d.closed {
		return nil
	}
	if used != nil {
		d.disconnect()
		if err := errors.Join(d.moveAside(why), d.restore(0)); err != nil {
			return errors.Join(why, err)
		}
	}
	return d.open()
}

// disconnect closes the connections. What they could not write they said
// before.
func (d *database) disconnect() error {
	w, r := d.write, d.read
	d.write, d.read = nil, nil
	if w == nil {
		return nil
	}
	err := w.Close()
	if r != w {
		err = errors.Join(err, r.Close())
	}
	return err
}

func (d *database) setAside() []string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.Clone(d.broken)
}

func (d *database) close() error {
	d.mu.Lock()
	d.closed = true
	err := d.disconnect()
	d.mu.Unlock()
	d.copies.Wait() // the last change gets into the copy, too
	return err
}
