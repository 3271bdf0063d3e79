package store

import (
	"context"
	"database/sql"
	"fmt"
)

// migrate brings db to the schema that all of migrations make, in order. How
// many were applied stands in the database. Each is a transaction of its own,
// so that a crash in the middle leaves the one or the other schema. before is
// called if there is something in db that will be changed.
func migrate(ctx context.Context, db *sql.DB, migrations []string, before func() error) error {
	var have int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	if have > len(migrations) {
		return fmt.Errorf("%w: its schema is number %d, and this version knows up to %d. Install the newer version again, or move the file away",
			ErrNewer, have, len(migrations))
	}
	if have > 0 && have < len(migrations) {
		if err := before(); err != nil {
			return err
		}
	}
	for i := have; i < len(migrations); i++ {
		if err := migrateOne(ctx, db, migrations[i], i+1); err != nil {
			return fmt.Errorf("cannot change the schema to number %d: %w", i+1, err)
		}
	}
	// A file whose schema cannot be read is found out here, not by the first
	// request.
	var tables int
	return db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables)
}

func migrateOne(ctx context.Context, db *sql.DB, script string, version int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, script); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return err
	}
	return tx.Commit()
}
