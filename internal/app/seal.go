package app

import (
	"path/filepath"

	"portico/internal/config"
	"portico/internal/keychain"
	"portico/internal/secret"
)

// seal opens the key with which secrets are sealed, and moves it to where the
// operator wants it. If it cannot be moved it is used where it is, and status
// and doctor say so: no start fails over it.
func (a *App) seal(c *config.Config) *secret.Sealer {
	a.sealer = secret.NewSealerAt(filepath.Join(c.DataDir, keyFile), c.SecretStore, keychain.System())
	moved, err := a.sealer.Settle()
	switch {
	case err != nil:
		a.log.Warn("the key that seals credentials stays where it is", "wanted", c.SecretStore, "error", err)
	case moved:
		a.log.Info("the key that seals credentials was moved", "to", c.SecretStore)
	}
	return a.sealer
}
