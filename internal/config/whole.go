package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// path is where the configuration file is, or would be.
func (c *Config) path() string {
	if c.File != "" {
		return c.File
	}
	return filepath.Join(c.DataDir, fileName)
}

// Text returns the configuration file as it was written, nil if there is none.
// It holds secrets.
func (c *Config) Text() ([]byte, error) {
	text, err := os.ReadFile(c.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// CheckText says why text cannot be the configuration file, beside the
// variables and flags of o. The error is an *Error.
func (c *Config) CheckText(o Options, text []byte) error {
	if len(text) > maxFile {
		return fmt.Errorf("the configuration has %d bytes; at most %d are read", len(text), maxFile)
	}
	f, err := os.CreateTemp(c.DataDir, ".portico-*.tmp") // 0600; a start clears away what a crash has left
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	o.DataDir, o.File, o.Init = c.DataDir, f.Name(), false
	_, _, err = Load(o)
	if wrong, ok := errors.AsType[*Error](err); ok {
		for i := range wrong.Problems {
			if p := &wrong.Problems[i]; p.Where == f.Name() {
				p.Where = filepath.Base(c.path())
			}
		}
	}
	return err
}

// WriteText puts text, which was checked, in the place of the configuration
// file: whole, and on the disk when it returns.
func (c *Config) WriteText(text []byte) error { return writeFile(c.path(), text) }
