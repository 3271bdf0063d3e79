package secret

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
)

// Errors of Open, wrapped with where.
var (
	// ErrOtherKey: the key file is not the one that the secret was sealed with.
	ErrOtherKey = errors.New("it was sealed with another key file")
	// ErrChanged: the sealed bytes were changed, or belong somewhere else.
	ErrChanged = errors.New("it was changed, or belongs to another record")
)

// A Sealer encrypts secrets with a key that lies in a file, AES-256-GCM with a
// random nonce. What it seals opens only at the place that it was sealed for,
// so that two sealed secrets cannot change places unnoticed. It is safe for
// concurrent use.
type Sealer struct {
	path string

	mu   sync.Mutex
	aead cipher.AEAD // nil until the key is needed
	id   [4]byte     // tells keys apart
}

// NewSealer returns a Sealer whose key lies in the file at path. The file is
// read when it is first needed, and made by the first Seal: 0600, and on the
// disk before anything is sealed with it.
func NewSealer(path string) *Sealer { return &Sealer{path: path} }

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
		return "", fmt.Errorf("%w than %s", ErrOtherKey, s.path)
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
func (s *Sealer) key(create bool) (cipher.AEAD, [4]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aead != nil {
		return s.aead, s.id, nil
	}
	key, err := readKey(s.path)
	if create && errors.Is(err, errNoKey) {
		key, err = makeKey(s.path)
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
	h := sha256.Sum256(append([]byte("portico key id\x00"), key...))
	copy(s.id[:], h[:])
	return s.aead, s.id, nil
}
