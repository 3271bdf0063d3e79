package store

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// copySuffix is for the copy of a precious database.
const copySuffix = ".copy"

// copySoon has the copy made anew, without anybody waiting for it: of many
// changes in a row the last counts. The copy stands in for a file that turns
// out to be damaged, so that it may be some changes behind.
func (d *database) copySoon() {
	d.copyMu.Lock()
	defer d.copyMu.Unlock()
	d.copyDue = true
	if d.copying {
		return
	}
	d.copying = true
	d.copies.Go(func() {
		for d.copyWanted() {
			if err := d.saveCopy(context.Background()); err != nil {
				d.log.Warn("the accounts' copy could not be made anew", "file", d.path+copySuffix, "error", err)
			}
		}
	})
}

// copyWanted reports whether there was a change since it was asked last; if
// not, the copier ends.
func (d *database) copyWanted() bool {
	d.copyMu.Lock()
	defer d.copyMu.Unlock()
	due := d.copyDue
	d.copyDue, d.copying = false, due
	return due
}

// saveCopy makes the copy anew, over a connection of its own, so that it holds
// up nobody. It takes the place of the former one whole and once it is on the
// disk.
func (d *database) saveCopy(ctx context.Context) error {
	db, err := d.connect(1)
	if err != nil {
		return err
	}
	defer db.Close()
	return vacuumInto(ctx, db, d.path+copySuffix)
}

// vacuumInto writes what db holds into the file to, which appears, or is
// replaced, whole and once it is on the disk.
func vacuumInto(ctx context.Context, db *sql.DB, to string) error {
	tmp := to + ".tmp"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) // SQLite takes an empty file
	if err != nil {
		return err
	}
	defer f.Close()
	defer os.Remove(tmp)
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", tmp); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(tmp, to); err != nil {
		return err
	}
	syncDir(filepath.Dir(to))
	return nil
}

// copyFile copies the file from to to, which is not there yet and is on the
// disk afterwards.
func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// restore begins a precious database from its copy, if there is one. If that
// was tried before, the copy is damaged too, and an empty one is begun.
func (d *database) restore(tried int) error {
	if !d.precious || tried > 0 {
		return nil
	}
	from := d.path + copySuffix
	if err := copyFile(d.path, from); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	d.log.Warn("the database was restored from its copy", "file", d.path, "copy", from)
	syncDir(filepath.Dir(d.path))
	return nil
}

// syncDir makes the names in dir outlive a power cut, where a folder can be
// synced. Where it cannot, the copy is an older one after it.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
