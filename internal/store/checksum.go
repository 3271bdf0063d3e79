package store

import (
	"bytes"
	"crypto/sha256"
	"strconv"
)

// checkedMigration adds what finds a record that the disk has changed, and the
// version of an account.
const checkedMigration = `
ALTER TABLE accounts ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE accounts ADD COLUMN checksum BLOB; -- of all columns before it; NULL: written by an older version
ALTER TABLE keys ADD COLUMN checksum BLOB;
`

// checksum is of the columns of a record. It finds what a disk did; who may
// write the file can make it anew, and still gets no credential to open (see
// seat).
func checksum(columns ...any) []byte {
	var room [1024]byte
	text := room[:0]
	for _, c := range columns {
		switch c := c.(type) {
		case string:
			text = append(append(strconv.AppendInt(text, int64(len(c)), 10), ':'), c...)
		case []byte:
			text = append(append(strconv.AppendInt(text, int64(len(c)), 10), ':'), c...)
		case int:
			text = append(strconv.AppendInt(text, int64(c), 10), ';')
		case int64:
			text = append(strconv.AppendInt(text, c, 10), ';')
		case bool:
			text = append(strconv.AppendBool(text, c), ';')
		}
	}
	sum := sha256.Sum256(text)
	return sum[:16]
}

// checks reports whether sum is the checksum of columns; a record without one
// is believed.
func checks(sum []byte, columns ...any) bool {
	return sum == nil || bytes.Equal(sum, checksum(columns...))
}
