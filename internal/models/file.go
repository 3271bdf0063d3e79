package models

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"portico/internal/protocol"
)

// maxFile bounds the file of saved lists in bytes. Lists that would go beyond
// it are left out, and are read from their accounts after a start.
const maxFile = 8 << 20

// A saved list is one account's, as the file holds it.
type saved struct {
	Name   string           `json:"account"`
	Home   string           `json:"home"`
	Models []protocol.Model `json:"models"`
}

// lists are those worth saving. The lock is held. The result is not nil.
func (s *Shelf) lists() []saved {
	out := []saved{}
	for _, e := range s.entries {
		if e.known {
			out = append(out, saved{e.account.Name, home(e.account), e.models})
		}
	}
	return out
}

// load reads the lists that save wrote. A missing file holds none.
func load(file string) ([]saved, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("it has more than %d bytes", maxFile)
	}
	var lists []saved
	return lists, json.Unmarshal(text, &lists)
}

// save writes the lists so that the file is whole at any moment, and readable
// by its owner only.
func save(file string, lists []saved) (err error) {
	text := []byte{'['}
	for _, l := range lists {
		one, err := json.Marshal(l)
		if err != nil {
			return err
		}
		if len(text)+len(one)+2 > maxFile {
			continue
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(text, one...)
	}
	text = append(text, ']')
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
