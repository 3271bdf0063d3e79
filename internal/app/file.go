package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"portico/internal/admin"
	"portico/internal/config"
	"portico/internal/store"
)

// file is the configuration file, for the operator.
type file struct{ *App }

// Read implements admin.File.
func (f file) Read() (text, tag string, err error) {
	b, err := f.config.Load().Text()
	if err != nil {
		return "", "", err
	}
	sum := sha256.Sum256(b)
	return string(b), hex.EncodeToString(sum[:16]), nil
}

// Write implements admin.File.
func (f file) Write(ctx context.Context, text, tag string) ([]config.Problem, error) {
	f.backing.Lock() // a restore writes the file, too
	defer f.backing.Unlock()
	_, is, err := f.Read()
	if err != nil {
		return nil, err
	}
	if tag != "" && tag != is {
		return nil, store.ErrVersion
	}
	c := f.config.Load()
	if err := c.CheckText(f.options, []byte(text)); err != nil {
		if _, wrong := errors.AsType[*config.Error](err); !wrong {
			err = admin.Invalid{Err: err}
		}
		return nil, err
	}
	if err := c.WriteText([]byte(text)); err != nil {
		return nil, err
	}
	return f.Reload(context.WithoutCancel(ctx))
}
