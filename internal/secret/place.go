package secret

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
)

// A Keychain keeps secrets by an id, as the system's keychain does. A call may
// take as long as it takes a person to unlock it.
type Keychain interface {
	Get(id string) (string, error)
	Set(id, secret string) error
	Delete(id string) error
}

// Places where the key is wanted.
const (
	Auto       = "auto"     // in the keychain if it works when the key is made, else in the file; it stays where it is
	InKeychain = "keychain" // in the keychain if it works, else in the file
	InFile     = "file"
)

// A Place is where the key lies, as far as it can be told without reading it.
type Place struct {
	In   string // InFile, InKeychain, or "" while there is no key
	Path string // of the key file, which with InKeychain says under which id the key is
	// Why says why it lies in the file though it is wanted in the keychain, or
	// the other way round; "" if it lies where it is wanted.
	Why string
}

// errNoKeychain: there is none on this system, or it is switched off.
var errNoKeychain = errors.New("this system has no keychain that Portico can use")

// chain is the keychain, or one that refuses.
func (s *Sealer) keychain() Keychain {
	if s.chain == nil {
		return refusing{}
	}
	return s.chain
}

type refusing struct{}

func (refusing) Get(string) (string, error) { return "", errNoKeychain }
func (refusing) Set(string, string) error   { return errNoKeychain }
func (refusing) Delete(string) error        { return errNoKeychain }

// Place says where the key lies.
func (s *Sealer) Place() Place {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := Place{Path: s.path}
	k, err := readFile(s.path)
	switch {
	case err != nil && !errors.Is(err, errNoKey):
		p.Why = err.Error()
	case err != nil:
	case k.id != "":
		p.In = InKeychain
	default:
		p.In = InFile
	}
	if p.In != "" && s.why != nil {
		p.Why = s.why.Error()
	}
	return p
}

// Settle moves the key to where it is wanted, if there is one and it lies
// elsewhere, and says whether it did. It is at its new place, and was read back
// from there, before it is taken from the old one; if that fails it stays where
// it was, and Place says why.
func (s *Sealer) Settle() (moved bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := readFile(s.path)
	switch {
	case errors.Is(err, errNoKey):
		return false, nil
	case err != nil:
		return false, err
	case s.want == InKeychain && k.id == "":
		s.why = s.toKeychain(&k, true)
		return s.why == nil, s.why
	case s.want == InFile && k.id != "":
		s.why = s.toFile(&k)
		return s.why == nil, s.why
	}
	return false, nil
}

// toKeychain puts the key of k into the keychain, and into the file how to find
// it.
func (s *Sealer) toKeychain(k *keyFile, replace bool) error {
	away := keyFile{id: rand.Text(), sign: k.sign}
	if err := s.keychain().Set(away.id, base64.StdEncoding.EncodeToString(k.key)); err != nil {
		return fmt.Errorf("the keychain does not take the key: %w", err)
	}
	back, err := s.fetch(&away)
	if err == nil && !bytes.Equal(back, k.key) {
		err = errors.New("the keychain does not give the key back")
	}
	if err == nil {
		err = writeFile(s.path, &away, replace)
	}
	if err != nil {
		_ = s.keychain().Delete(away.id) // nobody will look for it there
	}
	return err
}

// toFile puts the key that the keychain has into the file. That the keychain
// then keeps it too, if it does not delete it, is no loss.
func (s *Sealer) toFile(away *keyFile) error {
	key, err := s.fetch(away)
	if err != nil {
		return err
	}
	if err := writeFile(s.path, &keyFile{key: key, sign: away.sign}, true); err != nil {
		return err
	}
	_ = s.keychain().Delete(away.id)
	return nil
}

// fetch returns the key that the keychain has.
func (s *Sealer) fetch(away *keyFile) ([]byte, error) {
	text, err := s.keychain().Get(away.id)
	if err != nil {
		return nil, fmt.Errorf("the key lies in the system's keychain, which does not give it (%s names it): %w", s.path, err)
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != keySize || idOf(key) != away.sign {
		return nil, fmt.Errorf("what the keychain has under the id in %s is another key", s.path)
	}
	return key, nil
}

// read returns the key, wherever it lies.
func (s *Sealer) read() ([]byte, error) {
	k, err := readFile(s.path)
	if err != nil || k.id == "" {
		return k.key, err
	}
	return s.fetch(&k)
}

// make makes a key where one is wanted. If another process is first, its key
// is the one.
func (s *Sealer) make() ([]byte, error) {
	k := newKey()
	if s.want != InFile && s.chain != nil {
		err := s.toKeychain(&k, false)
		if err == nil || errors.Is(err, fs.ErrExist) {
			return s.read()
		}
		if s.want == InKeychain {
			s.why = err
		}
	} else if s.want == InKeychain {
		s.why = errNoKeychain
	}
	if err := writeFile(s.path, &k, false); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return s.read()
}
