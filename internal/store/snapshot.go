package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// snapshotDir is where snapshots of the accounts' database lie, below the data
// folder. What is sealed in them stays sealed.
const snapshotDir = "backups"

// Why a snapshot was made, and how many of each kind are kept, the latest.
const (
	daily      = "daily"
	forSchema  = "schema"
	forRestore = "restore"
)

var kept = map[string]int{daily: 7, forSchema: 3, forRestore: 3}

const (
	// dailyEvery is how old the latest daily snapshot may become while there
	// are changes.
	dailyEvery  = 24 * time.Hour
	stampLayout = "20060102T150405.000Z"
)

// A Snapshot is a copy of the accounts' database of an earlier moment.
type Snapshot struct {
	Name  string // of the file
	Why   string // daily, schema or restore
	Made  time.Time
	Bytes int64
}

var snapshotName = regexp.MustCompile(`^accounts-(\d{8}T\d{6}\.\d{3}Z)-(daily|schema|restore)\.db$`)

// snapshots lists the snapshots below dir, newest first.
func snapshots(dir string) (out []Snapshot, err error) {
	entries, err := os.ReadDir(filepath.Join(dir, snapshotDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		m := snapshotName.FindStringSubmatch(e.Name())
		if m == nil || !e.Type().IsRegular() {
			continue
		}
		made, errTime := time.Parse(stampLayout, m[1])
		info, errInfo := e.Info()
		if errTime != nil || errInfo != nil {
			continue
		}
		out = append(out, Snapshot{Name: e.Name(), Why: m[2], Made: made, Bytes: info.Size()})
	}
	slices.SortFunc(out, func(x, y Snapshot) int { return cmp.Or(y.Made.Compare(x.Made), cmp.Compare(x.Name, y.Name)) })
	return out, err
}

// snapshot copies db, the database d as it is now, into the folder of
// snapshots, and forgets the oldest of its kind. It appears under its name only
// whole and once it is on the disk.
func (d *database) snapshot(ctx context.Context, db *sql.DB, why string, now time.Time) error {
	dir := filepath.Join(filepath.Dir(d.path), snapshotDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	to := filepath.Join(dir, "accounts-"+now.UTC().Format(stampLayout)+"-"+why+".db")
	if err := vacuumInto(ctx, db, to); err != nil {
		return fmt.Errorf("cannot make a snapshot of the accounts: %w", err)
	}
	all, err := snapshots(filepath.Dir(d.path))
	if err != nil {
		return err
	}
	n := 0
	for _, s := range all {
		if s.Why != why {
			continue
		}
		if n++; n > kept[why] {
			if err := os.Remove(filepath.Join(dir, s.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Snapshots lists the copies of the accounts' database that there are, newest
// first.
func (s *Store) Snapshots() ([]Snapshot, error) { return snapshots(filepath.Dir(s.accounts.path)) }

// SnapshotNow makes a snapshot before something is restored.
func (s *Store) SnapshotNow(ctx context.Context) error {
	return s.accounts.use(func(write, _ *sql.DB) error { return s.accounts.snapshot(ctx, write, forRestore, time.Now()) })
}

// SnapshotDaily makes a snapshot if the accounts were changed since the latest
// and that is a day old.
func (s *Store) SnapshotDaily(ctx context.Context, now time.Time) error {
	changed, err := os.Stat(s.accounts.path + copySuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was ever changed
	}
	if err != nil {
		return err
	}
	all, err := s.Snapshots()
	if err != nil {
		return err
	}
	for _, x := range all {
		if x.Why == daily && (now.Sub(x.Made) < dailyEvery || changed.ModTime().Before(x.Made)) {
			return nil
		}
	}
	return s.accounts.use(func(write, _ *sql.DB) error { return s.accounts.snapshot(ctx, write, daily, now) })
}

// OpenSnapshot opens a copy of the snapshot called name, brought to this
// version's schema, to be read. Close removes the copy.
func (s *Store) OpenSnapshot(name string) (*Snap, error) {
	dir := filepath.Dir(s.accounts.path)
	if !snapshotName.MatchString(name) {
		return nil, fs.ErrNotExist
	}
	tmp, err := os.MkdirTemp(dir, ".restore-*.tmp")
	if err != nil {
		return nil, err
	}
	x := &Snap{Store: &Store{o: s.o, accounts: &database{path: filepath.Join(tmp, accountsFile), migrations: accountsMigrations, log: s.o.Log, precious: true}}, dir: tmp}
	if err := copyFile(x.accounts.path, filepath.Join(dir, snapshotDir, name)); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	if err := x.accounts.tryOpen(); err != nil {
		return nil, errors.Join(fmt.Errorf("the snapshot %s cannot be read: %w", name, err), x.Close())
	}
	return x, nil
}

// A Snap is an open copy of a snapshot. Only what is about accounts, client
// keys and rules may be asked.
type Snap struct {
	*Store
	dir string
}

// Close removes the copy.
func (x *Snap) Close() error { return errors.Join(x.accounts.close(), os.RemoveAll(x.dir)) }
