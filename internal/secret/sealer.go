package secret

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
)

// Errors of Open, wrapped with where.
var (
	// ErrOtherKey: the key is not the one that the secret was sealed with.
	ErrOtherKey = errors.New("it was sealed with another key")
	// ErrChanged: the sealed bytes were changed, or belong somewhere else.
	ErrChanged = errors.New("it was changed, or belongs to another record")
)

// A Sealer encrypts secrets with a key that lies in a file or in the system's
// keychain, AES-256-GCM with a random nonce. What it seals opens only at the place that it was sealed for,
// so that two sealed secrets cannot change places unnoticed. It is safe for
// concurrent use.
type Sealer struct {
	path  string
	want  string   // Auto, InKeychain or InFile
	chain Keychain // nil: there is none

	mu   sync.Mutex
	aead cipher.AEAD // nil until the key is needed
	id   keyID
	why  error // why the key does not lie where it is wanted
}

// NewSealer returns a Sealer whose key lies in the file at path. The file is
// read when it is first needed, and made by the first Seal: 0600, and on the
// disk before anything is sealed with it.
func NewSealer(path string) *Sealer { return &Sealer{path: path, want: InFile} }

// NewSealerAt returns a Sealer whose key is wanted in the place want, Auto,
// InKeychain or InFile. The file at path holds the key, or says under which id
// the keychain has it; a key that was made stays where it is until Settle.
func NewSealerAt(path, want string, chain Keychain) *Sealer {
	return &Sealer{path: path, want: want, chain: chain}
}

// A sealed secret is a version, the first bytes of the key's hash, the nonce,
// the ciphertext and its tag.
const (
	sealVersion = 1
	sealHeader  = 1 + 4
)

// Seal encrypts plain for the place where: the table, the record and the
// field, and whatever else must not change without the secret being given
// anew.
func (s *Sealer) Seal(plain string, where ...string) ([]byte, error) {
	aead, id, err := s.key(true)
	if err != nil {
		return nil, err
	}
	sealed := append([]byte{sealVersion}, id[:]...)
	return aead.Seal(sealed, nil, []byte(plain), additional(sealed, where)), nil
}

// Open decrypts what Seal made for the same place.
func (s *Sealer) Open(sealed []byte, where ...string) (string, error) {
	if len(sealed) < sealHeader || sealed[0] != sealVersion {
		return "", ErrChanged
	}
	aead, id, err := s.key(false)
	if err != nil {
		return "", err
	}
	head, rest := sealed[:sealHeader], sealed[sealHeader:]
	if !bytes.Equal(head[1:], id[:]) {
		return "", fmt.Errorf("%w than the one of %s", ErrOtherKey, s.path)
	}
	plain, err := aead.Open(nil, nil, rest, additional(head, where))
	if err != nil {
		return "", ErrChanged
	}
	return string(plain), nil
}

// additional is what the tag covers beside the secret. The lengths keep
// ("ab", "c") and ("a", "bc") apart.
func additional(head []byte, where []string) []byte {
	b := bytes.Clone(head)
	for _, w := range where {
		b = binary.AppendUvarint(b, uint64(len(w)))
		b = append(b, w...)
	}
	return b
}

// key returns the cipher, reading the key if it was not read yet, and making
// it if create.
func (s *Sealer) key(create bool) (cipher.AEAD, keyID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aead != nil {
		return s.aead, s.id, nil
	}
	key, err := s.read()
	if create && errors.Is(err, errNoKey) {
		key, err = s.make()
	}
	if err != nil {
		return nil, s.id, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, s.id, err
	}
	if s.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, s.id, err
	}
	s.id = idOf(key)
	return s.aead, s.id, nil
}
